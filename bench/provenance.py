"""What a result was made with: versions, hardware, threads, commit, and the hashes that make results comparable."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import platform
import subprocess
import sys
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from .. import __version__
from ..sim.processes.cores import ONE_THREAD, available_cores

_PACKAGE = Path(__file__).resolve().parent.parent

#: Libraries whose version can change an answer.
_DECISIVE = ("numpy", "scipy", "opencv-python-headless", "opencv-python", "faiss-cpu", "poselib", "pycolmap")
_RECORDED = (*_DECISIVE, "embreex", "numba", "pandas", "pyarrow", "torch", "torchvision")

#: The package's own sources and checkpoints whose change can change an answer.
_DECISIVE_SOURCES = ("sim/geometry.py", "datasets", "methods")
_DECISIVE_SUFFIXES = (".py", ".safetensors")


def digest(value: Any) -> str:
    """Return the SHA-256 (64 hex digits) of a JSON-able value, independent of the order of its keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def versions() -> dict[str, str]:
    """Return the versions of Python, relocbench and the libraries that are installed and matter."""
    found = {"python": platform.python_version(), "relocbench": __version__}
    for name in _RECORDED:
        version = _version(name)
        if version is not None:
            found[name] = version
    return found


def code_version(*method_sources: Path) -> str:
    """Return the SHA-256 of everything in code that can change an answer.

    That is the sources of geometry, datasets and methods with the checkpoints that come with them, the given files
    (methods from outside the package), and the versions of the libraries that compute.
    """
    others = {path.name: file_version(path) for path in method_sources}
    return digest({"sources": _own_sources(), "methods": others, "libraries": {n: _version(n) for n in _DECISIVE}})


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


def session(*, jobs: int) -> dict[str, Any]:
    """Return the record of one call that computes: when, where, with what, and how busy the machine was before."""
    return {
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "jobs": jobs,
        "load_average": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "machine": fingerprint(),
        "hardware": hardware(),
        "platform": platform.platform(),
        "threads": ONE_THREAD,
        "versions": versions(),
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
    if not (_PACKAGE / ".git").exists():  # a repository further up would be somebody else's
        raise FileNotFoundError(_PACKAGE / ".git")
    result = subprocess.run(["git", "-C", str(_PACKAGE), *arguments], capture_output=True, text=True, check=True)
    return result.stdout.strip()


@cache  # a process runs the sources that it started with
def _own_sources() -> dict[str, str]:
    own = [path for name in _DECISIVE_SOURCES for path in _sources(_PACKAGE / name)]
    return {path.relative_to(_PACKAGE).as_posix(): file_version(path) for path in own}


def _sources(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.suffix in _DECISIVE_SUFFIXES)


def file_version(path: Path) -> str:
    """Return the SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


@cache
def _cpu_model() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.lower().startswith(("model name", "hardware")):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
