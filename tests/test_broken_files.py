"""Model files that were cut off or changed anywhere, and files whose writer was killed or had no place to write to.

What is damaged is refused, or predicts the same, where a file says what nobody reads. Nothing ends the process or hangs
in it. A pickle cannot be made safe, changed or not: to load it is to run what is in it.
"""

import os
import random
import shutil
import signal
import sys
import tempfile
import time
import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

import skfocal
from skfocal.boosting.safe_file import write_whole

from .conftest import of_rounds, small_data
from .model_files import FILES, cut, damaged, with_a_bit_flipped
from .programs import returned_by

ids = {"ids": lambda each: getattr(each, "__name__", None)}
N_PLACES = 2000
STRIDE = 5  # steps of Python's from one kill to the next: between two calls of the system there are more
OLD = Path(__file__).with_name("models")  # what the first release candidate wrote


def small(name, **params):
    """Return a small fitted estimator of this name, and what it was fitted on."""
    X, y = small_data(200, 3)
    return of_rounds(name, 2, **params).fit(X, y), X


def outcomes(whole, load, X, n_places, refusal):
    """Return how many damaged files are refused, and how many are loaded, which then must predict the same."""
    counts, expected = {"refused": 0, "the same": 0}, load(whole).predict_proba(X)
    for data in damaged(whole, (cut, with_a_bit_flipped), n_places):
        try:
            model = load(data)
        except refusal:
            counts["refused"] += 1
        else:
            np.testing.assert_array_equal(model.predict_proba(X), expected)
            counts["the same"] += 1
    return counts


def load_damaged(name, file_name, n_places):
    """Load model files of an engine's format."""
    model, X = small(name)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / file_name

        def load(data):
            path.write_bytes(data)
            return type(model)().load_model(path)

        model.save_model(path)
        return outcomes(path.read_bytes(), load, X, n_places, ValueError)


@pytest.mark.parametrize(("boosted", "name"), FILES, **ids)
def test_damage_anywhere(boosted, name):
    """It is refused but where a bit is of the name or the digits of the checksum: then there is none to compare."""
    counts = returned_by(load_damaged, boosted.__name__, name, N_PLACES)
    assert sum(counts.values()) == 2 * N_PLACES
    assert counts["the same"] < N_PLACES // 20


def load_damaged_skops(name, n_places):
    """Load what skops has written: a zip archive, which has a checksum of each file in it. Its errors are its own."""
    import skops.io

    warnings.simplefilter("ignore")
    model, X = small(name)

    def load(data):
        return skops.io.loads(data, trusted=skfocal.skops_trusted_types)

    return outcomes(skops.io.dumps(model), load, X, n_places, Exception)


def test_damage_anywhere_in_what_skops_wrote(estimator):
    pytest.importorskip("skops")
    counts = returned_by(load_damaged_skops, estimator.__name__, N_PLACES // 4)
    assert sum(counts.values()) == N_PLACES // 2
    assert counts["refused"] > N_PLACES // 4  # all that are cut off, at least


def load_cut(name, file_name):
    """Load an old file, which has no checksum, cut off in every place."""
    whole, classifier = (OLD / file_name).read_bytes(), getattr(skfocal, name)()
    n_refused = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / file_name
        for n_bytes in range(len(whole)):
            path.write_bytes(whole[:n_bytes])
            try:
                classifier.load_model(path)
            except ValueError:
                n_refused += 1
    return n_refused, len(whole)


@pytest.mark.parametrize("file_name", ["xgboost2.ubj", "xgboost2.json"])
def test_an_old_file_that_is_cut_off(file_name):
    n_refused, n_bytes = returned_by(load_cut, "FocalXGBClassifier", file_name)
    assert n_refused == n_bytes


def killed_in_step(number):
    """Return a profile function that ends the process, and tells nobody, in some step of writing a file."""
    steps, begun = iter(range(number)), []

    def profile(frame, *_):
        if frame.f_code is write_whole.__code__:
            begun.append(frame)
        if begun and next(steps, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    return profile


class Savers:
    """Processes that save two models in turn, and are killed."""

    def __init__(self, name, path):
        (self.one, _), (self.other, _) = small(name), small(name, focal_gamma=3.0)
        self.path, self.whole, self.left = path, [], set()
        for model in (self.one, self.other):
            model.save_model(path)
            self.whole.append(path.read_bytes())

    def fork(self, profile, n_models):
        """Start a process."""
        process = os.fork()
        if process:
            return process
        try:  # nothing of the parent's is to be done here, such as to remove its folder
            sys.setprofile(profile)
            for i in range(n_models):
                (self.one if i % 2 else self.other).save_model(self.path)
            sys.setprofile(None)
            os._exit(0)
        finally:
            os._exit(1)

    def was_killed(self, process, *, is_first):
        """Wait for a process, tell whether it was killed, and check what is there."""
        status = os.waitpid(process, 0)[1]
        killed = os.WIFSIGNALED(status)
        assert killed or os.WEXITSTATUS(status) == 0, "a model was not saved"
        assert is_first or self.path.exists(), "no file, where there was one before"
        assert not self.path.exists() or self.path.read_bytes() in self.whole, "a part of a file"
        for each in self.path.parent.iterdir():
            if each != self.path:
                self.left.add(each.name)
                shutil.rmtree(each)
        return killed


def kill_savers(name, file_name, n_kills):
    """Kill them in every step of writing a file, and at so many other moments; return what they leave beside it."""
    moments = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        savers, n_steps = Savers(name, Path(folder) / file_name), 0
        for is_first in (True, False):
            number, killed = 0, True
            while killed:
                savers.path.unlink(missing_ok=True) if is_first else savers.path.write_bytes(savers.whole[0])
                killed = savers.was_killed(savers.fork(killed_in_step(number), n_models=1), is_first=is_first)
                number += STRIDE
            n_steps += number
        for _ in range(n_kills):
            process = savers.fork(None, n_models=10**9)
            time.sleep(moments.uniform(0, 0.03))
            os.kill(process, signal.SIGKILL)
            assert savers.was_killed(process, is_first=False)
        return n_steps, sorted(savers.left)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes that can be killed in an instant are forks")
@pytest.mark.parametrize(("boosted", "name"), FILES, **ids)
def test_a_saver_that_is_killed_leaves_a_whole_file(boosted, name):
    """The old one or the new one; or none, if there was none. A folder may be left, which ``save_model`` tells of."""
    n_steps, left = returned_by(kill_savers, boosted.__name__, name, 30)
    assert n_steps > 50
    assert left
    assert all(each.startswith(".saving") for each in left)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full, a disk without space, is one of Linux")
@pytest.mark.parametrize(("boosted", "name"), FILES, **ids)
def test_a_disk_without_space(boosted, name, tmp_path):
    model, X = small(boosted.__name__)
    (tmp_path / name).symlink_to("/dev/full")
    before = model.predict_proba(X)
    with pytest.raises(OSError, match="No space left on device"):
        model.save_model(tmp_path / name)
    np.testing.assert_array_equal(model.predict_proba(X), before)
    assert list(tmp_path.iterdir()) == [tmp_path / name]


def save_without_descriptors(name, file_name):
    """Open all the files that a process may have, and then fit, save and load."""
    import resource

    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    (old, X), (new, _) = small(name), small(name, focal_gamma=3.0)
    errors = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / file_name
        old.save_model(path)
        before, opened = path.read_bytes(), []
        with suppress(OSError):
            while True:
                opened.append(os.open(os.devnull, os.O_RDONLY))
        for call in (new.save_model, type(old)().load_model):
            try:
                call(path)
            except OSError as error:
                errors.append(error.strerror)
        expected = new.predict_proba(X)
        fitted, _ = small(name, focal_gamma=3.0)
        np.testing.assert_array_equal(fitted.predict_proba(X), expected)
        for each in opened:
            os.close(each)
        assert path.read_bytes() == before
        assert list(path.parent.iterdir()) == [path], "something is left beside the file"
        new.save_model(path)
    return errors


@pytest.mark.skipif(sys.platform == "win32", reason="the limit on open files is one of POSIX")
@pytest.mark.parametrize(("boosted", "name"), FILES, **ids)
def test_no_file_can_be_opened(boosted, name):
    """Models are neither saved nor loaded, and the error says why; to fit and to predict needs no file."""
    errors = returned_by(save_without_descriptors, boosted.__name__, name)
    assert errors == ["Too many open files"] * 2
