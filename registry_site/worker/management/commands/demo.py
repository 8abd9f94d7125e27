"""`manage.py demo`: fills an empty instance, so that a newcomer sees a living site."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from registry_site.core.errors import PodiumError
from registry_site.worker.demo import play


class Command(BaseCommand):
    help = "Fill an empty instance with teams, models, versions, runs and requests, to look around in."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made = play()
        except PodiumError as error:
            raise CommandError(error.message) from error
        self.stdout.write(
            f"Made {made.people} people, {made.models} models, {made.versions} versions, {made.runs} runs, "
            f"{made.requests} requests and {made.files} files.\nLook around at {settings.PODIUM_SITE_URL}"
        )
