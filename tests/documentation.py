"""What the tests of the documentation share: its pages, their code, their links, and what a page prints."""

import ast
import re
from itertools import count
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md") if not {"_build", "gallery"} & set(path.relative_to(DOCS).parts))
# What our own modules need beside their engine.
NEEDED = {
    "skfocal.batches": ["pyarrow"],
    "skfocal.dask": ["dask", "distributed"],
    "skfocal.inspection": ["matplotlib"],
    "skfocal.onnx": ["ndonnx", "onnx", "skl2onnx", "spox"],
}


def blocks(path, language):
    """Return the fenced blocks of a language."""
    text = path.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def need_packages(block):
    """Skip the test if the block imports a package that is not installed."""
    for node in ast.walk(ast.parse(block)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module]
        else:
            continue
        for name in names:
            for package in [name.partition(".")[0], *NEEDED.get(name, [])]:
                pytest.importorskip(package)  # which also ignores what a package warns of while it is imported


def promised(block):
    """Return the lines that a block says it prints: the comment behind a print, or those below it."""
    lines, below = [], False
    for line in block.splitlines():
        if found := re.search(r"print\(.*\)  # (.+)$", line):
            lines.append(found[1])
        elif below and line.startswith("#"):
            lines.append(line[2:])
            continue
        below = found is None and re.match(r"\s*print\(", line) is not None
    return lines


def without_code(path):
    """Return a page without its fenced blocks."""
    text = path.read_text(encoding="utf-8")
    return re.sub(r"^(```+)[^`\n]*\n.*?^\1", "", text, flags=re.DOTALL | re.MULTILINE)


def links(path):
    """Return the addresses of files and headings that a page links to."""
    text = re.sub(r"`[^`\n]+`", "code", without_code(path))
    addresses = re.findall(r"\]\(([^)\s]+)\)", text)
    addresses += [f"{page}.md" for page in re.findall(r"^:link: (\S+)$", text, flags=re.MULTILINE)]  # of cards
    return [address for address in addresses if not re.match(r"https?:|mailto:", address)]


def anchors(path):
    """Return what a link to a part of a page may name: headings, as GitHub and the site call them, and targets."""
    text = without_code(path)
    anchors = set(re.findall(r"^\(([\w-]+)\)=$", text, flags=re.MULTILINE))
    for title in re.findall(r"^#{1,3} (.+)$", text, flags=re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        anchors.add(next(name for n in count() if (name := f"{slug}-{n}" if n else slug) not in anchors))
    return anchors
