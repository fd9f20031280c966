"""200 cases of `benchmarks/hostile.py`: nothing ends silently wrong. And the program notices what does."""

import os
import signal
import sys
import warnings

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.exceptions import ConvergenceWarning

for name in ("imblearn", "polars", "pyarrow"):
    pytest.importorskip(name)
pd = pytest.importorskip("pandas")

import hostile
import hostile_cases
import hostile_fits
from hostile_data import KINDS, Data
from hostile_fits import Outcome, as_bytes

from .programs import PYTHON, run


def test_200_cases():
    """Every kind of data with every estimator."""
    assert 4 * len(KINDS) <= 200
    options = ["--cases", "200", "--minutes", "60", "--limit", "300"]
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    lines = run(PYTHON, hostile.__file__, *options, environment=environment, timeout=1800).stdout.splitlines()
    assert lines[-1] == "200 cases, 0 failed"
    total = next(line for line in lines if line.startswith("all "))
    counts = np.array([[int(count) for count in cell.split("/")] for cell in total.split()[1:]])
    assert counts.shape == (4, 5)
    assert counts.sum() == 200
    assert (counts[:, 0] > 10).all()  # fine, of some 50 each: most of the rest is not to be trained on
    assert counts[:, 3].sum() < 5


def test_a_case_is_its_seed():
    for seed in (3, 60, 130, 190):
        one, same = hostile_cases.draw(seed), hostile_cases.draw(seed)
        assert as_bytes((*one.data, one.weight, one.params)) == as_bytes((*same.data, same.weight, same.params))
        assert (one.kind, one.ours, one.engine) == (same.kind, same.ours, same.engine)
    kinds_and_pairs = {tuple(map(id, hostile_cases.kind_and_pair(seed))) for seed in range(200)}
    assert len(kinds_and_pairs) == 4 * len(KINDS)


class Model:
    """A classifier that tells samples apart and predicts class 0, but for what is changed."""

    __module__ = "skfocal.model"
    classes_ = np.array([0, 1])

    def __init__(self, **change):
        self.change = change

    def get_params(self):
        return {"focal_gamma": 1.0, "missing": np.nan, "booster": "gbtree"}

    def fit(self, X, y):
        X[0, 0] += self.change.get("add", 0.0)
        if "warning" in self.change:
            warnings.warn(self.change["warning"], ConvergenceWarning, stacklevel=2)
        if "error" in self.change:
            kind, message = self.change["error"]
            raise kind(message)

    def predict_proba(self, X):
        second = np.linspace(0.1, 0.9, len(X))
        return self.change.get("posterior", np.column_stack([1 - second, second]))

    def predict(self, X):
        return self.change.get("labels", np.zeros(len(X), dtype=int))


RISING = np.linspace(0.1, 0.9, 20)
CONSTANT = {"posterior": np.full((20, 2), 0.5)}
WARNING = {"warning": "found no split that tells samples apart, all have the same margin"}


@pytest.mark.parametrize(
    ("change", "status", "why"),
    [
        ({}, "fine", ""),
        ({"posterior": np.column_stack([RISING, np.full(20, np.nan)])}, "failed", "20 probabilities that are no"),
        ({"posterior": np.column_stack([RISING - 0.5, 1.5 - RISING])}, "failed", "probabilities from -0.4 to 1.4"),
        ({"posterior": np.column_stack([RISING, 0.99 - RISING])}, "failed", "rows that sum to 0.99"),
        ({"posterior": RISING[:, None]}, "failed", "probabilities of the shape (20, 1)"),
        ({"labels": np.full(20, 7)}, "failed", "labels that are none"),
        (CONSTANT, "failed", "is constant, without a warning"),
        (CONSTANT | WARNING, "constant", ""),
        (WARNING, "failed", "warns that it is constant, and is not"),
        ({"add": 1.0}, "failed", "has changed what it was given"),
        ({"error": (ValueError, "focal_gamma must be > 0")}, "refused", "ValueError: focal_gamma must be > 0"),
        ({"error": (ValueError, "missing must be a number")}, "refused", "ValueError: missing"),
        ({"error": (ValueError, "there is no 'gbtree'")}, "refused", "ValueError: there is no 'gbtree'"),
        ({"error": (TypeError, "columns of X, too, must be numbers")}, "refused", "TypeError: columns of X"),
        ({"error": (ValueError, "must be > 0")}, "failed", "ValueError: must be > 0"),
        ({"error": (ValueError, "bad data: a sample of a class is missing")}, "failed", "ValueError: bad data"),
        ({"error": (IndexError, "X has no such row")}, "failed", "IndexError: X has no such row"),
    ],
    ids=lambda value: value.replace(" ", "_") if isinstance(value, str) else "",
)
def test_it_notices(change, status, why, monkeypatch):
    X, y = np.arange(40.0).reshape(20, 2), np.arange(20) % 2
    case = hostile_cases.Case(0, "ordinary", Model, Model, change, {}, Data(X, y), None)
    monkeypatch.setattr(hostile_fits, "draw", lambda seed: case)
    outcome = hostile_fits.attempt(0, "ours")
    assert outcome.status == status
    assert why in outcome.why


def test_it_notices_what_ours_refuses_alone():
    refused, engine = Outcome("refused", "ValueError: X must not be"), Outcome("fine")
    assert hostile.verdict(refused, engine).status == "failed"
    assert hostile.verdict(refused, Outcome("refused", "for another reason")) == refused
    on_purpose = Outcome("refused", "ValueError: sample_weight must be at most 3.4e+38, a float32, got 1e+300.")
    assert hostile.verdict(on_purpose, engine) == on_purpose
    unclear = Outcome("failed", "ValueError: setting an array element with a sequence. (generic.py:1985)")
    assert hostile.verdict(unclear, unclear).status == "theirs"
    assert hostile.verdict(unclear, engine) == unclear


@pytest.mark.parametrize(
    ("given", "change"),
    [
        (np.arange(40.0)[::2], lambda X: X.base.__setitem__(1, 7.0)),
        (np.array([0, "one"], dtype=object), lambda X: X.__setitem__(0, 1)),
        (csr_array(np.eye(3)), lambda X: X.data.__setitem__(0, 7.0)),
        (csr_array(np.eye(3)).todok(), lambda X: X.__setitem__((0, 1), 7.0)),
        (csr_array(np.eye(3)).tolil(), lambda X: X.__setitem__((0, 1), 7.0)),
        (pd.DataFrame({"a": [1, None]}, dtype="Int64"), lambda X: X.__setitem__("a", [2, None])),
        (pd.DataFrame({"a": [1.0, 2.0]}), lambda X: X.insert(0, "b", 7.0)),
        ([[1.0], [2.0]], lambda X: X[1].append(7.0)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_it_notices_what_has_changed(given, change):
    before = hostile_fits.as_bytes(given)
    assert hostile_fits.as_bytes(given) == before
    change(given)
    assert hostile_fits.as_bytes(given) != before


def test_it_notices_processes_that_die_or_hang():
    """And goes on with others."""
    worker = hostile.Worker(os.kill)
    try:
        assert worker.ask(worker.process.pid, 0, limit=300) is None
        outcome = worker.ask(worker.process.pid, signal.SIGSEGV, limit=300)
        assert outcome.status == "failed"
        assert f"has died, exit code {-signal.SIGSEGV}" in outcome.why
        assert "Fatal Python error: Segmentation fault" in outcome.why
        assert worker.ask(worker.process.pid, 0, limit=300) is None
        hangs = worker.ask(worker.process.pid, signal.SIGSTOP, limit=1)
        assert hangs == Outcome("failed", "hangs, for more than 1 s")
    finally:
        worker.close()
