"""What is installed, as a report of a defect needs it. Imports `_version` and `losses`."""

from importlib.metadata import PackageNotFoundError, version

import sklearn

from skfocal._version import __version__
from skfocal.losses.compiled import kernel

_PACKAGES = ("lightgbm", "xgboost", "imbalanced-learn", "cupy-cuda12x", "onnx", "ndonnx", "polars", "pyarrow")


def show_versions() -> None:
    """Print what computes the gradients, and the versions of skfocal, the engines, scikit-learn and what these use.

    The kernel is compiled when skfocal is installed, if there is a compiler, and computes with the widest vectors that
    the processor knows. Without it NumPy computes the same, in several times as many nanoseconds.

    Examples
    --------
    >>> import skfocal
    >>> skfocal.show_versions()  # doctest: +ELLIPSIS
    <BLANKLINE>
    skfocal:
         version: ...
          kernel: ...
    """
    facts = {"version": __version__, "kernel": kernel_in_use()}
    facts |= {name: found for name in _PACKAGES if (found := _version_of(name))}
    print("\nskfocal:")  # noqa: T201
    for name, fact in facts.items():
        print(f"{name:>12}: {fact}")  # noqa: T201
    sklearn.show_versions()  # type: ignore[attr-defined]


def kernel_in_use() -> str:
    """Return what computes the gradients, in words."""
    return "NumPy (skfocal was installed without a compiler)" if kernel is None else f"compiled, {kernel.variants()[0]}"


def _version_of(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
