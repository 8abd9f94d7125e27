"""Checking passwords: slow for whoever guesses, once a minute for whoever knows.

A password hash costs a quarter of a second by design, and an MLflow client sends the password with every request. So a
password that was right is remembered for a minute, under a key that nobody outside this process can compute and that
changes with the stored hash: a changed password is refused at the next request.
"""

import hashlib
import hmac
import logging
import secrets
import time
from collections import OrderedDict

from django.contrib.auth.hashers import check_password, make_password
from django.core.cache import cache
from django.db.models import CharField

from registry_site.accounts.models import User
from registry_site.core.errors import TooManyAttempts
from registry_site.core.prepared import Given, Prepared, columns_of, instance_of

log = logging.getLogger(__name__)

REMEMBERED_SECONDS = 60
REMEMBERED_AT_MOST = 10_000
FAILURES_ALLOWED = 10
FAILURES_FORGOTTEN_AFTER_SECONDS = 300

# This runs on every request of a client that sends a password.
_USER = Prepared(
    lambda: User.objects.filter(username=Given("username", CharField())).values_list(*columns_of(User)),
    instance_of(User),
)
_process_key = secrets.token_bytes(32)
_verified: OrderedDict[bytes, float] = OrderedDict()


def check_credentials(username: str, password: str, *, remote_address: str) -> User | None:
    """The active user of this name and password, else None.

    Takes as long for an unknown name as for a wrong password. Raises TooManyAttempts after ten failures of one name
    from one address within five minutes.
    """
    user = _USER.first(username=username)
    if user is not None and user.is_active and _is_remembered(user, password):
        return user
    throttle = "sign-in:" + hashlib.sha256(f"{username}\0{remote_address}".encode()).hexdigest()
    if cache.get(throttle, 0) >= FAILURES_ALLOWED:
        raise TooManyAttempts("Too many failed attempts to sign in. Wait five minutes and try again.")
    if user is None:
        make_password(password)
    elif _is_right(user, password) and user.is_active:
        return user
    whose = f"for {user.username}" if user else "for nobody"  # what nobody is called may be a password, typed too early
    log.warning("A wrong password %s, from %s.", whose, remote_address or "inside")
    cache.add(throttle, 0, FAILURES_FORGOTTEN_AFTER_SECONDS)
    cache.incr(throttle)
    return None


def _is_remembered(user: User, password: str) -> bool:
    return _verified.get(_key(user, password), 0) > time.monotonic()


def _key(user: User, password: str) -> bytes:
    return hmac.digest(_process_key, f"{user.pk}\0{user.password}\0{password}".encode(), "sha256")


def _is_right(user: User, password: str) -> bool:
    if not check_password(password, user.password):
        return False
    _verified[_key(user, password)] = time.monotonic() + REMEMBERED_SECONDS
    while len(_verified) > REMEMBERED_AT_MOST:
        _verified.popitem(last=False)
    return True
