"""The same `random_state` gives the same model, bit by bit: on one thread and on two, side by side, in other processes.

What does not hold is not ours: LightGBM's goss and scikit-learn's L-BFGS depend on the number of threads, XGBoost's
"shotgun" on chance; and LightGBM sums up gradients in another order on more threads, which weights of very different
sizes show unless it is told ``deterministic=True, force_col_wise=True``.
"""

import hashlib
import importlib.util
import json
import os
import random
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.metrics import log_loss
from threadpoolctl import threadpool_limits

from skfocal import _arrays
from skfocal.losses import compiled

from .conftest import ESTIMATORS, NEEDS_KERNEL, make
from .engines import ENGINES
from .programs import PATHS, PYTHON, run

# LightGBM's own, too, chooses samples in as many parts as there are threads.
DEPENDS_ON_THREADS = {"boosting_type": "goss", "learning_rate": 0.5}
# Whatever draws numbers at random, by the names of classifiers.
RANDOM = {
    "FocalHistGradientBoostingClassifier": [
        {"max_features": 0.5, "early_stopping": True},
    ],
    "FocalLGBMClassifier": [
        {},  # a share of the trees at random thresholds
        {"subsample": 0.5, "subsample_freq": 1, "colsample_bytree": 0.5},
        DEPENDS_ON_THREADS,
        {"boosting_type": "dart", "extra_trees": True},
        {"early_stopping_rounds": 3},
    ],
    "FocalXGBClassifier": [
        {"subsample": 0.5, "colsample_bynode": 0.5, "num_parallel_tree": 2},
        {"booster": "dart", "rate_drop": 0.3},
        {"booster": "gblinear", "updater": "coord_descent", "feature_selector": "random"},
        {"early_stopping_rounds": 3},
    ],
    "FocalMLPClassifier": [
        {},
        {"early_stopping": True},
        {"solver": "sgd", "validation_metric": "focal_loss", "early_stopping": True},
    ],
}
MODELS = [(each, params) for each in ESTIMATORS for params in RANDOM[each.__name__]]
ids = {"ids": lambda each: getattr(each, "__name__", None) or "-".join(each) or "defaults"}
ENGINE_OF = {engine.estimator: engine for engine in ENGINES}


def with_samplers(models):
    """Return the models, and one of each boosted classifier with a sampler, where there are any."""
    if importlib.util.find_spec("imblearn") is None:
        return models
    from imblearn.under_sampling import RandomUnderSampler

    sampler = RandomUnderSampler(random_state=0)
    return [*models, *((estimator, {"sampler": sampler}) for estimator in ENGINE_OF)]


def some_data():
    X, codes = make_classification(800, 8, n_informative=6, n_classes=3, n_clusters_per_class=1, random_state=0)
    return X, np.array(["none", "some", "much"])[codes]


def new(estimator, params, n_threads=1):
    """Return a classifier that is not fitted."""
    boosted = {"n_estimators": 10} | ENGINE_OF[estimator].on_threads(n_threads) if estimator in ENGINE_OF else {}
    return make(estimator, **boosted | {"random_state": 7} | params)


def digest(model):
    """Return what tells models apart by any bit: of margins and probabilities of the data, and of others."""
    X, _ = some_data()
    parts = [each(data) for each in (model.decision_function, model.predict_proba) for data in (X, 3 * X[:, ::-1])]
    return hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest()


def digest_of_fit(model):
    """Return that of a model, by estimator and parameters."""
    return digest(new(*model).fit(*some_data()))


def digests():
    """Return those of all models, in their order."""
    return [digest_of_fit(model) for model in with_samplers(MODELS)]


@pytest.fixture(scope="module")
def expected():
    return digests()


def test_digests_tell_models_apart(expected):
    assert len(set(expected)) == len(expected)
    assert all(digest(new(*model).set_params(random_state=8).fit(*some_data())) not in expected for model in MODELS)


def digests_on_threads(estimator, params, X, y, **fit_arguments):
    """Return the digests of models that were trained on one thread, on two and on three."""
    found = set()
    for n_threads in (1, 2, 3):
        with threadpool_limits(n_threads):  # of what no parameter tells
            found.add(digest(new(estimator, params, n_threads).fit(X, y, **fit_arguments)))
    return found


@pytest.mark.parametrize(
    ("estimator", "params"), [model for model in MODELS if model[1] is not DEPENDS_ON_THREADS], **ids
)
def test_on_more_threads(estimator, params):
    assert len(digests_on_threads(estimator, params, *some_data())) == 1


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda each: each.__name__)
def test_on_more_threads_by_numpy(estimator, monkeypatch):
    monkeypatch.setattr(compiled, "kernel", None)
    monkeypatch.setattr(_arrays, "BLOCK", 500)
    assert len(digests_on_threads(estimator, RANDOM[estimator.__name__][0], *some_data())) == 1


@pytest.mark.parametrize("estimator", [each for each in ENGINE_OF if "force_col_wise" in ENGINE_OF[each].quick])
def test_with_weights_of_all_sizes_where_it_is_told_to(estimator):
    """The sum of these depends on their order, in float64 too, and without "deterministic" on the number of threads.

    That they then differ is chance, and not asserted.
    """
    X, y = some_data()
    X, y = np.tile(X, (10, 1)), np.tile(y, 10)  # for LightGBM has parts of a thousand samples
    weight = np.random.default_rng(0).lognormal(sigma=3, size=len(y))
    assert len(digests_on_threads(estimator, {"deterministic": True}, X, y, sample_weight=weight)) == 1


def test_side_by_side(expected):
    """In threads of one process, each of which trains something else."""
    models = with_samplers(MODELS)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(digest_of_fit, 2 * models)) == 2 * expected


IN_OTHER_PROCESSES = """
import json, multiprocessing, sys
from concurrent.futures import ProcessPoolExecutor
from joblib import Parallel, delayed
from tests.test_reproducible import MODELS, digest_of_fit, digests, with_samplers

if __name__ == "__main__":
    found = {}
    for method in sorted({"fork", "spawn"} & {*multiprocessing.get_all_start_methods()}):  # a fork before any training
        with ProcessPoolExecutor(1, multiprocessing.get_context(method)) as pool:
            found[method] = pool.submit(digests).result()
    found["joblib"] = Parallel(n_jobs=2)(delayed(digest_of_fit)(model) for model in with_samplers(MODELS))
    found["alone"] = digests()
    print(json.dumps(found))
"""


def test_in_other_processes(expected, tmp_path):
    """Forked, spawned and joblib's, with another order of sets of strings."""
    program = tmp_path / "program.py"  # spawned processes import it
    program.write_text(IN_OTHER_PROCESSES, encoding="utf-8")
    environment = {"PYTHONHASHSEED": "1", "PYTHONPATH": os.pathsep.join(PATHS)}
    found = json.loads(run(PYTHON, "-W", "ignore", program, environment=environment, cwd=tmp_path).stdout)
    assert {"joblib", "alone"} <= set(found)
    assert found == dict.fromkeys(found, expected)


@pytest.mark.parametrize(("estimator", "params"), MODELS, **ids)
def test_fitted_again(estimator, params):
    """As a clone that was never fitted, whatever the model has seen before."""
    X, y = some_data()
    model = new(estimator, params).fit(X[:, :5], y == "some")
    assert digest(model.fit(X, y)) == digest(clone(model).fit(X, y))


@pytest.mark.parametrize(("estimator", "params"), MODELS, **ids)
def test_the_seeds_of_all_are_not_read_nor_changed(estimator, params):
    found = set()
    for seed in (1, 2):
        np.random.seed(seed)  # noqa: NPY002  # which is what is tested
        random.seed(seed)
        before = np.random.get_state()[1].tolist(), random.getstate()  # noqa: NPY002
        found.add(digest_of_fit((estimator, params)))
        assert (np.random.get_state()[1].tolist(), random.getstate()) == before  # noqa: NPY002
    assert len(found) == 1


@pytest.mark.parametrize(("estimator", "params"), MODELS, **ids)
def test_random_states_of_one_seed(estimator, params):
    models = [new(estimator, params | {"random_state": np.random.RandomState(3)}) for _ in range(2)]
    assert len({digest(model.fit(*some_data())) for model in models}) == 1


@NEEDS_KERNEL
@pytest.mark.parametrize(("estimator", "params"), MODELS, **ids)
def test_without_the_kernel(estimator, params, monkeypatch):
    """Not by every bit: C and NumPy round otherwise, which may decide between splits that are as good as each other."""
    X, y = some_data()
    by_kernel = log_loss(y, new(estimator, params).fit(X, y).predict_proba(X))
    monkeypatch.setattr(compiled, "kernel", None)
    by_numpy = log_loss(y, new(estimator, params).fit(X, y).predict_proba(X))
    assert by_numpy == pytest.approx(by_kernel, rel=0.02)
