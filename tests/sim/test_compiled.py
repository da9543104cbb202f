"""Compiled kernels where nothing can be kept: a package and a home that are read-only, as in containers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from relocbench.sim.compiled import KEEP_IT
from relocbench.sim.projection import plain_view

CALL = """
import numpy as np
from relocbench.sim.sky import sky_radiance
print(sky_radiance(tuple(np.eye(4).ravel()[:14]), 0.5, 0.25, np.ones(3)))
"""


@pytest.fixture
def read_only_package(tmp_path: Path) -> Path:
    """A copy of some sources where no kernel can be kept: not even root makes a folder where a file is."""
    package = tmp_path / "package" / "relocbench"
    (package / "sim").mkdir(parents=True)
    source = Path(plain_view.py_func.__code__.co_filename).parents[1]
    for name in ("__init__.py", *(path.relative_to(source).as_posix() for path in source.glob("sim/*.py"))):
        shutil.copy(source / name, package / name)
    for folder in (package, package / "sim"):
        (folder / "__pycache__").write_text("")
    return package.parent


def call(package: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    nowhere = {name: "/dev/null" for name in ("HOME", "XDG_CACHE_HOME")}
    variables = {**os.environ, **nowhere, "PYTHONPATH": str(package), "PYTHONDONTWRITEBYTECODE": "1", **environment}
    return subprocess.run([sys.executable, "-c", CALL], capture_output=True, text=True, check=True, env=variables)


def test_kernels_run_where_they_cannot_be_kept_and_say_how_to_keep_them(
    read_only_package: Path, tmp_path: Path
) -> None:
    unkept = call(read_only_package)
    assert unkept.stderr.count(KEEP_IT) == 1
    cache = tmp_path / "cache"
    kept = call(read_only_package, NUMBA_CACHE_DIR=str(cache))
    assert kept.stderr == ""
    assert list(cache.rglob("*.nbi"))
    assert kept.stdout == unkept.stdout
