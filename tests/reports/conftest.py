"""A made-up run for the reports to read: seeded errors of known shape, and images that are plainly synthetic."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from relocbench.bench.provenance import digest
from relocbench.bench.records import ESTIMATE_COLUMNS, MAP_COLUMNS, SPAN_COLUMNS
from relocbench.bench.store import DECIDES, ESTIMATES, MAPS, SPANS, CellRecord, RunRecord, write_record
from relocbench.datasets.dataset import CHECKSUMS, VIEWS, Dataset, file_digest
from relocbench.datasets.manifest import MANIFEST, Generated, Manifest, SceneRecord
from relocbench.datasets.spec import DatasetSpec
from relocbench.datasets.views import CAMERA_COLUMNS, POSE_COLUMNS, VIEW_COLUMNS, pose_columns
from relocbench.reports.html import ReportPaths, write_report
from relocbench.sim.geometry import Camera, Pose, rotation_error, translation_error
from shapely import box

MACHINE = "8c0de8c0de01"

#: name: (scale of the translation error in metres, share of failures at no covisibility, milliseconds per query)
METHODS = {
    "oracle-nearest": (0.8, 0.0, 0.05),
    "sift-pnp": (0.03, 0.7, 38.0),
    "sift-5pt": (0.1, 0.9, 95.0),
    "sift-5pt+fallback": (0.1, 0.0, 99.0),
    "dense-vlad": (1.4, 0.0, 22.0),
    "random": (3.0, 0.0, 0.02),
}
ROLES = {"oracle-nearest": "oracle", "random": "chance"}
STAGES = {
    "sift-pnp": {"features": 0.45, "matching": 0.3, "absolute pose": 0.2},
    "sift-5pt": {
        "retrieval": 0.05,
        "retrieval/features": 0.2,
        "features": 0.25,
        "matching": 0.3,
        "relative pose": 0.15,
    },
    "sift-5pt+fallback": {"retrieval": 0.05, "retrieval/features": 0.2, "features": 0.25, "matching": 0.3},
    "dense-vlad": {"features": 0.8, "vlad": 0.1, "search": 0.05},
}
REASONS = ("too few matches", "no consistent pair of references", "timeout after 60 s")
ROOMS = {
    "house-7/living": (0.0, 0.0, 5.0, 4.0),
    "house-7/bedroom": (5.1, 0.0, 9.1, 4.0),
    "house-9/office": (0, 0, 4, 3),
}


@pytest.fixture(scope="session")
def estimates() -> pd.DataFrame:
    """Records of six methods over three rooms, four references each; ``sift-*`` fail more where covisibility is low."""
    return made_up_estimates(seed=1)


@pytest.fixture(scope="session")
def spans(estimates: pd.DataFrame) -> pd.DataFrame:
    """Spans that add up to most of each estimate's latency."""
    return made_up_spans(estimates, seed=2)


def made_up_estimates(seed: int, *, per_room: int = 40, densities: tuple[int, ...] = (4,)) -> pd.DataFrame:
    """Draw a table of ``ESTIMATE_COLUMNS``. More references help the methods a little."""
    random = np.random.default_rng(seed)
    rows: list[pd.DataFrame] = []
    for room, (x0, y0, x1, y1) in ROOMS.items():
        true = Pose.from_planar(
            random.uniform([x0 + 0.4, y0 + 0.4], [x1 - 0.4, y1 - 0.4], (per_room, 2)),
            height=1.3,
            yaw=random.uniform(-np.pi, np.pi, per_room),
        )
        covisibility = random.beta(1.6, 1.8, per_room)
        for density in densities:
            for method, (scale, failing, cost) in METHODS.items():
                gain = (4 / density) ** 0.4 if method != "random" else 1.0
                fails = random.uniform(size=per_room) < failing * gain * (1 - covisibility)
                rows.append(_room_rows(random, room, method, density, true, covisibility, scale * gain, fails, cost))
    table = pd.concat(rows, ignore_index=True)
    return table[list(ESTIMATE_COLUMNS)]


def _room_rows(random, room, method, density, true, covisibility, scale, fails, cost) -> pd.DataFrame:
    n = len(true)
    offset = random.normal(size=(n, 2)) * scale * (1.4 - covisibility)[:, None]
    yaw = np.arctan2(true.forward[:, 1], true.forward[:, 0]) + random.normal(size=n) * scale * 0.15
    estimated = Pose.from_planar(true.translation[:, :2] + offset, height=1.3, yaw=yaw)
    references = [f"{room}-r{i}" for i in range(density)]
    fallback = (method == "sift-5pt+fallback") & (random.uniform(size=n) < 0.4)
    reasons = np.where(random.uniform(size=n) < 0.7, REASONS[0], REASONS[1])
    ranks = random.integers(1, density + 1, n).astype(float)
    est = np.column_stack(list(pose_columns(estimated).values()))
    est[fails] = np.nan
    return pd.DataFrame(
        {
            "method": method,
            "replicate": 0,
            "role": ROLES.get(method, ""),
            "scene": room.split("/")[0],
            "map": room,
            "room": room.split("/")[1],
            "place": -1,
            "sweep": float(density),
            "query": [f"{room}-q{i:03}" for i in range(n)],
            "status": np.where(fails, "failure", "ok"),
            "reason": np.where(fails, reasons, ""),
            "flags": np.where(fallback & ~fails, "fallback", ""),
            "confidence": np.where(fails, np.nan, random.uniform(size=n)),
            **{f"est_{c}": est[:, i] for i, c in enumerate(POSE_COLUMNS)},
            **pose_columns(true, "true_"),
            "translation_error": np.where(fails, np.inf, translation_error(estimated, true)),
            "rotation_error": np.where(fails, np.inf, rotation_error(estimated, true)),
            "ranking": [list(random.permutation(references)[:5]) for _ in range(n)],
            "relevant_rank": ranks,
            "top1_distance": random.uniform(0.5, 4, n),
            "nearest_distance": random.uniform(0.3, 2, n),
            "references": density,
            "covisibility": covisibility,
            "load_seconds": 0.001,
            "seconds": cost / 1e3 * random.lognormal(0, 0.25, n),
            "warm": np.arange(n) >= 1,
            "machine": MACHINE,
        }
    )


def made_up_spans(estimates: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Draw a table of ``SPAN_COLUMNS`` for the methods that name their stages."""
    random = np.random.default_rng(seed)
    parts = []
    for method, shares in STAGES.items():
        rows = estimates[estimates["method"] == method]
        for stage, share in shares.items():
            own = rows["seconds"] * share * random.uniform(0.8, 1.0, len(rows))
            inner = sum(s for name, s in shares.items() if name.startswith(stage + "/"))
            part = rows[["method", "replicate", "map", "sweep", "query", "warm", "machine"]].copy()
            parts.append(part.assign(stage=stage, seconds=own + inner * rows["seconds"], exclusive_seconds=own))
    return pd.concat(parts, ignore_index=True)[list(SPAN_COLUMNS)]


def made_up_maps(estimates: pd.DataFrame) -> pd.DataFrame:
    """Return a table of ``MAP_COLUMNS``: one row per method, map and step of the sweep."""
    maps = estimates.groupby(["method", "replicate", "scene", "map", "sweep"], as_index=False)["references"].first()
    built = {
        "start_seconds": 1.2,
        "build_seconds": 0.4,
        "map_bytes": 2_500_000,
        "peak_memory_bytes": 310_000_000,
        "machine": MACHINE,
    }
    return maps.assign(**built)[list(MAP_COLUMNS)]


def write_made_up_run(
    folder: Path,
    estimates: pd.DataFrame,
    *,
    machine: str = MACHINE,
    dataset: Path | None = None,
    methods: Sequence[str] | None = None,
    question: str = "pose",
) -> Path:
    """Write a results folder that holds ``estimates``, with its dataset inside, or beside it in ``dataset``."""
    data = write_made_up_dataset(dataset or folder / "dataset", estimates) if dataset is None else dataset
    spans, maps = made_up_spans(estimates, seed=3), made_up_maps(estimates)
    cells = []
    for method in methods or METHODS:
        place = folder / "methods" / f"{method}-0123456789ab"
        place.mkdir(parents=True)
        for name, table in ((ESTIMATES, estimates), (SPANS, spans), (MAPS, maps)):
            own = table[table["method"] == method].assign(machine=machine)
            own.to_parquet(place / name, index=False)
        config = {"ratio": 0.8} if "sift" in method else {}
        decides = made_up_decides(method, config)
        (place / DECIDES).write_text(json.dumps(decides))
        cells.append(
            CellRecord(
                label=method,
                role=ROLES.get(method, ""),
                method=method,
                config=config,
                key=digest(decides),
                folder=str(place.relative_to(folder)),
            )
        )
    record = RunRecord(
        track="made-up",
        track_version=1,
        description="Errors drawn from known distributions.",
        size="mini",
        split="test",
        seed=1,
        question=question,
        primary="median_translation_error" if question == "pose" else "mrr",
        dataset="dataset" if dataset is None else str(dataset),
        simulator="raycast",
        dataset_sha256=Dataset.open(data).sha256,
        query_timeout=60.0,
        map_timeout=600.0,
        cells=tuple(cells),
        sessions=(session_record(machine),),
    )
    write_record(folder, record)
    return folder


def made_up_decides(method: str, config: dict[str, float]) -> dict[str, object]:
    """What a method's key is the digest of, with modules that exist nowhere."""
    made_of = {"modules": {f"made_up.{method}": "f" * 64}, "libraries": {"numpy": "2.0"}, "files": []}
    return {"method": method, "config": config, "made_of": made_of, "answering": {"made_up.worker": "e" * 64}}


def session_record(machine: str) -> dict[str, object]:
    """What a run records of one call."""
    hardware = {"cpu": "Made-Up 3000", "usable_cores": 2, "logical_cores": 8, "memory_gib": 16}
    return {
        "started": "2026-01-01T00:00:00+00:00",
        "command": "relocbench run made-up",
        "jobs": 2,
        "machine": machine,
        "hardware": {**hardware, "architecture": "x86_64", "system": "Linux"},
        "platform": "Linux",
        "threads": {"OMP_NUM_THREADS": "1"},
        "versions": {"python": "3.11", "relocbench": "0.1.0"},
        "git": None,
    }


def write_made_up_dataset(root: Path, estimates: pd.DataFrame) -> Path:
    """Write a dataset whose queries are those of ``estimates``; every image is a picture of its own id."""
    queries = estimates.drop_duplicates("query")
    rows = [
        _view_row(row.query, row.map, row.room, "query", {c: getattr(row, f"true_{c}") for c in POSE_COLUMNS})
        | {"covisibility": row.covisibility, "covisible_reference": f"{row.map}-r0"}
        for row in queries.itertuples()
    ]
    for name, (x0, y0, x1, y1) in ROOMS.items():
        corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
        for i in range(int(estimates["references"].max())):
            (x, y), centre = corners[i % 4], ((x0 + x1) / 2, (y0 + y1) / 2)
            inwards = 0.3 + 0.03 * (i % 20)
            eye = (x + inwards * np.sign(centre[0] - x), y + inwards * np.sign(centre[1] - y), 1.6)
            pose = {c: float(v[0]) for c, v in pose_columns(Pose.stack([Pose.look_at(eye, (*centre, 1.3))])).items()}
            density = 4 if i < 4 else 2 ** int(np.ceil(np.log2(i + 1)))
            row = _view_row(f"{name}-r{i}", name, name.split("/")[1], "reference", pose)
            rows.append(row | {"density": density, "covisibility": np.nan, "covisible_reference": ""})
    table = pd.DataFrame(rows)[list(VIEW_COLUMNS)].astype(VIEW_COLUMNS)
    for row in table.itertuples():
        (root / row.image).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(root / row.image), _picture(row.view))
    _seal(root, table)
    return root


def _view_row(view: str, map_name: str, room: str, role: str, pose: dict[str, float]) -> dict[str, object]:
    camera = Camera.from_fov(96, 72, 90.0)
    return {
        "view": view,
        "scene": map_name.split("/")[0],
        "split": "test",
        "role": role,
        "map": map_name,
        "room": room,
        "condition": "day",
        "simulator": "raycast",
        **{name: getattr(camera, name) for name in CAMERA_COLUMNS},
        **pose,
        "place": -1,
        "density": 0,
        "reference_angle": np.nan,
        "reference_distance": np.nan,
        "image": f"images/{view}.png",
        "depth": "",
        "semantic": "",
    }


def _picture(view: str) -> np.ndarray:
    random = np.random.default_rng(list(view.encode()))
    image = cv2.resize(random.integers(60, 220, (4, 5, 3), dtype=np.uint8), (96, 72), interpolation=cv2.INTER_CUBIC)
    return cv2.putText(image, view[-4:], (18, 45), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (0, 0, 0), 2)


def _seal(root: Path, views: pd.DataFrame) -> None:
    views.to_parquet(root / VIEWS, index=False)
    digest = {"path": VIEWS, "size": (root / VIEWS).stat().st_size, "blake2b": file_digest(root / VIEWS)}
    pd.DataFrame([digest]).to_parquet(root / CHECKSUMS, index=False)
    names = sorted({name.split("/")[0] for name in ROOMS})
    (root / "scenes").mkdir()
    for scene in names:
        inside = {name.split("/")[1]: bounds for name, bounds in ROOMS.items() if name.startswith(f"{scene}/")}
        rooms = [
            {"name": n, "type": n, "polygon": {"exterior": list(box(*b).exterior.coords)}} for n, b in inside.items()
        ]
        (root / "scenes" / f"{scene}.json").write_text(json.dumps({"rooms": rooms}))
    scenes = [
        SceneRecord(name=n, split="test", source=7, file=f"scenes/{n}.glb", sha256="", triangles=0, rooms=1)
        for n in names
    ]
    manifest = Manifest(
        name="made-up",
        origin=Generated(spec=DatasetSpec(protocol="sparse-reference", scenes={"test": (7, 9)})),
        versions={},
        depth_unit=0.0005,
        categories=("unknown",),
        scenes=tuple(scenes),
        splits={},
        views=len(views),
        checksums=hashlib.sha256((root / CHECKSUMS).read_bytes()).hexdigest(),
    )
    (root / MANIFEST).write_text(manifest.sealed().to_json())


@pytest.fixture(scope="session")
def made_up_run(tmp_path_factory: pytest.TempPathFactory, estimates: pd.DataFrame) -> Path:
    """A results folder with its dataset. Read-only, shared."""
    return write_made_up_run(tmp_path_factory.mktemp("runs") / "made-up-mini", estimates)


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory, estimates: pd.DataFrame) -> Path:
    """A results folder of two methods in one scene, for tests that write reports of their own. Read-only, shared."""
    some = estimates[estimates["method"].isin(["sift-5pt", "random"]) & (estimates["scene"] == "house-9")]
    return write_made_up_run(tmp_path_factory.mktemp("runs") / "small", some, methods=["sift-5pt", "random"])


@pytest.fixture(scope="session")
def report(made_up_run: Path, tmp_path_factory: pytest.TempPathFactory) -> ReportPaths:
    """The report on ``made_up_run``. Read-only, shared."""
    return write_report([made_up_run], tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="session")
def made_up() -> Callable[..., Path]:
    """The builder behind ``made_up_run``: see `write_made_up_run`."""
    return write_made_up_run
