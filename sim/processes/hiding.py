"""Hiding folders from a process: it is started in Linux namespaces of its own, where they are empty.

No privilege is needed where the system lets users make user namespaces; where it does not, nothing can be hidden
(:func:`can_hide`). Run as a program, this file hides folders and becomes a command: ``hiding.py FOLDER... -- COMMAND``.
It imports the standard library only.
"""

from __future__ import annotations

import ctypes
import functools
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence

_CLONE_NEWNS, _CLONE_NEWUSER = 0x00020000, 0x10000000
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_REC, _MS_PRIVATE = 1, 2, 4, 0x4000, 1 << 18
_SECONDS = 30.0  # for a test that takes a few milliseconds


@functools.cache
def can_hide() -> bool:
    """Return whether this user may make the namespaces that it takes, on this machine."""
    if sys.platform != "linux":
        return False
    try:
        test = subprocess.run([*_launcher([os.path.dirname(__file__)]), "true"], capture_output=True, timeout=_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return test.returncode == 0


def hiding(folders: Sequence[str], *, needed: Iterable[str]) -> list[str]:
    """Return what a command begins with that runs without seeing what is in ``folders``; nothing where it cannot be.

    A folder that holds one of the paths that are ``needed`` stays visible.
    """
    paths = [os.path.realpath(path) for path in needed]
    hidden = [folder for folder in map(os.path.realpath, folders) if not any(_within(path, folder) for path in paths)]
    return _launcher(hidden) if hidden and can_hide() else []


def _launcher(folders: Sequence[str]) -> list[str]:
    return [sys.executable, "-I", __file__, *folders, "--"]


def _within(path: str, folder: str) -> bool:
    return os.path.commonpath([path, folder]) == folder


def hide(folders: Iterable[str]) -> None:
    """Make folders empty for this process and those that it starts; raises ``OSError`` where that is not allowed."""
    here = os.getcwd()
    _own_namespaces()
    _call("mount", b"none", b"/", None, _MS_REC | _MS_PRIVATE, None)
    for folder in folders:
        if os.path.isdir(folder):  # it may lie in one that is hidden already
            flags = _MS_RDONLY | _MS_NOSUID | _MS_NODEV
            _call("mount", b"none", os.fsencode(folder), b"tmpfs", flags, b"mode=555,size=4k")
    _own_namespaces()  # once more: from below, what was mounted above cannot be taken away
    try:
        os.chdir(here)  # by its name: the folder itself may be one of those
    except FileNotFoundError:
        os.chdir("/")


def _own_namespaces() -> None:
    user, group = os.getuid(), os.getgid()
    _call("unshare", _CLONE_NEWUSER | _CLONE_NEWNS)
    for name, content in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(content)


def _call(function: str, *arguments: object) -> None:
    if getattr(ctypes.CDLL(None, use_errno=True), function)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), f"{function}: {os.strerror(ctypes.get_errno())}")


def main(arguments: Sequence[str]) -> None:
    """Hide the folders before "--" and become the command behind it."""
    split = arguments.index("--")
    try:
        hide(arguments[:split])
    except OSError as error:
        sys.exit(f"folders cannot be hidden: {error}")
    command = list(arguments[split + 1 :])
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
