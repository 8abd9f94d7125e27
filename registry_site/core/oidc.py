"""Whether single sign-on is configured, and whether it can work. Asked before Django is there."""

from collections.abc import Mapping
from importlib.util import find_spec

VARIABLES = ("PODIUM_OIDC_SERVER_URL", "PODIUM_OIDC_CLIENT_ID", "PODIUM_OIDC_CLIENT_SECRET")


def is_configured(environment: Mapping[str, str]) -> bool:
    """Whether anything is said about a provider."""
    return any(environment.get(name) for name in VARIABLES)


def trouble(environment: Mapping[str, str]) -> str:
    """What is in the way of single sign-on by these variables, and what to do; empty if nothing is."""
    if not is_configured(environment):
        return ""
    missing = [name for name in VARIABLES if not environment.get(name)]
    if missing:
        return f"Single sign-on is half configured: set {' and '.join(missing)} too, or none of the three."
    if find_spec("allauth") is None:
        return (
            "Single sign-on is configured by the PODIUM_OIDC variables, and what it needs is not installed: "
            "run pip install 'podium[oidc]' (from a checkout: pip install -e '.[oidc]'), or unset the variables."
        )
    return ""
