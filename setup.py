"""Compile the kernel, where there is a compiler; everything else is in pyproject.toml."""

import logging
import sysconfig
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import BaseError, CCompilerError

KERNEL = Path("skfocal/losses/kernel")
FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))  # which has no limited API
GCC_OR_CLANG = ["-std=c11", "-O3", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math"]
MSVC = ["/std:c11", "/O2"]
# GCC and Clang are told in these files what they are for, MSVC only here.
ONLY_BY_FLAG = {"avx2.c": "/arch:AVX2", "avx512.c": "/arch:AVX512"}


class BuildKernel(build_ext):
    """Compile with the flags of the compiler that is there."""

    def build_extension(self, ext):  # noqa: D102
        is_msvc = self.compiler.compiler_type == "msvc"
        ext.extra_compile_args = MSVC if is_msvc else GCC_OR_CLANG
        try:
            for name, flag in ONLY_BY_FLAG.items() if is_msvc else ():
                ext.sources.remove(str(KERNEL / name))
                source, where = [str(KERNEL / name)], {"output_dir": self.build_temp, "include_dirs": self.include_dirs}
                ext.extra_objects += self.compiler.compile(source, extra_postargs=[*MSVC, flag], **where)
            super().build_extension(ext)
        except (BaseError, CCompilerError) as error:
            self.announce(f"skfocal: no kernel was compiled, NumPy will compute ({str(error)[:80]})", logging.WARNING)


setup(
    cmdclass={"build_ext": BuildKernel},
    ext_modules=[
        Extension(
            "skfocal.losses._kernel",
            sources=sorted(map(str, KERNEL.glob("*.c"))),
            depends=sorted(map(str, KERNEL.glob("*.h"))),
            define_macros=[] if FREE_THREADED else [("Py_LIMITED_API", "0x030b0000")],
            py_limited_api=not FREE_THREADED,
            optional=True,  # without a compiler NumPy computes
        )
    ],
    options={} if FREE_THREADED else {"bdist_wheel": {"py_limited_api": "cp311"}},
)
