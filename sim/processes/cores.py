"""How many cores there are to share out, and what keeps a process on one of them."""

from __future__ import annotations

import os

#: Every worker computes on one thread: the cores are shared out between processes, and neither answers nor latencies
#: depend on how many run side by side. The libraries read these when they are loaded, therefore they are set before a
#: worker starts.
ONE_THREAD: dict[str, str] = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "OPENCV_FOR_THREADS_NUM": "1",
}


def available_cores() -> int:
    """Return how many cores this process may use, which a container or an affinity mask may limit."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
