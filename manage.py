#!/usr/bin/env python
"""Podium's command line: `manage.py up` starts everything."""

import os
import sys

if sys.version_info < (3, 11):  # noqa: UP036  (people run this file with whatever Python is at hand)
    sys.exit(f"Podium needs Python 3.11 or newer; this is {sys.version.split()[0]} ({sys.executable}).")


def main() -> None:
    if sys.argv[1:2] == ["up"]:
        from registry_site.worker.supervisor import main as up  # knows no Django, and so stays small while it runs

        sys.exit(up(sys.argv[2:]))

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "registry_site.settings")
    from django.core.management import execute_from_command_line  # after the version check above

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
