"""`ForeignWorker`: this side's end of a process under another interpreter that imports nothing of relocbench."""

from __future__ import annotations

import collections
import contextlib
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from numpy.typing import NDArray

from . import serving
from .memory import family, peak_memory_bytes, resident_memory_bytes

#: The environment variable that tells a worker file where to load :mod:`~relocbench.sim.processes.serving` from.
SERVING = "RELOCBENCH_SERVING"

_LOG_LINES = 200
_GRACE = 3.0  # seconds for an idle worker to leave by itself
_MEMORY_CHECK = 0.1  # seconds
_LONGEST_GREETING = 1 << 20  # bytes that a launcher may print before the worker greets


class WorkerLost(Exception):
    """The worker died, hung, or sent what is no message. A new one may do better.

    The message says what happened; ``log`` is the last that the worker printed, "" where it printed nothing.
    """

    log = ""

    def __str__(self) -> str:
        return f"{super().__str__()} (it printed: {self.log})" if self.log else super().__str__()


class WorkerRefused(Exception):
    """The worker is well and says that it cannot do this: trying again would not help."""


class ForeignWorker:
    """A running worker: it greeted, what it prints is kept aside, and it can be ended at any time.

    ``command`` is what runs a Python file (an interpreter, or a launcher such as ``blenderproc run``); ``file`` the
    worker's. ``start_timeout`` in seconds, ``memory_limit`` in bytes of resident memory of the worker and all that it
    starts; ``tee`` is a file descriptor that also gets what it prints. ``hello`` is what the worker said about itself.
    Raises ``WorkerLost`` where it does not come up.
    """

    def __init__(
        self,
        command: Sequence[str],
        file: Path,
        *,
        arguments: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        start_timeout: float = 120.0,
        memory_limit: int | None = None,
        tee: int | None = None,
    ) -> None:
        self._log: collections.deque[str] = collections.deque(maxlen=_LOG_LINES)
        self._ended = ""  # why we ended it, where that was us
        self._buffer = bytearray()
        try:
            self._process = subprocess.Popen(
                [*command, str(file), *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**_clean_environment(), SERVING: serving.__file__, **(environment or {})},
                start_new_session=True,  # a group of its own: ending it also ends what it started
            )
        except OSError as error:
            raise WorkerLost(f"{command[0]} cannot be started: {error.strerror}") from error
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._requests, self._replies = self._process.stdin, self._process.stdout
        os.set_blocking(self._replies.fileno(), False)
        os.set_blocking(self._requests.fileno(), False)
        self._reader = threading.Thread(target=self._keep_log, args=(self._process.stderr, tee), daemon=True)
        self._reader.start()
        if memory_limit is not None:
            threading.Thread(target=self._watch_memory, args=(memory_limit,), daemon=True).start()
        with self._ended_on_error():
            self.hello = self._greeted(time.monotonic() + start_timeout)

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def request(
        self,
        operation: str,
        fields: Mapping[str, Any] | None = None,
        arrays: Mapping[str, NDArray[Any]] | None = None,
        *,
        timeout: float,
    ) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Have the worker do ``operation``; return its reply's fields and arrays (read-only views of the message).

        Raises ``WorkerLost`` where it dies, sends garbage or takes longer than ``timeout`` seconds (it is ended then),
        ``WorkerRefused`` where it answers that it cannot.
        """
        deadline = time.monotonic() + timeout
        with self._ended_on_error():
            for piece in serving.encode({**(fields or {}), "operation": operation}, arrays or {}):
                self._write(memoryview(piece), deadline)
            reply, received = self._message(deadline)
        if "error" in reply:
            raise WorkerRefused(reply["error"])
        return reply, dict(received)

    def last_log(self, lines: int = 5) -> str:
        """Return the last lines that it printed, joined by " | "; "" where there are none."""
        printed = [line for line in list(self._log) if line.strip()]
        return " | ".join(printed[-lines:])

    def peak_memory_bytes(self) -> int:
        """Return the sum of the peaks in resident memory of the process and of what it started and still runs."""
        return sum(peak_memory_bytes(process.pid) for process in family(self._process.pid))

    def close(self) -> None:
        """End it and everything that it started, after a moment to put things away. May be called twice."""
        with contextlib.suppress(OSError):
            self._requests.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=_GRACE)
        self._end()

    def _end(self) -> None:
        """End it and everything that it started, at once."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # the group is gone already
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._reader.join(timeout=1)
        for pipe in (self._requests, self._replies):
            with contextlib.suppress(OSError):  # what was still to be written is written nowhere
                pipe.close()

    @contextlib.contextmanager
    def _ended_on_error(self) -> Iterator[None]:
        """End the worker where a conversation breaks off, for whatever reason: what follows could not be told apart."""
        try:
            yield
        except BaseException as error:
            self._end()
            if isinstance(error, WorkerLost):
                error.log = self.last_log()
            raise

    def _greeted(self, deadline: float) -> dict[str, Any]:
        try:
            while (begin := self._buffer.find(serving.GREETING)) < 0:
                if len(self._buffer) > _LONGEST_GREETING:
                    raise WorkerLost("it printed a megabyte instead of greeting")
                self._fill(deadline, "it did not start")
        except WorkerLost:
            self._log.extend(self._buffer.decode(errors="replace").splitlines())  # a launcher's complaint
            raise
        del self._buffer[: begin + len(serving.GREETING)]
        hello, _ = self._message(deadline)
        if hello.get("protocol") != serving.PROTOCOL:
            raise WorkerLost(f"it speaks protocol {hello.get('protocol')}, not {serving.PROTOCOL}")
        return hello

    def _message(self, deadline: float) -> serving.Reply:
        try:
            return serving.decode(lambda count: self._exactly(count, deadline))
        except serving.ProtocolError as error:
            raise WorkerLost(f"it sent {error}") from error

    def _exactly(self, count: int, deadline: float) -> bytes:
        while len(self._buffer) < count:
            self._fill(deadline, "it did not answer", atleast=count - len(self._buffer))
        taken = bytes(memoryview(self._buffer)[:count])
        del self._buffer[:count]
        return taken

    def _fill(self, deadline: float, problem: str, atleast: int = 1) -> None:
        """Read what there is of the reply pipe; raises ``WorkerLost`` at its end and after the deadline."""
        if not _ready(self._replies.fileno(), select.POLLIN, deadline):
            raise WorkerLost(f"{problem} in time")
        content = os.read(self._replies.fileno(), min(max(atleast, 1 << 16), 1 << 22))
        if not content:
            raise WorkerLost(self._death())
        self._buffer += content

    def _write(self, piece: memoryview, deadline: float) -> None:
        descriptor = self._requests.fileno()
        while piece:
            if not _ready(descriptor, select.POLLOUT, deadline):
                raise WorkerLost("it did not take its request in time")
            try:
                piece = piece[os.write(descriptor, piece) :]
            except BlockingIOError:
                continue
            except OSError:
                raise WorkerLost(self._death()) from None

    def _death(self) -> str:
        try:
            status = self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            return "it closed its pipe"
        if self._ended:
            return self._ended
        return f"it ended by {signal.Signals(-status).name}" if status < 0 else f"it ended with exit code {status}"

    def _keep_log(self, stream: IO[bytes], tee: int | None) -> None:
        with stream:
            for line in stream:
                if tee is not None:
                    with contextlib.suppress(OSError):  # a full disk must not stop the worker
                        os.write(tee, line)
                self._log.append(line.decode(errors="replace").rstrip())

    def _watch_memory(self, limit: int) -> None:
        while self._process.poll() is None:
            if resident_memory_bytes(self._process.pid) > limit:
                self._ended = f"it went over its memory limit of {limit / 2**30:.2f} GiB"
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._process.pid, signal.SIGKILL)
                return
            time.sleep(_MEMORY_CHECK)


def _ready(descriptor: int, event: int, deadline: float) -> bool:
    """Wait until a pipe can be used, or broke; return False at the deadline."""
    poll = select.poll()  # not select(): that fails beyond the 1024th open file
    poll.register(descriptor, event)
    return bool(poll.poll(max(0.0, deadline - time.monotonic()) * 1000))


def _clean_environment() -> dict[str, str]:
    """Return this process's environment without what would make another interpreter import this one's packages."""
    unwanted = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PYTHONSTARTUP"}
    return {name: value for name, value in os.environ.items() if name not in unwanted}
