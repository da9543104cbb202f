"""`View` and `ViewSet`: rows of a dataset's views table, with their files read when asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import InputError
from ..sim.geometry import Camera, Pose

#: How an image is read: as its pixels are stored, which is what its camera describes, whatever a file says of turning.
STORED = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION

#: The files that a view may have, by what they hold.
FILES = ("image", "depth", "semantic")

POSE_COLUMNS = ["qw", "qx", "qy", "qz", "tx", "ty", "tz"]
CAMERA_COLUMNS = ["width", "height", "fx", "fy", "cx", "cy"]

#: Columns of views.parquet and their dtypes, those of the protocol's own aside, which stand beside them. Floats are
#: float64 and NaN where they do not apply; strings "" likewise.
VIEW_COLUMNS: dict[str, str] = {
    "view": "string",  # unique id, "<scene>/<name>", also the stem of its files
    "scene": "string",
    "split": "string",  # train | val | test; scenes never cross splits
    "role": "string",  # train (views to learn from) | reference | query
    "map": "string",  # the map that a reference belongs to and a query is localized in; a room or a scene
    "room": "string",
    "condition": "string",
    "simulator": "string",
    **dict.fromkeys(CAMERA_COLUMNS[:2], "int32"),
    **dict.fromkeys(CAMERA_COLUMNS[2:], "float64"),
    **dict.fromkeys(POSE_COLUMNS, "float64"),  # world_from_camera
    "place": "int32",  # place class of references and queries, numbered within a map; -1 where there are none
    "density": "int32",  # references: the smallest number of references per map that includes it; 0 for other roles
    "covisibility": "float64",  # queries: the share of its pixels that ``covisible_reference`` sees
    "covisible_reference": "string",  # queries: the reference of its place; without places, of the first density the
    # one that sees most of it
    "image": "string",  # paths relative to the dataset's folder, "" where the output was not asked for
    "depth": "string",
    "semantic": "string",
}


class WithheldError(Exception):
    """Raised where a method asks for ground truth that its ``privileges`` do not name."""


@dataclass(frozen=True, eq=False)
class View:
    """One view: its id, where it belongs, its camera and ground-truth pose; files are read when asked for.

    ``withheld`` names what of "depth" and "semantic" is not handed over.
    """

    id: str
    scene: str
    split: str
    role: str
    map: str
    room: str
    condition: str
    place: int
    camera: Camera
    pose: Pose
    root: Path
    files: dict[str, str]
    depth_unit: float
    withheld: frozenset[str] = frozenset()

    def image(self) -> NDArray[Any]:
        """Return the image (H, W, 3) uint8 sRGB; raises ``InputError`` where its file is missing or unreadable."""
        return cv2.cvtColor(self._read("image", STORED), cv2.COLOR_BGR2RGB)

    def depth(self) -> NDArray[Any]:
        """Return z-depth (H, W) float32 in metres, 0 where nothing was hit.

        Raises like :meth:`image`, and ``WithheldError`` for that of a reference without the privilege.
        """
        return self._read("depth", cv2.IMREAD_UNCHANGED).astype(np.float32) * np.float32(self.depth_unit)

    def semantic(self) -> NDArray[Any]:
        """Return category ids (H, W) uint16, 0 for unknown; raises like :meth:`depth`."""
        return self._read("semantic", cv2.IMREAD_UNCHANGED)

    def _read(self, kind: str, flags: int) -> NDArray[Any]:
        if kind in self.withheld:
            raise WithheldError(
                f"the {kind} of the reference {self.id} is ground truth: let the method's privileges name "
                f"'reference {kind}'"
            )
        if not self.files[kind]:
            raise InputError(f"{self.id}: the dataset {self.root} has no {kind}; generate it with outputs: [{kind}]")
        path = self.root / self.files[kind]
        array = cv2.imread(str(path), flags)
        if array is None:
            raise InputError(f"{path}: missing or not an image; run 'relocbench check {self.root}'")
        return array


class ViewSet(Sequence[View]):
    """An ordered selection of a dataset's views: a table (``VIEW_COLUMNS``), and each row as a :class:`View`.

    ``root`` is the folder that their files lie in: the dataset's, or where they are handed to a method, one that holds
    nothing else. ``withheld`` names what of "depth" and "semantic" is not handed over.
    """

    def __init__(
        self, table: pd.DataFrame, root: Path, *, depth_unit: float, withheld: frozenset[str] = frozenset()
    ) -> None:
        self.table = table.reset_index(drop=True)
        self.root = root
        self.depth_unit = depth_unit
        self.withheld = withheld

    def __len__(self) -> int:
        return len(self.table)

    def __iter__(self) -> Iterator[View]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self._of(self.table.iloc[index])
        row = self.table.iloc[int(index)]
        return View(
            id=row["view"],
            scene=row["scene"],
            split=row["split"],
            role=row["role"],
            map=row["map"],
            room=row["room"],
            condition=row["condition"],
            place=int(row["place"]),
            camera=camera_of(row),
            pose=pose_from_table(self.table.iloc[[int(index)]])[0],
            root=self.root,
            files={kind: row[kind] for kind in FILES},
            depth_unit=self.depth_unit,
            withheld=self.withheld,
        )

    def where(self, **equal: Any) -> ViewSet:
        """Return the views whose columns equal the given values, in order: ``where(split="test", role="query")``."""
        keep = np.ones(len(self.table), dtype=bool)
        for column, value in equal.items():
            keep &= (self.table[column] == value).to_numpy(dtype=bool)
        return self._of(self.table[keep])

    def at_density(self, density: int) -> ViewSet:
        """Return the references of a map with ``density`` references: a sweep only ever adds references."""
        keep = (self.table["density"] <= density).to_numpy(dtype=bool)
        return self._of(self.table[keep])

    @property
    def ids(self) -> list[str]:
        """The view ids, in order."""
        return list(self.table["view"])

    @property
    def poses(self) -> Pose:
        """The ground-truth poses as one batch (N, 4, 4)."""
        return pose_from_table(self.table)

    def _of(self, table: pd.DataFrame) -> ViewSet:
        return ViewSet(table, self.root, depth_unit=self.depth_unit, withheld=self.withheld)


def camera_of(row: pd.Series) -> Camera:
    """Return the camera that a row of a views table holds."""
    return Camera(*(int(row[c]) for c in CAMERA_COLUMNS[:2]), *(float(row[c]) for c in CAMERA_COLUMNS[2:]))


def pose_from_table(table: pd.DataFrame, prefix: str = "") -> Pose:
    """Return the poses (N, 4, 4) world_from_camera held in a table's seven pose columns, which may carry a prefix."""
    values = table[[prefix + column for column in POSE_COLUMNS]].to_numpy(dtype=np.float64)
    if len(values) == 0:
        return Pose.identity(0)
    return Pose.from_quaternion(values[:, :4], values[:, 4:])


def pose_columns(poses: Pose, prefix: str = "") -> dict[str, NDArray[Any]]:
    """Return a batch's seven pose columns by name: the inverse of :func:`pose_from_table`."""
    values = np.concatenate([poses.quaternion, poses.translation.astype(np.float64)], axis=-1)
    return {prefix + column: values[:, i] for i, column in enumerate(POSE_COLUMNS)}
