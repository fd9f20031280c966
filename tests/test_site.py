"""The site: its links lead somewhere, and its reference has every public name, each with an example."""

import re
from contextlib import contextmanager
from importlib import import_module
from inspect import isclass, isroutine
from pathlib import Path

import pytest

import skfocal

from .documentation import DOCS, PAGES, ROOT, anchors, links

# The modules that say what is public.
PACKAGE = ROOT / "skfocal"
SAYING = [
    path.relative_to(ROOT).with_suffix("") for path in PACKAGE.rglob("*.py") if "\n__all__ =" in path.read_text("utf-8")
]
PUBLIC = sorted(".".join(path.parts).removesuffix(".__init__") for path in SAYING)
ROLE = re.compile(r"\{(?:class|func|meth|attr|data|obj)\}`~?(skfocal[\w.]*)`")


def reference():
    """Return the full names that the API reference has."""
    names, module = [], ""
    for line in (DOCS / "api.md").read_text(encoding="utf-8").splitlines():
        if found := re.match(r"\.\. currentmodule:: (\S+)", line):
            module = found[1]
        elif found := re.match(r"(?:   |\.\. py:data:: )([A-Za-z_][\w.]*)$", line):
            names.append(f"{module}.{found[1]}")
    return names


REFERENCE = reference()


@contextmanager
def skipping_what_is_absent():
    """Skip the test where skfocal says which of its extras is not installed; anything else is an error."""
    try:
        yield
    except ImportError as error:
        if 'pip install "skfocal[' not in str(error):
            raise
        pytest.skip(f"a package is not here: {error}")


def of(name):
    """Return what a full name stands for; skip the test if its package is not installed."""
    module, _, attribute = name.rpartition(".")
    with skipping_what_is_absent():
        return getattr(import_module(module), attribute)


def has(name):
    """Say whether a full name is in the reference, or is a member of what is."""
    parent, _, member = name.rpartition(".")
    return name in REFERENCE or (parent in REFERENCE and hasattr(of(parent), member))


@pytest.mark.parametrize("module", PUBLIC)
def test_every_public_name_is_in_the_reference(module):
    with skipping_what_is_absent():
        names = import_module(module).__all__
    for name in names:
        if f"{module}.{name}" not in REFERENCE:
            assert f"skfocal.{name}" in REFERENCE, name
            assert getattr(skfocal, name) is getattr(import_module(module), name)


@pytest.mark.parametrize("name", REFERENCE)
def test_what_the_reference_has_is_public_and_has_an_example(name):
    """Doctest runs the examples."""
    thing = of(name)
    module, _, attribute = name.rpartition(".")
    assert attribute in import_module(module).__all__
    if isclass(thing) or isroutine(thing):
        assert ">>> " in thing.__doc__, name


def source_of(path):
    """Return the file that a page of the site is made from."""
    if path.parent == DOCS / "gallery":
        return ROOT / "examples" / ("GALLERY_HEADER.rst" if path.stem == "index" else f"{path.stem}.py")
    return DOCS / "api.md" if path.parent == DOCS / "generated" and has(path.stem) else path


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page):
    for address in links(page):
        name, _, anchor = address.partition("#")
        target = source_of((page.parent / name).resolve() if name else page)
        assert target.is_file(), address
        assert not anchor or anchor in anchors(target), address
    for name in ROLE.findall(page.read_text(encoding="utf-8")):
        assert has(name), name


def test_links_are_found():
    assert Path("differences.md") in {Path(link.partition("#")[0]) for link in links(DOCS / "api.md")}
    assert sum(len(links(page)) for page in PAGES) > 50
    assert "defaults" in anchors(DOCS / "differences.md")
