"""Files appear whole or not at all, depth keeps its promise of precision, and a full disk is one clear line."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relocbench.datasets.writer import (
    WORK,
    FileRecord,
    encode_depth,
    encode_image,
    encode_semantic,
    read_record,
    write_file,
    write_record,
)
from relocbench.errors import InputError, RunError

DEPTH_UNIT = 0.0005  # metres


def decode(data: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


@given(st.lists(st.floats(0, 40, width=32), min_size=1, max_size=64))
@settings(max_examples=60, deadline=None)
def test_depth_is_exact_to_half_a_step_and_what_is_too_far_is_nothing(values):
    depth = np.array([values], dtype=np.float32)
    stored = decode(encode_depth(depth, DEPTH_UNIT))
    assert stored.dtype == np.uint16
    near = np.rint(depth.astype(np.float64) / DEPTH_UNIT) <= 65535
    assert (np.abs(stored * DEPTH_UNIT - depth)[near] <= DEPTH_UNIT / 2 + 1e-6).all()
    assert (stored[~near] == 0).all()


def test_depth_that_is_not_finite_is_nothing():
    assert (decode(encode_depth(np.array([[np.inf, np.nan, 1.0]], np.float32), DEPTH_UNIT)) == [[0, 0, 2000]]).all()


def test_pictures_and_labels_survive_png():
    random = np.random.default_rng(0)
    rgb = random.integers(0, 256, (9, 7, 3), dtype=np.uint8)
    labels = random.integers(0, 65536, (9, 7), dtype=np.uint16)
    assert (decode(encode_image(rgb, "png"))[..., ::-1] == rgb).all()
    assert (decode(encode_semantic(labels)) == labels).all()


def test_a_record_holds_only_while_the_file_has_its_bytes(tmp_path):
    record = write_file(tmp_path, "images/a/1.png", b"hello")
    assert record.holds(tmp_path)
    (tmp_path / "images/a/1.png").write_bytes(b"hellO")
    assert not record.holds(tmp_path)
    (tmp_path / "images/a/1.png").unlink()
    assert not record.holds(tmp_path)


def test_a_truncated_record_counts_as_not_done(tmp_path):
    write_record(tmp_path, "shards/a.json", [1, 2])
    assert read_record(tmp_path, "shards/a.json") == [1, 2]
    (tmp_path / WORK / "shards/a.json").write_bytes(b"[1,")
    assert read_record(tmp_path, "shards/a.json") is None
    assert read_record(tmp_path, "shards/b.json") is None


def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(tmp_path, monkeypatch):
    write_file(tmp_path, "a", b"before")

    def full(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[:2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(RunError, match=r"no space left.*run the same command again") as caught:
        write_file(tmp_path, "a", b"after")
    assert "\n" not in str(caught.value)
    assert (tmp_path / "a").read_bytes() == b"before"
    assert not list((tmp_path / WORK / "tmp").iterdir())


def test_a_file_in_the_way_of_a_folder_is_named(tmp_path):
    (tmp_path / "images").write_text("mine")
    with pytest.raises(InputError, match=r"images.*choose another folder"):
        write_file(tmp_path, "images/a.png", b"")
    assert (tmp_path / "images").read_text() == "mine"


def test_records_compare_by_content(tmp_path):
    assert write_file(tmp_path, "a", b"x") == FileRecord("a", 1, write_file(tmp_path, "b", b"x").blake2b)
