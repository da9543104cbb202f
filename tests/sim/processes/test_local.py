"""The pool's promises: every task once, in any order; dead workers are replaced; orphans die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from types import ModuleType

import psutil
import pytest
from relocbench.errors import InputError, RunError
from relocbench.sim.processes.executor import make_executor
from relocbench.sim.processes.local import LocalProcesses

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def tasks() -> ModuleType:
    sys.path.insert(0, str(HERE))
    try:
        import squares

        yield squares
    finally:
        sys.path.remove(str(HERE))


@pytest.fixture(scope="module")
def pool(tasks: ModuleType) -> LocalProcesses:
    with LocalProcesses(jobs=2) as pool:
        yield pool


def test_every_task_is_done_once(pool, tasks):
    done = {task.number: result[0] for task, result in pool.run([tasks.Square(n) for n in range(20)], {})}
    assert done == {n: n**2 for n in range(20)}


def test_a_worker_keeps_what_it_loaded(pool, tasks):
    jobs = [tasks.Square(n, affinity=f"scene {n % 2}") for n in range(16)]
    workers = {}
    for task, (_, process) in pool.run(jobs, {}):
        workers.setdefault(process, []).append(task.affinity)
    # two scenes, two workers: a worker that is not helping out at the end stays with its scene
    assert all(len(set(seen[:4])) == 1 for seen in workers.values())


@pytest.mark.parametrize(("kind", "error"), [("input", InputError), ("run", RunError)])
def test_errors_of_a_task_reach_the_caller(tasks, kind, error):
    with LocalProcesses(jobs=1) as pool, pytest.raises(error, match=r"bad scene|disk full"):
        list(pool.run([tasks.Fail(1, kind=kind)], {}))


def test_a_bug_is_reported_with_the_workers_traceback(tasks):
    with LocalProcesses(jobs=1) as pool, pytest.raises(RunError, match="square of 1: unexpected KeyError") as caught:
        list(pool.run([tasks.Fail(1, kind="bug")], {}))
    assert "squares.py" in str(caught.value.__cause__)


def test_a_task_whose_worker_dies_is_tried_again(tasks, tmp_path):
    with LocalProcesses(jobs=2) as pool:
        jobs = [tasks.Square(2), tasks.DieOnce(3, folder=tmp_path, times=2), tasks.Square(4)]
        assert {task.number: result[0] for task, result in pool.run(jobs, {})} == {2: 4, 3: 9, 4: 16}


def test_each_of_several_tasks_with_one_name_has_its_own_attempts(tasks, tmp_path):
    jobs = [tasks.DieOnce(3, affinity=part, folder=tmp_path / part, times=2) for part in ("one", "other")]
    for job in jobs:
        job.folder.mkdir()
    with LocalProcesses(jobs=1) as pool:
        assert [result[0] for _, result in pool.run(jobs, {})] == [9, 9]


def test_a_task_that_always_kills_its_worker_is_given_up(tasks, tmp_path):
    with LocalProcesses(jobs=1) as pool, pytest.raises(RunError, match=r"died 3 times.*SIGKILL"):
        list(pool.run([tasks.DieOnce(3, folder=tmp_path, times=99)], {}))


@pytest.mark.timeout(30)
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_worker_that_dies_between_two_runs_is_replaced(tasks, jobs):
    state: dict[str, int] = {}
    with LocalProcesses(jobs=jobs) as pool:
        list(pool.run([tasks.Square(n) for n in range(4)], state))
        pool._lanes[0].process.process.kill()
        pool._lanes[0].process.process.wait()
        assert sorted(result[0] for _, result in pool.run([tasks.Square(n) for n in range(4)], state)) == [0, 1, 4, 9]


def test_workers_die_with_a_parent_that_is_killed(tmp_path):
    script = f"""
        import sys
        from pathlib import Path
        sys.path.insert(0, {str(HERE)!r})
        from squares import Sleep
        from relocbench.sim.processes.local import LocalProcesses
        with LocalProcesses(jobs=2) as pool:
            list(pool.run([Sleep(n, affinity=str(n), file=Path({str(tmp_path)!r}) / str(n)) for n in range(2)], {{}}))
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)])
    workers = [int(wait_for(tmp_path / str(n))) for n in range(2)]
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    _, alive = psutil.wait_procs([psutil.Process(pid) for pid in workers if psutil.pid_exists(pid)], timeout=10)
    assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


def wait_for(file: Path) -> str:
    deadline = time.monotonic() + 60
    while not (file.exists() and file.read_text()):
        assert time.monotonic() < deadline, f"{file} did not appear"
        time.sleep(0.05)
    return file.read_text()


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("moon", {}, "unknown executor 'moon'; known: local, ray"),
        ("local", {"address": "10.0.0.1:6379"}, "--address 10.0.0.1:6379: an executor with an address"),
    ],
)
def test_a_place_that_there_is_not_is_named(name, options, message):
    with pytest.raises(InputError, match=message):
        make_executor(name, **options)


def test_without_ray_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "relocbench.sim.processes.ray_cluster", raising=False)
    with pytest.raises(InputError, match=r"executor 'ray' needs ray: pip install 'relocbench\[ray\]'"):
        make_executor("ray")


def test_a_folder_that_the_worker_does_not_see_is_named_with_what_to_do(tasks, tmp_path):
    """As where storage is not shared: the folder is known where the work is handed out, and not where it arrives."""
    state = tasks.Folder(tmp_path / "elsewhere")
    with (
        LocalProcesses(jobs=1) as pool,
        pytest.raises(InputError, match=r"elsewhere: not there on .*share the"),
    ):
        list(pool.run([tasks.Square(2)], state))
