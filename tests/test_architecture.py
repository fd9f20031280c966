"""The house keeps its order: imports go downwards, engines stay in their rooms, files and functions stay small."""

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "skfocal"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "data" not in path.parts[len(PACKAGE.parts) : -1])

# From the ground up; docs/architecture.md says what is in each. What stands on one floor knows nothing of one another.
FLOORS = [
    {"_version", "_compat", "_state"},
    {"_arrays", "_checks", "batches"},
    {"losses"},
    {"objectives", "priors", "metrics", "thresholds"},
    {"boosting"},
    {"lightgbm", "xgboost", "hist_gradient_boosting", "neural_network"},
    {"dask", "inspection", "onnx", "_show_versions"},
    {"__init__"},
]
BESIDE = {"datasets", "_onnx_steps", "_boosted", "_skops"}  # which import nothing of ours but `_compat`
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms} | dict.fromkeys(BESIDE, 1)

# The order in which the modules of a room may import one another.
ROOMS = {
    "losses": [
        "compiled", "parameters", "formulas", "base", "binary", "multiclass", "multilabel", "registry", "__init__",
    ],
    "boosting": [
        "__init__", "continuing", "interrupts", "progress", "onnx_model", "parameters", "safe_file", "tables", "trees",
        "samples", "link", "metrics", "streams", "model_file", "splitting", "resampling", "usefulness", "plan",
        "estimator", "tracking",
    ],
    "lightgbm": [
        "compat", "extra_trees", "parameters", "tables", "datasets", "evaluation", "continuing", "training",
        "model_text", "saving", "onnx_trees", "streams", "classifier", "__init__",
    ],
    "xgboost": [
        "compat", "categories", "device", "rounds", "parameters", "tables", "evaluation", "iterators", "matrices",
        "continuing", "training", "ubjson", "model_content", "saving", "onnx_trees", "streams", "classifier",
        "__init__",
    ],
    "hist_gradient_boosting": ["training", "onnx_trees", "classifier", "__init__"],
    "neural_network": ["margin_mlp", "target", "validation", "pretrained", "classifier", "__init__"],
    "thresholds": ["bounds", "classifiers", "__init__"],
    "inspection": ["drawing", "loss", "gamma_sweep", "reliability", "alerts", "__init__"],
    "dask": ["summing", "blocks", "estimator", "evaluation", "lightgbm", "xgboost", "__init__"],
}  # fmt: skip


def name_of(path):
    """Return the names of a module's room and of itself."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts if len(parts) == 2 else (parts[0], "")


def imports(path):
    """Yield what a module imports, anywhere in it, but for type checkers only."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    ignored = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if node in ignored:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            yield node.module


def ids(path):
    return "/".join(filter(None, name_of(path)))


def test_every_module_has_its_place():
    assert {name_of(path)[0] for path in MODULES} == set(FLOOR)
    for room, order in ROOMS.items():
        assert {name_of(path)[1] for path in MODULES if name_of(path)[0] == room} == set(order)


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_imports_go_downwards(path):
    room, module = name_of(path)
    for name in imports(path):
        if not name.startswith("skfocal."):
            continue
        _, other, *rest = name.split(".")
        if other != room:
            assert FLOOR[other] < FLOOR[room], name
            # A room is entered by its modules, but for the losses, whose door is open.
            assert rest or other not in ROOMS or other == "losses", name
        else:
            order = ROOMS[room]
            assert order.index(rest[0] if rest else "__init__") < order.index(module), name


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_an_engine_is_imported_in_its_own_rooms_only(path):
    room, module = name_of(path)
    engines = {"lightgbm", "xgboost", "cupy"} & {name.partition(".")[0] for name in imports(path)}
    own = module if room == "dask" else room  # on a cluster they have a module each
    assert engines <= {"lightgbm": {"lightgbm"}, "xgboost": {"xgboost", "cupy"}}.get(own, set())


SAYING = [path for path in MODULES if not {*name_of(path)} & {"__init__", "_version", "_boosted", "datasets"}]


@pytest.mark.parametrize("path", SAYING, ids=ids)
def test_a_module_says_what_it_imports(path):
    room, _ = name_of(path)
    parts = [name.split(".")[1:] for name in imports(path) if name.startswith("skfocal.")]
    imported = {rest[0] if room == other and rest else other for other, *rest in parts}
    said = re.search(r"Imports ([^.]*)\.", ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))))[1]
    assert set(re.findall(r"`(\w+)`", said)) == imported


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_what_checks_returns_nothing_and_what_converts_returns(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            returns_nothing = isinstance(node.returns, ast.Constant) and node.returns.value is None
            if node.name.lstrip("_").startswith("check_"):
                assert returns_nothing, node.name
            if node.name.lstrip("_").startswith("as_"):
                assert node.returns is not None, node.name
                assert not returns_nothing, node.name


def code_lines(path):
    """Return the numbers of lines that are neither blank nor part of a docstring."""
    source = path.read_text(encoding="utf-8")
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    documented = [node for node in ast.walk(ast.parse(source)) if isinstance(node, kinds) and ast.get_docstring(node)]
    docstrings = {line for node in documented for line in range(node.body[0].lineno, node.body[0].end_lineno + 1)}
    return {i for i, line in enumerate(source.splitlines(), start=1) if line.strip() and i not in docstrings}


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_files_and_functions_are_small(path):
    lines = code_lines(path)
    assert len(lines) <= 300
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            own = lines & set(range(node.lineno, node.end_lineno + 1))
            assert len(own) <= 50, node.name
            if node.name == "fit":
                assert len(own & set(range(node.body[1].lineno, node.end_lineno + 1))) <= 40


def test_a_classifier_of_boosting_on_scikit_learn_alone_is_small():
    room = PACKAGE / "hist_gradient_boosting"
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in room.glob("*.py")) <= 350
