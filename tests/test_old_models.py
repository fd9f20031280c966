"""Pickles and model files that the first release candidate wrote, with the oldest supported versions, still predict."""

import pickle
from pathlib import Path

import numpy as np
import pytest

import skfocal

MODELS = Path(__file__).with_name("models")
CLASSES = {
    "lightgbm": "FocalLGBMClassifier",
    "xgboost": "FocalXGBClassifier",
    "network": "FocalMLPClassifier",
}
FILES = sorted(file.name for file in MODELS.iterdir() if file.suffix != ".npz")


def test_there_is_a_model_of_every_kind():
    """For two classes with a sampler, for three with a prior: pickles of all, files of the boosted ones."""
    assert len(FILES) == 2 * (3 + 1 + 2)


@pytest.mark.filterwarnings("ignore")  # scikit-learn warns of pickles of other versions
@pytest.mark.parametrize("name", FILES)
def test_an_old_model_predicts_what_it_predicted(name):
    file = MODELS / name
    kind, n_classes = file.stem[:-1], file.stem[-1]
    classifier = getattr(skfocal, CLASSES[kind])
    model = pickle.loads(file.read_bytes()) if file.suffix == ".pkl" else classifier().load_model(file)
    assert type(model) is classifier
    with np.load(MODELS / "expected.npz") as expected:
        X, raw, proba = (expected[f"{part}{n_classes}"] for part in ("X", f"raw_{kind}", f"proba_{kind}"))
    # Trees add up the same anywhere; products of matrices, exp and log have a last digit that is the processor's.
    if kind == "network":
        np.testing.assert_allclose(model.decision_function(X), raw, rtol=1e-5, atol=1e-6)
    else:
        np.testing.assert_array_equal(model.decision_function(X), raw)
    np.testing.assert_allclose(model.predict_proba(X), proba, rtol=1e-5 if kind == "network" else 1e-12)
    np.testing.assert_array_equal(model.predict(X), model.classes_[proba.argmax(axis=1)])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [name for name in FILES if name.endswith("2.pkl")])
def test_an_old_model_can_be_fitted_again(name):
    model = pickle.loads((MODELS / name).read_bytes())
    with np.load(MODELS / "expected.npz") as expected:
        X = expected["X2"]
    y = np.where(X[:, 0] > np.median(X[:, 0]), "yes", "no")
    if "lightgbm" in name:
        assert model.get_params()["extra_trees"] is False  # as it was grown
    model.fit(X, y)
    assert model.classes_.tolist() == ["no", "yes"]
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["extra_trees", "extra_tree"])
@pytest.mark.parametrize("extra_trees", [True, False])
def test_extra_trees_of_an_old_pickle_stay_what_they_were(extra_trees, name):
    """It was one of LightGBM's other keywords, before it was a parameter of ours; so may be its penalty."""
    model = pickle.loads((MODELS / "lightgbm2.pkl").read_bytes())
    state = model.__getstate__()
    del state["extra_trees"]
    state["_other_params"] = state["_other_params"] | {name: extra_trees, "lambda_l2": 5.0}
    old = object.__new__(type(model))
    old.__setstate__(state)
    assert old.get_params()["extra_trees"] is extra_trees
    assert name in state["_other_params"]  # what is read is not changed
    with np.load(MODELS / "expected.npz") as expected:
        X = expected["X2"]
    old.fit(X, X[:, 0] > np.median(X[:, 0]))
    assert f"[extra_trees: {int(extra_trees)}]" in old.booster_.model_to_string()
    assert "[lambda_l2: 5]" in old.booster_.model_to_string()
    assert old.set_params(extra_trees=not extra_trees).get_params()["extra_trees"] is not extra_trees
