"""FocalMLPClassifier: against scikit-learn's own network, against finite differences, and what is its own."""

import numpy as np
import pytest
from scipy import sparse
from scipy.special import expit, softmax
from sklearn import metrics
from sklearn.neural_network import MLPClassifier

from skfocal import FocalMLPClassifier
from skfocal.losses import BinaryFocalLoss, MulticlassFocalLoss, MultilabelFocalLoss

from .conftest import SMALL_NETWORK, make

STANDING_STILL = {"learning_rate_init": 1e-14}  # the start can be seen after training
IN_ORDER = {"shuffle": False, "batch_size": 100}


def some_weights(y):
    return np.random.default_rng(0).uniform(0.5, 2, size=len(y))


def network(**params):
    return make(FocalMLPClassifier, **params)


class Started(MLPClassifier):
    """scikit-learn's own network, started where ours starts."""

    def _initialize(self, *args):
        super()._initialize(*args)
        self.intercepts_[-1][:] = self.output_bias


def own_network(output_bias, **params):
    own = Started(**SMALL_NETWORK | params)
    own.output_bias = output_bias
    return own


def assert_same_coefficients(one, other, tolerance):
    for a, b in zip(one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)


SOLVERS = [
    {"solver": "adam"},
    {"solver": "sgd", "learning_rate": "invscaling"},
    {"solver": "lbfgs", "tol": 1e-4, "max_iter": 25, "max_fun": 40},
]


@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("solver", SOLVERS, ids=lambda params: params["solver"])
def test_gamma_zero_is_scikit_learns_own_network(doubles, solver, activation, weighted):
    X, y = doubles
    weight = some_weights(y) if weighted else None
    focal = network(focal_gamma=0.0, activation=activation, **solver).fit(X, y, sample_weight=weight)
    own = own_network(focal.focal_intercept_, activation=activation, **solver).fit(X, y, sample_weight=weight)
    assert_same_coefficients(focal, own, 1e-8)
    assert focal.loss_ == pytest.approx(own.loss_, rel=1e-10)
    np.testing.assert_allclose(focal.predict_proba(X), own.predict_proba(X), atol=1e-8)
    np.testing.assert_array_equal(focal.predict(X), own.predict(X))
    if solver["solver"] != "lbfgs":
        np.testing.assert_allclose(focal.loss_curve_, own.loss_curve_, rtol=1e-10)
    assert focal.n_iter_ == own.n_iter_


def test_early_stopping_by_accuracy_is_scikit_learns(binary):
    X, y = binary[0].astype(np.float64), binary[1]
    params = {"early_stopping": True, "tol": 1e-4, "n_iter_no_change": 5, "validation_fraction": 0.2}
    focal = network(focal_gamma=0.0, validation_metric="accuracy", **params).fit(X, y)
    own = own_network(focal.focal_intercept_, **params).fit(X, y)
    assert focal.validation_scores_ == own.validation_scores_
    assert_same_coefficients(focal, own, 1e-8)


def forward(X, coefs, intercepts, activation):
    """Return the output of a network."""
    for i, (coef, intercept) in enumerate(zip(coefs, intercepts, strict=True)):
        X = X @ coef + intercept
        if i + 1 < len(coefs):
            X = {"tanh": np.tanh, "relu": lambda x: np.maximum(x, 0), "logistic": expit}[activation](X)
    return X


def textbook_loss(y, margins, gamma):
    """Return the focal loss of each sample by the formula that everybody knows."""
    if margins.shape[1] > 1 and y.ndim == 1:
        p = softmax(margins, axis=1)[np.arange(len(y)), y][:, None]
    else:
        y = y.reshape(len(y), -1)
        p = np.where(y == 1, expit(margins), expit(-margins))
    return (-((1 - p) ** gamma) * np.log(p)).sum(axis=1)


@pytest.mark.parametrize("scale", [1.0, 0.3])  # of the output, as while Adam trains
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("gamma", [0.5, 2.0, 5.0])
@pytest.mark.parametrize("activation", ["tanh", "logistic", "relu"])
def test_the_full_gradient_agrees_with_finite_differences(doubles, activation, gamma, weighted, scale):
    X, y = (values[:50] for values in doubles)
    y = np.unique(y, return_inverse=True)[1] if y.ndim == 1 else y
    weight = some_weights(y) if weighted else None
    params = {"hidden_layer_sizes": (5, 4), "alpha": 0.1, "activation": activation, "focal_gamma": gamma}
    model = network(**params, **STANDING_STILL).fit(X, y, sample_weight=weight)
    model._margin_scale = scale
    coefs, intercepts = model.coefs_, model.intercepts_
    sizes = len(coefs)
    parameters = [*coefs, *intercepts]

    def mean_loss():
        margins = scale * forward(X, parameters[:sizes], parameters[sizes:], activation)
        total = len(y) if weight is None else weight.sum()
        data = np.average(textbook_loss(y, margins, gamma), weights=weight)
        scaled = [*parameters[: sizes - 1], scale * parameters[sizes - 1]]
        return data + 0.5 * 0.1 * sum((coef**2).sum() for coef in scaled) / total

    indicator = model._label_binarizer.transform(y).astype(bool)
    empty = [None] * sizes
    loss, *gradients = model._backprop(X, indicator, weight, [X, *empty], [*empty], [*empty], [*empty])
    assert loss == pytest.approx(mean_loss(), rel=1e-12)
    step = 1e-6
    for parameter, gradient in zip(parameters, [*gradients[0], *gradients[1]], strict=True):
        for index in np.ndindex(parameter.shape):
            value = parameter[index]
            parameter[index] = value + step
            above = mean_loss()
            parameter[index] = value - step
            below = mean_loss()
            parameter[index] = value
            assert gradient[index] == pytest.approx((above - below) / (2 * step), abs=2e-8)


@pytest.mark.parametrize("gamma", [0.0, 2.0])
def test_coefficients_are_those_of_the_margins(doubles, gamma):
    """Who reads the network elsewhere gets the margins, without any scale."""
    X, y = doubles
    model = network(focal_gamma=gamma).fit(X, y)
    output = forward(X, model.coefs_, model.intercepts_, "relu")
    np.testing.assert_allclose(model.decision_function(X), output[:, 0] if output.shape[1] == 1 else output, rtol=1e-10)
    assert model.out_activation_ == "identity"


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer. Maximum iterations")
@pytest.mark.parametrize("gamma", [0.5, 2.0, 5.0])
def test_one_step_of_sgd_is_the_gradient(doubles, gamma):
    X, y = doubles
    step = {"solver": "sgd", "momentum": 0.0, "batch_size": len(y), "max_iter": 1, "alpha": 0.0, "activation": "tanh"}
    model = network(focal_gamma=gamma, **step, warm_start=True).fit(X, y)
    before = [part.copy() for part in model.intercepts_]
    margins = forward(X, model.coefs_, model.intercepts_, "tanh")
    gradient = model.focal_loss_.gradient(y, margins[:, 0] if margins.shape[1] == 1 else margins)
    model.fit(X, y)
    expected = before[-1] - 0.01 * gradient.reshape(margins.shape).mean(axis=0)
    np.testing.assert_allclose(model.intercepts_[-1], expected, rtol=1e-10)
    assert np.abs(model.intercepts_[0] - before[0]).max() > 0


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer. Maximum iterations")
@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0, [4.0, 1.0, 2.0, 0.0]], ids=str)
def test_one_step_of_adam_has_the_size_of_log_odds(doubles, gamma):
    """It is as long as the learning rate in log-odds, so 1 + gamma times shorter in margins."""
    X, y = doubles
    gamma = np.asarray(gamma)
    if gamma.ndim and y.ndim == 1:
        gamma = np.append(gamma, [0.0] * (y.max() + 1))[: y.max() + 1]
    step = {"batch_size": len(y), "max_iter": 1, "learning_rate_init": 0.01, "epsilon": 1e-30}
    model = network(focal_gamma=gamma.tolist(), **step).fit(X, y)
    moved = np.abs(model.intercepts_[-1] - model.focal_intercept_)
    # One output has one scale, the mean over its classes; each label has its own.
    np.testing.assert_allclose(moved, 0.01 / (1 + (gamma if y.ndim == 2 else gamma.mean())), rtol=1e-6)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0, 5.0])
def test_the_output_bias_starts_at_the_focal_intercept(data, gamma):
    X, y = data
    weight = some_weights(y)
    model = network(focal_gamma=gamma, **STANDING_STILL).fit(X.astype(np.float64), y, sample_weight=weight)
    prior = np.bincount(y, weights=weight)
    loss = BinaryFocalLoss(gamma) if len(prior) == 2 else MulticlassFocalLoss(gamma)
    np.testing.assert_allclose(model.intercepts_[-1], loss.intercept(prior), rtol=1e-9)
    np.testing.assert_array_equal(model.focal_intercept_, loss.intercept(prior))


def test_the_output_bias_of_labels(multilabel):
    X, y = multilabel
    model = network(**STANDING_STILL).fit(X, y)
    expected = [BinaryFocalLoss(1.0).intercept([1 - share, share]) for share in y.mean(axis=0)]
    np.testing.assert_allclose(model.intercepts_[-1], expected, rtol=1e-9)


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer. Maximum iterations")
def test_the_first_epoch_is_not_lost(binary):
    """At 5 % positives the first epoch already tells more than the first of a network that starts anywhere."""
    X, y = binary
    one_epoch = {"max_iter": 1, "learning_rate_init": 1e-3}
    focal = network(**one_epoch).fit(X, y).predict_proba(X)
    own = MLPClassifier(**SMALL_NETWORK | one_epoch).fit(X, y).predict_proba(X)
    assert metrics.log_loss(y, focal) < 0.6 * metrics.log_loss(y, own)


def test_the_loss_on_record_is_the_focal_loss(doubles):
    X, y = doubles
    weight = some_weights(y)
    model = network(alpha=0.0, batch_size=len(y), class_weight={0: 2.0}, **STANDING_STILL)
    model.fit(X, y, sample_weight=weight)
    raw = model.decision_function(X)
    expected = np.average(model.focal_loss_.loss(y, raw), weights=weight)
    np.testing.assert_allclose(model.loss_curve_, expected, rtol=1e-6)
    factor = np.where(y == 0, 2.0, 1.0)
    margins = raw.reshape(len(y), -1)
    if y.ndim == 1:
        textbook = textbook_loss(y, margins, 1.0) * factor
    else:
        textbook = sum(textbook_loss(y[:, k], margins[:, [k]], 1.0) * factor[:, k] for k in range(4))
    assert model.loss_ == pytest.approx(np.average(textbook, weights=weight), rel=1e-6)


def test_class_weights_count_in_full(binary):
    """Trained on noise, the posterior is the prior of the reweighted data, however few positives there are."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20_000, 3)), (rng.random(20_000) < 0.01).astype(int)
    for params in ({"class_weight": "balanced"}, {"focal_alpha": "balanced"}):
        proba = network(**params, learning_rate_init=0.002).fit(X, y).predict_proba(X)[:, 1]
        assert (proba[y == 1].mean() + proba[y == 0].mean()) / 2 == pytest.approx(0.5, abs=0.04)


def test_class_weight_is_a_sample_weight_to_lbfgs(data):
    """The two differ in the batches of the other solvers only: the loss has the same minimum, one if it is convex."""
    X, y = data[0].astype(np.float64), data[1]
    convex = {"focal_gamma": 0.0, "hidden_layer_sizes": (), "alpha": 1.0}
    params = {"solver": "lbfgs", "max_iter": 2000, "tol": 1e-9, **convex}
    by_class = np.arange(1.0, y.max() + 2)
    by_dict = network(**params, class_weight=dict(enumerate(by_class))).fit(X, y)
    by_sample = network(**params).fit(X, y, sample_weight=by_class[y])
    np.testing.assert_allclose(by_dict.predict_proba(X), by_sample.predict_proba(X), atol=1e-3)
    assert np.abs(by_dict.predict_proba(X) - network(**params).fit(X, y).predict_proba(X)).max() > 0.02


def test_weight_two_is_the_same_row_twice(doubles):
    X, y = doubles
    weight = np.random.default_rng(0).integers(0, 3, size=len(y))
    params = {"solver": "lbfgs", "tol": 0.01, "class_weight": "balanced"}
    weighted = network(**params).fit(X, y, sample_weight=weight)
    repeated = network(**params).fit(np.repeat(X, weight, axis=0), np.repeat(y, weight, axis=0))
    np.testing.assert_allclose(weighted.focal_intercept_, repeated.focal_intercept_, atol=1e-12)
    np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-4)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix, sparse.coo_array])
def test_rows_of_weight_zero_are_left_out(doubles, kind):
    X, y = doubles
    keep = np.random.default_rng(0).random(len(y)) < 0.5
    weighted = network().fit(kind(X), y, sample_weight=keep)
    dropped = network().fit(kind(X[keep]), y[keep], sample_weight=np.ones(keep.sum()))
    assert_same_coefficients(weighted, dropped, 0)


def test_sparse_features_and_labels(doubles):
    X, y = doubles
    X = np.where(np.abs(X) < 0.5, 0, X)
    dense = network().fit(X, y)
    for kind in (sparse.csr_matrix, sparse.csc_array):
        model = network().fit(kind(X), y)
        np.testing.assert_allclose(model.decision_function(kind(X)), dense.decision_function(X), atol=1e-8)
    if y.ndim == 2:
        for kind in (sparse.csr_matrix, sparse.csc_array, sparse.coo_matrix, sparse.lil_matrix, sparse.dok_array):
            labels = network().fit(X, kind(y))
            assert_same_coefficients(labels, dense, 0)
            np.testing.assert_array_equal(labels.predict(X).toarray(), dense.predict(X))


def test_single_precision_stays(doubles):
    X, y = doubles[0].astype(np.float32), doubles[1]
    seen = set()

    class Seen(FocalMLPClassifier):
        def _loss_gradient(self, y, margins):
            result = super()._loss_gradient(y, margins)
            seen.update({margins.dtype, *(part.dtype for part in result)})
            return result

    make(Seen).fit(X, y)
    assert seen == {np.dtype(np.float32)}
    model = network(class_weight="balanced", focal_alpha=None).fit(X, y, sample_weight=some_weights(y))
    assert {part.dtype for part in model.coefs_ + model.intercepts_} == {np.dtype(np.float32)}
    assert model.decision_function(X).dtype == np.float32
    assert model.predict_proba(X).dtype == np.float64
    double = network(class_weight="balanced").fit(X.astype(np.float64), y, sample_weight=some_weights(y))
    np.testing.assert_allclose(model.predict_proba(X), double.predict_proba(X), atol=0.02)


class Watched(FocalMLPClassifier):
    """Keeps the parts of the split; not for use."""

    def _split(self, *args):
        self.parts_ = super()._split(*args)
        return self.parts_


def average_precision(y, proba, weight):
    y = y.reshape(len(y), -1)
    proba = proba[:, 1:] if y.shape[1] == 1 else proba
    columns = zip(y.T, proba.T, strict=True)
    return np.mean([metrics.average_precision_score(*column, sample_weight=weight) for column in columns])


@pytest.mark.parametrize("metric", ["average_precision", "focal_loss", "accuracy"])
@pytest.mark.parametrize("weighted", [False, True])
def test_early_stopping_watches_what_it_says(doubles, metric, weighted):
    X, y = doubles
    weight = some_weights(y) if weighted else None
    params = {"early_stopping": True, "tol": 1e-4, "n_iter_no_change": 4, "validation_fraction": 0.25}
    model = make(Watched, validation_metric=metric, **params).fit(X, y, sample_weight=weight)
    training, validation = model.parts_
    assert len(training[0]) + len(validation[0]) == len(X)
    X_val, y_val, weight_val = validation
    assert (weight_val is None) == (weight is None)
    shares = model._label_binarizer.transform(y).mean(axis=0)
    np.testing.assert_allclose(y_val.mean(axis=0), shares, atol=0.002 if y.ndim == 1 else 0.03)
    labels = model._label_binarizer.inverse_transform(y_val)
    expected = {
        "average_precision": lambda: average_precision(y_val, model.predict_proba(X_val), weight_val),
        "focal_loss": lambda: (
            -np.average(model.focal_loss_.loss(labels, model.decision_function(X_val)), weights=weight_val)
        ),
        "accuracy": lambda: metrics.accuracy_score(labels, model.predict(X_val), sample_weight=weight_val),
    }[metric]()
    scores = model.validation_scores_
    assert model.best_validation_score_ == max(scores) == pytest.approx(expected, rel=1e-9)
    assert len(scores) == model.n_iter_ == len(model.loss_curve_) < 200
    assert not hasattr(model, "_validation")
    assert model.get_params()["early_stopping"] is True


def test_labels_are_split_by_the_rarest(multilabel):
    """A tenth of the samples of each rare label is for validation; a label of one sample goes anywhere."""
    X, y = multilabel
    rare = np.zeros((len(y), 7), dtype=int)
    for k in range(6):
        rare[20 * k : 20 * (k + 1), k] = 1
    rare[-1, 6] = 1
    model = make(Watched, early_stopping=True).fit(X, np.hstack([y, rare]))
    (_, in_training, _), (_, in_validation, _) = model.parts_
    np.testing.assert_array_equal(in_training[:, 4:10].sum(axis=0), 18)
    np.testing.assert_array_equal(in_validation[:, 4:10].sum(axis=0), 2)
    assert in_training[:, 10].sum() + in_validation[:, 10].sum() == 1


def test_early_stopping_watches_the_rarer_class(binary):
    X, y = binary
    params = {"early_stopping": True, "tol": 1e-4, "n_iter_no_change": 4, "validation_fraction": 0.5}
    model = make(Watched, **params).fit(X, np.array(["ok", "fraud"])[y])
    X_val, ok, _ = model.parts_[1]
    frauds = metrics.average_precision_score(~ok[:, 0], model.predict_proba(X_val)[:, 0])
    assert model.best_validation_score_ == pytest.approx(frauds)
    assert frauds < 0.99


def test_labels_of_their_own_losses(multilabel):
    X, y = multilabel
    gammas, alphas = [0.0, 1.0, 2.0, 3.0], [0.2, 0.3, 0.4, 0.5]
    per_label = [BinaryFocalLoss(g, (1 - a, 3 * a)) for g, a in zip(gammas, alphas, strict=True)]
    for gamma in (gammas, dict(enumerate(gammas))):
        model = network(focal_gamma=gamma, focal_alpha=alphas, class_weight=[{1: 3}] * 4).fit(X, y)
        assert model.focal_loss_ == MultilabelFocalLoss(tuple(per_label))
    raw, proba = model.decision_function(X), model.predict_proba(X)
    for k, loss in enumerate(per_label):
        np.testing.assert_allclose(proba[:, k], loss.predict_proba(raw[:, k])[:, 1])
    np.testing.assert_array_equal(model.predict(X), proba > 0.5)
    balanced = network(class_weight="balanced").fit(X, y)
    np.testing.assert_allclose(balanced.focal_intercept_, 0, atol=1e-12)


def test_labels_mixed_with_the_log_loss(multilabel):
    """All of the log loss is gamma = 0, for each label."""
    X, y = multilabel
    mixed, plain = (
        network(**params).fit(X, y) for params in ({"focal_gamma": 3, "focal_mix": 1.0}, {"focal_gamma": 0})
    )
    assert [label.focal_mix for label in mixed.focal_loss_.labels] == [1.0] * 4
    np.testing.assert_allclose(mixed.predict_proba(X), plain.predict_proba(X), rtol=1e-3, atol=1e-5)


def test_labels_that_all_or_none_have(multilabel):
    X, y = multilabel
    y = np.column_stack([y, np.zeros(len(y), dtype=int), np.ones(len(y), dtype=int)])
    proba = network(class_weight="balanced").fit(X, y).predict_proba(X)
    assert np.isfinite(proba).all()
    assert proba[:, 4].max() < 0.01
    assert proba[:, 5].min() > 0.99


BAD = [
    ({"validation_metric": "auc"}, r"validation_metric must be one of \['average_precision', .*got 'auc'"),
    ({"alpha": -1.0}, "'alpha' parameter of FocalMLPClassifier must be .* Got -1"),
    (
        {"early_stopping": True, "validation_fraction": 0.0005},
        r"validation_fraction must leave 2 or more of the 2000 samples .* got 0.0005: 1 to validate",
    ),
]


@pytest.mark.parametrize(("params", "message"), BAD, ids=str)
def test_bad_parameters(binary, params, message):
    with pytest.raises(ValueError, match=message):
        network(**params).fit(*binary)


def test_too_few_samples_to_stop_early(binary):
    X, y = binary[0][:40], np.arange(40) >= 39
    with pytest.raises(ValueError, match=r"early_stopping needs two samples of every class.* got 1 of class"):
        network(early_stopping=True).fit(X, y)
    y = np.arange(40) >= 37
    with pytest.raises(ValueError, match=r"needs a sample of each of two classes .* got 4 samples"):
        network(early_stopping=True).fit(X, y)
    assert network(early_stopping=True, validation_metric="focal_loss").fit(X, y).n_iter_ > 0


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"focal_gamma": [1.0, 2.0]}, "focal_gamma must have one value for each of the 4 labels, got 2"),
        ({"focal_alpha": [0.5] * 3}, "focal_alpha must have one value for each of the 4 labels, got 3"),
        ({"focal_alpha": 1.5}, r"focal_alpha must be in \(0, 1\)"),
        ({"class_weight": [{1: 2.0}]}, "class_weight must have one value for each of the 4 labels, got 1"),
        ({"class_weight": {2: 2.0}}, r"class_weight must have keys among the classes \[0, 1\]"),
    ],
    ids=str,
)
def test_bad_parameters_of_labels(multilabel, params, message):
    with pytest.raises(ValueError, match=message):
        network(**params).fit(*multilabel)


def test_several_columns_that_are_no_labels(multilabel):
    X, y = multilabel
    with pytest.raises(ValueError, match=r"y of several columns must hold 0 and 1, .* got 2"):
        network().fit(X, y * np.arange(1, 5))
    with pytest.raises(ValueError, match=r"y of several columns must hold 0 and 1, .* got array\(\[\['"):
        network().fit(X, np.array(["no", "yes"])[y])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_fit_that_diverges_leaves_a_fitted_model_alone(binary, early_stopping):
    X, y = binary[0].astype(np.float64), binary[1]
    model = network(warm_start=True, solver="sgd", activation="identity", early_stopping=early_stopping).fit(X, y)
    before, losses = model.predict_proba(X), list(model.loss_curve_)
    model.set_params(learning_rate_init=1e200, max_iter=3)
    with pytest.raises(ValueError, match="non-finite"):
        model.fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X), before)
    assert model.loss_curve_ == losses


def test_what_was_fitted_cannot_change_its_kind(multilabel, multiclass):
    X, y = multilabel
    model = network(warm_start=True).fit(X, y)
    before = model.predict_proba(X)
    for other in (y.argmax(axis=1), y[:, :2]):
        with pytest.raises(ValueError, match="y must have as many labels as before, 4"):
            model.fit(X, other)
        with pytest.raises(ValueError, match=r"y must have as many labels as before, 4|classes must be the numbers"):
            model.partial_fit(X, other)
    with pytest.raises(ValueError, match=r"hidden_layer_sizes must be \[16\], as trained so far, got \[3\]"):
        model.set_params(hidden_layer_sizes=3).fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X), before)
    softmax = MLPClassifier(**SMALL_NETWORK).fit(X, y.sum(axis=1) % 4)
    with pytest.raises(ValueError, match="y must hold classes, as pretrained has, got labels"):
        FocalMLPClassifier.from_estimator(softmax).fit(X, y)
    with pytest.raises(ValueError, match=r"classes must be the numbers of y's columns, 0 ... 3, got \[0, 1\]"):
        network().partial_fit(X, y, classes=[0, 1])


@pytest.mark.parametrize("bad", [lambda y: y + 1, lambda y: 2 * y - 1, lambda y: sparse.csr_matrix(2 * y)])
def test_columns_of_other_numbers_than_0_and_1(multilabel, bad):
    X, y = multilabel
    with pytest.raises(ValueError, match=r"y of several columns must hold 0 and 1, .* got (2|-1)"):
        network().fit(X, bad(y))


def test_columns_of_a_table(multilabel):
    pd = pytest.importorskip("pandas")
    X, y = multilabel
    expected = network().fit(X, y)
    frame = pd.DataFrame(y).astype({0: bool, 1: "Int64"})
    assert_same_coefficients(network().fit(X, frame), expected, 0)
    assert_same_coefficients(network().fit(X, y.tolist()), expected, 0)


def test_weights_that_overflow(binary):
    X, y = binary
    with pytest.raises(ValueError, match="focal_alpha times class_weight must be at most"):
        network(class_weight={1: 1e30}, focal_alpha=[1.0, 1e30]).fit(X, y)
