"""What processes take: resident memory, now and at its peak."""

from __future__ import annotations

import contextlib
import os
import resource
import sys
from pathlib import Path

import psutil


def family(pid: int) -> list[psutil.Process]:
    """Return a process and all that it and its children started and that still run; none where it is gone."""
    try:
        first = psutil.Process(pid)
        return [first, *first.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def resident_memory_bytes(pid: int) -> int:
    """Return the resident memory of a process and its :func:`family`; 0 once they are gone."""
    total = 0
    for process in family(pid):
        with contextlib.suppress(psutil.NoSuchProcess):
            total += process.memory_info().rss
    return total


def peak_memory_bytes(pid: int) -> int:
    """Return one process's peak resident memory so far; 0 where it is gone.

    ``getrusage`` would report the parent's peak as ours where ours is smaller: Linux keeps it across ``exec``. Where
    there is no ``/proc``, another process's peak cannot be had, and what it takes now stands for it.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
        return 0
    if pid == os.getpid():
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
    with contextlib.suppress(psutil.NoSuchProcess):
        return int(psutil.Process(pid).memory_info().rss)
    return 0
