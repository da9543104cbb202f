"""What decides a result decides its key: else a run would take over what another checkpoint answered."""

from __future__ import annotations

import inspect
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from relocbench.bench import cell
from relocbench.bench.cell import Cell, Lessons, RunSettings, choose_entries, make_cell
from relocbench.bench.tracks import MethodEntry, load_track
from relocbench.methods import closure
from relocbench.methods.closure import PACKAGE
from relocbench.methods.method import Method
from relocbench.methods.networks import checkpoints
from relocbench.methods.registry import make_method, method_class
from relocbench.methods.weights import PACKAGED
from safetensors.torch import load_file, save_file

METHOD = """
from relocbench.methods.method import Failure, Method, MethodConfig


class Config(MethodConfig):
    weights: str = "none"


class Weighted(Method):
    name = "weighted"
    Config = Config

    def build_map(self, references):
        pass

    def localize(self, query):
        return Failure("never")
"""


@pytest.fixture
def settings(tmp_path: Path) -> RunSettings:
    return RunSettings(
        dataset=tmp_path,
        dataset_sha256="0" * 64,
        lessons=Lessons(tmp_path, "0" * 64, views=9),
        split="test",
        seed=0,
        query_timeout=1.0,
        map_timeout=1.0,
    )


def test_a_checkpoint_decides_by_its_content(tmp_path: Path, settings: RunSettings) -> None:
    (tmp_path / "weighted.py").write_text(METHOD)
    weights = tmp_path / "weights.safetensors"

    def key() -> str:
        name = f"{tmp_path / 'weighted.py'}:Weighted"
        return make_cell(MethodEntry(name=name, config={"weights": str(weights)}), settings).key

    missing = key()
    weights.write_bytes(b"one")
    one = key()
    weights.write_bytes(b"other")
    other = key()
    assert len({missing, one, other}) == 3
    weights.write_bytes(b"one")
    assert key() == one


def test_the_checkpoints_of_the_package_decide_for_those_that_load_them(
    tmp_path: Path, settings: RunSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("netvlad", "exrenet-small"):
        shutil.copy(PACKAGED / f"{name}.safetensors", tmp_path)
    monkeypatch.setattr(checkpoints, "PACKAGED", tmp_path)
    entries = [MethodEntry(name=name) for name in ("netvlad", "exrenet")]
    before = [make_cell(entry, settings).key for entry in entries]
    tensors = load_file(tmp_path / "netvlad.safetensors")
    save_file(
        {name: tensor + 1 if tensor.is_floating_point() else tensor for name, tensor in tensors.items()},
        tmp_path / "netvlad.safetensors",
    )
    after = [make_cell(entry, settings).key for entry in entries]
    assert [b == a for b, a in zip(before, after, strict=True)] == [False, True]


METHODS = ("random", "dense-vlad", "sift-5pt", "exrenet")
ALL = set(METHODS)


class Keys:
    """The keys of a few methods under code that is read from a copy of the package."""

    def __init__(self, copy: Path, settings: RunSettings) -> None:
        self.copy, self._settings = copy, settings

    def cells(self) -> dict[str, Cell]:
        return {name: make_cell(MethodEntry(name=name), self._settings) for name in METHODS}

    def changed_by(self, file: str, change: Callable[[str], str]) -> tuple[set[str], set[str]]:
        """Return the methods whose key, and whose fit's key, one change of a file changes."""
        path = self.copy / file
        content, before = path.read_text(), self.cells()
        try:
            path.write_text(change(content))
            after = self.cells()
        finally:
            path.write_text(content)
        fits = {name for name, cell in after.items() if cell.fit != before[name].fit}
        return {name for name, cell in after.items() if cell.key != before[name].key}, fits


@pytest.fixture(scope="module")
def package_copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("copy") / "relocbench"
    for folder in ("bench", "datasets", "methods", "reports", "sim"):
        shutil.copytree(PACKAGE / folder, copy / folder, ignore=lambda place, names: _no_sources(Path(place), names))
    for path in PACKAGE.glob("*.py"):
        shutil.copy(path, copy)
    return copy


def _no_sources(folder: Path, names: list[str]) -> list[str]:
    return [name for name in names if (folder / name).is_file() and not name.endswith(".py")]


@pytest.fixture
def keys(package_copy: Path, settings: RunSettings, monkeypatch: pytest.MonkeyPatch) -> Keys:
    made: dict[str, Method] = {}  # loading networks again and again would take most of the time

    def make(name: str, config: dict) -> Method:
        return made.setdefault(f"{name} {config}", make_method(name, config))

    monkeypatch.setattr(cell, "make_method", make)
    monkeypatch.setattr(closure, "PACKAGE", package_copy)
    return Keys(package_copy, settings)


def _file_of(name: str) -> str:
    return Path(inspect.getfile(method_class(name))).relative_to(PACKAGE).as_posix()


@pytest.mark.parametrize(
    ("file", "answers", "fits"),
    [
        ("sim/geometry.py", ALL, ALL - {"random"}),
        ("datasets/views.py", ALL, ALL - {"random"}),
        ("methods/method.py", ALL, ALL - {"random"}),
        ("bench/consolidation.py", ALL, set()),
        ("bench/worker.py", ALL, ALL - {"random"}),
        ("bench/answers.py", ALL, ALL - {"random"}),
        (_file_of("random"), {"random"}, set()),
        (_file_of("exrenet"), {"exrenet"}, set()),
        ("methods/exrenet/network.py", {"exrenet"}, set()),
        ("methods/networks/checkpoints.py", {"exrenet"}, set()),
        (_file_of("sift-5pt"), {"sift-5pt"}, set()),
        (_file_of("dense-vlad"), {"dense-vlad"}, set()),
        ("methods/dense_vlad/descriptor.py", ALL - {"random"}, ALL - {"random"}),
        ("bench/scoring.py", set(), set()),
        ("bench/runner.py", set(), set()),
        ("datasets/generate.py", set(), set()),
        ("sim/agreement.py", set(), set()),
        ("reports/page.py", set(), set()),
        ("cli.py", set(), set()),
    ],
)
def test_a_file_decides_for_those_that_import_it(keys: Keys, file: str, answers: set[str], fits: set[str]) -> None:
    assert keys.changed_by(file, lambda content: f"{content}\n_ADDED = 1\n") == (answers, fits)


def test_comments_and_docstrings_decide_nothing(keys: Keys) -> None:
    def reworded(content: str) -> str:
        return "# a comment\n" + content.replace('"""', '"""Reworded: ', 1).replace("\n\n\n", "\n\n    # aside\n\n")

    for file in ("sim/geometry.py", _file_of("exrenet"), "bench/consolidation.py"):
        assert keys.changed_by(file, reworded) == (set(), set())


@pytest.mark.parametrize(
    "table", ["methods/registry.py", "datasets/protocols/__init__.py", "methods/retrieval/descriptor.py"]
)
def test_one_more_name_in_a_table_decides_nothing(keys: Keys, table: str) -> None:
    line = '        "newcomer": ".methods.newcomer:Newcomer",\n'
    assert keys.changed_by(table, lambda content: content.replace("    {\n", "    {\n" + line)) == (set(), set())
    assert "sift-5pt" in keys.changed_by(table, lambda content: content.replace("Registry(", "Registry(*(), "))[0]


def test_methods_that_learn_the_same_share_it(keys: Keys) -> None:
    assert len({cell.fit.key for name, cell in keys.cells().items() if name != "random"}) == 1


@pytest.mark.parametrize(
    ("library", "answers"),
    [
        ("numpy", ALL),
        ("torch", {"exrenet"}),
        ("poselib", {"sift-5pt"}),
        ("faiss-cpu", ALL - {"random"}),
        ("rich", set()),
    ],
)
def test_a_library_decides_for_those_that_import_it(
    keys: Keys, monkeypatch: pytest.MonkeyPatch, library: str, answers: set[str]
) -> None:
    before = keys.cells()
    real = closure.library_version
    monkeypatch.setattr(closure, "library_version", lambda name: "99.0" if name == library else real(name))
    after = keys.cells()
    assert {name for name in METHODS if after[name].key != before[name].key} == answers
    assert ("99.0" in after["sift-5pt"].libraries.values()) == ("sift-5pt" in answers)


def test_what_a_users_file_imports_from_beside_it_decides(tmp_path: Path, settings: RunSettings) -> None:
    mine, beside, unrelated = tmp_path / "weighted.py", tmp_path / "matching.py", tmp_path / "notes.py"
    mine.write_text(METHOD.replace("        pass\n", "        from matching import match\n"))
    beside.write_text("def match():\n    return 1\n")
    unrelated.write_text("x = 1\n")

    def key() -> str:
        return make_cell(MethodEntry(name=f"{mine}:Weighted"), settings).key

    first = key()
    unrelated.write_text("x = 2\n")
    beside.write_text("def match():\n    # the same\n    return 1\n")
    assert key() == first
    beside.write_text("def match():\n    return 2\n")
    second = key()
    mine.write_text(mine.read_text().replace("never", "not ever"))
    assert len({first, second, key()}) == 3


def test_code_that_a_method_holds_decides_though_nothing_imports_it_by_name(
    tmp_path: Path, settings: RunSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path / "checkout")
    descriptor = tmp_path / "checkout" / "descriptor_in_a_checkout.py"
    descriptor.parent.mkdir()
    descriptor.write_text("class Descriptor:\n    size = 1\n")
    init = """
    def __init__(self, config=None):
        import importlib
        super().__init__(config)
        self.parts = {"retrieval": [importlib.import_module("descriptor_in_a_" + "checkout").Descriptor()]}
"""
    (tmp_path / "weighted.py").write_text(METHOD + init)

    def key() -> str:
        return make_cell(MethodEntry(name=f"{tmp_path / 'weighted.py'}:Weighted"), settings).key

    first = key()
    descriptor.write_text("class Descriptor:\n    size = 2\n")
    assert key() != first


def test_privileges_decide(tmp_path: Path, settings: RunSettings) -> None:
    (tmp_path / "weighted.py").write_text(METHOD + "    privileges = property(lambda self: PRIVILEGES)\n")

    def key(privileges: str) -> str:
        text = (tmp_path / "weighted.py").read_text().partition("PRIVILEGES =")[0]
        (tmp_path / "weighted.py").write_text(f"{text}PRIVILEGES = {privileges}\n")
        cell = make_cell(MethodEntry(name=f"{tmp_path / 'weighted.py'}:Weighted"), settings)
        assert set(cell.assignment().privileges) == eval(privileges)
        return cell.key

    assert len({key("set()"), key("{'depth'}"), key("{'reference depth'}")}) == 3


def test_a_folder_that_a_configuration_names_decides_by_what_is_in_it(tmp_path: Path, settings: RunSettings) -> None:
    (tmp_path / "weighted.py").write_text(METHOD)
    (tmp_path / "model").mkdir()

    def key() -> str:
        name = f"{tmp_path / 'weighted.py'}:Weighted"
        return make_cell(MethodEntry(name=name, config={"weights": str(tmp_path / "model")}), settings).key

    empty = key()
    (tmp_path / "model" / "part.bin").write_bytes(b"one")
    one = key()
    (tmp_path / "model" / "part.bin").write_bytes(b"two")
    two = key()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "more.bin").write_bytes(b"one")
    (tmp_path / "model" / "linked").symlink_to(tmp_path / "elsewhere")
    linked = key()
    (tmp_path / "elsewhere" / "more.bin").write_bytes(b"two")
    assert len({empty, one, two, linked, key()}) == 5
    (tmp_path / "model" / "linked" / "round").symlink_to(tmp_path / "model")
    assert key() not in {empty, one, two, linked}


def test_a_name_in_a_configuration_is_no_path_though_a_folder_is_called_so(
    tmp_path: Path, settings: RunSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weighted.py").write_text(
        "from pathlib import Path\n"
        + METHOD.replace('weights: str = "none"', 'weights: str = "none"\n    folder: Path = Path("none")')
    )

    def keys() -> list[str]:
        configs = ({"weights": "netvlad"}, {"weights": "./netvlad"}, {"weights": "tuned.bin"}, {"folder": "netvlad"})
        name = f"{tmp_path / 'weighted.py'}:Weighted"
        return [make_cell(MethodEntry(name=name, config=config), settings).key for config in configs]

    before = keys()
    (tmp_path / "netvlad").mkdir()
    (tmp_path / "tuned.bin").write_bytes(b"one")
    assert [b == a for b, a in zip(before, keys(), strict=True)] == [True, False, False, False]


def test_what_is_learned_depends_on_the_checkpoints_that_learning_starts_from(
    tmp_path: Path, settings: RunSettings
) -> None:
    (tmp_path / "weighted.py").write_text(METHOD.replace('"weighted"', '"weighted"\n    needs_fit = True'))
    weights = tmp_path / "weights.bin"

    def fit() -> str:
        name = f"{tmp_path / 'weighted.py'}:Weighted"
        return make_cell(MethodEntry(name=name, config={"weights": str(weights)}), settings).fit.key

    weights.write_bytes(b"one")
    first = fit()
    weights.write_bytes(b"two")
    assert fit() != first


LEARNER = """
from pathlib import Path
from relocbench.methods.learner import Learner
from relocbench.methods.method import Failure, Method


class Part(Learner):
    name = "part"
    needs_fit = True

    def __init__(self, config=None):
        super().__init__(config)
        self.checkpoint = Path(__file__).with_name("start.bin")

    def fit(self, train):
        from matching import match


class Whole(Method):
    name = "whole"

    def __init__(self, config=None):
        super().__init__(config)
        self.learning_part = Part()
        self.own = Path(__file__).with_name("own.bin")

    def build_map(self, references):
        pass

    def localize(self, query):
        return Failure("never")
"""


def test_what_a_part_learns_depends_on_the_checkpoint_and_the_modules_that_it_has_and_on_no_more(
    tmp_path: Path, settings: RunSettings
) -> None:
    (tmp_path / "whole.py").write_text(LEARNER)
    for name, content in (("start.bin", b"1"), ("own.bin", b"1"), ("matching.py", b"def match(): return 1")):
        (tmp_path / name).write_bytes(content)

    def keys() -> tuple[str, str]:
        cell = make_cell(MethodEntry(name=f"{tmp_path / 'whole.py'}:Whole"), settings)
        return cell.key, cell.fit.key

    def changed_by(name: str, content: bytes) -> list[bool]:
        before = keys()
        (tmp_path / name).write_bytes(content)
        return [one != other for one, other in zip(before, keys(), strict=True)]

    assert changed_by("start.bin", b"2") == [True, True]
    assert changed_by("matching.py", b"def match(): return 2") == [True, True]
    assert changed_by("own.bin", b"2") == [True, False]


def test_where_there_is_nothing_to_learn_from_what_ships_is_taken_and_what_was_learned_decides(
    settings: RunSettings,
) -> None:
    entry = MethodEntry(name="dense-vlad")
    fitted = make_cell(entry, settings)
    elsewhere = make_cell(entry, replace(settings, lessons=replace(settings.lessons, dataset_sha256="1" * 64)))
    shipped = make_cell(entry, replace(settings, lessons=replace(settings.lessons, views=0)))
    assert len({cell.key for cell in (fitted, elsewhere, shipped)}) == 3
    assert fitted.fit.key != elsewhere.fit.key
    assert shipped.fit is None
    assert Path(shipped.assignment().shipped).is_dir()
    small = MethodEntry(name="dense-vlad", config={"words": 16})  # for which nothing ships: its fit will say so
    assert make_cell(small, replace(settings, lessons=replace(settings.lessons, views=0))).fit is not None


def test_a_track_names_a_method_of_a_file_by_its_class_unless_it_says_otherwise(tiny_track: Path, plugged) -> None:
    methods = f"[{{name: '{plugged('ReadsPose')}'}}, {{name: '{plugged('ReadsPose')}', as: other}}]"
    tiny_track.write_text(tiny_track.read_text().replace("[random, oracle-nearest]", methods))
    entries = choose_entries(load_track(tiny_track), "mini", None, [])
    assert [entry.label for entry in entries] == ["reads-pose", "other"]
