"""`manage.py create_link`: lets somebody in again who has no password any more, from the command line."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from registry_site.accounts import actors
from registry_site.accounts.links import make_password_link
from registry_site.audit.kinds import Origin
from registry_site.core.errors import PodiumError


class Command(BaseCommand):
    help = "Print a link with which a user sets a password, once, within a day."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", metavar="NAME", help="whose link")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            secret = make_password_link(actors.system(Origin.COMMAND), username=options["username"])
        except PodiumError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{settings.PODIUM_SITE_URL}/new-password/{secret}")
