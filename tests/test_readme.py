"""The README: its Python runs, in order, and prints what it says; its commands and links are those there are."""

import re
import runpy
from pathlib import Path

import pytest
from sklearn import config_context

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)


def test_code_runs_and_prints_what_it_says(capsys, tmp_path, monkeypatch):
    for package in ("imblearn", "shap", "ndonnx", "onnxruntime", "skl2onnx"):
        pytest.importorskip(package)
    monkeypatch.chdir(tmp_path)
    code = blocks("python")
    assert len(code) == 12
    namespace = {}
    with config_context():  # the README switches metadata routing on
        for block in code:
            exec(compile(block, "README.md", "exec"), namespace)  # noqa: S102
    assert set(namespace["search"].cv_results_["param_focal_gamma"]) == {0.0, 0.5, 1.0, 2.0}
    assert len(namespace["halving"].cv_results_["params"]) > 8
    promised = re.findall(r"print\(.*\)  # (.+)$", "\n".join(code), flags=re.MULTILINE)
    assert capsys.readouterr().out.splitlines() == promised
    assert len(promised) == 10
    assert promised[:2] == ["0.80", "0.0045"]
    assert 0 < namespace["posterior"][:, 1].mean() < 1
    assert namespace["network"].predict_proba(namespace["cards"].data).shape == (14708, 2)
    assert namespace["new"].focal_intercept_ is None


def test_commands_name_what_there_is():
    commands = [line for block in blocks("bash") for line in block.splitlines()]
    assert commands == [
        'pip install ".[all]" && python examples/plot_fraud_detection.py',
        'pip install -e ".[test]" && pytest',
    ]
    for link in re.findall(r"\]\((?!http|#)([^)#]+)[^)]*\)", README):
        assert (ROOT / link).exists(), link


def test_the_table_of_costs_is_what_the_example_prints(capsys, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib").use("Agg")
    monkeypatch.chdir(tmp_path)
    with config_context():  # the example switches metadata routing on
        runpy.run_path(str(ROOT / "examples" / "plot_cost_of_errors.py"))["main"]([])
    printed = capsys.readouterr().out.partition("Picture")[0]
    assert printed in README
