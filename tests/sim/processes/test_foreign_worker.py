"""Workers in another interpreter: arrays cross unchanged, every kind of loss is noticed, nothing is left running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of
from relocbench.sim.processes import serving
from relocbench.sim.processes.foreign_worker import ForeignWorker, WorkerLost, WorkerRefused

ECHO = Path(__file__).with_name("echo_worker.py")


@pytest.fixture
def worker() -> Iterator[ForeignWorker]:
    worker = ForeignWorker([sys.executable], ECHO)
    yield worker
    worker.close()


def test_greets_through_a_launcher_s_banner(worker: ForeignWorker) -> None:
    assert worker.hello["name"] == "echo"
    assert worker.hello["python"] == "{}.{}.{}".format(*sys.version_info[:3])
    assert "banner" not in worker.last_log()


@settings(max_examples=50, deadline=None)
@given(
    arrays_of.arrays(
        dtype=st.sampled_from(["u1", "u2", "u4", "f4", "f8", "i8", "?"]),
        shape=arrays_of.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5),
    ),
    st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5) | st.lists(st.floats(allow_nan=False))),
)
def test_a_message_is_read_as_it_was_written(array: np.ndarray, fields: dict) -> None:
    fields.pop("arrays", None)
    content = memoryview(b"".join(bytes(piece) for piece in serving.encode(fields, {"a": array})))
    position = 0

    def read(count: int) -> memoryview:
        nonlocal position
        position += count
        return content[position - count : position]

    back, arrays = serving.decode(read)
    assert back == fields
    assert arrays["a"].dtype == array.dtype
    np.testing.assert_array_equal(arrays["a"], array)
    assert position == len(content)


def test_big_arrays_cross_unchanged(worker: ForeignWorker) -> None:
    sent = np.arange(3_000_000, dtype=np.float64).reshape(1000, -1)
    fields, received = worker.request("add_one", {"x": [1, 2]}, {"big": sent, "turned": sent.T}, timeout=30)
    assert fields["got"] == {"x": [1, 2]}
    np.testing.assert_array_equal(received["big"], sent + 1)
    np.testing.assert_array_equal(received["turned"], sent.T + 1)


def test_arrays_of_objects_are_not_sent(worker: ForeignWorker) -> None:
    with pytest.raises(TypeError, match="only numbers"):
        worker.request("add_one", {}, {"a": np.array([object()])}, timeout=5)


def test_an_error_in_the_worker_is_reported_and_the_worker_goes_on(worker: ForeignWorker) -> None:
    with pytest.raises(WorkerRefused, match=r"^no such scene$"):
        worker.request("refuse", timeout=5)
    with pytest.raises(WorkerRefused, match="ValueError: seven is not a colour"):
        worker.request("fail", timeout=5)
    _, received = worker.request("add_one", {}, {"a": np.zeros(2)}, timeout=5)
    assert received["a"].tolist() == [1, 1]


def test_what_is_printed_stays_out_of_the_data(worker: ForeignWorker) -> None:
    for _ in range(30):
        worker.request("chatter", timeout=10)
    _, received = worker.request("add_one", {}, {"a": np.zeros(2)}, timeout=5)
    assert received["a"].tolist() == [1, 1]
    assert "printed by a child" in worker.last_log()


def test_a_death_is_noticed_with_its_signal_and_last_words(worker: ForeignWorker) -> None:
    with pytest.raises(WorkerLost, match=r"SIGKILL \(it printed: .*about to die"):
        worker.request("die", timeout=10)


@pytest.mark.parametrize("operation", ["hang", "hang_in_native_code"])
def test_a_hang_ends_at_the_timeout(worker: ForeignWorker, gone: Callable[[int], bool], operation: str) -> None:
    started = time.monotonic()
    with pytest.raises(WorkerLost, match="in time"):
        worker.request(operation, timeout=0.5)
    assert time.monotonic() - started < 5
    assert gone(worker.pid)


def test_garbage_is_a_loss(worker: ForeignWorker) -> None:
    replies = max(int(name) for name in os.listdir(f"/proc/{worker.pid}/fd"))
    with pytest.raises(WorkerLost, match="it sent not a message: it begins with b'this'"):
        worker.request("babble", {"descriptor": replies}, timeout=10)


def test_a_worker_that_takes_too_much_memory_is_ended() -> None:
    worker = ForeignWorker([sys.executable], ECHO, memory_limit=300 << 20)
    with pytest.raises(WorkerLost, match=r"over its memory limit of 0\.29 GiB"):
        worker.request("eat", {"bytes": 600 << 20}, timeout=30)


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (["/no/such/python"], "cannot be started: No such file"),
        (["/bin/false"], "exit code 1"),
        (["/bin/sh", "-c", "echo no licence; exit 3"], r"exit code 3 \(it printed: no licence\)"),
        (["/bin/cat"], r"a megabyte|exit code 0|in time"),
    ],
)
def test_what_does_not_come_up_is_said(command: list[str], problem: str) -> None:
    with pytest.raises(WorkerLost, match=problem):
        ForeignWorker(command, ECHO, start_timeout=2)


def test_a_worker_that_never_greets_is_ended() -> None:
    with pytest.raises(WorkerLost, match="it did not start in time"):
        ForeignWorker([sys.executable], ECHO, arguments=["--mute"], start_timeout=1)


@pytest.mark.parametrize("operation", ["add_one", "hang", "hang_in_native_code"])
def test_a_worker_ends_with_its_parent_even_in_the_middle_of_its_work(
    gone: Callable[[int], bool], operation: str
) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from relocbench.sim.processes.foreign_worker import ForeignWorker\n"
        f"worker = ForeignWorker([sys.executable], Path({str(ECHO)!r}))\n"
        "print(worker.pid, flush=True)\n"
        f"worker.request({operation!r}, timeout=60)\n"
        "import time; time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    time.sleep(0.3)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert gone(pid)
