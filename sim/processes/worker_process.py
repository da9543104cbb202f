"""`WorkerProcess`: a fresh interpreter with this package in it, spoken to over a pipe; it dies with its parent."""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import subprocess
import sys
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any

import psutil

from .cores import ONE_THREAD
from .memory import family
from .serving import end_with_other_end


class WorkerProcess:
    """A running worker, limited to one thread, so that its parent's thread settings never matter.

    ``entry`` (``"relocbench.module:function"``) is called there with its end of the connection. What it prints goes to
    ``log``, by default to where its parent prints. It leads a process group of its own, and can be killed at any time.
    """

    def __init__(self, entry: str, *, log: Path | None = None) -> None:
        self.connection, theirs = Pipe()
        with contextlib.ExitStack() as files:
            output = None if log is None else files.enter_context(log.open("ab"))
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-c", _BOOT, str(theirs.fileno()), entry],
                pass_fds=[theirs.fileno()],
                # a fixed hash seed: the order of a method's sets of strings is the same in every process
                env={**os.environ, **ONE_THREAD, "PYTHONHASHSEED": "0"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        theirs.close()
        self.send(list(sys.path))

    def send(self, value: Any) -> None:
        """Give it something. A worker that is dead already shows when the answer is read."""
        with contextlib.suppress(OSError):
            self.connection.send(value)

    def receive(self) -> Any:
        """Return its next message; raises ``EOFError`` or ``OSError`` where it died."""
        return self.connection.recv()

    def kill(self) -> str:
        """End it and everything that it started, now; return how it ended, "SIGKILL" or "exit code 3"."""
        status = self.process.poll()
        # What leads a group of its own goes with its parent; what that one started would not.
        others = family(self.process.pid)[1:] if status is None else []
        with contextlib.suppress(ProcessLookupError, PermissionError):  # the group is gone already
            os.killpg(self.process.pid, signal.SIGKILL)
        for process in others:
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                process.kill()
        self.connection.close()
        ended = self.process.wait()
        status = ended if status is None else status
        return signal.Signals(-status).name if status < 0 else f"exit code {status}"


#: sys.path comes first, before relocbench is imported, so that a worker imports what its parent would. -P above: the
#: working folder's modules must not shadow installed ones before that.
_BOOT = """
import sys
from multiprocessing.connection import Connection
connection = Connection(int(sys.argv[1]))
try:
    sys.path[:] = connection.recv()
except EOFError:
    sys.exit(1)
from relocbench.sim.processes.worker_process import begin
begin(connection, sys.argv[2])
"""


def begin(connection: Connection, entry: str) -> None:
    """Set up a worker's process (signals, death with its parent) and call what it is for."""
    end_with_other_end(connection.fileno(), grace=0.0)
    module, _, function = entry.partition(":")
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        getattr(importlib.import_module(module), function)(connection)
