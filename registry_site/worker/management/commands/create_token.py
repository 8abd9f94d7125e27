"""`manage.py create_token`: a further token of a user, from the command line."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from registry_site.accounts import actors
from registry_site.accounts.services import create_token
from registry_site.audit.kinds import Origin
from registry_site.core.errors import PodiumError


class Command(BaseCommand):
    help = "Print a new token of a user; those they have stay valid."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="whose token")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            token = create_token(actors.system(Origin.COMMAND), username=options["name"], name="command line")
        except PodiumError as error:
            raise CommandError(error.message) from error
        self.stdout.write(token)
