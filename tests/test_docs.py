"""The documentation: its Python runs and prints what it says."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"
PYTHON = {
    path.stem: re.findall(r"^```python\n(.*?)^```", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for path in sorted(DOCS.glob("*.md"))
}


@pytest.mark.parametrize("page", [page for page in PYTHON if PYTHON[page]])
def test_blocks_run_in_order(page, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace = {}
    for block in PYTHON[page]:
        exec(compile(block, page, "exec"), namespace)  # noqa: S102  # which is what is tested
        promised = re.findall(r"print\(.*\)  # (.+)$", block, flags=re.MULTILINE)
        assert capsys.readouterr().out.splitlines() == promised


def test_some_page_has_python():
    assert sum(map(len, PYTHON.values())) >= 5
