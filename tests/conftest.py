"""What the tests share: the registry of estimators, small data, and where the real data is."""

import os
import sys
from pathlib import Path

# Tests run side by side; engines that use every core for tiny data only wait for each other. Before they are imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("SCIPY_ARRAY_API", "1")  # else scikit-learn skips one of its checks

import numpy as np
import pytest
from hypothesis import settings
from sklearn import config_context, get_config
from sklearn.base import is_classifier
from sklearn.datasets import make_classification, make_multilabel_classification
from sklearn.preprocessing import StandardScaler

import skfocal
from skfocal.boosting.estimator import FocalBoostedMixin
from skfocal.losses.compiled import kernel
from skfocal.losses.registry import FAMILIES

from .documentation import promised
from .engines import ENGINES

# How long an example takes is no property. More of them, new ones in each run: HYPOTHESIS_PROFILE=long pytest ...
settings.register_profile("quick", deadline=None, derandomize=True, max_examples=100)
settings.register_profile("long", deadline=None, max_examples=3000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

DATA = Path(os.environ.get("SKFOCAL_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))

BOOSTED = [engine.estimator for engine in ENGINES]
ESTIMATORS = sorted([*BOOSTED, skfocal.FocalMLPClassifier], key=lambda estimator: estimator.__name__)
LOSSES = [kind for family in FAMILIES.values() for kind in family]
assert all(is_classifier(estimator()) for estimator in ESTIMATORS)


def engine_of(estimator):
    """Return what the tests know of the engine of a class or of an estimator."""
    kind = estimator if isinstance(estimator, type) else type(estimator)
    return next(engine for engine in ENGINES if issubclass(kind, engine.estimator))


def boosted_with(feature):
    """Return the boosted classifiers whose engines have a feature: a field of the record that is not empty."""
    return [engine.estimator for engine in ENGINES if getattr(engine, feature)]


# Those that take evaluation sets and report on every round.
WATCHING = boosted_with("eval_weight")


# For tests whose models have the same margin for all on purpose: of features that say nothing, or, in float32, with a
# learning rate of 1e-9.
CONSTANT = pytest.mark.filterwarnings("ignore:.* has found no split that tells samples apart")


NEEDS_KERNEL = pytest.mark.skipif(kernel is None, reason="skfocal was installed without a compiler: there is no kernel")


# A tolerance that no loss can meet stops training after 17 epochs, without the warning that max_iter=17 would give.
SMALL_NETWORK = {
    "hidden_layer_sizes": (16,), "learning_rate_init": 0.01, "tol": 1e3, "n_iter_no_change": 15, "random_state": 0,
}  # fmt: skip


def real_data(name):
    """Return features and target of one of the real data sets, which are not part of the project."""
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    path = DATA / f"{name}.parquet"
    if not path.exists():
        pytest.skip(f"{path.name} is not here: point SKFOCAL_DATA to the folder that has it")
    frame = pd.read_parquet(path)
    y = frame.pop("target").to_numpy()
    return frame, y


def make(estimator, **params):
    """Return a small, quiet, single-threaded estimator; parameters of boosting have LightGBM's and XGBoost's names."""
    if not issubclass(estimator, FocalBoostedMixin):
        return estimator(**SMALL_NETWORK | params)
    engine = engine_of(estimator)
    return estimator(**engine.quick | engine.translated({"n_estimators": 20, **params}))


def small_data(n_rows, n_features=4):
    """Return features in float32 and labels, of which the first feature tells most."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, n_features)).astype(np.float32)
    return X, (X[:, 0] + rng.normal(size=n_rows) > 1).astype(int)


def of_rounds(name, n_rounds, **params):
    """Return what `make` does of the classifier of this name, to train for so many rounds or epochs."""
    rounds = {"max_iter": n_rounds} if name == "FocalMLPClassifier" else {"n_estimators": n_rounds}
    return make(getattr(skfocal, name), **rounds, **params)


def like_own(estimator, **params):
    """Return what `make` does, which is to grow trees as the engine's own classifier does."""
    return make(estimator, **engine_of(estimator).own_settings | params)


def own(estimator, **params):
    """Return the engine's own classifier with parameters like those of `make`."""
    engine = engine_of(estimator)
    return engine.own(**engine.own_quick | engine.translated({"n_estimators": 20, **params}))


def watch(model, X, y, X_val, y_val):
    """Fit a boosted classifier that stops early on data of its own, and return it."""
    if not engine_of(model).eval_weight:
        return model.fit(X, y, X_val=X_val, y_val=y_val)
    return model.fit(X, y, eval_set=[(X_val, y_val)], **engine_of(model).quiet_fit)


def focal_losses(model):
    """Return the focal loss after each round on what early stopping of a boosted classifier has watched."""
    if not engine_of(model).eval_weight:
        return -model.validation_score_[1:]  # the first is before any tree
    (history,) = model.evals_result_.values()
    return history["focal_loss"]


def fit_with_eval(estimator, X, y, eval_set, names, weight=None, **params):
    """Fit and return the model and the history of its only evaluation set."""
    engine = engine_of(estimator)
    weights = {} if weight is None else {engine.eval_weight: [weight]}
    model = make(estimator, eval_metric=names, **params).fit(X, y, eval_set=eval_set, **engine.quiet_fit, **weights)
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


@pytest.fixture(scope="session")
def multilabel():
    """Four labels, the last of them rare."""
    X, y = make_multilabel_classification(2000, 8, n_classes=4, n_labels=2, random_state=0)
    y[np.random.default_rng(0).random(len(y)) < 0.8, 3] = 0
    return StandardScaler().fit_transform(X), y


@pytest.fixture(params=["binary", "multiclass", "multilabel"])
def doubles(request):
    """Data in float64."""
    X, y = request.getfixturevalue(request.param)
    return X.astype(np.float64), y


@pytest.fixture(scope="module")
def cluster():
    """Two workers of Dask, each a process of its own."""
    pytest.importorskip("distributed")
    from .clusters import cluster_of

    with cluster_of(2) as two_workers:
        yield two_workers


@pytest.fixture
def client(cluster):
    from distributed import Client

    with Client(cluster) as client:
        client.wait_for_workers(2)  # a test before may have had one restarted
        yield client


@pytest.fixture
def lone_worker():
    pytest.importorskip("distributed")
    from distributed import Client

    from .clusters import cluster_of

    with cluster_of(1) as one_worker, Client(one_worker) as client:
        yield client


@pytest.fixture
def run_block(capsys, tmp_path, monkeypatch):
    """Return a function that runs a block of a page in a namespace; it must print what it says, and set nothing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")

    def run(block, namespace):
        before = get_config()
        with config_context():
            exec(compile(block, "a page", "exec"), namespace)  # noqa: S102  # which is what is tested
            assert get_config() == before
        assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == promised(block)

    yield run
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
