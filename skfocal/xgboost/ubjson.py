"""UBJSON as XGBoost writes it, read into dicts, lists and arrays. Imports nothing of ours."""

from typing import Any

import numpy as np

_NUMBERS = {"i": ">i1", "U": ">u1", "I": ">i2", "l": ">i4", "L": ">i8", "d": ">f4", "D": ">f8"}
_CONSTANTS = {"Z": None, "T": True, "F": False}


def read_ubjson(data: bytes) -> Any:
    """Return what UBJSON says; a ValueError if it is none, or written in one of the ways that XGBoost does not."""
    reader = _Reader(data)
    value = reader.value(reader.marker())
    if reader.place != len(data):
        raise ValueError("it must end where its first object does.")
    return value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.place = data, 0

    def bytes(self, length: int) -> bytes:
        if not 0 <= length <= len(self.data) - self.place:
            raise ValueError(f"a length must be within it, got {length}.")
        self.place += length
        return self.data[self.place - length : self.place]

    def marker(self) -> str:
        return self.bytes(1).decode("latin-1")

    def numbers(self, kind: str, count: int) -> Any:
        if kind not in _NUMBERS:
            raise ValueError(f"a value must start as XGBoost's do, not with {kind!r}.")
        dtype = np.dtype(_NUMBERS[kind])
        return np.frombuffer(self.bytes(dtype.itemsize * count), dtype)

    def length(self) -> int:
        length = int(self.numbers(self.marker(), 1)[0])
        if length < 0:
            raise ValueError(f"a length must be >= 0, got {length}.")
        return length

    def string(self) -> str:
        return self.bytes(self.length()).decode()

    def value(self, marker: str) -> Any:
        if marker == "{":
            return self.object()
        if marker == "[":
            return self.array()
        if marker == "S":
            return self.string()
        return _CONSTANTS[marker] if marker in _CONSTANTS else self.numbers(marker, 1)[0].item()

    def object(self) -> dict[str, Any]:
        pairs: dict[str, Any] = {}
        while self.data[self.place : self.place + 1] != b"}":
            name = self.string()
            if name in pairs:
                raise ValueError(f"{name!r} must stand there once.")
            pairs[name] = self.value(self.marker())
        self.place += 1
        return pairs

    def array(self) -> Any:
        marker = self.marker()
        kind = self.marker() if marker == "$" else None
        if kind is not None:
            marker = self.marker()
        if marker != "#":
            raise ValueError("an array must tell its length.")
        count = self.length()
        return self.numbers(kind, count) if kind else [self.value(self.marker()) for _ in range(count)]
