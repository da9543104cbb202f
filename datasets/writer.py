"""Writing a dataset so that a kill at any moment loses nothing: whole files by rename, shards by their record.

While a dataset is being generated, its folder holds ``.work``: the spec, one record per finished unit of work, and
temporary files. A file appears under its final name only when it is whole, and a unit counts as done only when its
record exists and the files it lists still have the digests it lists; so neither a kill nor a power cut can leave a
damaged file in a finished dataset. ``dataset.json`` comes last.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import RunError
from ..sim.processes.whole_files import disk_errors, write_whole

WORK = ".work"

#: Measured on rendered rooms at 256 x 256: stronger compression costs milliseconds per view and saves few per cent.
PNG_FAST = [cv2.IMWRITE_PNG_COMPRESSION, 1]
#: Run lengths alone suit noisy colours: a seventh faster than level 1, and a sixth smaller.
PNG_PICTURE = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
JPG_QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 95]


@dataclass(frozen=True)
class FileRecord:
    """A file that was written: its path relative to the dataset, its size in bytes, its BLAKE2b digest."""

    path: str
    size: int
    blake2b: str

    def holds(self, root: Path) -> bool:
        """Return whether the file is there with these bytes."""
        try:
            data = (root / self.path).read_bytes()
        except FileNotFoundError:
            return False
        return len(data) == self.size and digest(data) == self.blake2b


def digest(data: bytes) -> str:
    """Return the BLAKE2b digest (16 bytes) in hexadecimal."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def write_file(root: Path, path: str, data: bytes) -> FileRecord:
    """Write ``root/path`` whole or not at all, making its folder.

    Raises `InputError` where the place cannot be written to, `RunError` where the disk is full.
    """
    with disk_errors(root / path):
        write_whole(root / path, data, aside=work_in_progress(root))
    return FileRecord(path, len(data), digest(data))


def work_in_progress(root: Path) -> Path:
    """Return the folder, in the working area of the dataset ``root``, of what is not whole yet."""
    return root / WORK / "tmp"


def write_record(root: Path, path: str, content: Any) -> None:
    """Write the JSON record that says a unit of work is done; ``path`` is relative to the working area."""
    write_file(root, f"{WORK}/{path}", json.dumps(content).encode())


def read_record(root: Path, path: str) -> Any | None:
    """Return a record, or None where the unit is not done (or a power cut left its record unreadable)."""
    try:
        return json.loads((root / WORK / path).read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def write_table(root: Path, path: str, table: pd.DataFrame) -> FileRecord:
    """Write a table as parquet, with its index; ``path`` is relative to the working area."""
    buffer = io.BytesIO()
    table.to_parquet(buffer)
    return write_file(root, f"{WORK}/{path}", buffer.getvalue())


def encode_image(rgb: NDArray[Any], image_format: str) -> bytes:
    """Return the bytes of a png or jpg of an sRGB image (H, W, 3) uint8."""
    options = PNG_PICTURE if image_format == "png" else JPG_QUALITY
    return _encode(f".{image_format}", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options)


def encode_depth(depth: NDArray[Any], unit: float) -> bytes:
    """Return a 16-bit png of z-depth (H, W) in metres, in steps of ``unit`` metres.

    What lies beyond 65535 steps becomes 0, "nothing seen": a saturated value would be a wrong surface.
    """
    steps = np.rint(depth.astype(np.float64) / unit)
    steps[~(steps <= 65535)] = 0
    return _encode(".png", steps.astype(np.uint16), PNG_FAST)


def encode_semantic(semantic: NDArray[Any]) -> bytes:
    """Return a 16-bit png of category ids (H, W)."""
    return _encode(".png", semantic.astype(np.uint16), PNG_FAST)


def _encode(extension: str, array: NDArray[Any], options: list[int]) -> bytes:
    encoded, data = cv2.imencode(extension, array, options)
    if not encoded:
        raise RunError(f"OpenCV could not encode a {array.shape} {array.dtype} array as {extension}")
    return data.tobytes()
