"""gunicorn's own lines: in the format of all others, and without secrets that stand in addresses."""

import os
from typing import Any

from gunicorn.glogging import Logger

from registry_site.core.logs import FORMATTERS, Lines


class WebLog(Logger):  # type: ignore[misc]  # gunicorn ships no types
    """For `logger_class` of gunicorn's configuration."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        formatter = FORMATTERS.get(os.environ.get("PODIUM_LOG_FORMAT", ""), Lines)
        for handler in self.error_log.handlers:
            handler.setFormatter(formatter())
