"""No module of ours runs what a file or the network says: each use of what could is listed here, with its reason."""

import ast
import functools
import os
import re
import subprocess

import pytest

import skfocal

from .test_architecture import PACKAGE

ROOT = PACKAGE.parent
MODULES = sorted(PACKAGE.rglob("*.py"))

BUILTINS = "eval|exec|compile|__import__|breakpoint|input"
RISKY = [
    rf"builtins\.({BUILTINS})|runpy|code|importlib\.(import_module|util.*)",  # run code
    # Load objects.
    r"pickle|cloudpickle|dill|marshal|shelve|joblib|yaml|copyreg|numpy\.load|.*[.](allow_pickle|read_pickle)",
    # Start processes.
    r"subprocess|multiprocessing|pty|concurrent\.futures\.Process\w*|asyncio\.create_subprocess\w*",
    r"os\.(system|popen|exec\w*|spawn\w*|posix_spawn\w*|fork\w*)",
    r"socket|urllib\.request|http|requests|ftplib|ctypes|cffi",  # open connections, and libraries
    r"tempfile\.\w+",  # where names can be guessed, or a file is read by others
]
ALLOWED = {
    "__init__": {"importlib.import_module"},  # of names in a table of ours, when they are asked for
    "boosting/safe_file": {"tempfile.mkdtemp"},  # a folder that none but we may enter
    "dask/__init__": {"importlib.import_module"},  # as above
    "dask/lightgbm": {"socket"},  # looks for a port that is free
    "dask/summing": {"socket"},  # numbers, after a token
    "datasets": {"numpy.load"},  # of our own file, without objects
    "losses/compiled": {"importlib.import_module"},  # our kernel
    "xgboost/compat": {"ctypes"},  # XGBoost's own library
    "xgboost/rounds": {"ctypes"},  # as above
    "xgboost/streams": {"tempfile.TemporaryDirectory"},  # as mkdtemp
}


def risky_names(tree):
    """Return what is risky of all that is imported or looked up, by its full name or that of its module."""
    modules = {}
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
            modules.update((alias.asname or alias.name.partition(".")[0], alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
            modules.update((alias.asname or alias.name, f"{node.module}.{alias.name}") for alias in node.names)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = ast.unparse(node.value)
            root, dot, rest = owner.partition(".")
            names.add(f"{modules.get(root, root)}{dot}{rest}.{node.attr}")
        elif isinstance(node, ast.Name) and re.fullmatch(BUILTINS, node.id):
            names.add(f"builtins.{node.id}")
        elif isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            names.add("call.allow_pickle")
    found = (re.match(rf"({'|'.join(RISKY)})(?!\w)", name) for name in names)
    return {each[1] for each in found if each}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_what_is_risky_is_listed(path):
    name = path.relative_to(PACKAGE).with_suffix("").as_posix()
    assert risky_names(ast.parse(path.read_text(encoding="utf-8"))) == ALLOWED.get(name, set())


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("import pickle as p; p.loads(b'')", "pickle"),
        ("from joblib import load", "joblib"),
        ("def f(x):\n    return eval(x)", "builtins.eval"),
        ("import numpy as np; np.load(f, allow_pickle=True)", "numpy.load"),
        ("import os; os.system('ls')", "os.system"),
        ("from os import popen", "os.popen"),
        ("import tempfile; tempfile.mktemp()", "tempfile.mktemp"),
        ("import urllib.request", "urllib.request"),
        ("import pandas as pd; pd.read_pickle(f)", "pandas.read_pickle"),
        ("from concurrent.futures import ProcessPoolExecutor", "concurrent.futures.ProcessPoolExecutor"),
    ],
)
def test_what_is_risky_is_found(code, name):
    assert name in risky_names(ast.parse(code))


@pytest.mark.parametrize("folder", ["skfocal", "benchmarks", "examples", "docs", "tests"])
def test_what_ruff_is_told_to_pass_over_has_a_reason(folder):
    lines = [line for path in (ROOT / folder).rglob("*.py") for line in path.read_text(encoding="utf-8").splitlines()]
    assert lines
    assert [line for line in lines if re.search(r"noqa:[^#]*\bS\d+(?!.*#)", line)] == []


@pytest.mark.parametrize("hidden", [os.system, eval, subprocess.Popen])
def test_skops_is_not_told_to_trust_what_runs_code(hidden):
    """Nor by a type that it is told of, `functools.partial`."""
    sio = pytest.importorskip("skops.io")
    data = sio.dumps(functools.partial(hidden, "true"))
    with pytest.raises(sio.exceptions.UntrustedTypesFoundException, match="Untrusted types found"):
        sio.loads(data, trusted=skfocal.skops_trusted_types)
