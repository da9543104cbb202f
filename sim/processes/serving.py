"""The worker's side of a pipe: framed messages, and the loop that answers them.

This file is loaded by its path in interpreters that have no relocbench (Blender's, habitat-sim's on Python 3.9): it
imports the standard library and NumPy, and nothing else. The other end of the pipe reads and writes with it too.

A message is ``MAGIC``, the lengths of a JSON object (uint32) and of a payload (uint64), both little-endian, the object,
and the payload: the raw buffers of the arrays that the object lists under ``"arrays"``, one after the other, each
C-contiguous. Nothing is pickled.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import struct
import sys
import threading
import time
import traceback
from typing import Any, BinaryIO, Callable, Dict, Mapping, Tuple  # noqa: UP035 - Python 3.9 evaluates the aliases below

import numpy as np

PROTOCOL = 1
GREETING = b"\n\x00relocbench-worker\x00"  # what a launcher may print before it is skipped up to here
MAGIC = b"RLB1"
_HEAD = struct.Struct("<4sIQ")
_KINDS = "biufc"  # kinds of NumPy types that are plain numbers
_GRACE = 2.0  # seconds to put things away in
_PR_SET_PDEATHSIG = 1

Fields = Dict[str, Any]  # noqa: UP006
Arrays = Mapping[str, Any]
Reply = Tuple[Fields, Arrays]  # noqa: UP006
Operation = Callable[[Fields, Arrays], Reply]


class ProtocolError(Exception):
    """What came over the pipe is no message."""


class Refusal(Exception):
    """Raised by an operation that cannot be done, in a sentence for the user: trying again would not help."""


def encode(fields: Fields, arrays: Arrays) -> list[Any]:
    """Return a message as pieces to be written in order; raises ``TypeError`` where a value is not plain."""
    pieces, described = [], []
    for name, array in arrays.items():
        array = np.ascontiguousarray(array)
        if array.dtype.kind not in _KINDS:
            raise TypeError(f"array {name!r} of type {array.dtype} cannot be sent: only numbers can")
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        described.append({"name": name, "dtype": array.dtype.str, "shape": array.shape})
        pieces.append(array.reshape(-1).view(np.uint8).data)
    header = json.dumps(dict(fields, arrays=described)).encode()
    return [_HEAD.pack(MAGIC, len(header), sum(len(piece) for piece in pieces)), header, *pieces]


def decode(read: Callable[[int], Any]) -> Reply:
    """Return the next message's fields and arrays, given a function that returns exactly so many bytes.

    Raises ``ProtocolError`` where the bytes are no message; what ``read`` raises passes through.
    """
    magic, length, size = _HEAD.unpack(read(_HEAD.size))
    if magic != MAGIC:
        raise ProtocolError(f"not a message: it begins with {magic!r}")
    try:
        fields = json.loads(bytes(read(length)))
        described = [(item["name"], np.dtype(item["dtype"]), tuple(item["shape"])) for item in fields.pop("arrays")]
        if any(dtype.kind not in _KINDS for _, dtype, _ in described):
            raise ValueError("an array that is not of numbers")
        sizes = [dtype.itemsize * int(np.prod(shape, dtype=np.int64)) for _, dtype, shape in described]
        if sum(sizes) != size:
            raise ValueError(f"{sum(sizes)} bytes of arrays where {size} are announced")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ProtocolError(f"a damaged message: {error}") from error
    arrays = {
        name: np.frombuffer(read(count), dtype=dtype).reshape(shape)
        for (name, dtype, shape), count in zip(described, sizes)  # noqa: B905 - not before Python 3.10
    }
    return fields, arrays


def serve(operations: Mapping[str, Operation], hello: Fields) -> None:
    """Greet with ``hello`` (name, versions, renderer), then answer requests until the other end is gone.

    An operation takes the request's fields and arrays and returns the reply's. What it raises becomes an error reply:
    the worker goes on. From here on everything printed, by Python or by native code, goes to standard error.
    """
    requests, replies = _claim_pipes()
    end_with_other_end(requests.fileno(), grace=_GRACE)
    with contextlib.suppress(BrokenPipeError, EOFError):
        replies.write(GREETING)
        _send(replies, dict(hello, protocol=PROTOCOL, python=".".join(map(str, sys.version_info[:3]))), {})
        while True:
            fields, arrays = decode(lambda count: _exactly(requests, count))
            try:
                answer = operations[fields.pop("operation")](fields, arrays)
            except Refusal as refusal:
                answer = {"error": str(refusal), "refused": True}, {}
            except Exception as error:
                traceback.print_exc()
                answer = {"error": f"{type(error).__name__}: {error}", "refused": False}, {}
            _send(replies, *answer)


def _claim_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Return the request and reply pipes, and leave nothing else that writes into the latter or reads the former."""
    sys.stdout.flush()
    requests, replies = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return os.fdopen(requests, "rb"), os.fdopen(replies, "wb")


def end_with_other_end(descriptor: int, grace: float) -> None:
    """End this process when nobody holds the other end of its pipe any more, in the middle of an operation too.

    An idle worker reads that end and leaves in good order, within ``grace`` seconds; a thread ends a busy one, wherever
    native code lets go of the interpreter; and where the parent is gone, Linux ends it in any case.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the other end decides
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    def wait_for_end() -> None:
        hangup = select.poll()
        hangup.register(descriptor, 0)  # no events asked for: only the hang-up is reported
        hangup.poll()
        time.sleep(grace)
        os._exit(1)

    threading.Thread(target=wait_for_end, daemon=True).start()


def _exactly(stream: BinaryIO, count: int) -> bytes:
    content = stream.read(count)
    if len(content) < count:
        raise EOFError
    return content


def _send(stream: BinaryIO, fields: Fields, arrays: Arrays) -> None:
    for piece in encode(fields, arrays):
        stream.write(piece)
    stream.flush()
