"""How static files are kept: under hashed names, compressed, and those that every page asks for as one of each kind."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.storage import HashedFilesMixin
from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage

# A file that stands for all that it imports: browsers read it as it is too, with a request for each.
WHOLE = {
    "css/site.css": re.compile(r'^@import "(?P<path>[^"]+)";$', re.MULTILINE),
    "js/app.js": re.compile(r'^import \{[^}]*\} from "\./(?P<path>[^"]+)";$', re.MULTILINE),
}
_EXPORT = re.compile(r"^export (?=function|const|class|async)", re.MULTILINE)


def whole(path: Path, imports: re.Pattern[str]) -> str:
    """The text of a file with what it imports in the place of each import.

    Modules come to share one scope: a test holds that they name different things.
    """

    def put(found: re.Match[str]) -> str:
        return _EXPORT.sub("", (path.parent / found["path"]).read_text()).strip()

    return imports.sub(put, path.read_text())


class StaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise ships no types
    """Gzip alone: Brotli saves another tenth of the bytes and would add seconds to a first start."""

    support_js_module_import_aggregation = True  # modules import each other by hashed names too
    keep_only_hashed_files = True
    # Without the addresses of source maps, which are for who develops a library, and larger than it.
    patterns = (("*.css", HashedFilesMixin.patterns[0][1][:2]),)

    def post_process(self, paths: dict[str, Any], *arguments: Any, **options: Any) -> Iterator[Any]:
        for name, imports in WHOLE.items():
            if name in paths:
                collected = Path(self.path(name))
                collected.write_text(whole(collected, imports))
                paths[name] = (self, name)
        yield from super().post_process(paths, *arguments, **options)

    def create_compressor(self, **options: Any) -> Compressor:
        return Compressor(use_brotli=False, **options)
