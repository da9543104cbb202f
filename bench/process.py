"""`WorkerProcess`: the runner's end of one worker."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from multiprocessing.connection import Pipe
from pathlib import Path

import psutil

from ..sim.processes.cores import ONE_THREAD
from ..sim.processes.memory import family
from .messages import Assignment, Command, Message


class WorkerProcess:
    """A running worker: what it prints goes to ``log``, it dies with this process, and it can be killed at any time.

    It leads a process group of its own, so that killing it also ends whatever the method may have started.
    """

    def __init__(self, assignment: Assignment, log: Path) -> None:

        self.connection, theirs = Pipe()
        lifeline, self._lifeline = os.pipe()
        launched = time.monotonic()
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                # -P: the working folder's modules (somebody's own "methods/") must not shadow installed ones
                [sys.executable, "-P", "-m", "relocbench.bench.worker", str(theirs.fileno()), str(lifeline)],
                pass_fds=[theirs.fileno(), lifeline],
                # a fixed hash seed: the order of a method's sets of strings is the same in every process
                env={**os.environ, **ONE_THREAD, "PYTHONHASHSEED": "0"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        theirs.close()
        os.close(lifeline)
        self._send(replace(assignment, launched=launched))

    def send(self, command: Command) -> None:
        """Give it work. A worker that is dead already shows when the answer is read."""
        self._send(command)

    def receive(self) -> Message:
        """Return its next message; raises ``EOFError`` or ``OSError`` where it died."""
        return self.connection.recv()

    def kill(self) -> str:
        """End it and everything it started, now; return how it ended, "SIGKILL" or "exit code 3"."""
        status = self._process.poll()
        # An isolated method leads a group of its own, which goes with its parent; what it started would not.
        others = family(self._process.pid)[1:] if status is None else []
        with contextlib.suppress(ProcessLookupError, PermissionError):  # the group is gone already
            os.killpg(self._process.pid, signal.SIGKILL)
        for process in others:
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                process.kill()
        self.connection.close()
        os.close(self._lifeline)
        ended = self._process.wait()
        status = ended if status is None else status
        return signal.Signals(-status).name if status < 0 else f"exit code {status}"

    def _send(self, value: Assignment | Command) -> None:
        with contextlib.suppress(OSError):
            self.connection.send(value)
