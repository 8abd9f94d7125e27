"""Path converters. Importing this module registers them."""

from django.urls import register_converter

from registry_site.artifacts.archives import Format


class NameConverter:
    """A registered model's name: anything without a slash, and without NUL, which no database can even be asked for."""

    regex = r"[^/\x00]+"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class ArchiveConverter:
    """The extension of an archive."""

    regex = r"zip|tar\.gz"

    def to_python(self, value: str) -> Format:
        return Format(value)

    def to_url(self, value: str) -> str:
        return str(value)


register_converter(NameConverter, "name")
register_converter(ArchiveConverter, "archive")
