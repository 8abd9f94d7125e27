"""What is in a zip file, by its table of contents alone: nothing is unpacked."""

import struct
import zipfile
from itertools import islice

from registry_site.artifacts.random_access import RandomAccess
from registry_site.artifacts.tables import Table, TableColumn
from registry_site.core.errors import TooLarge

MAX_ENTRIES = 500
MAX_READ = 4 * 1024 * 1024  # bytes of a table of contents; about thirty thousand names


def zip_table(file: RandomAccess) -> Table | None:
    """The first entries with their sizes; None where this is no zip file, or has too many entries to be looked at.
    Raises the errors of the store."""
    try:
        with zipfile.ZipFile(file) as archive:
            found = archive.infolist()
    except (zipfile.BadZipFile, TooLarge, NotImplementedError, ValueError, struct.error, EOFError):
        return None
    columns = (
        TableColumn("Name", False),
        TableColumn("Size in bytes", True),
        TableColumn("Packed", True),
        TableColumn("Changed", False),
    )
    rows = tuple(
        (
            entry.filename,
            str(entry.file_size),
            str(entry.compress_size),
            "{}-{:02}-{:02} {:02}:{:02}".format(*entry.date_time),
        )
        for entry in islice(found, MAX_ENTRIES)
    )
    return Table(columns, rows, len(found))
