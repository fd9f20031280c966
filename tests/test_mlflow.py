"""mlflow: what its autologging records of a fit, and what its `log_model` saves, is our classifier."""

import importlib

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skfocal
from skfocal import FocalHistGradientBoostingClassifier, FocalLGBMClassifier, FocalMLPClassifier, FocalXGBClassifier

from .conftest import ESTIMATORS, WATCHING, make

mlflow = pytest.importorskip("mlflow", reason="mlflow records fits")
pytest.importorskip("matplotlib", reason="mlflow draws importances with it")
pytest.importorskip("skops", reason="mlflow saves with it")

# mlflow's of what it uses.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")

FLAVORS = {FocalLGBMClassifier: "lightgbm", FocalXGBClassifier: "xgboost"}


class Records:
    """What mlflow has recorded in an experiment."""

    def __init__(self, experiment):
        self.client = mlflow.MlflowClient()
        self.where = [experiment]

    @property
    def runs(self):
        return self.client.search_runs(self.where)

    @property
    def models(self):
        return self.client.search_logged_models(self.where)

    def history(self, metric):
        (run,) = self.runs
        return [each.value for each in self.client.get_metric_history(run.info.run_id, metric)]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/mlflow.db")
    yield
    mlflow.set_tracking_uri(before)


@pytest.fixture
def records(store, tmp_path):
    experiment = mlflow.create_experiment(tmp_path.name, artifact_location=(tmp_path / "artifacts").as_uri())
    mlflow.set_experiment(experiment_id=experiment)
    return Records(experiment)


@pytest.fixture
def autolog(records):
    used = []

    def switch_on(flavor):
        used.append(importlib.import_module(f"mlflow.{flavor}"))
        used[-1].autolog(silent=True)

    yield switch_on
    for module in used:
        module.autolog(disable=True)


def check_loaded(flavor, uri, model, X):
    loaded = importlib.import_module(f"mlflow.{flavor}").load_model(uri)
    assert type(loaded) is type(model)
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    np.testing.assert_array_equal(mlflow.pyfunc.load_model(uri).predict(X), model.predict(X))


def fitted(estimator, X, y, **params):
    labels = np.array(["fine", "fraud"])[y]
    early = {"n_estimators": 50, "learning_rate": 0.5, "early_stopping_rounds": 2, "random_state": 0}
    return make(estimator, focal_gamma=1.5, **early, **params).fit(X, labels)


@pytest.mark.parametrize("estimator", WATCHING, ids=FLAVORS.get)
def test_autolog_records_one_run_with_our_parameters_and_every_round(estimator, binary, autolog, records):
    autolog(FLAVORS[estimator])
    model = fitted(estimator, *binary, prior=0.2)
    (run,) = records.runs
    assert run.info.status == "FINISHED"
    given = {"focal_gamma": "1.5", "focal_mix": "0.0", "focal_hessian": "stable", "prior": "0.2"}
    assert given.items() <= run.data.params.items()
    ((name, scores),) = model.evals_result_.items()
    history = records.history(f"{name}-focal_loss")
    assert history[: len(scores["focal_loss"])] == scores["focal_loss"]  # LightGBM's best round comes once more
    assert len(scores["focal_loss"]) < 50


@pytest.mark.parametrize("params", [{}, {"booster": "dart"}], ids=str)
def test_xgboosts_autolog_records_one_model_that_is_ours(params, binary, autolog, records):
    X, y = binary
    autolog("xgboost")
    model = fitted(FocalXGBClassifier, X, y, **params)
    (logged,) = records.models
    assert logged.status == "READY"
    check_loaded("xgboost", logged.model_uri, model, X)
    assert type(model) is FocalXGBClassifier
    model.set_params(focal_gamma=0.0).fit(X, y)  # what mlflow left in it is in no one's way
    assert len(records.models) == 2


def test_lightgbms_autolog_leaves_no_empty_model(binary, autolog, records):
    """mlflow trusts LightGBM's own classes only: whoever wants the model logs it, in the same run."""
    X, y = binary
    autolog("lightgbm")
    with mlflow.start_run():
        model = fitted(FocalLGBMClassifier, X, y)
        assert records.models == []
        mlflow.lightgbm.log_model(model, name="model", pip_requirements=[], **trusting(FocalLGBMClassifier))
    (logged,) = records.models
    (run,) = records.runs
    assert (logged.status, logged.source_run_id) == ("READY", run.info.run_id)
    check_loaded("lightgbm", logged.model_uri, model, X)


def test_scikit_learns_autolog_records_no_engine(binary, autolog, records):
    X, y = binary
    autolog("sklearn")
    make(FocalHistGradientBoostingClassifier).fit(X, y)
    assert records.runs == records.models == []


@pytest.mark.parametrize(
    ("estimator", "in_pipeline"), [(FocalMLPClassifier, False), *((each, True) for each in ESTIMATORS)]
)
def test_scikit_learns_autolog_records_one_model_that_is_ours(estimator, in_pipeline, binary, autolog, records):
    X, y = binary
    autolog("sklearn")
    model = make(estimator, focal_gamma=1.5)
    model = (make_pipeline(StandardScaler(), model) if in_pipeline else model).fit(X, y)
    (run,), (logged,) = records.runs, records.models
    assert run.data.params[f"{estimator.__name__.lower()}__focal_gamma" if in_pipeline else "focal_gamma"] == "1.5"
    check_loaded("sklearn", logged.model_uri, model, X)


def trusting(estimator):
    return {} if estimator is FocalXGBClassifier else {"skops_trusted_types": skfocal.skops_trusted_types}


def test_log_model(estimator, binary, records):
    X, y = binary
    model, flavor = make(estimator).fit(X, y), FLAVORS.get(estimator, "sklearn")
    log_model = importlib.import_module(f"mlflow.{flavor}").log_model
    info = log_model(model, name="model", pip_requirements=[], **trusting(estimator))
    check_loaded(flavor, info.model_uri, model, X)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda each: each.__name__)
def test_log_model_of_a_pipeline(estimator, binary, records):
    X, y = binary
    model = make_pipeline(StandardScaler(), make(estimator)).fit(X, y)
    types = {"skops_trusted_types": skfocal.skops_trusted_types, "serialization_format": "skops"}
    info = mlflow.sklearn.log_model(model, name="model", pip_requirements=[], **types)
    check_loaded("sklearn", info.model_uri, model, X)
