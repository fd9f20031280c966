"""Models that are saved and loaded again predict the same, bit by bit, whatever the way."""

import importlib
import io
import json
import pickle

import joblib
import numpy as np
import pytest

import skfocal
from skfocal import FocalHistGradientBoostingClassifier, FocalLGBMClassifier, FocalMLPClassifier, FocalXGBClassifier
from skfocal.datasets import load_creditcard

from .conftest import BOOSTED, CONSTANT, engine_of, make
from .model_files import FILES, SAVING
from .programs import PYTHON, run

ids = {"ids": lambda estimator: estimator.__name__}


@pytest.fixture(params=SAVING, **ids)
def boosted(request):
    return request.param


def by_pickle(model):
    return pickle.loads(pickle.dumps(model))


def by_joblib(model):
    file = io.BytesIO()
    joblib.dump(model, file)
    return joblib.load(file)


def by_skops(model):
    sio = pytest.importorskip("skops.io")
    data = sio.dumps(model)
    return sio.loads(data, trusted=skfocal.skops_trusted_types)


@pytest.mark.parametrize("way", [by_pickle, by_joblib, by_skops], ids=lambda way: way.__name__)
def test_the_whole_classifier(estimator, data, way):
    X, y = data
    labels = np.array(["a", "b", "c", "d", "e"])[y]
    model = make(estimator, focal_gamma=1.5, focal_alpha="balanced", focal_mix=0.1).fit(X, labels)
    loaded = way(model)
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    assert loaded.focal_loss_ == model.focal_loss_
    assert repr(loaded.get_params()) == repr(model.get_params())


VARIANTS = {
    FocalHistGradientBoostingClassifier: [
        {"early_stopping": True},
        {"early_stopping": True, "scoring": "neg_log_loss"},
        {"warm_start": True, "prior": 0.2},
    ],
    FocalLGBMClassifier: [
        {"early_stopping_rounds": 2, "eval_metric": ["roc_auc", "focal_loss"]},
        {"boosting_type": "dart", "random_state": np.random.RandomState(0)},
    ],
    FocalXGBClassifier: [
        {"early_stopping_rounds": 2, "eval_metric": ["roc_auc", "focal_loss"]},
        {"booster": "gblinear", "focal_gamma": {0: 1.0, 1: 2.0}},
    ],
    FocalMLPClassifier: [
        {"early_stopping": True},
        {"solver": "sgd", "class_weight": "balanced"},
        {"solver": "lbfgs", "max_iter": 1000, "tol": 1.0},
    ],
}


@pytest.mark.parametrize(("kind", "params"), [(kind, each) for kind in VARIANTS for each in VARIANTS[kind]])
def test_skops_needs_no_more_types_than_we_tell(kind, params, binary):
    X, y = binary
    model = make(kind, **params).fit(X, y)
    np.testing.assert_array_equal(by_skops(model).predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize("boosted", BOOSTED, **ids)
def test_skops_needs_to_be_told_of_a_sampler(boosted, binary):
    sio = pytest.importorskip("skops.io")
    sampler = pytest.importorskip("imblearn.under_sampling").RandomUnderSampler(random_state=0)
    data = sio.dumps(make(boosted, sampler=sampler).fit(*binary))
    (unknown,) = set(sio.get_untrusted_types(data=data)) - set(skfocal.skops_trusted_types)
    assert unknown.endswith("RandomUnderSampler")
    sio.loads(data, trusted=[*skfocal.skops_trusted_types, unknown]).predict(binary[0])


@pytest.mark.parametrize("boosted", BOOSTED, **ids)
def test_skops_and_categories(boosted, binary):
    pd = pytest.importorskip("pandas")
    X, y = binary
    frame = pd.DataFrame(X, columns=list("abcdefgh")).assign(h=pd.Categorical(np.where(X[:, 0] > 0, "u", "v")))
    model = make(boosted).fit(frame, y)
    np.testing.assert_array_equal(by_skops(model).predict_proba(frame), model.predict_proba(frame))


def test_skops_and_multilabel_data(multiclass):
    X, y = multiclass
    model = make(FocalMLPClassifier).fit(X, np.c_[y > 1, y == 2].astype(int))
    np.testing.assert_array_equal(by_skops(model).predict_proba(X), model.predict_proba(X))


def test_skops_is_told_of_nothing_that_is_not_there():
    for name in skfocal.skops_trusted_types:
        module, _, attribute = name.rpartition(".")
        assert hasattr(importlib.import_module(module), attribute), name


def saved_and_loaded(model, path):
    model.save_model(path)
    return type(model)().load_model(path)


@pytest.mark.parametrize(("boosted", "name"), FILES)
def test_model_files_keep_loss_labels_and_link(boosted, name, data, tmp_path):
    X, y = data
    n_classes = y.max() + 1
    labels = np.array(["a=b", "new\nline", "é", '"', "Tree=0"])[:n_classes]
    gammas = dict(zip(labels.tolist(), np.arange(1.0, n_classes + 1), strict=True))
    early = {"n_estimators": 100, "early_stopping_rounds": 3, "random_state": 0}
    params = {"focal_gamma": gammas, "focal_alpha": "balanced", "focal_mix": 0.1, "focal_hessian": "exact"}
    model = make(boosted, **params, **early, prior=np.arange(1.0, n_classes + 1)).fit(X, labels[y])
    loaded = saved_and_loaded(model, tmp_path / name)
    for method in ("predict_proba", "predict", "decision_function"):
        np.testing.assert_array_equal(getattr(loaded, method)(X), getattr(model, method)(X), strict=True)
    assert loaded.focal_loss_ == model.focal_loss_
    assert loaded.classes_.tolist() == sorted(labels.tolist())
    assert loaded.focal_gamma == [gammas[label] for label in sorted(labels.tolist())]
    assert (loaded.focal_alpha, loaded.focal_mix, loaded.focal_hessian) == ("balanced", 0.1, "exact")
    np.testing.assert_array_equal(loaded.focal_intercept_, model.focal_intercept_)
    assert loaded.best_iteration_ == model.best_iteration_
    assert loaded.best_score_ == model.best_score_
    assert loaded.n_features_in_ == 8
    np.testing.assert_array_equal(loaded.feature_importances_, model.feature_importances_)
    np.testing.assert_array_equal(by_pickle(loaded).predict_proba(X), model.predict_proba(X))
    np.testing.assert_array_equal(saved_and_loaded(loaded, tmp_path / name).predict_proba(X), model.predict_proba(X))
    with pytest.raises(ValueError, match=r"3 features, but .* is expecting 8 features"):
        loaded.predict(X[:, :3])


LABELS = {
    "integers": np.array([-7, 3]),
    "floats": np.array([1.0, 2.0]),
    "float32": np.array([-1, 1], dtype=np.float32),
    "unsigned": np.array([1, 255], dtype=np.uint8),
    "booleans": np.array([False, True]),
    "objects": np.array(["no", "yes"], dtype=object),
    "dates": np.array(["2024-02-29", "2025-01-01"], dtype="datetime64[D]"),
}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_labels_of_any_type(boosted, binary, labels, tmp_path):
    X, y = binary
    model = make(boosted).fit(X, labels[y])
    loaded = saved_and_loaded(model, tmp_path / "model.json")
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X), strict=True)
    assert loaded.classes_.dtype == labels.dtype


@pytest.mark.parametrize(("boosted", "name"), FILES)
def test_real_frauds_with_a_table(boosted, name, tmp_path):
    """With names, categories and missing values; in another process, which knows nothing of this one."""
    pd = pytest.importorskip("pandas")
    cards = load_creditcard(as_frame=True)
    frame = cards.data.assign(hour=pd.Categorical((cards.data["Time"] // 3600 % 24).astype(int).astype(str)))
    frame.iloc[::7, 5] = np.nan
    model = make(boosted).fit(frame, cards.target)
    model.save_model(tmp_path / name)
    frame.to_pickle(tmp_path / "frame.pkl")
    code = (
        "import sys, numpy, pandas, skfocal\n"
        f"clf = skfocal.{boosted.__name__}().load_model(sys.argv[1])\n"
        "numpy.save(sys.argv[3], clf.predict_proba(pandas.read_pickle(sys.argv[2])))\n"
    )
    run(PYTHON, "-c", code, *(tmp_path / file for file in (name, "frame.pkl", "proba.npy")))
    np.testing.assert_array_equal(np.load(tmp_path / "proba.npy"), model.predict_proba(frame))
    loaded = boosted().load_model(tmp_path / name)
    assert loaded.feature_names_in_.tolist() == list(frame.columns)
    with pytest.raises(ValueError, match="feature names should match"):
        loaded.predict(frame.rename(columns={"V1": "W1"}))


def test_a_model_goes_on_from_a_file_without_what_else_is_in_it(boosted, binary, tmp_path):
    """The description in an old file must not pass for that of the new model."""
    X, y = binary
    make(boosted, focal_gamma=0.5).fit(X, np.array(["a", "b"])[y]).save_model(tmp_path / "old.json")
    model = make(boosted, focal_gamma=5.0).fit(X, y, **{engine_of(boosted).old_model: str(tmp_path / "old.json")})
    engine_of(boosted).booster(model).save_model(tmp_path / "alone.json")
    with pytest.raises(ValueError, match="without labels and loss"):
        boosted().load_model(tmp_path / "alone.json")
    assert saved_and_loaded(model, tmp_path / "new.json").focal_loss_ == model.focal_loss_


def test_a_loaded_model_can_be_fitted_again_and_refined(boosted, binary, tmp_path):
    X, y = binary
    model = make(boosted, focal_gamma=0.5).fit(X, y)
    loaded = saved_and_loaded(model, tmp_path / "model.json")
    again = loaded.set_params(n_estimators=20, **engine_of(boosted).quick)
    more = make(boosted, learning_rate=1e-9).fit(X, y, **{engine_of(boosted).old_model: loaded})
    np.testing.assert_allclose(more.decision_function(X), model.decision_function(X), atol=1e-6)
    np.testing.assert_array_equal(again.fit(X, y).predict_proba(X), model.predict_proba(X))


def test_nothing_of_a_model_before_remains(boosted, data, binary, tmp_path):
    pd = pytest.importorskip("pandas")
    X, y = data
    model = make(boosted).fit(X, y)
    model.save_model(tmp_path / "model.json")
    other = make(boosted, n_estimators=50, early_stopping_rounds=2, prior=0.5, random_state=0)
    other.fit(pd.DataFrame(binary[0], columns=list("abcdefgh")), binary[1])
    other.load_model(tmp_path / "model.json")
    np.testing.assert_array_equal(other.predict_proba(X), model.predict_proba(X))
    assert not hasattr(other, "feature_names_in_")
    assert other.prior_correction_ is None
    assert not getattr(other, "evals_result_", {})


@CONSTANT
@pytest.mark.parametrize(("boosted", "name"), FILES)
def test_trees_without_a_split(boosted, name, binary, tmp_path):
    X, y = np.ones((2000, 3)), binary[1]
    model = make(boosted).fit(X, y)
    np.testing.assert_array_equal(saved_and_loaded(model, tmp_path / name).predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize("boosted", [FocalXGBClassifier], **ids)
@pytest.mark.parametrize("params", [{"booster": "gblinear"}, {"booster": "dart"}, {"missing": -9.0}], ids=str)
def test_what_xgboost_needs_to_know_to_predict(boosted, binary, params, tmp_path):
    X, y = binary
    X = np.where(X > 1.5, -9.0, X)
    model = make(boosted, **params).fit(X, y)
    np.testing.assert_array_equal(saved_and_loaded(model, tmp_path / "m.ubj").predict_proba(X), model.predict_proba(X))
    for kind in (bytes, bytearray):
        loaded = boosted().load_model(kind((tmp_path / "m.ubj").read_bytes()))
        np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize("suffix", ["json", "ubj"])
def test_trees_of_several_margins(multiclass, suffix, tmp_path):
    X, y = multiclass
    model = make(FocalXGBClassifier, multi_strategy="multi_output_tree", tree_method="hist").fit(X, y)
    loaded = saved_and_loaded(model, tmp_path / f"m.{suffix}")
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))


def wrong_files(folder, boosted, binary):
    """Return files that are not what `load_model` wants: of the engine alone, of the other engine, and of nobody."""
    X, y = binary
    other = next(each for each in SAVING if each is not boosted)
    make(other).fit(X, y).save_model(folder / "other.json")
    model = make(boosted).fit(X, y)
    engine_of(boosted).booster(model).save_model(folder / "alone.json")
    (folder / "nobody.json").write_text(json.dumps({"a": 1}))
    (folder / "empty.json").write_text("")
    (folder / "pickle.json").write_bytes(pickle.dumps(model))
    model.save_model(folder / "whole.json")
    whole = (folder / "whole.json").read_bytes()
    for percent in (1, 10, 50, 90):
        (folder / f"cut{percent}.json").write_bytes(whole[: len(whole) * percent // 100])
    return model


@pytest.mark.parametrize("name", ["other", "alone", "nobody", "empty", "pickle", "cut1", "cut10", "cut50", "cut90"])
def test_files_of_the_wrong_kind(boosted, binary, name, tmp_path):
    model = wrong_files(tmp_path, boosted, binary)
    before = model.predict_proba(binary[0])
    with pytest.raises(
        ValueError, match=rf"fname must be a file that {boosted.__name__}.save_model wrote.*{name}"
    ) as e:
        model.load_model(tmp_path / f"{name}.json")
    assert ("without labels and loss" in str(e.value)) == (name == "alone")
    np.testing.assert_array_equal(model.predict_proba(binary[0]), before)
    for call in (model.load_model, model.save_model):
        with pytest.raises(FileNotFoundError, match="nowhere"):
            call(tmp_path / "nowhere" / "model.json")


def test_only_what_is_fitted_can_be_saved(boosted, tmp_path):
    with pytest.raises(ValueError, match="not fitted"):
        boosted().save_model(tmp_path / "model.json")
    assert not list(tmp_path.iterdir())


def test_a_file_of_a_later_version(boosted, binary, tmp_path, monkeypatch):
    monkeypatch.setattr("skfocal.boosting.model_file._FORMAT", 2)
    model = make(boosted).fit(*binary)
    model.save_model(tmp_path / "model.json")
    monkeypatch.undo()
    with pytest.raises(ValueError, match=rf"it is by skfocal {skfocal.__version__}; this is .* too old for it"):
        model.load_model(tmp_path / "model.json")


def test_saving_leaves_the_booster_as_it_was(boosted, binary, tmp_path):
    model = make(boosted).fit(*binary)
    before = pickle.dumps(model)
    model.save_model(tmp_path / "model.json")
    assert pickle.dumps(model) == before
