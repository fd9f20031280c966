"""The README: its Python runs and prints what it says; its commands and tables are those there are."""

import io
import runpy
from contextlib import chdir, redirect_stdout

import pytest
from sklearn import config_context

from .documentation import DOCS, ROOT, blocks, need_packages

README = ROOT / "README.md"


@pytest.mark.parametrize("block", blocks(README, "python"))
def test_a_block_runs_by_itself(block, run_block):
    need_packages(block)
    run_block(block, {})


def test_it_is_short_and_has_a_quick_start():
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 130
    (quick_start,) = blocks(README, "python")
    assert len(quick_start.splitlines()) <= 15


def test_its_table_is_a_part_of_what_the_example_prints():
    """All of it is in the page to start with, which tests/test_examples.py compares."""
    (table,) = blocks(README, "text")
    (whole,) = (block for block in blocks(DOCS / "start.md", "text") if "log loss" in block)
    assert set(table.splitlines()) <= set(whole.splitlines())
    assert len(table.splitlines()) == 6


def test_commands_name_what_there_is():
    commands = [line for block in blocks(README, "bash") for line in block.splitlines()]
    assert commands == [
        'pip install ".[all]" && python examples/plot_fraud_detection.py',
        'pip install -e ".[test]" && pytest',
        'pip install -e ".[docs]" && python -m sphinx -W --keep-going docs docs/_build/html',
    ]


@pytest.mark.parametrize("page", ["choose.md", "guide/integrations.md"])
def test_the_table_of_costs_is_what_the_example_prints(page, costs):
    assert costs in (DOCS / page).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def costs(tmp_path_factory):
    pytest.importorskip("matplotlib").use("Agg")
    printed = io.StringIO()
    with config_context(), chdir(tmp_path_factory.mktemp("costs")), redirect_stdout(printed):
        runpy.run_path(str(ROOT / "examples" / "plot_cost_of_errors.py"))["main"]([])
    return printed.getvalue().partition("Picture")[0]
