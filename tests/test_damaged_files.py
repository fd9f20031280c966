"""Model files that are damaged, hostile, or written while others write: refused by a ValueError, never by a crash."""

import json
import os
import re
import threading
from pathlib import Path

import numpy as np
import pytest

from skfocal import FocalLGBMClassifier

from .conftest import engine_of, make
from .model_files import FILES, SAVING, cut, damaged, with_bytes_changed, with_record, without_checksum
from .programs import PYTHON, run

ids = {"ids": lambda each: getattr(each, "__name__", None)}

# Damage that an engine does not survive would end pytest too: so in another process.
LOAD_ALL = """
import sys, skfocal
for name in sys.argv[2:]:
    try:
        getattr(skfocal, sys.argv[1])().load_model(name)
    except ValueError as error:
        print("refused" if "save_model wrote" in str(error) else error)
    else:
        print("loaded")
"""


def loaded(boosted, paths):
    return run(PYTHON, "-c", LOAD_ALL, boosted.__name__, *paths).stdout.splitlines()


@pytest.mark.parametrize(("boosted", "name"), FILES, **ids)
def test_damage_is_found_before_the_engine_reads_the_file(boosted, name, binary, tmp_path):
    make(boosted).fit(*binary).save_model(tmp_path / name)
    paths = [tmp_path / f"{i}-{name}" for i in range(100)]
    whole = (tmp_path / name).read_bytes()
    cuts = [whole[:-n] for n in (1, 2, 10, 100)]
    for path, data in zip(paths, [*cuts, *damaged(whole, (cut, with_bytes_changed), 48)], strict=True):
        path.write_bytes(data)
    assert loaded(boosted, [tmp_path / name]) == ["loaded"]
    assert set(loaded(boosted, paths)) == {"refused"}


def test_files_without_a_checksum_must_be_complete(binary, tmp_path):
    """As the first release candidate wrote them: cut after the trees they would end the process."""
    make(FocalLGBMClassifier).fit(*binary).save_model(tmp_path / "model.txt")
    whole = without_checksum((tmp_path / "model.txt").read_bytes()).decode()
    end = whole.index("end of trees")
    places = [end, end + 13, end + 40, (end + len(whole)) // 2, len(whole) - 30]
    paths = [tmp_path / f"{place}.txt" for place in places]
    for place, path in zip(places, paths, strict=True):
        path.write_text(whole[:place])
    (tmp_path / "whole.txt").write_text(whole)
    assert loaded(FocalLGBMClassifier, [*paths, tmp_path / "whole.txt"]) == ["refused"] * 5 + ["loaded"]


@pytest.mark.parametrize(("boosted", "name"), FILES, **ids)
def test_threads_may_save_the_same_model(boosted, name, binary, tmp_path):
    model = make(boosted).fit(*binary)
    paths = [tmp_path / f"{i}-{name}" for i in range(40)]

    def save(some):
        for path in some:
            model.save_model(path)
            model.save_model(tmp_path / name)  # all to this one, too

    threads = [threading.Thread(target=save, args=(paths[i::4],)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    contents = {path.read_bytes() for path in [*paths, tmp_path / name]}
    assert len(contents) == 1
    np.testing.assert_array_equal(
        boosted().load_model(tmp_path / name).predict_proba(binary[0]), model.predict_proba(binary[0])
    )
    assert len(list(tmp_path.iterdir())) == 41  # nothing is left beside them


ON_A_FULL_DISK = """
import resource, signal, sys
import joblib

model, new = joblib.load(sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))  # no file may be longer: as if the disk were full
try:
    new.save_model(sys.argv[2])
except OSError as error:
    print(type(error).__name__)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the limit on the size of files is one of POSIX")
@pytest.mark.parametrize(("boosted", "name"), FILES, **ids)
def test_what_cannot_be_written_leaves_the_old_file(boosted, name, binary, tmp_path):
    joblib = pytest.importorskip("joblib")
    old, new = make(boosted).fit(*binary), make(boosted, focal_gamma=0.5).fit(*binary)
    (tmp_path / "models").mkdir()
    path = tmp_path / "models" / name
    old.save_model(path)
    before = path.read_bytes()
    joblib.dump((old, new), tmp_path / "pair")
    assert run(PYTHON, "-c", ON_A_FULL_DISK, tmp_path / "pair", path).stdout == "OSError\n"
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(("boosted", "name"), FILES, **ids)
def test_a_name_that_starts_like_a_users_folder(boosted, name, binary, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = make(boosted).fit(*binary)
    model.save_model(f"~{name}")
    assert (tmp_path / f"~{name}").is_file()
    loaded = boosted().load_model(f"~{name}")
    np.testing.assert_array_equal(loaded.predict_proba(binary[0]), model.predict_proba(binary[0]))


def test_a_file_that_may_not_be_written_stays(binary, tmp_path, monkeypatch):
    """Though another may be put in its place; whoever is told so may be an administrator, who may write everything."""
    path = tmp_path / "model.txt"
    path.write_text("precious")
    path.chmod(0o444)
    monkeypatch.setattr(os, "access", lambda file, mode: not (mode == os.W_OK and Path(file) == path))
    with pytest.raises(PermissionError, match=r"fname must be a file that may be written, got '.*model.txt'"):
        make(SAVING[0]).fit(*binary).save_model(path)
    assert path.read_text() == "precious"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are of POSIX")
def test_a_pipe_is_written_to(binary, tmp_path):
    boosted, name = FILES[0]
    model = make(boosted, n_estimators=2).fit(*binary)
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    model.save_model(tmp_path / "pipe")
    assert (tmp_path / "pipe").is_fifo()
    (tmp_path / name).write_bytes(os.read(reader, 1 << 16))  # as much as a pipe holds
    os.close(reader)
    loaded = boosted().load_model(tmp_path / name)
    np.testing.assert_array_equal(loaded.predict_proba(binary[0]), model.predict_proba(binary[0]))


def test_a_folder_in_which_nothing_may_be_made(binary, tmp_path, monkeypatch):
    """A file in it is written over, as far as it may be; an administrator, who may all, is told so only here."""

    def mkdtemp(**_):
        raise PermissionError("not in this folder")

    boosted, name = FILES[0]
    model = make(boosted).fit(*binary)
    monkeypatch.setattr("skfocal.boosting.safe_file.mkdtemp", mkdtemp)
    with pytest.raises(PermissionError, match="not in this folder"):
        model.save_model(tmp_path / name)
    (tmp_path / name).touch()
    model.save_model(tmp_path / name)
    loaded = boosted().load_model(tmp_path / name)
    np.testing.assert_array_equal(loaded.predict_proba(binary[0]), model.predict_proba(binary[0]))


def test_what_is_not_read_as_it_was_written_leaves_the_old_file(binary, tmp_path, monkeypatch):
    path = tmp_path / "model.txt"
    path.write_text("precious")
    model, read = make(SAVING[0]).fit(*binary), Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read(path)[:-1])
    with pytest.raises(OSError, match=r"'.*model.txt' could not be read as it was written"):
        model.save_model(path)
    assert path.read_text() == "precious"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_one_and_a_file_keeps_who_may_read_it(binary, tmp_path):
    boosted, name = FILES[0]
    (tmp_path / "real").write_text("old")
    (tmp_path / "real").chmod(0o640)
    (tmp_path / name).symlink_to(tmp_path / "real")
    make(boosted).fit(*binary).save_model(tmp_path / name)
    assert (tmp_path / name).is_symlink()
    assert (tmp_path / "real").stat().st_mode & 0o777 == 0o640
    assert boosted().load_model(tmp_path / "real")
    for call in (make(boosted).fit(*binary).save_model, boosted().load_model):
        with pytest.raises(TypeError, match="fname must be the name of a file, got 3"):
            call(3)


# What a hostile or a mistaken file may say: of each entry of the description a value that is not one.
WRONG = {
    "not an object": lambda record: [],
    "no classes": lambda record: {key: value for key, value in record.items() if key != "classes"},
    "one class": lambda record: record | {"classes": {"dtype": "<i8", "values": [0]}},
    "unsorted classes": lambda record: record | {"classes": {"dtype": "<i8", "values": [1, 0]}},
    "three classes": lambda record: record | {"classes": {"dtype": "<i8", "values": [0, 1, 2]}},
    "classes of no type": lambda record: record | {"classes": {"dtype": "import os", "values": [0, 1]}},
    "classes of records": lambda record: record | {"classes": {"dtype": "i4,i4", "values": [0, 1]}},
    "huge classes": lambda record: record | {"classes": {"dtype": "<U999999999", "values": ["a", "b"]}},
    "classes beyond their type": lambda record: record | {"classes": {"dtype": "|u1", "values": [1, 300]}},
    "lists for classes": lambda record: record | {"classes": {"dtype": "<U999999", "values": [["a"] * 10**5] * 2}},
    "classes in other words": lambda record: record | {"classes": {"type": "<i8", "values": [0, 1]}},
    "another attribute": lambda record: record | {"parameters": record["parameters"] | {"n_jobs": 3}},
    "a missing parameter": lambda record: record | {"parameters": {"focal_gamma": 2.0}},
    "gamma of words": lambda record: record | {"parameters": record["parameters"] | {"focal_gamma": "two"}},
    "negative gamma": lambda record: record | {"loss": record["loss"] | {"gamma": -1.0}},
    "gammas of three": lambda record: record | {"loss": record["loss"] | {"gamma": [1.0, 2.0, 3.0]}},
    "alpha that is none": lambda record: record | {"loss": record["loss"] | {"alpha": [1.0, -1.0]}},
    "another loss": lambda record: record | {"loss": record["loss"] | {"delta": 1.0}},
    "another family": lambda record: record | {"family": "hinge"},
    "policy": lambda record: record | {"parameters": record["parameters"] | {"focal_hessian": "newton"}},
    "nan correction": lambda record: record | {"prior_correction": [float("nan"), 1.0]},
    "negative correction": lambda record: record | {"prior_correction": [-1.0, 1.0]},
    "correction of three": lambda record: record | {"prior_correction": [1.0, 1.0, 1.0]},
    "infinite intercept": lambda record: record | {"intercept": float("inf")},
    "intercept of words": lambda record: record | {"intercept": "low"},
    "no number of features": lambda record: record | {"n_features": True},
    "other features": lambda record: record | {"n_features": 3},
    "names of others": lambda record: record | {"feature_names": ["a"]},
    "numbers for names": lambda record: record | {"feature_names": list(range(8))},
    "sparse": lambda record: record | {"trained_on_sparse": 1},
    "scores": lambda record: record | {"best_score": {"valid_0": {"auc": "high"}}},
    "no scores": lambda record: record | {"best_score": []},
    "format of words": lambda record: record | {"format": "1"},
    "deep": lambda record: json.loads("[" * 900 + "]" * 900),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("boosted", SAVING, **ids)
def test_what_a_file_may_not_say(boosted, wrong, binary, tmp_path):
    path = tmp_path / engine_of(boosted).files[0]
    model = make(boosted).fit(*binary)
    model.save_model(path)
    before = model.predict_proba(binary[0])
    parameters = model.get_params()
    with_record(path, wrong)
    with pytest.raises(ValueError, match=r"The file (has no description of a classifier that can be used|must have a)"):
        model.load_model(path)
    np.testing.assert_array_equal(model.predict_proba(binary[0]), before)
    assert repr(model.get_params()) == repr(parameters)


ADDED = {
    ".txt": ("best_iteration", ["nothing", True, -7, 999, 10**30, None]),
    ".json": ("missing", ["nothing", True, 10**400]),
}


@pytest.mark.parametrize("boosted", SAVING, **ids)
def test_what_an_engine_has_added_is_checked_too(boosted, binary, tmp_path):
    path = tmp_path / engine_of(boosted).files[0]
    name, values = ADDED[path.suffix]
    for value in values:
        make(boosted).fit(*binary).save_model(path)
        with_record(path, lambda record, value=value: record | {name: value})
        with pytest.raises(ValueError, match=f"whose {name} is no"):
            boosted().load_model(path)
    make(boosted).fit(*binary).save_model(path)
    with_record(path, lambda record: {key: record[key] for key in record if key != name})
    with pytest.raises(ValueError, match=f"whose {name} is no"):
        boosted().load_model(path)


def test_a_file_without_what_lightgbm_needs(binary, tmp_path):
    path = tmp_path / "model.txt"
    make(FocalLGBMClassifier).fit(*binary).save_model(path)
    text = without_checksum(path.read_bytes()).decode()
    for line in ("feature_names", "max_feature_idx"):
        path.write_text(re.sub(rf"^{line}=.*\n", "", text, flags=re.MULTILINE))
        with pytest.raises(ValueError, match="save_model wrote"):
            FocalLGBMClassifier().load_model(path)


@pytest.mark.parametrize("boosted", SAVING, **ids)
def test_what_is_saved_is_the_fitted_loss(boosted, binary, tmp_path):
    """Not what parameters have been set since."""
    path = tmp_path / engine_of(boosted).files[0]
    model = make(boosted, focal_gamma=1.5, focal_alpha="balanced", focal_hessian="exact").fit(*binary)
    model.set_params(focal_gamma=7.0, focal_alpha=None, focal_hessian="stable", focal_mix=0.5).save_model(path)
    assert model.focal_gamma == 7.0
    loaded = boosted().load_model(path)
    fitted = (loaded.focal_gamma, loaded.focal_alpha, loaded.focal_mix, loaded.focal_hessian)
    assert fitted == (1.5, "balanced", 0.0, "exact")
    assert loaded.focal_loss_ == model.focal_loss_
