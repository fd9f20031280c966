"""What the tests share: the registry of estimators, small data, and where the real data is."""

import os
from pathlib import Path

# Tests run side by side; engines that use every core for tiny data only wait for each other. Before they are imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("SCIPY_ARRAY_API", "1")  # else scikit-learn skips one of its checks

import numpy as np
import pytest
from sklearn.base import is_classifier
from sklearn.datasets import make_classification

import skfocal
from skfocal.boosting.estimator import FocalBoostedMixin

DATA = Path(os.environ.get("SKFOCAL_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))

ESTIMATORS = [getattr(skfocal, name) for name in skfocal.__all__ if name.endswith("Classifier")]
BOOSTED = [estimator for estimator in ESTIMATORS if issubclass(estimator, FocalBoostedMixin)]
LOSSES = [getattr(skfocal, name) for name in skfocal.__all__ if name.endswith("FocalLoss")]
assert all(is_classifier(estimator()) for estimator in ESTIMATORS)


# A tolerance that no loss can meet stops training after 17 epochs, without the warning that max_iter=17 would give.
SMALL_NETWORK = {
    "hidden_layer_sizes": (16,), "learning_rate_init": 0.01, "tol": 1e3, "n_iter_no_change": 15, "random_state": 0,
}  # fmt: skip


def real_data(name):
    """Return features and target of one of the real data sets, which are not part of the project."""
    pd = pytest.importorskip("pandas")
    path = DATA / f"{name}.parquet"
    if not path.exists():
        pytest.skip(f"{path.name} is not here: point SKFOCAL_DATA to the folder that has it")
    frame = pd.read_parquet(path)
    y = frame.pop("target").to_numpy()
    return frame, y


def make(estimator, **params):
    """Return a small, quiet, single-threaded estimator."""
    if not issubclass(estimator, FocalBoostedMixin):
        return estimator(**SMALL_NETWORK | params)
    quiet = {"verbose": -1} if "LGBM" in estimator.__name__ else {}
    return estimator(**{"n_estimators": 20, "n_jobs": 1, **quiet, **params})


def own(estimator, **params):
    """Return the engine's own classifier with parameters like those of `make`."""
    engine = next(base for base in estimator.__bases__ if not base.__module__.startswith("skfocal"))
    quiet = {"verbose": -1} if "LGBM" in estimator.__name__ else {"enable_categorical": True}
    return engine(**{"n_estimators": 20, "n_jobs": 1, **quiet, **params})


def start_argument(estimator):
    """Return the name under which an engine's fit takes margins to start from."""
    return "init_score" if "LGBM" in estimator.__name__ else "base_margin"


def is_lightgbm(estimator):
    return "LGBM" in estimator.__name__


def quiet_fit(estimator):
    return {} if is_lightgbm(estimator) else {"verbose": False}


def fit_with_eval(estimator, X, y, eval_set, names, weight=None, **params):
    """Fit and return the model and the history of its only evaluation set."""
    if is_lightgbm(estimator):
        model = make(estimator, **params)
        model.fit(X, y, eval_set=eval_set, eval_metric=names, eval_sample_weight=None if weight is None else [weight])
    else:
        model = make(estimator, eval_metric=names, **params)
        model.fit(X, y, eval_set=eval_set, verbose=False, sample_weight_eval_set=None if weight is None else [weight])
    (history,) = model.evals_result_.values()
    return model, history


@pytest.fixture(params=ESTIMATORS, ids=lambda estimator: estimator.__name__)
def estimator(request):
    return request.param


@pytest.fixture(scope="session")
def binary():
    X, y = make_classification(n_samples=2000, n_features=8, weights=[0.95], flip_y=0.02, random_state=0)
    return X.astype(np.float32), y


@pytest.fixture(scope="session")
def multiclass():
    X, y = make_classification(
        n_samples=2000, n_features=8, n_informative=6, n_classes=5, weights=[0.6, 0.2, 0.1, 0.06], random_state=0
    )
    return X.astype(np.float32), y


@pytest.fixture(params=["binary", "multiclass"])
def data(request):
    return request.getfixturevalue(request.param)
