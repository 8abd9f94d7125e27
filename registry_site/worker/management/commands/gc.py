"""`manage.py gc`: take away the artifacts of what was deleted, and find files that belong to nobody."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.template.defaultfilters import filesizeformat

from registry_site.core.errors import PodiumError
from registry_site.registry.cleanup import collect_garbage, find_orphans, keep_deleted_for


class Command(BaseCommand):
    help = (
        "Remove the artifacts of runs and logged models that have been deleted for PODIUM_KEEP_DELETED_DAYS, as the "
        "worker does every hour. What a version was made of stays."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would go")
        parser.add_argument("--days", type=int, metavar="N", help="deleted for so many days, instead of the setting's")
        parser.add_argument(
            "--orphans", action="store_true", help="look for files in the store that belong to no run or logged model"
        )
        parser.add_argument("--remove-orphans", action="store_true", help="and remove them, if they are a day old")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["orphans"] or options["remove_orphans"]:
                self._orphans(remove=options["remove_orphans"] and not options["dry_run"])
            else:
                self._garbage(options["days"], dry_run=options["dry_run"])
        except PodiumError as error:
            raise CommandError(error.message) from error

    def _garbage(self, days: int | None, *, dry_run: bool) -> None:
        if days is not None and days < 0:
            raise CommandError("--days is 0 or more.")
        kept_for = keep_deleted_for() if days is None else timedelta(days=days)
        if kept_for is None:
            raise CommandError("PODIUM_KEEP_DELETED_DAYS says that artifacts stay for ever. Name the days with --days.")
        went = size = 0
        for found in collect_garbage(kept_for, dry_run=dry_run):
            if found.kept_for:
                self.stdout.write(f"stays: {found.path}: {found.kept_for}")
                continue
            went, size = went + 1, size + found.size
            self.stdout.write(f"{'would go' if dry_run else 'removed'}: {found.path}: {_files(found)}")
        said = "would be removed" if dry_run else "removed"
        self.stdout.write(f"Artifacts of {went} deleted runs and logged models {said}: {filesizeformat(size)}.")

    def _orphans(self, *, remove: bool) -> None:
        orphans = 0
        for found in find_orphans(remove=remove):
            orphans += 1
            done = "removed" if remove and not found.kept_for else "orphan"
            stays = f" (stays: {found.kept_for})" if found.kept_for else ""
            self.stdout.write(f"{done}: {found.path}: {_files(found)}{stays}")
        self.stdout.write(f"{orphans} orphan{'' if orphans == 1 else 's'} found.")


def _files(found: Any) -> str:
    return f"{found.file_count} file{'' if found.file_count == 1 else 's'}, {filesizeformat(found.size)}"
