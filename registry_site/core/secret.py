"""The secret key of an installation that was given none: made once, in its data directory, for its owner's eyes."""

import os
import secrets
import tempfile
from pathlib import Path


def read_or_make_secret(path: Path) -> str:
    """The secret in this file; made if it is not there.

    Any number of processes may ask at once and all get the same one: the file appears complete, or not at all.
    Raises OSError if the directory cannot be written.
    """
    try:
        return path.read_text("ascii").strip()
    except FileNotFoundError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".secret-")  # mkstemp makes it 0600
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
        os.link(temporary, path)
    except FileExistsError:
        pass  # another process was first: its secret is the one
    finally:
        os.unlink(temporary)
    return path.read_text("ascii").strip()
