"""Whether the artifact stores of the settings can work at all: one of Django's system checks."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error

from registry_site.artifacts.schemes import trouble


def check_stores(**kwargs: Any) -> list[CheckMessage]:
    """An error for each store whose address cannot be read, or whose library is not installed. Asks none of them."""
    named = {
        "PODIUM_ARTIFACT_ROOT": [str(settings.PODIUM_ARTIFACT_ROOT)],
        "PODIUM_ARTIFACT_STORES": settings.PODIUM_ARTIFACT_STORES,
    }
    return [
        Error(f"{setting}: {told}", id="podium.E001")
        for setting, roots in named.items()
        for root in roots
        if (told := trouble([root]))
    ]
