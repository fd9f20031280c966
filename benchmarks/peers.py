"""Run the peers' own tests with our class in place of theirs, to see which of them our users lose.

    python benchmarks/peers.py FOLDER_OR_ARCHIVE...             # sources of LightGBM and XGBoost, with their tests
    python benchmarks/peers.py --only lightgbm FOLDER

scikit-learn's tests are in its installed package. Neither wheels nor source distributions of LightGBM and XGBoost have
any: give a checkout of the installed version. Each suite runs twice, in processes of their own: as it is, and with the
class replaced before the tests are imported. Printed is what passes with theirs and not with ours, with its error. What
is lost on purpose is in `DELIBERATE`; the exit status is 1 if more is lost, or if nothing passes with theirs.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import sklearn

SUITES = {  # tests in a source, name of the class, and the modules that have it
    "lightgbm": ("tests/python_package_test/test_sklearn.py", "LGBMClassifier", ["lightgbm", "lightgbm.sklearn"]),
    "xgboost": ("tests/python/test_with_sklearn.py", "XGBClassifier", ["xgboost", "xgboost.sklearn"]),
    "mlp": (
        "sklearn/neural_network/tests/test_mlp.py",
        "MLPClassifier",
        ["sklearn.neural_network", "sklearn.neural_network._multilayer_perceptron"],
    ),
    "hist": (
        "sklearn/ensemble/_hist_gradient_boosting/tests/test_gradient_boosting.py",
        "HistGradientBoostingClassifier",
        ["sklearn.ensemble", "sklearn.ensemble._hist_gradient_boosting.gradient_boosting"],
    ),
}
# Start of suite, test and error, as a regular expression: why the test is lost.
DELIBERATE: dict[str, str] = {
    r".*: (objective|base_score|scale_pos_weight|num_class) must be ": "not to be set, and refused by name",
    r".*: KeyError: '\w*logloss'": "without eval_metric= scores are of the focal loss, not of the log loss",
    r"lightgbm test_(grid|random)_search": "boosting_type='rf' is refused: it needs an objective of LightGBM's own",
    r"lightgbm test_(estimators_all_have_the_same|subclassing_get_params)": "we have more parameters",
    r"lightgbm test_parameter_ali|lightgbm .* under one name": "aliases count; LightGBM passes over one of two names",
    r"lightgbm test_(pandas_cat|predict:|decision_function)": "probabilities go through the focal link",
    r"lightgbm test_validate_features.*feature names should": "scikit-learn's ValueError, not a LightGBMError",
    r"lightgbm test_eval_set_deprecation": "eval_set is not deprecated here",
    r"lightgbm test_classifier_fit_detects|xgboost test_multiclass_multi_target": "the objective has no name of theirs",
    r"xgboost test_(fit_none|pandas_input)": "refused in other words",
    r"xgboost test_mixed_metrics": "several functions are taken as metrics",
    r"xgboost test_deprecate_position_arg": "parameters of the constructor go by name",
    r"xgboost test_sklearn_tags": "we validate, and take one label for each sample",
    r"xgboost test_doc_link": "XGBoost's documentation has no page of ours",
    r"xgboost test_save_load_model_of_booster": "load_model reads what our save_model has written",
    r"xgboost .*y must be one column of labels": "one label for each sample; FocalMLPClassifier has several",
    r"xgboost .*Expected a 2-dimensional container": "X has two dimensions, as scikit-learn's checks demand",
    r"lightgbm test_eval_set_r|mlp test_(early_stopping_s|mlp_partial)|hist test_X_val_r": "refused in other words",
    r"(mlp|hist) .*at least two classes, got 1": "a model of one class is refused",
    r"hist .*unexpected keyword argument 'loss'": "the loss is not to be set",
    r"hist test_early_stopping_classification": "the focal loss still improves in round 50, on 30 samples",
    r"mlp test_partial_fit_unseen_classes": "the guess of an untrained network",
    r"mlp test_fit:": "it calls private methods, for the gradients of the log loss",
}


def pytest_configure() -> None:
    """Put our class where theirs is: this file is also a plugin of pytest, in the process of a run."""
    signal.signal(signal.SIGALRM, _stop)
    _, theirs, modules = SUITES[os.environ["PEERS_SUITE"]]
    if os.environ["PEERS_OURS"]:
        for module in map(import_module, modules):
            setattr(module, theirs, getattr(import_module("skfocal"), f"Focal{theirs}"))


def _stop(*_: Any) -> None:
    raise TimeoutError("more than two minutes")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    """End a test that takes too long."""
    signal.alarm(120)
    try:
        return (yield)
    finally:
        signal.alarm(0)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note the outcome of a test at once, so that it is there after a crash."""
    if report.when == "call" or report.outcome != "passed":
        outcome = "xfailed" if hasattr(report, "wasxfail") else report.outcome
        errors = [line[1:].strip() for line in report.longreprtext.splitlines() if line.startswith("E  ")]
        test = re.sub(r"(\w+)\(.*?\)-", r"\1-", report.nodeid.partition("::")[2].replace("Focal", ""))
        with Path(os.environ["PEERS_RECORD"]).open("a") as record:
            record.write(json.dumps([test, f"{outcome}: {next(filter(None, errors), '')[:200]}"]) + "\n")


def outcomes(name: str, tests: Path, expression: str, *, ours: bool) -> dict[str, str]:
    """Return the outcome of each test."""
    options = ["-p", Path(__file__).stem, "-p", "no:cacheprovider", "-p", "no:xdist", "-W", "default", "-c", os.devnull]
    command = [sys.executable, "-m", "pytest", "-q", *options, "--rootdir", str(tests.parent), str(tests)]
    command += ["-k", expression] if expression else []
    with tempfile.TemporaryDirectory() as folder:
        record, log = Path(folder) / "record", Path(folder) / "log"
        settings = {"PEERS_SUITE": name, "PEERS_OURS": "1" if ours else "", "PEERS_RECORD": str(record)}
        paths = os.pathsep.join([str(Path(__file__).parent.resolve()), os.environ.get("PYTHONPATH", "")])
        environment = {"OMP_NUM_THREADS": "1", "SKLEARN_SKIP_NETWORK_TESTS": "1", **os.environ, "PYTHONPATH": paths}
        with log.open("w") as output:
            streams = {"stdout": output, "stderr": output}
            subprocess.run(command, cwd=folder, env=environment | settings, check=False, **streams)  # noqa: S603  # pytest
        if record.exists():
            return dict(map(json.loads, record.read_text().splitlines()))
        print(*log.read_text().splitlines()[-15:], sep="\n")  # the tests cannot be imported
        return {}


def is_as_declared(name: str, tests: Path, expression: str) -> bool:
    """Run a suite twice, and print what is lost."""
    theirs, ours = (outcomes(name, tests, expression, ours=each) for each in (False, True))
    passed = [test for test, outcome in theirs.items() if outcome.startswith("passed")]
    lost = {test: ours.get(test, "not run") for test in passed if not ours.get(test, "").startswith("passed")}
    as_text = {test: f"{name} {test}: {outcome.partition(': ')[2]}" for test, outcome in lost.items()}
    reasons = {t: next((why for p, why in DELIBERATE.items() if re.match(p, as_text[t])), None) for t in lost}
    print(f"{name}: {len(passed)} of {len(theirs)} pass with theirs, {len(passed) - len(lost)} of these with ours")
    for test, outcome in sorted(lost.items(), key=lambda each: reasons[each[0]] or ""):
        print(f"  {test}: {reasons[test] or f'UNDECLARED, {outcome}'}")
    return bool(passed) and None not in reasons.values()


def main() -> int:
    """Return 1 if a test is lost that should not be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="*", type=Path, help="folders or archives with the peers' tests")
    parser.add_argument("--only", choices=SUITES, action="append", help="this suite; may be given several times")
    parser.add_argument("--tests", default="", help="those that pytest's -k takes")
    options = parser.parse_args()
    as_declared = True
    with tempfile.TemporaryDirectory() as folder:
        for i, archive in enumerate(each for each in options.sources if each.is_file()):
            with tarfile.open(archive) as contents:
                contents.extractall(Path(folder) / str(i), filter="data")
        roots = [Path(sklearn.__file__).parents[1], *map(Path.resolve, options.sources), *Path(folder).iterdir()]
        for name in options.only or SUITES:
            path = SUITES[name][0]
            found = [file for root in roots for file in (root / path, *root.glob(f"*/{path}")) if file.exists()]
            if not found:
                print(f"{name}: the sources have no {path}")
            as_declared &= bool(found) and is_as_declared(name, found[0], options.tests)
    return 0 if as_declared else 1


if __name__ == "__main__":
    sys.exit(main())
