"""`manage.py create_token`: a further token of a user, from the command line."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from registry_site.accounts import actors
from registry_site.accounts.scopes import WORDS, Scope
from registry_site.accounts.services import create_token
from registry_site.audit.kinds import Origin
from registry_site.core import clock
from registry_site.core.errors import PodiumError

MOST_DAYS = 36_500


class Command(BaseCommand):
    help = "Print a new token of a user and nothing else; those they have stay valid."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", metavar="NAME", help="whose token")
        parser.add_argument(
            "--name", dest="token_name", default="command line", help="what it is for (default: command line)"
        )
        parser.add_argument(
            "--scope", choices=WORDS, default=Scope.WRITE.word, help="what it may be used for (default: write)"
        )
        parser.add_argument("--expires", type=_days, metavar="DAYS", help="after how many days (default: never)")

    def handle(self, *args: Any, **options: Any) -> None:
        days = options["expires"]
        try:
            token = create_token(
                actors.system(Origin.COMMAND),
                username=options["username"],
                name=options["token_name"],
                scope=WORDS[options["scope"]],
                expires_at=clock.now() + timedelta(days=days) if days else None,
            )
        except PodiumError as error:
            raise CommandError(error.message) from error
        self.stdout.write(token)


def _days(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_DAYS:
        raise ArgumentTypeError(f"'{text}' is no number of days from 1 to {MOST_DAYS}")
    return int(text)
