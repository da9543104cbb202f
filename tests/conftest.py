"""A small scene built by hand, shared by every part's tests: fast to build, small to render, rich in features."""

from __future__ import annotations

import sys
import time
import venv
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import psutil
import pytest
from numpy.typing import NDArray
from relocbench import registry
from relocbench.sim.scene import Instance, Lamp, Lighting, Material, Room, Scene, Sun
from shapely import box as rectangle
from shapely import unary_union
from shapely.geometry import MultiPolygon

WALL = 0.12  # thickness, metres
HEIGHT = 2.5
CLEARANCE = 0.45
DOOR = (1.4, 2.6)  # y range of the doorway, which is DOOR_HEIGHT high
DOOR_HEIGHT = 2.1
LIVING = (0.0, 0.0, 5.0, 4.0)  # x0, y0, x1, y1
BEDROOM = (5.0 + WALL, 0.0, 9.0 + WALL, 4.0)
TILE = 2.5  # metres of surface that one texture covers
CATEGORIES = ("unknown", "wall", "floor", "ceiling", "sofa", "table", "bed", "cabinet", "box", "lamp", "painting")

#: Furniture: category, room, box x0, y0, z0, x1, y1, z1.
FURNITURE = (
    ("sofa", "living", (0.0, 1.0, 0.0, 0.8, 2.9, 0.7)),
    ("table", "living", (2.2, 2.9, 0.0, 3.4, 3.5, 0.75)),
    ("cabinet", "living", (4.4, 0.0, 0.0, 5.0, 1.0, 1.8)),
    ("box", "living", (2.4, 0.0, 0.0, 2.8, 0.4, 0.4)),
    ("painting", "living", (1.2, 3.97, 1.2, 2.0, 4.0, 1.8)),
    ("bed", "bedroom", (7.12, 2.0, 0.0, 9.12, 4.0, 0.5)),
    ("cabinet", "bedroom", (5.4, 3.45, 0.0, 6.6, 4.0, 2.0)),
    ("box", "bedroom", (8.6, 0.0, 0.0, 9.12, 0.5, 0.5)),
    ("painting", "bedroom", (9.09, 0.8, 1.1, 9.12, 1.5, 1.7)),
)
LAMPS = {"living": (2.5, 2.0, 2.2), "bedroom": (7.12, 2.0, 2.2)}


@pytest.fixture
def offer(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str, object], None]:
    """A function that offers an object by name in a registry's group, as an installed package does by entry point."""
    module = ModuleType("brought_by_a_package")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    points: list[EntryPoint] = []
    monkeypatch.setattr(registry, "entry_points", lambda group: [p for p in points if p.group == group])

    def offered(group: str, name: str, thing: object) -> None:
        attribute = f"thing_{len(points)}"
        setattr(module, attribute, thing)
        points.append(EntryPoint(name, f"{module.__name__}:{attribute}", f"relocbench.{group}"))

    return offered


@pytest.fixture(scope="session")
def gone() -> Callable[[int], bool]:
    """A function that waits for a process to end (or be nobody's but the system's to bury), and says whether it did."""

    def gone(pid: int, within: float = 10.0) -> bool:
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
            time.sleep(0.02)
        return False

    return gone


@pytest.fixture(scope="session")
def make_box_room() -> Callable[..., Scene]:
    """The builder behind ``box_room``, for tests that need another seed or a finer mesh: see `build_box_room`."""
    return build_box_room


@pytest.fixture(scope="session")
def box_room() -> Scene:
    """Two textured rooms, "living" (5 x 4 m) and "bedroom" (4 x 4 m), joined by a doorway. Read-only, shared."""
    return build_box_room()


@pytest.fixture(scope="session")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another interpreter that has nothing but Python."""
    return _environment(tmp_path_factory.mktemp("bare") / "environment") / "bin" / "python"


@pytest.fixture(scope="session")
def numpy_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another interpreter that has NumPy, and nothing else: no relocbench, no OpenCV."""
    folder = _environment(tmp_path_factory.mktemp("numpy") / "environment")
    (site_packages,) = folder.glob("lib/python*/site-packages")
    installed = Path(np.__file__).parents[1]
    for name in ("numpy", "numpy.libs"):
        if (installed / name).is_dir():
            (site_packages / name).symlink_to(installed / name)
    return folder / "bin" / "python"


def _environment(folder: Path) -> Path:
    venv.create(folder, with_pip=False, symlinks=True)
    return folder


def build_box_room(seed: int = 0, *, edge: float = 1.0) -> Scene:
    """Build the scene; ``seed`` draws the textures, ``edge`` is the longest side of a mesh cell in metres."""
    mesh = _Mesh(edge=edge, random=np.random.default_rng(seed))
    for name, boxes in _shell().items():
        mesh.add(name.split()[0], name.split()[1], boxes)
    for category, room, bounds in FURNITURE:
        mesh.add(category, room, [bounds])
    for room, (x, y, z) in LAMPS.items():
        mesh.add("lamp", room, [(x - 0.06, y - 0.06, z + 0.12, x + 0.06, y + 0.06, HEIGHT)], emission=(0.6, 0.55, 0.45))
    rooms = (Room("living", "living room", rectangle(*LIVING)), Room("bedroom", "bedroom", rectangle(*BEDROOM)))
    return Scene(
        name=f"box-room-{seed}",
        vertices=np.concatenate(mesh.vertices).astype(np.float32),
        normals=np.concatenate(mesh.normals).astype(np.float32),
        uvs=np.concatenate(mesh.uvs).astype(np.float32),
        triangles=np.concatenate(mesh.triangles).astype(np.int32),
        triangle_material=np.concatenate(mesh.materials).astype(np.int32),
        triangle_instance=np.concatenate(mesh.owners).astype(np.int32),
        materials=tuple(mesh.looks),
        instances=tuple(mesh.instances),
        categories=CATEGORIES,
        conditions=_conditions(),
        rooms=rooms,
        navigable=_navigable(rooms),
        generator={"name": "box-room", "seed": seed, "edge": edge},
    )


Box = tuple[float, float, float, float, float, float]


def _shell() -> dict[str, list[Box]]:
    """Floors, ceilings and walls as solid boxes that touch, so that no light leaks; one window in each room."""
    (x0, y0, x1, y1), (x2, _, x3, _) = LIVING, BEDROOM
    t, h, middle = WALL, HEIGHT, (x1 + x2) / 2
    west = [(-t, 0, 0, 0, 1.2, h), (-t, 2.8, 0, 0, y1, h), (-t, 1.2, 0, 0, 2.8, 0.9), (-t, 1.2, 2.1, 0, 2.8, h)]
    east = [(x3, 0, 0, x3 + t, 1.9, h), (x3, 3.1, 0, x3 + t, y1, h)]
    east += [(x3, 1.9, 0, x3 + t, 3.1, 0.9), (x3, 1.9, 2.1, x3 + t, 3.1, h)]
    between = [(x1, 0, 0, x2, DOOR[0], h), (x1, DOOR[1], 0, x2, y1, h), (x1, DOOR[0], DOOR_HEIGHT, x2, DOOR[1], h)]
    return {
        "floor living": [(x0 - t, y0 - t, -0.1, middle, y1 + t, 0)],
        "floor bedroom": [(middle, y0 - t, -0.1, x3 + t, y1 + t, 0)],
        "ceiling living": [(x0 - t, y0 - t, h, middle, y1 + t, h + 0.1)],
        "ceiling bedroom": [(middle, y0 - t, h, x3 + t, y1 + t, h + 0.1)],
        "wall living west": west,
        "wall living south": [(-t, -t, 0, middle, 0, h)],
        "wall living north": [(-t, y1, 0, middle, y1 + t, h)],
        "wall bedroom south": [(middle, -t, 0, x3 + t, 0, h)],
        "wall bedroom north": [(middle, y1, 0, x3 + t, y1 + t, h)],
        "wall bedroom east": east,
        "wall living between": between,
    }


def _navigable(rooms: tuple[Room, ...]) -> MultiPolygon:
    doorway = rectangle(LIVING[2], DOOR[0], BEDROOM[0], DOOR[1])
    floor = unary_union([*(room.polygon for room in rooms), doorway])
    footprints = [rectangle(b[0], b[1], b[3], b[4]) for _, _, b in FURNITURE if b[2] == 0]
    free = floor.difference(unary_union(footprints)).buffer(-CLEARANCE, join_style="mitre")
    return free if isinstance(free, MultiPolygon) else MultiPolygon([free])


def _conditions() -> dict[str, Lighting]:
    lamps = tuple(Lamp(position, (1.0, 0.9, 0.75)) for position in LAMPS.values())
    faint = tuple(Lamp(lamp.position, (0.25, 0.25, 0.25)) for lamp in lamps)
    sun = Sun(tuple(np.array([0.6, 0.35, -0.5]) / np.linalg.norm([0.6, 0.35, -0.5])), (12.0, 11.0, 9.5))
    return {
        "day": Lighting(sun=sun, sky=(1.6, 1.8, 2.1), lamps=faint, exposure=2.0, emission_scale=0.2),
        "evening": Lighting(sky=(0.01, 0.012, 0.02), lamps=lamps, exposure=2.6),
    }


class _Mesh:
    """Collects boxes, each face a grid of cells with its own piece of its material's texture."""

    def __init__(self, *, edge: float, random: np.random.Generator) -> None:
        self.edge, self.random = edge, random
        self.vertices: list[NDArray] = []
        self.normals: list[NDArray] = []
        self.uvs: list[NDArray] = []
        self.triangles: list[NDArray] = []
        self.materials: list[NDArray] = []
        self.owners: list[NDArray] = []
        self.looks: list[Material] = []
        self.instances: list[Instance] = []
        self.count = 0

    def add(
        self, category: str, room: str, boxes: list[Box], emission: tuple[float, float, float] = (0.0, 0.0, 0.0)
    ) -> None:
        name = f"{category}-{len(self.instances) + 1}"
        self.looks.append(Material(name, random_texture(self.random), emission))
        self.instances.append(Instance(len(self.instances) + 1, CATEGORIES.index(category), name, room))
        for bounds in boxes:
            low, high = np.array(bounds[:3], float), np.array(bounds[3:], float)
            for axis in range(3):
                for side in (0, 1):
                    self._face(low, high, axis, side)

    def _face(self, low: NDArray, high: NDArray, axis: int, side: int) -> None:
        along, up = (axis + 1) % 3, (axis + 2) % 3
        if axis == 1:
            along, up = 0, 2  # the texture's v runs down every wall
        a, b = (np.linspace(0, 1, max(1, int(np.ceil((high - low)[k] / self.edge))) + 1) for k in (along, up))
        points = np.tile(low, (len(b), len(a), 1))
        points[..., along] += a * (high - low)[along]
        points[..., up] += b[:, None] * (high - low)[up]
        points[..., axis] = (low, high)[side][axis]
        normal = np.eye(3)[axis] * (2 * side - 1)
        offset = self.random.uniform(0, 1, 2)
        uv = np.stack([points[..., along], -points[..., up]], axis=-1) / TILE + offset
        index = np.arange(points[..., 0].size).reshape(points.shape[:2]) + self.count
        p, q, r, s = index[:-1, :-1].ravel(), index[:-1, 1:].ravel(), index[1:, 1:].ravel(), index[1:, :-1].ravel()
        triangles = np.stack([p, q, r, p, r, s], axis=-1).reshape(-1, 3)
        if np.cross(np.eye(3)[along], np.eye(3)[up]) @ normal < 0:
            triangles = triangles[:, ::-1]
        self.vertices.append(points.reshape(-1, 3))
        self.normals.append(np.tile(normal, (points[..., 0].size, 1)))
        self.uvs.append(uv.reshape(-1, 2))
        self.triangles.append(triangles)
        self.materials.append(np.full(len(triangles), len(self.looks) - 1))
        self.owners.append(np.full(len(triangles), len(self.instances) - 1))
        self.count += points[..., 0].size


def random_texture(random: np.random.Generator, size: int = 256) -> NDArray:
    """A tileable-enough picture (size, size, 3) uint8 with corners and blobs at every scale from 2 cm to 1 m."""
    base = random.uniform(90, 200, 3)
    image = np.full((size, size, 3), base)
    for cells in (4, 16, 64):
        noise = random.uniform(-25, 25, (cells, cells, 3))
        image += cv2.resize(noise, (size, size), interpolation=cv2.INTER_CUBIC)
    for _ in range(70):
        colour = tuple(float(c) for c in np.clip(base + random.uniform(-110, 110, 3), 10, 245))
        x, y = (int(c) for c in random.integers(0, size, 2))
        w, h = (int(c) for c in random.geometric(0.06, 2) + 2)
        if random.random() < 0.5:
            cv2.rectangle(image, (x, y), (x + w, y + h), colour, -1)
        else:
            cv2.ellipse(image, (x, y), (w, h), float(random.uniform(0, 180)), 0, 360, colour, -1)
    return np.clip(image, 0, 255).astype(np.uint8)
