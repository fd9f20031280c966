"""skfocal imports without any engine, and says which extra is missing where one is needed."""

import json

import numpy as np
import pytest

import skfocal

from .conftest import ESTIMATORS
from .programs import PYTHON, run

# pandas, where it is, comes with scikit-learn
OPTIONAL = ["lightgbm", "xgboost", "cupy", "matplotlib", "imblearn", "tqdm", "onnx", "ndonnx", "spox", "skl2onnx"]


def test_nothing_optional_is_imported():
    code = (
        "import sys, skfocal, skfocal.losses, skfocal.objectives, skfocal.datasets, skfocal.onnx\n"
        "from skfocal import BinaryFocalLoss, FocalMLPClassifier, FocalObjective\n"
        "FocalMLPClassifier(max_iter=200).fit([[0.0], [1.0]] * 10, [0, 1] * 10)\n"
        "skfocal.FocalHistGradientBoostingClassifier(max_iter=2).fit([[0.0], [1.0]] * 10, [0, 1] * 10)\n"
        "skfocal.datasets.load_creditcard()\n"
        f"print(sorted(set({OPTIONAL}) & set(sys.modules)))"
    )
    assert run(PYTHON, "-c", code).stdout == "[]\n"


@pytest.mark.parametrize(("name", "engine"), [("FocalLGBMClassifier", "lightgbm"), ("FocalXGBClassifier", "xgboost")])
def test_a_missing_engine_names_its_extra(name, engine):
    hide = "import sys; " + "".join(f"sys.modules[{module!r}] = None; " for module in OPTIONAL)
    code = hide + f"import skfocal; skfocal.BinaryFocalLoss(); skfocal.{name}"
    error = run(PYTHON, "-c", code, may_fail=True).stderr
    assert f"ImportError: {name} needs" in error
    assert f'pip install "skfocal[{engine}]"' in error


def test_missing_dask_names_its_extra():
    error = run(
        PYTHON, "-c", "import sys; sys.modules['distributed'] = None; import skfocal.dask", may_fail=True
    ).stderr
    assert 'ImportError: skfocal.dask needs Dask: pip install "skfocal[dask]"' in error


def test_without_the_kernel_the_formulas_compute():
    code = (
        "import sys; sys.modules['skfocal.losses._kernel'] = None\n"
        "from skfocal import BinaryFocalLoss\n"
        "from skfocal.losses import compiled\n"
        "print(compiled.kernel, BinaryFocalLoss(2.0).loss([1, 0], [-0.7, 3.0]).tolist())"
    )
    result = run(PYTHON, "-c", code)
    p = np.array([1 / (1 + np.exp(0.7)), 1 - 1 / (1 + np.exp(-3.0))])  # of the true class
    kernel, _, losses = result.stdout.partition(" ")
    assert kernel == "None", result.stderr
    np.testing.assert_allclose(json.loads(losses), -((1 - p) ** 2) * np.log(p), rtol=1e-12)


def test_public_names():
    assert set(skfocal.__all__) <= set(dir(skfocal))
    for name in skfocal.__all__:
        assert getattr(skfocal, name) is not None
    with pytest.raises(AttributeError, match="module 'skfocal' has no attribute 'FocalForest'"):
        _ = skfocal.FocalForest


def test_the_tests_have_all_classifiers():
    """What they parametrise over is what is installed."""
    names = [estimator.__name__ for estimator in ESTIMATORS]
    assert names == sorted(name for name in skfocal.__all__ if name.endswith("Classifier"))
