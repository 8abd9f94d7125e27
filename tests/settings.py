"""The real settings, less what only costs time in tests."""

from registry_site.settings import *  # noqa: F403  a settings module is a namespace
from registry_site.settings import DATABASES, PODIUM_DATA_DIR, STATIC_ROOT, STORAGES

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}

_database = DATABASES["default"]
if _database["ENGINE"] == "django.db.backends.sqlite3":
    # A file, as in real life, so that threads have connections of their own; its durability is nobody's concern.
    _database["TEST"] = {"NAME": str(PODIUM_DATA_DIR / "test.sqlite3")}
    _options = _database["OPTIONS"]
    _options["init_command"] = _options["init_command"].replace("synchronous=FULL", "synchronous=OFF")

STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # whitenoise warns of a missing one, and a warning is an error here
