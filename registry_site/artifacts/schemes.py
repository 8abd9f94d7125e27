"""Which places artifacts may lie at, and what has to be installed for them. Pure; asked before Django is there."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec


@dataclass(frozen=True, slots=True)
class Provider:
    """A kind of store: the class that is one, and the extra that brings what it imports."""

    store: str
    extra: str = ""
    imports: tuple[str, ...] = ()

    @property
    def is_installed(self) -> bool:
        return all(_is_there(module) for module in self.imports)


_AZURE = Provider("registry_site.artifacts.azure.AzureStore", "azure", ("azure.storage.blob", "azure.identity"))
# By name, because these libraries take up to a second and 50 MB to import, which installations with a folder need not
# pay.
PROVIDERS = {
    "": Provider("registry_site.artifacts.local.LocalStore"),
    "s3": Provider("registry_site.artifacts.s3.S3Store"),
    "gs": Provider("registry_site.artifacts.gcs.GcsStore", "gcs", ("google.cloud.storage",)),
    "wasbs": _AZURE,
    "abfss": _AZURE,
}


_IN_AZURE = re.compile(
    r"(?:wasbs|abfss)://(?P<container>[^@/]+)@(?P<account>[^@./]+)\.(?:blob|dfs)\.(?P<domain>[^/@]+)(?:/.*)?"
)


def place_in_azure(root: str) -> tuple[str, str, str] | None:
    """The container, the account and the domain below which the accounts are that a URI names; None of another one."""
    found = _IN_AZURE.fullmatch(root)
    return (found["container"], found["account"], found["domain"]) if found else None


def scheme_of(root: str) -> str:
    """What stands before `://`; nothing for a folder."""
    return root.partition("://")[0] if "://" in root else ""


def trouble(roots: Iterable[str]) -> str:
    """What is in the way of the first root that cannot work, and what to do; empty if nothing is."""
    for root in roots:
        provider = PROVIDERS.get(scheme_of(root))
        if provider is None:
            return (
                "Artifacts lie in a folder or under s3://bucket/prefix, gs://bucket/prefix, "
                "wasbs://container@account.blob.core.windows.net/prefix or "
                f"abfss://container@account.dfs.core.windows.net/prefix, and not under {root!r}."
            )
        if provider is _AZURE and place_in_azure(root) is None:
            return (
                "Artifacts in Azure lie under wasbs://container@account.blob.core.windows.net/prefix or "
                f"abfss://container@account.dfs.core.windows.net/prefix, and not under {root!r}."
            )
        if not provider.is_installed:
            return (
                f"Artifacts shall lie under {root}, and what that needs is not installed: run pip install "
                f"'podium[{provider.extra}]' (from a checkout: pip install -e '.[{provider.extra}]')."
            )
    return ""


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # nor is what it would be a part of
        return False
