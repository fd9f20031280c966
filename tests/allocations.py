"""NumPy's memory, of which there is none left at one allocation: through its own interface to other allocators."""

import ctypes
from contextlib import contextmanager

from numpy._core import _multiarray_umath

_MALLOC = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
_CALLOC = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t)
_REALLOC = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)


class _Handler(ctypes.Structure):
    """PyDataMem_Handler of NumPy's C API, version 1."""

    _fields_ = (
        ("name", ctypes.c_char * 127), ("version", ctypes.c_uint8), ("context", ctypes.c_void_p), ("malloc", _MALLOC),
        ("calloc", _CALLOC), ("realloc", _REALLOC), ("free", ctypes.c_void_p),
    )  # fmt: skip


_SET_HANDLER, _DEFAULT_HANDLER = 304, 306  # places in the table of NumPy's C API
_new_capsule = ctypes.pythonapi.PyCapsule_New
_new_capsule.restype, _new_capsule.argtypes = ctypes.py_object, (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
_in_capsule = ctypes.pythonapi.PyCapsule_GetPointer
_in_capsule.restype, _in_capsule.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)
_table = ctypes.cast(_in_capsule(_multiarray_umath._ARRAY_API, None), ctypes.POINTER(ctypes.c_void_p))
_set_handler = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)(_table[_SET_HANDLER])
_default = ctypes.cast(_table[_DEFAULT_HANDLER], ctypes.POINTER(ctypes.py_object))[0]
_own = ctypes.cast(_in_capsule(_default, b"mem_handler"), ctypes.POINTER(_Handler))[0]


class Allocations:
    """Counts NumPy's allocations in this thread, and lets one of them fail."""

    def __init__(self):
        self.n, self.failing = 0, 0
        functions = (
            self._counted(_MALLOC, "malloc"),
            self._counted(_CALLOC, "calloc"),
            self._counted(_REALLOC, "realloc"),
        )
        # Memory is freed as ever: so what is allocated here may outlive this object.
        self._handler = _Handler(b"failing", 1, _own.context, *functions, _own.free)
        self._capsule = _new_capsule(ctypes.addressof(self._handler), b"mem_handler", None)

    def _counted(self, kind, name):
        # Without letting go of Python's lock, which NumPy may not hold either.
        function = ctypes.cast(getattr(_own, name), ctypes.PYFUNCTYPE(kind._restype_, *kind._argtypes_))

        def allocate(*arguments):
            self.n += 1
            return None if self.n == self.failing else function(*arguments)

        return kind(allocate)

    @contextmanager
    def fail(self, number):
        """Let the allocation of this number fail in a block; none for 0."""
        self.n, self.failing = 0, number
        before = _set_handler(self._capsule)
        try:
            yield
        finally:
            _set_handler(before)
