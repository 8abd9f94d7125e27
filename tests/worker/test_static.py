"""Style sheets and scripts: many files to read, one of each kind to fetch."""

import re
from collections import Counter
from pathlib import Path

from registry_site.worker.static import WHOLE, whole

STATIC = Path(__file__).resolve().parents[2] / "static"


def test_the_style_sheet_of_the_pages_has_all_that_it_imports() -> None:
    sheet = whole(STATIC / "css/site.css", WHOLE["css/site.css"])
    assert "@import" not in sheet
    assert sheet.index("@layer tokens, base, layout") < sheet.index("@layer base {") < sheet.index("@layer pages {")


def test_the_script_of_the_pages_has_all_that_it_imports_at_once() -> None:
    script = whole(STATIC / "js/app.js", WHOLE["js/app.js"])
    assert not re.search(r"^import ", script, re.MULTILINE)
    assert "function startDialogs()" in script
    assert "export function plot(" not in script
    assert 'import("./combobox.js")' in script, "what nobody needs before typing comes when it is needed"


def test_modules_that_share_a_scope_name_different_things() -> None:
    script = whole(STATIC / "js/app.js", WHOLE["js/app.js"])
    names = re.findall(r"^(?:export )?(?:async )?(?:function|const|let|class) (\w+)", script, re.MULTILINE)
    assert len(names) > 30
    assert [name for name, times in Counter(names).items() if times > 1] == []
