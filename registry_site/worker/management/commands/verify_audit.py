"""`manage.py verify_audit`: is history still what was written?"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from registry_site.audit.verify import verify


class Command(BaseCommand):
    help = (
        "Follow the hash chains of history. Ends with 1, and the first broken link, where something was tampered with."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        found = verify()
        if found.broken is not None:
            raise CommandError(str(found.broken))
        activities = f"{found.activities} activit{'y' if found.activities == 1 else 'ies'}"
        self.stdout.write(
            f"{activities} in {found.chains} chain{'' if found.chains == 1 else 's'}: every one is as it was written."
        )
