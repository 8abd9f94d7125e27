"""What the supervisor starts: `python -m registry_site.worker.child PARENT ROLE ARGUMENT…`, with its own process id.

The roles are modules beside this one. They import models, so they come after Django's set-up.
"""

import sys
from importlib import import_module

import django

from registry_site.worker.lifeline import end_with_parent


def main() -> int:
    parent, role, *arguments = sys.argv[1:]
    end_with_parent(int(parent))
    django.setup()
    code: int = import_module(f"registry_site.worker.{role}").main(arguments)
    return code


if __name__ == "__main__":
    sys.exit(main())
