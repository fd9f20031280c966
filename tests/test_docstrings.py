"""What the classes share they say in the same words: entries of a parameter differ only where that is declared here."""

import inspect
import re

import pytest

import skfocal

from .conftest import BOOSTED, ESTIMATORS

# (parameter, classes): why its entry is another one.
DIFFERENT = {
    ("focal_gamma", "FocalXGBClassifier"): "XGBoost has a gamma of its own",
    ("focal_gamma", "FocalMLPClassifier"): "one per label, for data with several",
    ("focal_alpha", "FocalMLPClassifier"): "one per label; the network has an alpha of its own",
    ("class_weight", "FocalMLPClassifier"): "part of the loss, not of the samples' weights",
    ("eval_metric", "FocalLGBMClassifier"): "LightGBM's names, signature and early stopping",
    ("eval_metric", "FocalXGBClassifier"): "XGBoost's",
    ("focal_intercept_", "FocalLGBMClassifier"): "the arguments that take its place have LightGBM's names",
    ("focal_intercept_", "FocalXGBClassifier"): "the arguments have XGBoost's names",
    ("focal_intercept_", "FocalHistGradientBoostingClassifier"): "nothing takes its place, and scikit-learn splits",
    ("focal_intercept_", "FocalMLPClassifier"): "a bias, of several labels too",
    ("focal_loss_", "FocalMLPClassifier"): "includes class_weight, and knows several labels",
    ("classes_", "FocalMLPClassifier"): "the columns, for several labels",
    ("best_iteration_", "FocalXGBClassifier"): "XGBoost counts from 0",
    ("best_score_, evals_result_", "FocalXGBClassifier"): "XGBoost's name of the data split off",
    ("**kwargs", "FocalLGBMClassifier"): "LightGBM's",
    ("**kwargs", "FocalXGBClassifier"): "XGBoost's",
}  # fmt: skip
ENGINES_OWN = re.compile(r"^As in `[\w.]+`")


def entries(estimator):
    """Return {name: text with its type} of the entries of Parameters and Attributes that are not the engine's."""
    text = inspect.getdoc(estimator).replace("\\\n", "")
    body = text[text.index("Parameters\n----------\n") : text.index("\nNotes\n-----")]
    found = re.findall(r"^(\S[^\n]*)\n((?:    [^\n]*\n)+)", body, flags=re.MULTILINE)
    named = {head.partition(" : ")[0]: head + "\n" + text for head, text in found}
    return {name: text for name, text in named.items() if not ENGINES_OWN.match(text.partition("\n    ")[2])}


SHARED = sorted({name for estimator in ESTIMATORS for name in entries(estimator)})


@pytest.mark.parametrize("name", SHARED)
def test_shared_entries_are_word_for_word_the_same(name):
    having = [each for each in ESTIMATORS if name in entries(each)]
    alike = {each.__name__: entries(each)[name] for each in having if (name, each.__name__) not in DIFFERENT}
    assert len(set(alike.values())) <= 1, alike


@pytest.mark.parametrize(("name", "estimator"), DIFFERENT)
def test_what_is_declared_to_differ_does(name, estimator):
    others = [entries(each).get(name) for each in ESTIMATORS if each.__name__ != estimator]
    assert entries(getattr(skfocal, estimator)).get(name) not in others


def test_entries_are_found():
    ours = {"focal_gamma", "focal_alpha", "focal_mix", "focal_hessian", "class_weight", "sampler", "prior"}
    for estimator in BOOSTED:
        assert ours <= set(entries(estimator))
    assert ours - {"focal_hessian", "sampler", "prior"} <= set(entries(skfocal.FocalMLPClassifier))


@pytest.mark.parametrize("estimator", BOOSTED, ids=lambda estimator: estimator.__name__)
def test_tools_find_what_is_learned_on_the_class(estimator):
    """As the properties of the engines, in whose place it is; before `fit` a classifier has none of it."""
    for name in ("classes_", "n_features_in_", "feature_names_in_"):
        assert hasattr(estimator, name)
        assert not hasattr(estimator(), name)


def test_every_parameter_is_in_the_docstring(estimator):
    text = inspect.getdoc(estimator).replace("\\\n", "")
    for name, parameter in inspect.signature(estimator).parameters.items():
        if parameter.kind is not parameter.VAR_KEYWORD:
            assert re.search(rf"^(?:.*\W)?{name}\b[^\n]*\n    \S", text, flags=re.MULTILINE), name
