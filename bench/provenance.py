"""What a result was made with: versions, hardware, threads, commit, and the hashes that make results comparable."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import psutil

from .. import __version__
from ..methods.closure import PACKAGE, library_version
from ..sim.processes.cores import ONE_THREAD, available_cores
from ..sim.processes.executor import Executor

#: Libraries whose versions every session records, besides those that decide what is computed in it.
_RECORDED = (
    *("numpy", "scipy", "opencv-python-headless", "opencv-python", "faiss-cpu", "poselib", "pycolmap"),
    *("embreex", "numba", "pandas", "pyarrow", "torch", "torchvision"),
)


def digest(value: Any) -> str:
    """Return the SHA-256 (64 hex digits) of a JSON-able value, independent of the order of its keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def versions(decisive: Mapping[str, str | None]) -> dict[str, str]:
    """Return the versions of Python, relocbench and the libraries that matter, with those that are ``decisive``."""
    found = {**decisive, **{name: library_version(name) for name in _RECORDED}}
    installed = {name: version for name, version in found.items() if version is not None}
    return {**installed, "python": platform.python_version(), "relocbench": __version__}


def hardware() -> dict[str, Any]:
    """Return what the machine is: processor, physical and logical cores, memory in GiB, architecture, system."""
    return {
        "cpu": _cpu_model(),
        "physical_cores": psutil.cpu_count(logical=False),
        "logical_cores": psutil.cpu_count(),
        "usable_cores": available_cores(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "architecture": platform.machine(),
        "system": platform.system(),
    }


def fingerprint() -> str:
    """Return 12 hex digits that stand for this kind of machine: latencies are only comparable where they agree."""
    return digest(hardware())[:12]


def session(executor: Executor, *, decisive: Mapping[str, str | None]) -> dict[str, Any]:
    """Return the record of one call that computes: when, from where, with what, and how busy that machine was before.

    ``decisive`` are the versions of the libraries that what it computes depends on. ``hosts``, the hardware of every
    machine that takes part by its fingerprint, is filled while it computes.
    """
    return {
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "executor": executor.name,
        "jobs": executor.jobs,
        "load_average": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "machine": fingerprint(),
        "hardware": hardware(),
        "hosts": {},
        "platform": platform.platform(),
        "threads": ONE_THREAD,
        "versions": versions(decisive),
        "git": git_commit(),
    }


def git_commit() -> str | None:
    """Return the commit that the package was checked out at, with "+" where files differ from it; None without git."""
    try:
        head = _git("rev-parse", "HEAD")
        return head + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return None  # installed from a wheel, or git itself is not there


def _git(*arguments: str) -> str:
    if not (PACKAGE / ".git").exists():  # a repository further up would be somebody else's
        raise FileNotFoundError(PACKAGE / ".git")
    result = subprocess.run(["git", "-C", str(PACKAGE), *arguments], capture_output=True, text=True, check=True)
    return result.stdout.strip()


@cache
def _cpu_model() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.lower().startswith(("model name", "hardware")):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
