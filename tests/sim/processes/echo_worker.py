"""A worker for tests: it adds one to what it gets, and misbehaves when it is told to."""

import importlib.util
import os
import signal
import sys
import time

spec = importlib.util.spec_from_file_location("relocbench_serving", os.environ["RELOCBENCH_SERVING"])
serving = importlib.util.module_from_spec(spec)
spec.loader.exec_module(serving)


def add_one(fields, arrays):
    return {"got": fields}, {name: array + 1 for name, array in arrays.items()}


def refuse(fields, arrays):
    raise serving.Refusal("no such scene")


def fail(fields, arrays):
    raise ValueError("seven is not a colour")


def die(fields, arrays):
    print("about to die")
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)


def hang(fields, arrays):
    time.sleep(60)


def hang_in_native_code(fields, arrays):
    import ctypes

    ctypes.PyDLL(None).sleep(60)  # holds the interpreter's lock


def chatter(fields, arrays):
    print("a line of log " * 1000)
    os.system("echo printed by a child")
    return {}, {}


def eat(fields, arrays):
    hoard = bytearray(os.urandom(1)) * int(fields["bytes"])
    time.sleep(60)
    return {"kept": len(hoard)}, {}


def babble(fields, arrays):
    os.write(int(fields["descriptor"]), b"this is no message at all, and longer than a head")
    return {}, {}


print("a banner that a launcher prints")
if "--mute" in sys.argv:
    time.sleep(60)
operations = {f.__name__: f for f in (add_one, refuse, fail, die, hang, hang_in_native_code, chatter, eat, babble)}
serving.serve(operations, {"name": "echo", "versions": {"echo": "1"}, "renderer": "none"})
