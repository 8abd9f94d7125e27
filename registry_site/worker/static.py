"""How static files are kept: under hashed names, compressed."""

from typing import Any

from django.contrib.staticfiles.storage import HashedFilesMixin
from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise ships no types
    """Gzip alone: Brotli saves another tenth of the bytes and would add seconds to a first start."""

    support_js_module_import_aggregation = True  # modules import each other by hashed names too
    keep_only_hashed_files = True
    # Without the addresses of source maps, which are for who develops a library, and larger than it.
    patterns = (("*.css", HashedFilesMixin.patterns[0][1][:2]),)

    def create_compressor(self, **options: Any) -> Compressor:
        return Compressor(use_brotli=False, **options)
