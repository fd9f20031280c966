"""Sums over workers while they train, for which LightGBM's own network has no door: one worker adds, and tells.

What is sent is numbers, after a token that only the workers of this training know. A worker that is gone closes its
connection, and so ends the wait of the others. Imports nothing of ours.
"""

import hmac
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

_SECONDS_BETWEEN_KNOCKS = 0.1
_SECONDS_TO_GREET = 10


class Meeting(NamedTuple):
    """Where workers meet."""

    host: str
    port: int
    token: bytes
    n_workers: int
    seconds: float  # how long to wait for one another


class Sums:
    """Adds up numbers of all workers, who must ask for the same sums in the same order."""

    def __init__(self, connections: list[socket.socket], *, is_first: bool) -> None:
        self._connections = connections
        self._is_first = is_first

    def over_workers(self, values: ArrayLike) -> NDArray[np.float64]:
        """Return the sums of some numbers over all workers, bit by bit the same for each.

        Raises
        ------
        ConnectionError
            If a worker is gone, or has not come in time.
        """
        try:
            return self._added(np.array(values, dtype=np.float64))
        except OSError as error:
            raise ConnectionError("A worker was lost while metrics were summed up.") from error

    def _added(self, total: NDArray[np.float64]) -> NDArray[np.float64]:
        if self._is_first:
            for connection in self._connections:
                total += np.frombuffer(_received(connection, total.nbytes))
        for connection in self._connections:
            connection.sendall(total.tobytes())
        if self._is_first:
            return total
        (host,) = self._connections
        return np.frombuffer(_received(host, total.nbytes))


@contextmanager
def meet(meeting: Meeting | None, *, is_first: bool) -> Iterator[Sums]:
    """Yield what adds up numbers of all workers once these are there; None is for a worker that is alone."""
    with ExitStack() as stack:
        if meeting is None:
            connections = []
        elif is_first:
            connections = _guests(meeting, stack)
        else:
            connections = [stack.enter_context(_host(meeting))]
        for connection in connections:
            connection.settimeout(None if meeting is None else meeting.seconds)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)  # so that a worker cut off is missed
        yield Sums(connections, is_first=is_first)


def _guests(meeting: Meeting, stack: ExitStack) -> list[socket.socket]:
    """Return connections to all other workers; who does not know the token is sent away."""
    guests: list[socket.socket] = []
    end = time.monotonic() + meeting.seconds
    with _server(meeting) as server:
        while len(guests) < meeting.n_workers - 1:
            server.settimeout(max(end - time.monotonic(), 0.001))
            try:
                guest = stack.enter_context(server.accept()[0])
            except TimeoutError as error:
                raise ConnectionError("A worker was lost: not all have come to sum up metrics.") from error
            guest.settimeout(_SECONDS_TO_GREET)
            try:
                knows = hmac.compare_digest(_received(guest, len(meeting.token)), meeting.token)
                if knows:
                    guest.sendall(_answer(meeting))
            except OSError:
                knows = False
            if knows:
                guests.append(guest)
            else:
                guest.close()
    return guests


def _server(meeting: Meeting) -> socket.socket:
    family = socket.AF_INET6 if ":" in meeting.host else socket.AF_INET
    try:
        return socket.create_server((meeting.host, meeting.port), family=family)
    except OSError as error:
        raise ConnectionError(
            f"The port {meeting.port} of {meeting.host}, at which metrics were to be summed up, is not free: {error}."
        ) from error


def _answer(meeting: Meeting) -> bytes:
    """Return what only a worker that knows the token can say to it."""
    return hmac.digest(meeting.token, b"come in", "sha256")


def _host(meeting: Meeting) -> socket.socket:
    """Return a connection to the worker that adds, which may still be busy."""
    end = time.monotonic() + meeting.seconds
    while True:
        try:
            connection = socket.create_connection((meeting.host, meeting.port), timeout=_SECONDS_TO_GREET)
            connection.sendall(meeting.token)
            if hmac.compare_digest(_received(connection, len(_answer(meeting))), _answer(meeting)):
                return connection
            connection.close()
        except OSError as error:
            if time.monotonic() > end:
                raise ConnectionError("A worker was lost: the one that sums up metrics does not answer.") from error
        time.sleep(_SECONDS_BETWEEN_KNOCKS)


def _received(connection: socket.socket, n_bytes: int) -> bytes:
    """Return so many bytes."""
    received = b""
    while len(received) < n_bytes:
        part = connection.recv(n_bytes - len(received))
        if not part:
            raise ConnectionError("The other side has closed the connection.")
        received += part
    return received
