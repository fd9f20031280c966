"""What the tests have to know of each engine: a new one joins all of them by one entry here.

What is not installed is left out, for .ci/versions; test_imports asserts that nothing is.
"""

from dataclasses import dataclass, field
from importlib.util import find_spec

from own_settings import OWN_SETTINGS
from sklearn.ensemble import HistGradientBoostingClassifier

import skfocal


@dataclass(frozen=True)
class Engine:
    """An engine as the tests see it. What is empty it does not have."""

    estimator: type
    own: type  # its own classifier
    quick: dict  # parameters that make ours quiet and single-threaded
    own_quick: dict
    margins: object  # (its own classifier, X) -> raw margins
    early: object  # number of rounds -> parameters that stop early
    names: dict = field(default_factory=dict)  # ours of parameters -> its own
    threads: tuple = ()  # names of the parameter that says how many
    seeds: tuple = ("random_state",)
    own_settings: dict = field(default_factory=dict)  # parameters under which ours grows its own classifier's trees
    no_counts: dict = field(default_factory=dict)  # parameters under which only weights decide, not numbers of samples
    fine_bins: dict = field(default_factory=dict)  # parameters under which each value has a bin
    bagging: dict = field(default_factory=dict)  # parameters that train each tree on other samples
    any_name: bool = True  # whether its constructor takes parameters of any name
    importances: bool = True
    generators: bool = False  # whether random_state may be a Generator
    sparse: str = ""  # what it takes the entries for that a sparse matrix leaves out
    start: str = ""  # the argument of fit with margins to start from
    start_order: str = "C"
    keeps_intercept: bool = False  # whether its own classifier adds an intercept to such margins
    old_model: str = ""  # the argument of fit with a model to continue
    eval_weight: str = ""  # arguments of fit with weights and margins of evaluation sets
    eval_start: str = ""
    quiet_fit: dict = field(default_factory=dict)
    stopping: str = ""  # its own name for the rounds of early stopping
    log_loss: tuple = ()  # its own names of the log loss, of two classes and of more
    user_metric: object = None  # (name, value, greater is better) -> what a user's metric returns
    weighs_user_metrics: bool = False  # whether it refuses, beside weights, a user's metric that takes none
    callback: object = None  # function -> parameters and arguments of fit that have it called after every round
    lost_in_callbacks: tuple = ()  # exceptions that do not come out of such a function
    files: tuple = ()  # names of model files
    booster: object = None  # fitted classifier of ours -> booster
    booster_margins: object = None  # (booster or its file, X) -> raw margins
    contributions: object = None  # (fitted classifier of ours, X) -> contributions of features and intercept
    last_digit_decides: bool = False  # whether thresholds are data values, compared in float64
    onnx_refuses: dict = field(default_factory=dict)  # message -> parameters that ONNX has no equal of
    onnx_takes: tuple = ()  # parameters that ask something of ONNX
    category_splits: tuple = ({},)  # parameters under which trees ask for one category, or for a set of them
    codes: tuple = (
        {},
        {},
    )  # parameters, and arguments of fit, that make the first of three columns codes of categories
    odd_categories: tuple = ()  # kinds of categories, beside words and whole numbers, that it takes
    splits_need: str = ""  # how a warning of no split tells of its thresholds
    thresholds: tuple = ()  # (parameters under which there is no split, what the warning tells of them)
    tells_far_margins: bool = True  # whether it warns of margins too far out for probabilities to differ
    real_bars: tuple = ()  # average precision at least, log loss at most, on the full card data

    def on_threads(self, n_threads):
        """Return the parameter that says how many threads to use; without one OpenMP decides."""
        return dict.fromkeys(self.threads[:1], n_threads)

    def translated(self, params):
        """Return parameters with LightGBM's and XGBoost's common names under its own."""
        return {self.names.get(name, name): value for name, value in params.items()}


# On which of two ways it sums up histograms LightGBM decides by the clock; sums in another order decide ties otherwise.
LIGHTGBM_QUICK = {"n_jobs": 1, "verbose": -1, "force_col_wise": True}


def _scikit_learn():
    return Engine(
        estimator=skfocal.FocalHistGradientBoostingClassifier,
        own=HistGradientBoostingClassifier,
        quick={"early_stopping": False},
        own_quick={"early_stopping": False},
        margins=lambda model, X: model.decision_function(X),
        # Few rounds: those after the best one stay in the model.
        early=lambda rounds: {"early_stopping": True, "n_iter_no_change": min(rounds, 3)},
        names={"n_estimators": "max_iter", "max_bin": "max_bins", "reg_lambda": "l2_regularization"},
        own_settings=OWN_SETTINGS["HistGB"],
        no_counts={"min_samples_leaf": 1},
        any_name=False,
        importances=False,
        last_digit_decides=True,
        codes=({"categorical_features": [0]}, {}),
        splits_need="min_samples_leaf (20)",
        thresholds=(({"min_samples_leaf": 10_000}, "min_samples_leaf (10000)"),),
        real_bars=(0.79, 0.0027),
    )


def _lightgbm():
    import lightgbm

    def margins(booster, X):
        booster = booster if isinstance(booster, lightgbm.Booster) else lightgbm.Booster(model_file=booster)
        return booster.predict(X, raw_score=True)

    return Engine(
        estimator=skfocal.FocalLGBMClassifier,
        own=lightgbm.LGBMClassifier,
        quick=LIGHTGBM_QUICK,
        own_quick=LIGHTGBM_QUICK,
        margins=lambda model, X: model.predict(X, raw_score=True),
        early=lambda rounds: {"early_stopping_rounds": rounds},
        threads=("n_jobs", "nthread", "num_threads"),
        seeds=("random_state", "seed", "random_seed"),
        own_settings=OWN_SETTINGS["LightGBM"],
        no_counts={"min_child_samples": 0, "min_data_in_bin": 1, "extra_trees": False},
        fine_bins={"min_data_in_bin": 1},
        bagging={"subsample": 0.5, "subsample_freq": 1},
        generators=True,
        sparse="zero",
        start="init_score",
        start_order="F",
        old_model="init_model",
        eval_weight="eval_sample_weight",
        eval_start="eval_init_score",
        stopping="early_stopping_round",
        log_loss=("binary_logloss", "multi_logloss"),
        user_metric=lambda name, value, greater_is_better: (name, value, greater_is_better),
        callback=lambda function: ({}, {"callbacks": [function]}),
        files=("model.txt",),
        booster=lambda model: model.booster_,
        booster_margins=margins,
        contributions=lambda model, X: model.predict_proba(X, pred_contrib=True),
        onnx_refuses={"no zero_as_missing to go to ONNX: put NaN": {"zero_as_missing": True}},
        onnx_takes=({"boosting_type": "dart"},),
        category_splits=(
            {"max_cat_to_onehot": 1, "min_data_per_group": 1, "cat_smooth": 1.0},
            {"max_cat_to_onehot": 100},
        ),
        codes=({}, {"categorical_feature": [0]}),
        odd_categories=("floats", "numbers and words"),
        splits_need="min_child_weight (0.001) or min_child_samples (20)",
        thresholds=(
            ({"min_sum_hessian_in_leaf": 1e9}, "min_child_weight (1000000000.0)"),
            ({"min_data": 100_000}, "min_child_samples (100000)"),
            ({"min_gain_to_split": 1e9}, "min_split_gain (1000000000.0)"),
        ),
        real_bars=(0.79, 0.0028),
    )


def _xgboost():
    import xgboost

    def margins(booster, X):
        booster = booster if isinstance(booster, xgboost.Booster) else xgboost.Booster(model_file=booster)
        return booster.predict(xgboost.DMatrix(X), output_margin=True)

    class Callback(xgboost.callback.TrainingCallback):
        def __init__(self, function):
            self.function = function

        def after_iteration(self, *_):
            self.function()
            return False

    return Engine(
        estimator=skfocal.FocalXGBClassifier,
        own=xgboost.XGBClassifier,
        quick={"n_jobs": 1},
        own_quick={"n_jobs": 1, "enable_categorical": True},
        margins=lambda model, X: model.predict(X, output_margin=True),
        early=lambda rounds: {"early_stopping_rounds": rounds},
        threads=("n_jobs", "nthread"),
        seeds=("random_state", "seed"),
        own_settings=OWN_SETTINGS["XGBoost"],
        bagging={"subsample": 0.5, "num_parallel_tree": 2},
        sparse="missing",
        start="base_margin",
        keeps_intercept=True,
        old_model="xgb_model",
        eval_weight="sample_weight_eval_set",
        eval_start="base_margin_eval_set",
        quiet_fit={"verbose": False},
        stopping="early_stopping_rounds",
        log_loss=("logloss", "logloss"),
        user_metric=lambda name, value, greater_is_better: value,
        weighs_user_metrics=True,
        callback=lambda function: ({"callbacks": [Callback(function)]}, {}),
        lost_in_callbacks=(StopIteration,),  # out of a generator, in which XGBoost asks them
        files=("m.json", "m.ubj"),
        booster=lambda model: model.get_booster(),
        booster_margins=margins,
        contributions=lambda model, X: model.get_booster().predict(xgboost.DMatrix(X), pred_contribs=True),
        onnx_refuses={
            "trees to go to ONNX: fit it with booster='gbtree', not 'gblinear'": {"booster": "gblinear"},
        },
        onnx_takes=({"booster": "dart", "rate_drop": 0.5}, {"missing": -1.0}, {"gamma": 1.0, "tree_method": "exact"}),
        category_splits=({"max_cat_to_onehot": 1}, {"max_cat_to_onehot": 100}),
        codes=({"feature_types": ["c", "q", "q"]}, {}),
        splits_need="min_child_weight (0.1)",
        thresholds=(
            ({"gamma": 1e9}, "gamma (1000000000.0)"),
            ({"min_split_loss": 1e9}, "min_split_loss (1000000000.0)"),
            ({"booster": "gblinear", "reg_alpha": 1e9}, "reg_alpha (1000000000.0)"),
        ),
        tells_far_margins=False,  # they are only seen to differ
        real_bars=(0.78, 0.0027),
    )


_OPTIONAL = {"lightgbm": _lightgbm, "xgboost": _xgboost}
ENGINES = [_scikit_learn(), *(engine() for name, engine in _OPTIONAL.items() if find_spec(name))]
