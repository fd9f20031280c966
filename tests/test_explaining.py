"""SHAP values and the engines' own plots."""

import numpy as np
import pytest

from skfocal import FocalLGBMClassifier, FocalXGBClassifier
from skfocal.datasets import load_creditcard

from .conftest import BOOSTED, boosted_with, engine_of, make

ids = {"ids": lambda estimator: estimator.__name__}


@pytest.fixture(params=BOOSTED, **ids)
def boosted(request):
    return request.param


@pytest.fixture
def shap(recwarn):
    pytest.importorskip("numba", exc_type=ImportError)
    return pytest.importorskip("shap", exc_type=ImportError)


# Of matplotlib's and numba's next versions, which shap is not ready for.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning")


@pytest.mark.parametrize("stops", [False, True])
def test_shap_values_add_up_to_the_margins(boosted, stops, shap):
    X, y = load_creditcard(return_X_y=True)
    early = {"n_estimators": 300, "random_state": 0, **engine_of(boosted).early(5)}
    model = make(boosted, **early if stops else {}).fit(X, y)
    explainer = shap.TreeExplainer(model)
    sample = X[::50]
    margins = model.decision_function(sample)
    np.testing.assert_allclose(explainer.shap_values(sample).sum(axis=1) + explainer.expected_value, margins, atol=1e-4)
    explanation = explainer(sample)
    np.testing.assert_allclose(explanation.values.sum(axis=1) + explanation.base_values, margins, atol=1e-4)
    # V14, column 14, is known to tell frauds best.
    assert np.abs(explanation.values).mean(axis=0).argmax() in (4, 14)


def test_shap_values_of_many_classes(boosted, multiclass, shap):
    X, y = multiclass
    model = make(boosted).fit(X, y)
    explainer = shap.TreeExplainer(model)
    values = np.asarray(explainer.shap_values(X[:200]))
    assert values.shape == (200, 8, 5)
    np.testing.assert_allclose(
        values.sum(axis=1) + explainer.expected_value, model.decision_function(X[:200]), atol=1e-4
    )


@pytest.mark.parametrize("boosted", boosted_with("contributions"), **ids)
def test_the_engines_own_contributions_add_up_too(boosted, data):
    """Without SHAP's package: LightGBM by pred_contrib, XGBoost by pred_contribs."""
    X, y = data
    model = make(boosted).fit(X, y)
    parts = engine_of(boosted).contributions(model, X).reshape(len(y), -1, X.shape[1] + 1)
    np.testing.assert_allclose(parts.sum(axis=2).squeeze(), model.decision_function(X), atol=1e-4)


@pytest.fixture
def plt():
    pytest.importorskip("matplotlib").use("Agg")
    import matplotlib.pyplot as plt

    yield plt
    plt.close("all")


def test_lightgbms_plots(binary, plt):
    lightgbm = pytest.importorskip("lightgbm")
    X, y = binary
    model = make(FocalLGBMClassifier, early_stopping_rounds=5, n_estimators=50, random_state=0).fit(X, y)
    axes = lightgbm.plot_importance(model)
    assert len(axes.patches) == np.count_nonzero(model.feature_importances_)
    curve = lightgbm.plot_metric(model).lines[0].get_ydata()
    np.testing.assert_array_equal(curve, model.evals_result_["valid_0"]["focal_loss"])
    lightgbm.plot_split_value_histogram(model, int(np.argmax(model.feature_importances_)))


def test_xgboosts_plots(binary, plt):
    xgboost = pytest.importorskip("xgboost")
    X, y = binary
    model = make(FocalXGBClassifier, early_stopping_rounds=5, n_estimators=50, random_state=0).fit(X, y)
    axes = xgboost.plot_importance(model, importance_type="weight")
    assert len(axes.patches) == np.count_nonzero(model.feature_importances_)


def test_pictures_of_trees(binary):
    """Their source only: to draw it takes Graphviz, a program of its own."""
    pytest.importorskip("graphviz")
    lightgbm, xgboost = pytest.importorskip("lightgbm"), pytest.importorskip("xgboost")
    X, y = binary
    of_lightgbm = lightgbm.create_tree_digraph(make(FocalLGBMClassifier).fit(X, y), tree_index=3).source
    of_xgboost = xgboost.to_graphviz(make(FocalXGBClassifier).fit(X, y), tree_idx=3).source
    assert min(of_lightgbm.count("->"), of_xgboost.count("->")) > 4
