"""`python -m benchmarks.passwords`: what finding out who calls costs, in milliseconds of CPU, with a token and with a
password."""

import base64
import os
import sys
import tempfile
import time
from pathlib import Path

CALLS = 5_000
PASSWORD = "a goat ate my umbrella"


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="podium-benchmarks-") as folder:
        os.environ |= {"PODIUM_DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "registry_site.settings"}
        sys.path.insert(0, str(Path(__file__).parents[1]))
        import django

        django.setup()
        _measure()


def _measure() -> None:
    from django.core.management import call_command

    from registry_site.accounts import services
    from registry_site.accounts.actors import system
    from registry_site.accounts.authentication import actor_from_header
    from registry_site.audit.kinds import Origin

    call_command("migrate", verbosity=0)
    services.create_user(system(), username="maria", password=PASSWORD)
    token = services.create_token(system(), username="maria")
    password = base64.b64encode(f"maria:{PASSWORD}".encode()).decode()
    for name, header in (("token", f"Bearer {token}"), ("password", f"Basic {password}")):
        costs = []
        for calls in (1, CALLS):
            start = time.process_time()
            for _ in range(calls):
                actor_from_header(header, origin=Origin.REST)
            costs.append((time.process_time() - start) / calls * 1000)
        print(f"{name}: the first call {costs[0]:.3f} ms, each further call {costs[1]:.3f} ms")  # noqa: T201


if __name__ == "__main__":
    main()
