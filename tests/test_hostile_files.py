"""Model files by somebody who means harm, with the right checksum or none: they are refused by a ValueError, or load
and predict finite numbers. The process that loads them lives, in limited time and memory.

What is wrong in them is in the engines' own part; what our description may say is in test_damaged_files.py.
"""

import json
import re
import struct

import numpy as np
import pytest

from skfocal import FocalLGBMClassifier, FocalXGBClassifier

from .conftest import make
from .model_files import (
    damaged,
    resealed,
    with_line,
    with_other_numbers,
    with_true_sizes,
    with_value,
    without_checksum,
)
from .programs import PYTHON, run

LOAD_ALL = """
import sys
import numpy as np
import skfocal
from lightgbm.basic import LightGBMError
from xgboost.core import XGBoostError

try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
except ImportError:  # not there on Windows
    pass
X = np.random.default_rng(0).integers(0, 6, (20, 6)).astype(float)
for name in sys.argv[2:]:
    try:
        model = getattr(skfocal, sys.argv[1])().load_model(name)
    except ValueError as error:
        assert str(error).startswith(("fname must be a file that", "The file ")), error
        print("refused:", str(error).replace("\\n", " "), flush=True)
        continue
    try:
        print("loaded", np.isfinite(model.predict_proba(X)).all(), flush=True)
    except (ValueError, LightGBMError, XGBoostError) as error:  # what is wrong with the model may be seen only now
        print("loaded, and fails:", type(error).__name__, flush=True)
"""


def outcomes(kind, contents, folder, suffix):
    """Return what comes of files, loaded by one process; one that dies, or has another error, leaves a short list."""
    paths = [folder / f"{i}{suffix}" for i in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    done = run(PYTHON, "-c", LOAD_ALL, kind.__name__, *paths, timeout=120, may_fail=True)
    lines = [
        line for line in done.stdout.splitlines() if line.startswith(("refused: ", "loaded"))
    ]  # LightGBM talks too
    assert len(lines) == len(paths), f"file {len(lines)} ended the process: {done.returncode} {done.stderr[-500:]}"
    return lines


def check_refused(lines):
    """Fail if a file was not refused, or only for its checksum."""
    accepted = {i: line for i, line in enumerate(lines) if not line.startswith("refused: ") or "damaged" in line}
    assert not accepted


def saved(kind, path, fit=None, **params):
    """Return the file of a model of six features, the first of which are categories that decide."""
    rng = np.random.default_rng(0)
    X = np.c_[rng.integers(0, 6, 300), rng.normal(size=(300, 5))]
    y = np.isin(X[:, 0], [0, 2]) ^ (X[:, 1] > 1)
    make(kind, n_estimators=2, **params).fit(X, y, **fit or {}).save_model(path)
    return path.read_bytes()


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """Return LightGBM's file, of trees of five leaves; the first split of the first is by categories."""
    many_at_a_time = {"max_cat_to_onehot": 1, "min_data_per_group": 1, "cat_smooth": 1.0, "extra_trees": False}
    path = tmp_path_factory.mktemp("text") / "model.txt"
    fit = {"categorical_feature": [0]}
    content = saved(FocalLGBMClassifier, path, fit, num_leaves=5, min_child_samples=5, **many_at_a_time).decode()
    assert "num_leaves=5\nnum_cat=1\nsplit_feature=0 " in content
    return content


@pytest.fixture(scope="module")
def contents(tmp_path_factory):
    """Return XGBoost's files, of trees of seven nodes; the first split of the first is by categories."""
    folder = tmp_path_factory.mktemp("xgboost")
    of_categories = {"feature_types": ["c", *"qqqqq"], "max_cat_to_onehot": 1, "max_depth": 2, "min_child_weight": 0}
    return {suffix: saved(FocalXGBClassifier, folder / f"m{suffix}", **of_categories) for suffix in (".json", ".ubj")}


# Of LightGBM's header and of its first tree: names, and what they may not be.
WRONG_HEADER = {
    "num_class": ["-1", "0", "2", "1000000000", "x", ""],
    "num_tree_per_iteration": ["-1", "0", "2", "1000000000", "x", ""],
    "max_feature_idx": ["-1", "2", "1000000000", "99999999999999999999", "x"],
    "tree_sizes": ["", "1", "0 0", "99999999 1", "-1 5", "18446744073709551615 1", "x y"],
    "objective": ["", " ", "x", "binary sigmoid:-1", *(f"multiclass num_class:{n}" for n in ("x", 9, 1000000))],
    "feature_names": ["", "a", "a b c d e f g"],
    "feature_infos": ["", "[", "none"],
}
WRONG_TREE = {
    "num_leaves": ["-1", "0", "1", "4", "6", "100000000", "2147483647", "99999999999999", "x", ""],
    "num_cat": ["-1", "0", "2", "1000000000", "x"],
    "split_feature": ["6 1 1 1", "-1 1 1 1", "2147483647 1 1 1", "0 1 1", "", "x 1 1 1", "1_0 1 1 1"],
    "left_child": [
        "0 2 3 -1",
        "1 0 3 -1",
        "4 2 3 -1",
        "2147483647 2 3 -1",
        "-6 2 3 -1",
        "1 1 3 -1",
        "1 2",
        "1e0 2 3 -1",
    ],
    "right_child": ["0 -3 -4 -5", "-2 1 -4 -5", "-2 -3 -1000000000 -5", ""],
    "threshold": ["1 0 0 0", "-1 0 0 0", "1e18 0 0 0", "nan 0 0 0", "0 0", "x 0 0 0", ""],
    "decision_type": ["9 9 9 9", "255 2 2 2", "-1 2 2 2", "9 2", ""],
    "leaf_value": ["nan 0 0 0 0", "0 inf 0 0 0", "0 0", "x", ""],
    "leaf_weight": ["", "1"],
    "internal_value": ["", "1"],
    "cat_boundaries": ["0 1000000000", "0 -1", "5 6", "1 0", "0", ""],
    "cat_threshold": ["", "x", "-1", "99999999999"],
    "is_linear": ["1", "x"],
    "shrinkage": ["x"],
}
CHAIN = {"left_child": "1 2 3 -1", "right_child": "-2 -3 -4 -5", "threshold": "0 0 1 1", "decision_type": "9 2 2 2"}


def test_what_lightgbm_is_not_given(text, tmp_path):
    for name, value in CHAIN.items():
        text = with_line(text, name, value)
    text = with_true_sizes(text)
    header = [with_line(text, name, value, "version") for name in WRONG_HEADER for value in WRONG_HEADER[name]]
    tree = [with_true_sizes(with_line(text, name, value)) for name in WRONG_TREE for value in WRONG_TREE[name]]
    roomy = json.dumps({"dtype": "<U999999", "values": [f"{i:04}" for i in range(2000)]})
    more = [
        re.sub(r'(?<="classes": )\{[^}]*\}', roomy, text, count=1),
        re.sub("pandas_categorical:.*", "pandas_categorical:" + "[" * 100_000, text),
        re.sub("^parameters:$", "parameters:\n[:\n[a", text, flags=re.MULTILINE),
        with_true_sizes(text.replace("\n\n\nTree=1", "\nTree=1", 1)),
        with_true_sizes(text.replace("num_leaves=5\n", "num_leaves=5\nnum_leaves=99\n", 1)),
        with_true_sizes(text.replace("num_cat=1\n", "num_cat=1" + "\r", 1)),
        text.replace("label_index=0\n", "label_index=0\rnum_class=1000000\n", 1),
    ]
    files = [resealed(each.encode()) for each in (text, *header, *tree, *more)]
    whole, *others = outcomes(FocalLGBMClassifier, files, tmp_path, ".txt")
    assert whole == "loaded True"
    check_refused(others)


HUGE = 2**31 - 1
SIZES, FOREST = ("learner_model_param",), ("gradient_booster", "model")
TREE = (*FOREST, "trees", 0)
FALLING = {"enc": [{"offsets": [0, 1, 0], "values": [97]}], "feature_segments": [0, 2], "sorted_idx": [0, 1]}
# Of XGBoost's learner: a way to a value, and what that may not be.
WRONG_LEARNER = [
    ((*SIZES, "num_class"), ["-1", "2", "1000000000", "x", "", None]),
    ((*SIZES, "num_feature"), ["-1", "0", "5", "4294967295", "99999999999999999999", "x"]),
    ((*SIZES, "num_target"), ["0", "2", "1000000000"]),
    ((*SIZES, "base_score"), ["nan", "[", "[]", "[0.5,0.5]", "x", "[" + "0.5," * 9999 + "0.5]"]),
    (("gradient_booster", "name"), ["gblinear", "dart", "x"]),
    ((*FOREST, "gbtree_model_param", "num_trees"), ["-1", "0", "3", "1000000000"]),
    ((*FOREST, "gbtree_model_param", "num_parallel_tree"), ["-1", "x"]),
    ((*FOREST, "tree_info"), [[], [0], [0, 1], [0, 10**6], [0, -1], [2**40, 0], "ab"]),
    ((*FOREST, "iteration_indptr"), [[0], [0, 5, 2], [0, -1, 2], [0, 10**6, 2], [2, 1, 0]]),
    ((*FOREST, "cats", "enc"), [[{"offsets": [0, 9], "values": [97]}], [{"values": []}], "a"]),
    ((*FOREST, "cats", "sorted_idx"), [[10**6]]),
    ((*FOREST, "cats"), [FALLING]),
    ((*TREE, "id"), [-1, 1, 10**6, "a"]),
    ((*TREE, "tree_param", "num_nodes"), ["-1", "0", "6", "8", "2147483647", "x"]),
    ((*TREE, "tree_param", "size_leaf_vector"), ["-1", "2", "1000000000"]),
    ((*TREE, "categories"), [[], [-5], [2**24], [HUGE]]),
    ((*TREE, "categories_nodes"), [[], [1], [10**6]]),
    ((*TREE, "categories_segments"), [[], [-1], [10**6]]),
    ((*TREE, "categories_sizes"), [[], [-1], [0], [10**6]]),
]
# Of a node of the first tree.
WRONG_NODE = {
    ("left_children", 0): [0, 2, 7, -1, -2, 10**6, HUGE, 2**40, 1.5, "a", None],
    ("right_children", 1): [0, 1, 3, 7, -1, 10**6, HUGE],
    ("parents", 1): [1, 7, -1, 10**6, HUGE],
    ("split_indices", 0): [6, -1, 10**6, HUGE, 2**32 - 1],
    ("split_type", 1): [1, 2, -1],
    ("split_conditions", 6): [float("nan"), float("inf")],
}


def test_what_xgboost_is_not_given(contents, tmp_path):
    whole = contents[".json"]
    wrong = [*WRONG_LEARNER, *(((*TREE, *way), values) for way, values in WRONG_NODE.items())]
    files = [with_value(whole, way, value) for way, values in wrong for value in values]
    tree = json.loads(whole)["learner"]["gradient_booster"]["model"]["trees"][0]
    assert len(tree["parents"]) == 7
    assert tree["categories_nodes"][0] == 0
    arrays = [name for name in tree if isinstance(tree[name], list) and not name.startswith("categories")]
    assert len(arrays) == 10
    files += [with_value(whole, (*TREE, name), value) for name in arrays for value in ([], tree[name][:-1], {}, None)]
    booster = json.loads(whole)["learner"]["gradient_booster"]
    others = [
        *({"name": "dart", "gbtree": booster, "weight_drop": drop} for drop in ([float("nan"), 1.0], [1.0], [], "ab")),
        *({"name": "gblinear", "model": {"weights": each}} for each in ([0.0] * 6, [float("nan")] * 7, [], "weights")),
    ]
    files += [with_value(whole, ("gradient_booster",), other) for other in others]
    files += [
        resealed(whole[:-1] + b',"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
        resealed(whole[:-1] + b',"x":' + b"[" * 200 + b"]" * 200 + b"}"),
        resealed(whole[:-1] + b',"learner":{}}'),
        resealed(whole + b"}"),
    ]
    older = json.loads(whole)
    del older["learner"]["gradient_booster"]["model"]["cats"]  # which XGBoost has not always written
    older = resealed(json.dumps(older).encode())
    first, second, *others = outcomes(FocalXGBClassifier, [whole, older, *files], tmp_path, ".json")
    assert first == second == "loaded True"
    check_refused(others)


def test_what_xgboost_is_not_given_of_trees_of_several_margins(tmp_path):
    """A leaf tells, in place of a child, which of the vectors is its own."""
    X = np.random.default_rng(0).normal(size=(300, 6))
    params = {"multi_strategy": "multi_output_tree", "tree_method": "hist", "max_depth": 2}
    make(FocalXGBClassifier, n_estimators=2, **params).fit(X, np.digitize(X[:, 0], [-1, 1])).save_model(
        tmp_path / "m.json"
    )
    whole = (tmp_path / "m.json").read_bytes()
    tree = json.loads(whole)["learner"]["gradient_booster"]["model"]["trees"][0]
    assert tree["left_children"][-1] == -1
    vectors = tree["leaf_weights"]
    wrong = [
        *((("right_children", -1), leaf) for leaf in (-1, 0, len(vectors) // 3, 10**6, HUGE)),
        *((("leaf_weights",), values) for values in ([], vectors[:-3], [*vectors[1:], float("nan")], None)),
        *((("tree_param", "size_leaf_vector"), size) for size in ("0", "1", "2", "1000000000")),
        (("base_weights",), tree["base_weights"][:-1]),
    ]
    first, *others = outcomes(
        FocalXGBClassifier,
        [whole, *(with_value(whole, (*TREE, *way), value) for way, value in wrong)],
        tmp_path,
        ".json",
    )
    assert first == "loaded True"
    check_refused(others)


def test_what_ubjson_is_not_given(contents, tmp_path):
    whole = contents[".ubj"]
    files = []
    for name in (b"trees", b"base_weights", b"left_children", b"categories_sizes", b"iteration_indptr"):
        place = whole.index(b"#L", whole.index(name)) + 2
        files += [
            resealed(whole[:place] + struct.pack(">q", length) + whole[place + 8 :])
            for length in (2**60, 2**62, 2**63 - 1, -1, -(2**63), 10**7, 2**31)
        ]
    for name, values in (
        (b"left_children", [0, 2, 7, -1, 10**6, HUGE]),
        (b"parents", [1, -1]),
        (b"split_indices", [6, -1, HUGE]),
    ):
        place = whole.index(b"#L", whole.index(name)) + 10 + 4 * (name == b"parents")
        files += [resealed(whole[:place] + struct.pack(">l", value) + whole[place + 4 :]) for value in values]
    key = b"L" + struct.pack(">q", 1) + b"x"
    opened = b"[#L" + struct.pack(">q", 1)
    files += [
        resealed(whole[:-1] + key + (b"{" + key) * 100_000 + b"Z" + b"}" * 100_001),
        resealed(whole[:-1] + key + opened * 100_000 + b"Z}"),
        resealed(whole[:-1] + key + b"[#L" + struct.pack(">q", -1) + b"}"),
        resealed(whole[:-1] + key + b"[" * 100_000 + b"]" * 100_000 + b"}"),
        resealed(whole[:-1] + b"L" + struct.pack(">q", 7) + b"learnerZ}"),
        resealed(whole.replace(b"[$d", b"[$X", 1)),
        resealed(whole + b"}"),
    ]
    first, *others = outcomes(FocalXGBClassifier, [whole, *files], tmp_path, ".ubj")
    assert first == "loaded True"
    check_refused(others)


@pytest.mark.parametrize("suffix", [".txt", ".json", ".ubj"])
def test_damage_without_a_checksum(suffix, text, contents, tmp_path):
    """Many of these are models still, others than were saved: without a checksum that cannot be told."""
    kind = FocalLGBMClassifier if suffix == ".txt" else FocalXGBClassifier
    whole = without_checksum(text.encode() if suffix == ".txt" else contents[suffix])
    files = [*damaged(whole, (with_other_numbers,), 200)]
    if suffix == ".txt":
        files = [with_true_sizes(each.decode(errors="replace")).encode() for each in files if b"end of trees\n" in each]
    lines = outcomes(kind, files, tmp_path, suffix)
    assert "loaded True" in lines
    assert sum(line.startswith("refused: ") for line in lines) > 50
    assert "loaded False" not in lines
