"""Addresses of archives that carry their own leave, for what fetches a model and has no credentials: KServe, curl."""

from datetime import timedelta

from registry_site.accounts.actors import Actor
from registry_site.accounts.signed_urls import Signed, actor_of_signature, sign
from registry_site.artifacts.archives import Format
from registry_site.audit.kinds import Origin
from registry_site.core.errors import InvalidParameter
from registry_site.registry.version_files import get_version_called, resolve_version_artifact

LONGEST = timedelta(days=7)  # a server that restarts fetches its model again
SHORTEST = timedelta(minutes=1)


def sign_archive(actor: Actor, *, name: str, called: str, format: Format, lasts: timedelta) -> Signed:
    """Leave to read the archive of the version that is called so, by then: what stands in a stage may change.

    Raises NotFound where there is none now, InvalidParameter for a time beyond a minute to seven days.
    """
    if not SHORTEST <= lasts <= LONGEST:
        raise InvalidParameter("An address lasts for a minute at least, and seven days at most.", field="lasts")
    resolve_version_artifact(actor, get_version_called(actor, name, called))
    return sign(actor, *_what(name, called, format), lasts=lasts)


def reader_of_archive(signature: str, *, name: str, called: str, format: Format) -> Actor:
    """Who gave leave to read this archive. Raises NotFound."""
    return actor_of_signature(signature, *_what(name, called, format), origin=Origin.REST)


def _what(name: str, called: str, format: Format) -> tuple[str, ...]:
    return ("archive of a version", name, called, format.value)
