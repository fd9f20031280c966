"""The attributes of a fitted estimator: as they were if `fit` fails, and taken over from an engine's own estimator.

Imports nothing of ours.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def unchanged_on_error(estimator: Any) -> Iterator[None]:
    """Leave the estimator as it was if `fit` fails: a fitted model must not get the labels of another."""
    before = vars(estimator).copy()
    try:
        yield
    except BaseException:
        estimator.__dict__ = before  # in one step: a second interruption finds it whole, too
        raise


class LearnedAttribute:
    """A learned attribute kept on the instance where the engine's class makes it a read-only property.

    LightGBM (``classes_``, ``feature_names_in_``) and XGBoost (those and ``n_features_in_``) compute these from the
    booster: class codes instead of labels, and names as the engine rewrote them. scikit-learn sets them in
    `validate_data`, which a property without a setter refuses.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        try:
            return instance.__dict__[self.name]
        except KeyError:
            raise AttributeError(f"{type(instance).__name__!r} object has no attribute {self.name!r}") from None

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.name] = value

    def __delete__(self, instance: Any) -> None:
        del instance.__dict__[self.name]


def adopt_fitted_state(estimator: Any, engine: Any) -> None:
    """Make `estimator` the fitted estimator that `engine`, an instance of its engine's own class, has become.

    All engines keep what they learn in instance attributes, private ones among them (``_Booster``,
    ``_optimizer``), and their properties and methods read those. Constructor parameters are left alone: XGBoost
    rewrites some while it fits.
    """
    parameters = set(engine.get_params()) | {"kwargs", "_other_params"}
    vars(estimator).update({name: value for name, value in vars(engine).items() if name not in parameters})
