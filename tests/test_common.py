"""scikit-learn's own checks, none declared to fail."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from .conftest import BOOSTED, ESTIMATORS, engine_of

TEN_ROUNDS = {estimator: engine_of(estimator).translated({"n_estimators": 10}) for estimator in BOOSTED}
SMALL = [estimator(**TEN_ROUNDS.get(estimator, {})) for estimator in ESTIMATORS]


# The engines warn of what these checks are made of (constant features, a column vector for y), not of us.
@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(SMALL)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
