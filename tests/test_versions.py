"""The lowest versions: those that pyproject.toml allows are those that .ci/lowest.txt has tested."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# What the run with the lowest versions does not install: tools, a GPU's, the site's, and what only tests need.
WITHOUT = {"cupy-cuda12x", "mlflow", "mypy", "optuna", "polars", "pre-commit", "pytest-cov", "ruff"} | {
    "myst-parser", "numpydoc", "pydata-sphinx-theme", "sphinx", "sphinx-copybutton", "sphinx-design", "sphinx-gallery",
}  # fmt: skip


def bounds():
    """Return the lower bounds of all that is needed, by name."""
    parts = PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()
    needed = [each for part in parts for each in part if not each.startswith("skfocal[")]
    matches = [re.fullmatch(r"([\w-]+)(?:\[.*\])?>=([\d.]+)", each) for each in needed]
    assert all(matches), "a requirement in other words"
    return {match[1]: match[2] for match in matches}


def test_the_lowest_versions_are_tested():
    lines = (ROOT / ".ci" / "lowest.txt").read_text(encoding="utf-8").splitlines()
    tested = dict(line.split("==") for line in lines if not line.startswith("#"))
    allowed = {name: bound for name, bound in bounds().items() if name not in WITHOUT}
    assert {"numpy", "scikit-learn", "lightgbm", "xgboost"} <= set(allowed)
    assert set(allowed) <= set(tested)
    others = {name: tested[name] for name, bound in allowed.items() if not f"{tested[name]}.".startswith(f"{bound}.")}
    assert not others
    assert set(tested) - set(allowed) <= {"onnxmltools"}  # which a converter of skl2onnx brings


def test_all_requirements_have_a_lower_bound():
    own = re.compile(r"skfocal\[")
    parts = PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()
    assert not [each for part in parts for each in part if ">=" not in each and not own.match(each)]
