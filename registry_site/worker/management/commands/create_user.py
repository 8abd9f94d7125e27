"""`manage.py create_user`: a new user, from the command line."""

from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from registry_site.accounts import actors
from registry_site.accounts.scopes import Scope
from registry_site.accounts.services import create_token, create_user
from registry_site.audit.kinds import Origin
from registry_site.core.errors import PodiumError


class Command(BaseCommand):
    help = (
        "Create a user, without a password. With --link, print a link with which they set one; with --token, a token "
        "for MLflow clients; and nothing else."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the name to sign in with")
        parser.add_argument("--email", default="", help="where mails go")
        parser.add_argument("--admin", action="store_true", help="make an administrator")
        printed = parser.add_mutually_exclusive_group()
        printed.add_argument("--link", action="store_true", help="print a link with which they set a password")
        printed.add_argument("--token", action="store_true", help="print a token for MLflow clients")

    def handle(self, *args: Any, **options: Any) -> None:
        system = actors.system(Origin.COMMAND)
        try:
            user = create_user(system, username=options["name"], email=options["email"], is_admin=options["admin"])
            if options["token"]:
                scope = Scope.ADMIN if user.is_superuser else Scope.WRITE
                self.stdout.write(create_token(system, username=user.username, name="made with the user", scope=scope))
            elif options["link"]:
                call_command("create_link", user.username, stdout=self.stdout)
            else:
                self.stdout.write(f"Created {user.username}.")
        except PodiumError as error:
            raise CommandError(error.message) from error
