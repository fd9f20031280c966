"""Programs that the tests run in a process of their own, as what they do may end it, or not end at all."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PATHS = [str(ROOT), str(ROOT / "benchmarks")]
PYTHON = sys.executable


def run(*command, environment=None, cwd=None, timeout=600, may_fail=False):
    """Run a program to its end, which must be a good one unless it may fail; return its exit code and what it printed.

    A variable of the environment that is None is not there.
    """
    variables = os.environ | (environment or {})
    done = subprocess.run(  # noqa: S603  # a program of ours
        [*map(str, command)], env={name: value for name, value in variables.items() if value is not None}, cwd=cwd,
        capture_output=True, text=True, timeout=timeout, check=False,
    )  # fmt: skip
    assert may_fail or done.returncode == 0, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def returned_by(function, *arguments, timeout=200, environment=None):
    """Return what a function of a test module returns in another process, by JSON; fail as it fails."""
    # Last in the path: what is tested may be installed somewhere else.
    program = (
        f"import json, sys; sys.path += {PATHS!r}\n"
        f"from tests.{function.__module__.rpartition('.')[2]} import {function.__name__}\n"
        f"print(json.dumps({function.__name__}(*{arguments!r})))"
    )
    done = run(PYTHON, "-c", program, environment=environment, timeout=timeout)
    return json.loads(done.stdout.splitlines()[-1])
