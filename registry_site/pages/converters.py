"""Path converters. Importing this module registers them."""

from django.urls import register_converter


class NameConverter:
    """A registered model's name: anything without a slash."""

    regex = "[^/]+"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(NameConverter, "name")
