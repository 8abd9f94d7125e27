"""Files that the web server in front sends by itself, when it can reach the folder of the store."""

from urllib.parse import quote

from django.conf import settings

from registry_site.artifacts.local import LocalStore
from registry_site.artifacts.store import store_of

ACCEL, SENDFILE = "X-Accel-Redirect", "X-Sendfile"  # nginx and Caddy; Apache and lighttpd


def handed_over(stored: str) -> dict[str, str] | None:
    """The header that makes the server in front send the file at a resolved path, whole or the range that was asked
    for; None where it cannot. The file is there, it is one, and no link leads to it. Raises NotFound."""
    kind = settings.PODIUM_SENDFILE
    store, path = store_of(stored)
    if not kind or not isinstance(store, LocalStore):
        return None
    with store.open(path):
        pass  # as for every reader: opened inside the root, part by part
    below = settings.PODIUM_SENDFILE_LOCATION.rstrip("/") if kind == ACCEL else str(store.root)
    return {kind: quote(f"{below}/{path}")}
