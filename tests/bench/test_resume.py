"""A run that is killed again and again ends with the estimates of one that was left alone."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import psutil
from relocbench.bench.runner import run_track

RUN = """
import sys
from relocbench.bench.runner import run_track
track, dataset, out, *files = sys.argv[1:]
run_track(track, size="mini", methods=[], method_files=files, out=out, dataset=dataset, jobs=1, progress=False)
"""
TIMES = ["load_seconds", "seconds", "warm"]


def test_killed_at_five_random_moments_a_run_resumes_at_the_query(tiny_track, tiny_dataset, tmp_path, plugged):
    files = [plugged(cls) for cls in ("Slow", "Learned")]
    options = {"size": "mini", "methods": [], "method_files": files, "dataset": tiny_dataset, "progress": False}
    expected = run_track(tiny_track, out=tmp_path / "alone", jobs=1, **options)

    chance = random.Random(os.getpid())
    out, answered = tmp_path / "killed", 0
    for stop in sorted(chance.sample(range(1, 75), 5)):
        process = subprocess.Popen(
            [sys.executable, "-c", RUN, str(tiny_track), str(tiny_dataset), str(out), *files], start_new_session=True
        )
        finished = wait_for(lambda stop=stop: answers(out) >= stop, process)
        time.sleep(chance.uniform(0, 0.03))
        workers = [] if finished else psutil.Process(process.pid).children(recursive=True)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        _, alive = psutil.wait_procs(workers, timeout=5)
        assert not alive, "workers die with the run, although they lead groups of their own"
        assert answers(out) >= answered, "an answer was lost"
        answered = answers(out)
    result = run_track(tiny_track, out=out, jobs=1, **options)

    pd.testing.assert_frame_equal(result.estimates().drop(columns=TIMES), expected.estimates().drop(columns=TIMES))
    assert result.estimates()["query"].size == 80
    assert len(result.record.sessions) > 1
    assert not list(out.glob("fits/.*.tmp"))


def answers(out: Path) -> int:
    """How many answers are on disk: whole lines of journals, and rows of finished methods."""
    journaled = sum(path.read_bytes().count(b'"kind":"answer"') for path in out.glob("methods/*/journal/*.jsonl"))
    finished = [path.parent for path in out.glob("methods/*/estimates.parquet")]
    doubly = sum(path.read_bytes().count(b'"kind":"answer"') for f in finished for path in f.glob("journal/*.jsonl"))
    return journaled - doubly + 40 * len(finished)


def wait_for(condition, process: subprocess.Popen) -> bool:
    """Wait until the condition holds; return whether the process ended before."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            return True
        with contextlib.suppress(FileNotFoundError):  # a journal may become a table while it is counted
            if condition():
                return False
        time.sleep(0.005)
    raise AssertionError("the run does not come forward")
