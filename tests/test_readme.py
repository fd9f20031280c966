"""The README: its Python runs and prints what it says; its commands and tables are those there are."""

import re
import runpy

import numpy as np
import pytest
from sklearn import config_context
from sklearn.metrics import average_precision_score

from .documentation import ROOT, blocks, need_packages

README = ROOT / "README.md"
QUICK_START, *OTHERS = blocks(README, "python")


def test_the_quick_start_says_what_it_prints():
    assert re.findall(r"\)  # (.+)$", QUICK_START, flags=re.MULTILINE)[-2:] == ["0.81", "0.0026"]
    assert len(OTHERS) == 14
    assert sum(block.count(")  # ") for block in OTHERS) == 8


@pytest.mark.parametrize("block", OTHERS, ids=lambda block: re.findall(r"^ *(\w+) = ", block, flags=re.MULTILINE)[-1])
def test_a_block_runs_after_the_quick_start_alone(block, run_block):
    need_packages(block)
    namespace = {}
    run_block(QUICK_START, namespace)
    run_block(block, namespace)


def test_the_blocks_run_in_order(run_block):
    namespace = {}
    for block in (QUICK_START, *OTHERS):
        need_packages(block)
        run_block(block, namespace)
    assert set(namespace["search"].cv_results_["param_focal_gamma"]) == {0.0, 0.5, 1.0, 2.0}
    assert len(namespace["halving"].cv_results_["params"]) > 8
    cards = namespace["cards"]
    frauds = namespace["network"].predict_proba(cards.data)[:, 1]
    assert average_precision_score(cards.target, frauds, sample_weight=cards.sample_weight) > 0.7
    assert namespace["new"].focal_intercept_ is None
    frauds = np.concatenate(namespace["frauds"])
    assert average_precision_score(namespace["y"], frauds, sample_weight=namespace["weight"]) > 0.7
    frauds = namespace["posterior"][:, 1]
    assert average_precision_score(namespace["y"], frauds, sample_weight=namespace["weight"]) > 0.7


def test_commands_name_what_there_is():
    commands = [line for block in blocks(README, "bash") for line in block.splitlines()]
    assert commands == [
        'pip install ".[all]" && python examples/plot_fraud_detection.py',
        'pip install -e ".[test]" && pytest',
    ]


def test_the_table_of_costs_is_what_the_example_prints(capsys, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib").use("Agg")
    monkeypatch.chdir(tmp_path)
    with config_context():  # the example switches metadata routing on
        runpy.run_path(str(ROOT / "examples" / "plot_cost_of_errors.py"))["main"]([])
    printed = capsys.readouterr().out.partition("Picture")[0]
    assert printed in README.read_text(encoding="utf-8")
