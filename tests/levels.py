"""The people that tests about levels walk through, and what a table may say that something needs."""

from enum import Enum

from registry_site.accounts.levels import Level
from registry_site.accounts.models import User
from tests.make import grant, grant_on_experiments, make_user

NONE, READ, EDIT, MANAGE = Level.NONE, Level.CAN_READ, Level.CAN_EDIT, Level.CAN_MANAGE
STAGING, PRODUCTION = Level.CAN_MANAGE_STAGING_VERSIONS, Level.CAN_MANAGE_PRODUCTION_VERSIONS


class Open(Enum):
    """To whom something is open that no level is granted on."""

    ALL = "everybody, signed in or not"
    PEOPLE = "everybody who is signed in"
    OWN = "everybody who is signed in, who finds there what they may read, and nothing else"
    ADMINISTRATORS = "administrators"
    AUTHOR = "who wrote it"
    AUTHOR_OR_ADMINISTRATORS = "who wrote it, and administrators"


ALL, PEOPLE, OWN, ADMINISTRATORS = Open.ALL, Open.PEOPLE, Open.OWN, Open.ADMINISTRATORS
AUTHOR, AUTHOR_OR_ADMINISTRATORS = Open.AUTHOR, Open.AUTHOR_OR_ADMINISTRATORS
Need = Level | Open
PEOPLE_BY_LEVEL = {
    "nobody": NONE,
    "reader": READ,
    "editor": EDIT,
    "staging-manager": STAGING,
    "production-manager": PRODUCTION,
    "manager": MANAGE,
    "admin": MANAGE,
}


def make_person(name: str) -> User:
    """The one of these people who is called so, with their level on all models and experiments."""
    level = PEOPLE_BY_LEVEL[name]
    user = make_user(name, is_admin=name == "admin")
    if level is not NONE and not user.is_superuser:
        grant(user, level)
        grant_on_experiments(user, EDIT if level in (STAGING, PRODUCTION) else level)
    return user


def outcome_for(user: User, need: Need) -> str:
    """What comes of it where something needs this and that person asks: "done", "hidden" or "forbidden"."""
    if isinstance(need, Level):
        level = PEOPLE_BY_LEVEL[user.username]
        return "done" if level >= need else "hidden" if level is NONE else "forbidden"
    if need in (AUTHOR, AUTHOR_OR_ADMINISTRATORS):  # of something that somebody else wrote
        may = need is AUTHOR_OR_ADMINISTRATORS and user.is_superuser
        return "done" if may else "hidden" if PEOPLE_BY_LEVEL[user.username] is NONE else "forbidden"
    return "forbidden" if need is ADMINISTRATORS and not user.is_superuser else "done"
