"""Every private or version-dependent touch of XGBoost, each with its reason. Imports `boosting`."""

import ctypes
import json
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import xgboost.core
from numpy.typing import NDArray
from xgboost import Booster, DMatrix, XGBClassifier

from skfocal.boosting.interrupts import KeptInterrupts
from skfocal.boosting.tracking import TrackedParameters


@cache
def parameter_names() -> frozenset[str]:
    """Return every parameter name that XGBoost knows. It tells the native ones only in a trained booster's settings.

    There they stand beside what is learned and what was derived; and of ``top_k``, which one of the linear updaters
    reads by itself, they say nothing. On one thread, as those of a forked process may be dead; and not by
    `xgboost.train`, which tools that keep track of experiments listen to.
    """
    names = set(_constructor_parameters())
    data = DMatrix([[0.0], [1.0]], label=[0.0, 1.0], nthread=1)
    always = {"objective": "binary:logistic", "verbosity": 0, "nthread": 1}
    for settings in ({"booster": "gbtree"}, {"booster": "dart"}, {"booster": "gblinear"}, {"tree_method": "exact"}):
        booster = Booster({**always, **settings}, [data])
        booster.update(data, 0)
        names.update(_leaf_keys(json.loads(booster.save_config())))
    state = {"boost_from_average", "name", "num_feature", "num_target", "num_trees", "specified_updater", "updater_seq"}
    return frozenset(names - state | {"top_k"})


@cache
def _constructor_parameters() -> frozenset[str]:
    return frozenset(XGBClassifier().get_params())


def positional_with_warning(method: Any) -> Any:
    """Return a method that takes keyword arguments by position, with XGBoost's own warning, as long as it does so."""
    return getattr(xgboost.core, "_deprecate_positional_args", lambda same: same)(method)


def _leaf_keys(tree: Any) -> Iterator[str]:
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        if isinstance(value, dict | list):
            yield from _leaf_keys(value)
        elif isinstance(key, str):
            yield key


class Fit(NamedTuple):
    """What XGBoost's classifier is to do in a fit beside what its parameters say."""

    metric: Callable[[Any, Any], list[tuple[str, float]]]  # as `xgboost.train` takes it: it may have many values
    bins_data: bool  # whether it may keep of the features only in which bins they are
    shown: dict[str, Any]  # parameters that `xgboost.train` is given as well
    become: Callable[[XGBClassifier], Any]  # gives the estimator that the engine is to turn into


class _Engine(XGBClassifier):
    """XGBoost's own classifier, whose `fit` evaluates a metric with many values.

    It takes one callable with one value, and looks it up in `_configure_fit`, second of what that returns. And if it
    can, it keeps of the features only in which bins they are. These are not those of a model that is continued, whose
    margins would not be what it predicts: without `bins_data` the features are kept.

    Tools that keep track of experiments put themselves around XGBClassifier's `fit` and `xgboost.train`. `train` is
    given the parameters in `shown` as well; and as the last act of `fit`, in `_set_evaluation_result`, the engine turns
    into the estimator that `become` returns, in all but identity: what they record after `fit` is that.
    """

    _of_fit: Fit  # no parameter of the constructor: those are XGBoost's

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, which are attributes: to look for them in constructors takes as long as some rounds.

        `random_state` is a number by now: `unfitted_engine` is given what our classifier's `get_params` makes of it.
        """
        own = {name: value for name, value in vars(self).items() if name in _constructor_parameters()}
        return own | getattr(self, "kwargs", {})

    def _configure_fit(self, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        model, _, own, *rest = super()._configure_fit(*args, **kwargs)
        return model, self._of_fit.metric, TrackedParameters(own, self._of_fit.shown), *rest

    def _create_dmatrix(self, ref: Any, **kwargs: Any) -> Any:
        if not self._of_fit.bins_data:
            return DMatrix(**kwargs, nthread=self.n_jobs)
        with KeptInterrupts():
            return super()._create_dmatrix(ref, **kwargs)

    def _set_evaluation_result(self, evals_result: Any) -> None:
        super()._set_evaluation_result(evals_result)
        estimator = self.__dict__.pop("_of_fit").become(self)
        self.__class__, self.__dict__ = type(estimator), vars(estimator)


def unfitted_engine(params: dict[str, Any], fit: Fit) -> Any:
    """Return an XGBClassifier that does in `fit` what is asked of it."""
    engine = _Engine(**params)
    engine._of_fit = fit
    return engine


def call_library(function: str, *arguments: Any) -> None:
    """Call a function of XGBoost's library. These are documented; how its Python reaches them, and raises, is not."""
    xgboost.core._check_call(getattr(xgboost.core._LIB, function)(*arguments))


def asks(function: Any, objective: Callable[..., Any]) -> bool:
    """Tell whether a function is what XGBoost's classifier makes of an objective, for `xgboost.train` to call."""
    is_its = getattr(function, "__module__", None) == XGBClassifier.__module__
    return is_its and any(cell.cell_contents is objective for cell in function.__closure__ or ())


def know_features(booster: Booster, data: DMatrix) -> None:
    """Compare the features of data with those that a booster knows, or let it know them, as its `update` does."""
    booster._assign_dmatrix_features(data)


def give_booster(engine: XGBClassifier, booster: Any) -> None:
    """Give XGBoost's classifier another booster; it has no public way to take one that is not in a file."""
    engine._Booster = booster


def n_margins(booster: Any) -> int:
    """Return the number of margins of a booster: XGBoost tells of classes, and of two that there are none."""
    return max(int(json.loads(booster.save_config())["learner"]["learner_model_param"]["num_class"]), 1)


def first_rounds(booster: Any, n_rounds: int) -> Any:
    """Return the first rounds of an XGBoost booster, which know its categories.

    XGBoost's slices forget them: they would take the codes of any table's categories for those of the training data.
    """
    part = booster[:n_rounds]
    if booster.get_categories().empty():
        return part
    whole, model = (json.loads(each.save_raw("json")) for each in (booster, part))
    forest(model)["cats"] = forest(whole)["cats"]
    part.load_model(bytearray(json.dumps(model, ensure_ascii=False), "utf-8"))  # XGBoost reads no \u escapes
    return part


def known_categories(owner: Booster | DMatrix) -> dict[int, list[Any]]:
    """Return the names of the categories that a booster or a matrix knows, by the places of features.

    XGBoost's Python tells them only where pyarrow is installed.
    """
    kind = "XGDMatrix"
    if isinstance(owner, Booster):
        kind = "XGBooster"
        owner.num_features()  # asked nothing yet, a booster that was just loaded would fail
    handle, told = ctypes.c_void_p(), ctypes.c_char_p()
    try:
        call_library(f"{kind}GetCategoriesExportToArrow", owner.handle, None, ctypes.byref(handle), ctypes.byref(told))
    except xgboost.core.XGBoostError as error:
        if "not supported by the current booster" not in str(error):
            raise
        return {}  # a linear one
    try:
        columns = enumerate(json.loads(told.value or b"[]"))
        return {place: _names_in(column) for place, column in columns if column is not None}
    finally:
        if handle:
            call_library("XGBCategoriesFree", handle)


def _names_in(column: dict[str, Any]) -> list[Any]:
    """Return the categories of a column, of which words are kept as bytes in a row and where each begins."""
    if "offsets" not in column:
        return list(_array_at(column).tolist())
    text, ends = _array_at(column["values"]).tobytes(), _array_at(column["offsets"]).tolist()
    # Of a matrix that was made of a table of pandas XGBoost has cut words beyond ASCII, anywhere.
    return [text[start:end].decode(errors="replace") for start, end in pairwise(ends)]


def _array_at(interface: dict[str, Any]) -> NDArray[Any]:
    interface |= {name: tuple(interface[name]) for name in ("shape", "data", "strides")}
    if interface["shape"] == (0,):  # whose address is none, which not every NumPy takes
        return np.empty(0, interface["typestr"])
    return np.asarray(SimpleNamespace(__array_interface__=interface))


def forest(model: dict[str, Any]) -> dict[str, Any]:
    """Return the trees of an XGBoost model; those of "dart" are one level deeper, beside their weights."""
    booster = model["learner"]["gradient_booster"]
    forest: dict[str, Any] = booster.get("gbtree", booster)["model"]
    return forest
