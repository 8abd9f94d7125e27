"""`manage.py up` in Django's list of commands. `manage.py` itself starts it before Django is loaded, which costs the
supervisor a tenth of the memory; called by another way (`django-admin up`), it begins anew like that."""

import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from registry_site.worker.options import BASE_DIR, add_arguments


class Command(BaseCommand):
    help = "Start Podium: web server and worker, with everything they need prepared."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        arguments = sys.argv[sys.argv.index("up") :]
        os.execv(sys.executable, [sys.executable, str(BASE_DIR / "manage.py"), *arguments])
