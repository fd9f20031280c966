"""Functions of the tests that run in a process of their own, as what they do may end it, or not end at all."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PATHS = [str(ROOT), str(ROOT / "benchmarks")]


def returned_by(function, *arguments, timeout=200, environment=None):
    """Return what a function of a test module returns in another process, by JSON; fail as it fails."""
    # Last in the path: what is tested may be installed somewhere else.
    program = (
        f"import json, sys; sys.path += {PATHS!r}\n"
        f"from tests.{function.__module__.rpartition('.')[2]} import {function.__name__}\n"
        f"print(json.dumps({function.__name__}(*{arguments!r})))"
    )
    result = subprocess.run(  # noqa: S603  # a program of ours
        [sys.executable, "-c", program], env=os.environ | (environment or {}), capture_output=True, text=True,
        timeout=timeout, check=False,
    )  # fmt: skip
    assert result.returncode == 0, f"exit code {result.returncode}\n{result.stdout}\n{result.stderr}"
    return json.loads(result.stdout.splitlines()[-1])
