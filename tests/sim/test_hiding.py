"""What is hidden from a process cannot be found again from there; where nothing can be hidden, that is known."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from relocbench.sim.processes import hiding as module
from relocbench.sim.processes.hiding import can_hide, hiding

needs_namespaces = pytest.mark.skipif(not can_hide(), reason="this system does not let users make namespaces")


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """One to be hidden, and one beside it."""
    for name in ("secret", "public"):
        (tmp_path / name / "below").mkdir(parents=True)
        (tmp_path / name / "below" / "truth.txt").write_text(name)
    return tmp_path / "secret", tmp_path / "public"


def seen(prefix: list[str], command: str, *, cwd: Path | None = None) -> list[str]:
    done = subprocess.run([*prefix, "sh", "-c", command], capture_output=True, text=True, cwd=cwd, check=False)
    return done.stdout.split()


@needs_namespaces
def test_a_hidden_folder_is_empty_there_and_as_it_was_here(folders: tuple[Path, Path]) -> None:
    secret, public = folders
    prefix = hiding([str(secret)], needed=[sys.executable])
    assert seen(prefix, f"ls {secret}; cat {public}/below/truth.txt") == ["public"]
    assert seen(prefix, f"echo x > {secret}/new; ls {secret}") == []
    assert seen(prefix, "pwd; ls", cwd=secret / "below")[0] == "/"
    assert seen(prefix, "pwd", cwd=public) == [str(public)]
    assert seen(prefix, "id -u") == [str(os.getuid())]
    assert [path.name for path in secret.rglob("*.txt")] == ["truth.txt"]


@needs_namespaces
@pytest.mark.parametrize(
    "way",
    [
        "umount {secret}; cat {secret}/below/truth.txt",
        "mount --bind {secret} {public}; mount --bind / {public}; find {public} -name truth.txt -path '*secret*'",
        "unshare --user --map-root-user --mount sh -c 'umount {secret}; cat {secret}/below/truth.txt'",
        "cat /proc/$PPID/root{secret}/below/truth.txt",
        "cat /proc/{outside}/root{secret}/below/truth.txt /proc/{outside}/cwd/secret/below/truth.txt",
    ],
)
def test_there_is_no_way_back(folders: tuple[Path, Path], way: str) -> None:
    secret, public = folders
    assert Path(f"/proc/{os.getpid()}/root{secret}/below/truth.txt").exists()
    command = way.format(secret=secret, public=public, outside=os.getpid())
    assert seen(hiding([str(secret)], needed=[]), command, cwd=public) == []


def test_what_is_needed_stays(folders: tuple[Path, Path]) -> None:
    secret, public = folders
    assert hiding([str(secret)], needed=[str(secret / "below" / "method.py")]) == []
    assert hiding([], needed=[]) == []
    both = hiding([str(secret), str(public)], needed=[str(secret / "method.py")])
    assert both == ([sys.executable, "-I", module.__file__, str(public), "--"] if can_hide() else [])


def test_where_it_is_not_allowed_nothing_is_hidden(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_launcher", lambda folders: [sys.executable, "-c", "raise SystemExit(1)"])
    can_hide.cache_clear()
    try:
        assert not can_hide()
        assert hiding([str(folders[0])], needed=[]) == []
    finally:
        can_hide.cache_clear()
