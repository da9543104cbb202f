from __future__ import annotations

import pytest
from relocbench.bench.journal import Journal, read_entries
from relocbench.errors import RunError


def write(path, entries):
    journal = Journal(path)
    for entry in entries:
        journal.append(entry)
    journal.close()


def test_whatever_byte_a_kill_stops_at_the_whole_entries_before_it_are_kept(tmp_path):
    entries = [{"query": f"q{i}", "x": i / 3} for i in range(4)]
    write(tmp_path / "whole", entries)
    content = (tmp_path / "whole").read_bytes()
    ends = [i + 1 for i, byte in enumerate(content) if byte == ord("\n")]
    for length in range(len(content) + 1):
        path = tmp_path / "cut"
        path.write_bytes(content[:length])
        complete = sum(end <= length for end in ends)
        write(path, entries[complete:])
        assert read_entries(path) == (entries, len(content))


def test_a_damaged_line_ends_what_is_trusted(tmp_path):
    write(tmp_path / "j", [{"a": 1}, {"b": 2}, {"c": 3}])
    content = (tmp_path / "j").read_bytes().replace(b'{"b"', b"\0\0\0\0")
    (tmp_path / "j").write_bytes(content)
    assert read_entries(tmp_path / "j")[0] == [{"a": 1}]
    write(tmp_path / "j", [{"b": 2}])
    assert read_entries(tmp_path / "j")[0] == [{"a": 1}, {"b": 2}]


def test_values_come_back_exactly(tmp_path):
    entry = {"pose": [0.1 + 0.2, float("inf"), 1e-300], "text": "a\nb ü"}
    write(tmp_path / "j", [entry])
    assert read_entries(tmp_path / "j")[0] == [entry]


def test_an_unwritable_place_is_a_run_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot be written"):
        Journal(tmp_path / "file" / "journal")
