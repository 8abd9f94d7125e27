"""How often somebody may try. Counted in each process by itself, for as long as it matters."""

import hashlib

from django.core.cache import cache

from registry_site.core.errors import TooManyAttempts


def attempt(what: str, who: str, *, most: int, within: int) -> None:
    """Count an attempt at this by whoever that is. Raises TooManyAttempts beyond so many within so many seconds."""
    key = f"{what}:".replace(" ", "-") + hashlib.sha256(who.encode()).hexdigest()
    cache.add(key, 0, within)
    if cache.incr(key) > most:
        raise TooManyAttempts(f"Too many attempts. Wait {within // 60} minutes and try again.")
