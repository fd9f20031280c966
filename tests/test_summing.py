"""Sums over workers that train together, here threads: all get the same, and nobody waits for one that is gone."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

pytest.importorskip("distributed")
pytest.importorskip("dask.dataframe")

from skfocal.dask.summing import Meeting, meet


def meeting_of(n_workers, seconds=20):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return Meeting("127.0.0.1", free.getsockname()[1], b"x" * 32, n_workers, seconds)


def everywhere(meeting, work):
    """Return the futures of what all workers do, the first of them the one that adds."""
    with ThreadPoolExecutor(meeting.n_workers) as pool:
        return [pool.submit(work, meeting, i) for i in range(meeting.n_workers)]


@pytest.mark.parametrize("n_workers", [2, 5])
def test_all_get_the_same_sums(n_workers):
    values = (
        np.random.default_rng(0).normal(size=(50, n_workers, 3)) * 10.0 ** np.arange(-8, 8, 16 / n_workers)[:, None]
    )

    def work(meeting, i):
        with meet(meeting, is_first=i == 0) as sums:
            return [sums.over_workers(of_round[i]) for of_round in values]

    results = [future.result() for future in everywhere(meeting_of(n_workers), work)]
    for result in results:
        np.testing.assert_array_equal(result, results[0])
        np.testing.assert_allclose(result, values.sum(axis=1), rtol=1e-12, atol=1e-12)


def test_alone_a_sum_is_what_is_given():
    with meet(None, is_first=True) as sums:
        np.testing.assert_array_equal(sums.over_workers([1.0, 2.0]), [1.0, 2.0])


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_nobody_waits_for_one_that_is_gone(lost):
    def work(meeting, i):
        with meet(meeting, is_first=i == 0) as sums:
            sums.over_workers([1.0])
            if i == lost:
                raise ZeroDivisionError
            while True:
                sums.over_workers([1.0])

    for i, future in enumerate(everywhere(meeting_of(3, seconds=600), work)):
        kind = ZeroDivisionError if i == lost else ConnectionError
        with pytest.raises(kind, match=None if i == lost else "A worker was lost while metrics were summed up"):
            future.result(timeout=60)


def test_who_never_comes_is_not_waited_for_without_end():
    meeting = meeting_of(2, seconds=0.5)
    with pytest.raises(ConnectionError, match="A worker was lost"), meet(meeting, is_first=True):
        pass
    with pytest.raises(ConnectionError, match="A worker was lost"), meet(meeting, is_first=False):
        pass


def test_a_stranger_in_the_place_of_the_worker_that_adds():
    meeting = meeting_of(2, seconds=1)

    def echo():
        with socket.create_server((meeting.host, meeting.port)) as server, server.accept()[0] as guest:
            guest.sendall(guest.recv(64))

    with ThreadPoolExecutor(1) as pool:
        pool.submit(echo)
        with pytest.raises(ConnectionError, match="A worker was lost"), meet(meeting, is_first=False):
            pass


def test_a_port_that_is_taken():
    meeting = meeting_of(2)
    taken = pytest.raises(ConnectionError, match=f"The port {meeting.port} of 127.0.0.1, at which metrics")
    with socket.create_server((meeting.host, meeting.port)), taken, meet(meeting, is_first=True):
        pass


@pytest.mark.parametrize("greeting", [b"y" * 32, b"short", b""])
def test_strangers_are_sent_away(greeting):
    meeting = meeting_of(2)

    def knock():
        for _ in range(100):
            try:
                with socket.create_connection((meeting.host, meeting.port), timeout=5) as stranger:
                    stranger.sendall(greeting)
                    stranger.shutdown(socket.SHUT_WR)
                    assert stranger.recv(1) == b""  # closed
                    return True
            except ConnectionRefusedError:
                threading.Event().wait(0.05)
        return False

    def first():
        with meet(meeting, is_first=True) as sums:
            return sums.over_workers([1.0])

    with ThreadPoolExecutor(3) as pool:
        adding, knocking = pool.submit(first), pool.submit(knock)
        assert knocking.result(timeout=60)
        with meet(meeting, is_first=False) as sums:
            assert sums.over_workers([2.0]) == [3.0]
        assert adding.result(timeout=60) == [3.0]
