"""`manage.py verify_artifacts`: are the files of versions still what was registered?"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from registry_site.core.errors import PodiumError
from registry_site.registry.manifests import check, manifests, note_check

SHOWN = 20  # paths of one kind and version


class Command(BaseCommand):
    help = (
        "Read the files of versions and hold them against their manifests. Ends with 1, and names what is missing, "
        "changed or added, where they are not what was registered."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", nargs="?", default="", help="only versions of this model")
        parser.add_argument("version", metavar="VERSION", nargs="?", type=int, help="only this version of it")

    def handle(self, *args: Any, **options: Any) -> None:
        read = broken = unread = 0
        for manifest in manifests(options["name"], options["version"]):
            if not manifest.digest:
                unread += 1
                self.stdout.write(f"{manifest.model_version}: no manifest yet ({manifest.state})")
                continue
            try:
                found = check(manifest)
            except PodiumError as error:
                raise CommandError(f"{manifest.model_version}: {error.message}") from error
            note_check(manifest, found)
            read += 1
            broken += not found.holds
            for what, paths in (("missing", found.missing), ("changed", found.changed), ("added", found.added)):
                for path in paths[:SHOWN]:
                    self.stdout.write(f"{manifest.model_version}: {what}: {path}")
                if len(paths) > SHOWN:
                    self.stdout.write(f"{manifest.model_version}: {what}: {len(paths) - SHOWN} more")
        if not read and not unread:
            named = " ".join(str(part) for part in (options["name"], options["version"]) if part is not None)
            raise CommandError(f"There is no version with files of {named}." if named else "There are no versions yet.")
        if broken:
            raise CommandError(f"{broken} of {read} versions are not what was registered.")
        self.stdout.write(f"{read} version{'' if read == 1 else 's'} read: every file is as it was registered.")
