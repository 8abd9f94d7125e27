"""What registered models, aliases and tags may be called. Pure."""

import re
import unicodedata

from registry_site.core.errors import InvalidParameter

MODEL_NAME_LIMIT = 256
TAG_KEY_LIMIT = 250
TAG_VALUE_LIMIT = 100_000
DESCRIPTION_LIMIT = 262_144

_MODEL_ID = re.compile(r"[0-9a-f]{32}\Z")
_ALIAS = re.compile(r"[\w-]{1,255}\Z")
_LIKE_A_VERSION = re.compile(r"[vV]\d+\Z")


def _refuse_control_characters(text: str, what: str, field: str) -> None:
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise InvalidParameter(f"Invalid {what}: it must not hold control characters.", field=field)


def validate_model_name(name: str) -> str:
    """The name unchanged. Raises InvalidParameter for a blank one, one with `/` or `:`, `.`/`..`, or too long."""
    if not name.strip():
        raise InvalidParameter("Registered model name cannot be empty.", field="name")
    if len(name) > MODEL_NAME_LIMIT:
        raise InvalidParameter(
            f"Invalid registered model name: it has {len(name)} characters and may have {MODEL_NAME_LIMIT}.",
            field="name",
        )
    if "/" in name or ":" in name or name in (".", ".."):
        raise InvalidParameter(
            f"Invalid registered model name '{name}': names must not contain '/' or ':', nor be '.' or '..'.",
            field="name",
        )
    _refuse_control_characters(name, "registered model name", "name")
    return name


def model_id(key: int) -> str:
    """What a registered model is known by whatever it is called, to clients of Databricks."""
    return f"{key:032x}"


def model_key(text: str) -> int | None:
    """The key in such an id; None for what is none."""
    key = int(text, 16) if _MODEL_ID.match(text) else 0
    return key if 0 < key < 2**63 else None


def validate_alias(alias: str) -> str:
    """The alias unchanged. Raises InvalidParameter for odd characters, `latest`, and what looks like a version."""
    if not _ALIAS.match(alias):
        raise InvalidParameter(
            f"Invalid alias name: '{alias}'. An alias has 1 to 255 letters, digits, underscores and dashes.",
            field="alias",
        )
    if alias.lower() == "latest":
        raise InvalidParameter("'latest' alias name (case insensitive) is reserved.", field="alias")
    if _LIKE_A_VERSION.match(alias):
        raise InvalidParameter(f"Version alias name '{alias}' is reserved.", field="alias")
    return alias


def validate_tag(key: str, value: str) -> tuple[str, str]:
    """Key and value unchanged. Raises InvalidParameter for an empty key, odd characters in it, or too long a text."""
    if not key.strip():
        raise InvalidParameter("Tag name cannot be empty.", field="key")
    if len(key) > TAG_KEY_LIMIT:
        raise InvalidParameter(
            f"Registry tag key of {len(key)} characters exceeds the limit of {TAG_KEY_LIMIT}.", field="key"
        )
    if len(value) > TAG_VALUE_LIMIT:
        raise InvalidParameter(
            f"Registry tag value of '{key}' has {len(value)} characters and may have {TAG_VALUE_LIMIT}.", field="value"
        )
    _refuse_control_characters(key, "tag key", "key")
    return key, value


def validate_description(text: str) -> str:
    """The description unchanged. Raises InvalidParameter beyond 262,144 characters."""
    if len(text) > DESCRIPTION_LIMIT:
        raise InvalidParameter(
            f"The description has {len(text)} characters and may have {DESCRIPTION_LIMIT}.", field="description"
        )
    return text
