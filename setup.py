"""Compile the kernel, where there is a compiler; everything else is in pyproject.toml."""

import gzip
import logging
import os
import sysconfig
import tarfile
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.sdist import sdist
from setuptools.errors import BaseError, CCompilerError

KERNEL = Path("skfocal/losses/kernel")
FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))  # which has no limited API
GCC_OR_CLANG = ["-std=c11", "-O3", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math"]
GCC_OR_CLANG += [f"-fdebug-prefix-map={Path.cwd()}=."]  # the same wheel, wherever it is made
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


class Archive(sdist):
    """Make the same archive of the same files, if SOURCE_DATE_EPOCH tells a time; setuptools tells when it made it."""

    def make_archive(self, base_name, format, root_dir=None, base_dir=None, **owners):  # noqa: A002, D102
        moment = os.environ.get("SOURCE_DATE_EPOCH")
        if moment is None or format != "gztar":
            return super().make_archive(base_name, format, root_dir, base_dir, **owners)

        def settled(member):
            member.mtime, member.uid, member.gid, member.uname, member.gname = int(moment), 0, 0, "", ""
            member.mode = 0o755 if member.mode & 0o100 else 0o644
            return member

        name = f"{base_name}.tar.gz"
        with gzip.GzipFile(name, "wb", mtime=int(moment)) as file, tarfile.open(fileobj=file, mode="w") as archive:
            archive.add(base_dir, filter=settled)
        return name


setup(
    cmdclass={"build_ext": BuildKernel, "sdist": Archive},
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
