"""What holds for the ground floor whatever stands on it: one holder of a lock, whole files, no orphans."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time

import psutil
import pytest
from relocbench.errors import InputError, RunError
from relocbench.sim.processes.locks import FOREVER, held
from relocbench.sim.processes.whole_files import whole_file, write_whole
from relocbench.sim.processes.worker_process import WorkerProcess

BUSY = RunError("taken")


def test_only_one_process_at_a_time_holds_a_lock(tmp_path):
    """Each of several processes reads a number, waits, and writes it back plus one: none of the additions is lost."""
    add = (
        "import sys, time; from pathlib import Path\n"
        "from relocbench.sim.processes.locks import FOREVER, held\n"
        "number = Path(sys.argv[1])\n"
        "for _ in range(5):\n"
        "    with held(number.with_name('lock'), busy=RuntimeError(), wait=FOREVER):\n"
        "        value = int(number.read_text()); time.sleep(0.01); number.write_text(str(value + 1))\n"
    )
    number = tmp_path / "number"
    number.write_text("0")
    processes = [subprocess.Popen([sys.executable, "-c", add, str(number)]) for _ in range(4)]
    assert [process.wait() for process in processes] == [0] * 4
    assert number.read_text() == "20"


def test_a_lock_is_refused_while_it_is_held_and_free_once_its_holder_was_killed(tmp_path):
    hold = (
        "import sys, time; from pathlib import Path\n"
        "from relocbench.sim.processes.locks import held\n"
        "with held(Path(sys.argv[1]), busy=RuntimeError()):\n"
        "    print('held', flush=True); time.sleep(600)\n"
    )
    lock = tmp_path / "folder" / "lock"
    holder = subprocess.Popen([sys.executable, "-c", hold, str(lock)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(RunError, match="taken"), held(lock, busy=BUSY):
        pass
    holder.kill()
    holder.wait()
    with held(lock, busy=BUSY, wait=FOREVER):
        pass


def test_a_lock_where_no_file_can_be_is_the_callers_mistake(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file: cannot be written to"), held(tmp_path / "file" / "lock", busy=BUSY):
        pass


def test_whoever_reads_while_a_writer_is_killed_finds_a_whole_file(tmp_path):
    write = (
        "import sys; from pathlib import Path\n"
        "from relocbench.sim.processes.whole_files import write_whole\n"
        "n = 0\n"
        "while True:\n"
        "    n += 1; write_whole(Path(sys.argv[1]), bytes([n % 256]) * 1_000_000)\n"
    )
    path, chance = tmp_path / "file", random.Random(0)
    for _ in range(3):
        writer = subprocess.Popen([sys.executable, "-c", write, str(path)])
        until = time.monotonic() + 0.5 + chance.uniform(0, 0.05)
        while time.monotonic() < until or not path.exists():
            if path.exists():
                content = path.read_bytes()
                assert len(content) == 1_000_000
                assert content.count(content[0]) == len(content)
        writer.kill()
        writer.wait()
        assert len(path.read_bytes()) == 1_000_000


def test_a_file_whose_writing_fails_leaves_the_old_one_and_nothing_else(tmp_path):
    write_whole(tmp_path / "new" / "file", b"old")
    with contextlib.suppress(ZeroDivisionError), whole_file(tmp_path / "new" / "file") as temporary:
        temporary.write_bytes(b"half")
        raise ZeroDivisionError
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["file"]
    assert (tmp_path / "new" / "file").read_bytes() == b"old"


def test_a_worker_ends_with_its_parent_even_where_that_is_killed():
    start = (
        "import sys, time\n"
        "from relocbench.sim.processes.worker_process import WorkerProcess\n"
        "worker = WorkerProcess('relocbench.sim.processes.local:perform_units')\n"
        "print(worker.process.pid, flush=True); time.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", start], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    worker = psutil.Process(int(parent.stdout.readline()))
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    worker.wait(timeout=10)
    assert not worker.is_running()


def test_what_a_worker_started_is_ended_with_it(tmp_path):
    """Although it leads a group of its own."""
    (tmp_path / "starts_a_child.py").write_text(
        "import subprocess, time\n"
        "def entry(connection):\n"
        "    child = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        "    connection.send(child.pid); time.sleep(600)\n"
    )
    sys.path.append(str(tmp_path))
    try:
        worker = WorkerProcess("starts_a_child:entry")
        child = psutil.Process(worker.receive())
    finally:
        sys.path.remove(str(tmp_path))
    assert worker.kill() == "SIGKILL"
    child.wait(timeout=10)


def test_a_worker_whose_entry_cannot_be_imported_says_so_in_its_log(tmp_path):
    worker = WorkerProcess("relocbench.nowhere:main", log=tmp_path / "log")
    with pytest.raises((EOFError, OSError)):
        worker.receive()
    assert worker.process.wait(10) == 1
    assert worker.kill() == "exit code 1"
    assert "No module named 'relocbench.nowhere'" in (tmp_path / "log").read_text()
