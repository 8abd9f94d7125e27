"""Makes the instance ready before it answers: database, static files, the first administrator."""

import hashlib
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor

from registry_site import __version__
from registry_site.accounts import actors
from registry_site.accounts.links import make_sign_in_link
from registry_site.accounts.queries import owner, tokens_of
from registry_site.accounts.scopes import Scope
from registry_site.accounts.services import create_token, create_user
from registry_site.audit.kinds import Origin
from registry_site.core.errors import PodiumError
from registry_site.worker.terminal import EXIT_CODE, Refusal, say

# What other packages ship and no page of ours asks for: to hash and compress it would take most of a first start.
UNUSED_STATIC = [
    "rest_framework/*",
    "drf_spectacular_sidecar/redoc/*",
    "drf_spectacular_sidecar/swagger-ui-dist/*.map",
    "drf_spectacular_sidecar/swagger-ui-dist/oauth2*",
    "admin/js/vendor/select2/i18n/*",
    "django_htmx/htm*-4*",
    "django_htmx/ext/*",
]


def main(arguments: list[str]) -> int:
    """Prepares the instance and writes what is to be printed when it answers. Returns the exit code."""
    try:
        migrate()
        collect_static()
        say(announcement())
    except (Refusal, PodiumError) as refusal:
        say(str(refusal), is_trouble=True)
        return EXIT_CODE
    return 0


def migrate() -> None:
    """Bring the database to this version. Raises Refusal for one that cannot be opened, or that is newer."""
    try:
        connection.ensure_connection()
        executor = MigrationExecutor(connection)
    except (Error, OSError) as failure:
        reason = str(failure).strip().partition("\n")[0]
        name = connection.settings_dict["NAME"]
        raise Refusal(f"The database {name} cannot be opened ({reason}): DATABASE_URL says where it is.") from failure
    loader = executor.loader
    unknown = {
        f"{app}.{name}"
        for app, name in loader.applied_migrations.keys() - loader.disk_migrations.keys()
        if app in loader.migrated_apps
    }
    if unknown:
        raise Refusal(
            f"The database was made by a newer Podium than {__version__} (it knows {', '.join(sorted(unknown))}): "
            "start that version, or a copy of the data from before its first start."
        )
    plan = executor.migration_plan(loader.graph.leaf_nodes())
    if plan:
        if loader.applied_migrations:
            say(f"The database is of an older Podium; it is brought up to date ({len(plan)} steps).", is_trouble=True)
        call_command("migrate", interactive=False, verbosity=0)


def collect_static() -> None:
    """Gather, hash and compress the static files, unless nothing changed since it was done last."""
    stamp = Path(settings.STATIC_ROOT) / ".stamp"
    state = _state_of_static()
    if stamp.is_file() and stamp.read_text() == state:
        return
    call_command("collectstatic", interactive=False, verbosity=0, clear=False, ignore_patterns=UNUSED_STATIC)
    stamp.write_text(state)


def _state_of_static() -> str:
    digest = hashlib.sha256(__version__.encode())
    for finder in get_finders():
        for path, storage in finder.list(UNUSED_STATIC):
            found = Path(storage.path(path)).stat()
            digest.update(f"{path}\0{found.st_size}\0{found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def announcement() -> str:
    """What to print when the site answers. The first administrator is made here, and welcomed until a token of theirs
    exists: with a link that signs them in once, and with what an MLflow client needs."""
    site = settings.PODIUM_SITE_URL
    lines = [f"Podium {__version__} is ready: {site}"]
    if settings.PODIUM_OPEN:
        lines.append("It is open: everybody on this machine works as its owner, without signing in.")
    system = actors.system(Origin.COMMAND)
    administrator = owner() or create_user(system, username="admin", is_admin=True, display_name="Administrator")
    is_new = administrator.last_login is None and not administrator.has_usable_password()
    if is_new and not tokens_of(actors.person(administrator, Origin.COMMAND)):
        token = create_token(system, username=administrator.username, name="first start", scope=Scope.ADMIN)
        secret = make_sign_in_link(system, username=administrator.username)
        lines += [
            "",
            f"Sign in as the first administrator, '{administrator.username}', with this link, which works once:",
            f"{site}/welcome/{secret}",
            "",
            "For an MLflow client:",
            f"export MLFLOW_TRACKING_URI={site}",
            f"export MLFLOW_TRACKING_TOKEN={token}",
            "",
        ]
    return "\n".join(lines)
