"""Files that are whole or not there: written beside, checked and moved into place; with a checksum inside.

Imports nothing of ours.
"""

import hashlib
import os
import re
import shutil
from contextlib import suppress
from os import PathLike
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

CHECKSUM = "0" * 64  # what stands in a file for its checksum, while that is computed

# Of JSON, and of JSON in a string of JSON. What a file has first is its checksum.
_CHECKSUM = re.compile(rb'(?<="checksum": ")[0-9a-f]{64}|(?<=\\"checksum\\": \\")[0-9a-f]{64}')


def sealed(data: bytes) -> bytes:
    """Return the content of a file with its checksum in the place of `CHECKSUM`."""
    return _CHECKSUM.sub(hashlib.sha256(data).hexdigest().encode(), data, count=1)


def is_damaged(data: bytes) -> bool:
    """Tell whether the content of a file is not what its checksum is of; a file without one is not known to be."""
    found = _CHECKSUM.search(data)
    if found is None:
        return False
    return found[0] != hashlib.sha256(_CHECKSUM.sub(CHECKSUM.encode(), data, count=1)).hexdigest().encode()


def as_path(fname: Any) -> Path:
    """Return the path of a file's name, in which ~ is the user's folder; a name may start with it, too."""
    if not isinstance(fname, str | PathLike):
        raise TypeError(f"fname must be the name of a file, got {fname!r}.")
    path = Path(fname)
    with suppress(RuntimeError):  # nobody has this name
        path = path.expanduser()
    return path


def write_whole(fname: Any, data: bytes) -> None:
    """Write a file, so that it is whole if it is there; if that fails, what was there before is left as it was.

    Whenever the process is killed, the file is the old one or the new one; beside it a folder ``.saving...`` may stay,
    which nothing reads. What was written is on disk before it takes the place of the old file, and so after a loss of
    power, too, one of the two is there, on file systems that keep the order of the two. A file that may be written in a
    folder that may not is written over, and so are devices and pipes: there a part may be left.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    PermissionError, OSError
        If the file may not or cannot be written.
    """
    path = as_path(fname)
    if not path.absolute().parent.is_dir():
        raise FileNotFoundError(f"fname must be in a folder that there is, got {os.fspath(fname)!r}.")
    if path.exists() and not path.is_file():  # a device, a pipe: nothing can be put in its place
        path.write_bytes(data)
        return
    path = path.resolve()  # a link stays one
    if path.exists() and not os.access(path, os.W_OK):
        raise PermissionError(f"fname must be a file that may be written, got {os.fspath(fname)!r}.")
    try:
        folder = Path(mkdtemp(prefix=".saving", dir=path.parent))  # a name that nobody else has
    except PermissionError:
        if not path.exists():
            raise
        path.write_bytes(data)  # a file that may be written in a folder that may not
        return
    beside = folder / path.name
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if beside.read_bytes() != data:
            raise OSError(f"{os.fspath(fname)!r} could not be read as it was written.")
        with suppress(FileNotFoundError):
            shutil.copymode(path, beside)
        beside.replace(path)
    finally:
        with suppress(OSError):  # by names: where no more files can be opened, shutil.rmtree leaves all
            beside.unlink(missing_ok=True)
            folder.rmdir()
