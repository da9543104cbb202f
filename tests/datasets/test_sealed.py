"""A sealed folder holds what is handed over and nothing else, goes away, and tells nothing of where it came from."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from relocbench.datasets import sealed as module
from relocbench.datasets.handing_over import opened, queries_to_seal, query_view, references_to_seal, views_to_seal
from relocbench.datasets.sealed import link_or_copy, sealed_folder, sealing_place
from relocbench.datasets.views import ViewSet, WithheldError
from relocbench.errors import InputError
from relocbench.methods.box_room import random_poses, write_views


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> ViewSet:
    folder = tmp_path_factory.mktemp("secret") / "dataset"
    own = write_views(folder, random_poses(np.random.default_rng(0), 4), seed=0, role="reference", name="room")
    table = own.table.assign(covisibility=0.5, covisible_reference="room/0001", own=1.0)
    return ViewSet(table, folder, depth_unit=own.depth_unit)


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("withheld", "kinds"),
    [
        ({"depth", "semantic"}, {"image"}),
        ({"depth"}, {"image", "semantic"}),
        (set(), {"image", "depth", "semantic"}),
    ],
)
def test_what_comes_out_is_what_was_put_in_but_for_what_is_withheld(
    views: ViewSet, withheld: set[str], kinds: set[str]
) -> None:
    with sealed_folder(views.root) as folder:
        there = opened(references_to_seal(views).seal(folder / "references", withheld=withheld))
        assert files(there.root) == sorted([f"{i:06d}-{kind}.png" for i in range(4) for kind in kinds] + [module.TABLE])
        assert there.ids == views.ids
        assert np.array_equal(there.poses.matrix, views.poses.matrix)
        for one, other in zip(there, views, strict=True):
            assert one.camera == other.camera
            assert np.array_equal(one.image(), other.image())
            for kind in ("depth", "semantic"):
                if kind in kinds:
                    assert np.array_equal(getattr(one, kind)(), getattr(other, kind)())
                else:
                    with pytest.raises(WithheldError, match=f"the {kind} of the .* name 'reference {kind}'"):
                        getattr(one, kind)()
        selected = there.where(view="room/0002")[:1]
        assert selected.withheld == frozenset(withheld)
    assert not folder.exists()


def test_nothing_in_it_tells_where_it_came_from_or_of_queries(views: ViewSet) -> None:
    with sealed_folder(views.root) as folder:
        there = opened(references_to_seal(views).seal(folder / "references"))
        assert not [path for path in folder.rglob("*") if path.is_symlink()]
        assert str(views.root).encode() not in (there.root / module.TABLE).read_bytes()
        assert not folder.is_relative_to(views.root.parent)
        assert there.table["covisibility"].isna().all()
        assert (there.table["covisible_reference"] == "").all()
        assert "own" not in there.table
        to_learn_from = opened(views_to_seal(views).seal(folder / "train"))
        assert (to_learn_from.table["own"] == 1.0).all()
        shared = [(there.root / name).stat().st_nlink for name in files(there.root) if name.endswith("image.png")]
        assert shared == [3] * 4  # the dataset's, and one in each of the two


def test_a_query_has_no_name_and_goes_when_it_was_read(views: ViewSet) -> None:
    first, second = queries_to_seal(views[:2], len)
    assert (first.id, first.seed) == ("room/0000", len("room/0000"))
    with sealed_folder(views.root) as folder:
        plain = first.seal(folder, number=7, granted=())
        assert files(folder) == ["000007-image.png"]
        assert "room" not in repr(plain)
        assert plain.pose is None
        assert str(views.root) not in repr(plain)
        view = query_view(plain)
        assert view.camera == views[0].camera
        assert np.array_equal(view.image(), views[0].image())
        assert np.array_equal(view.pose.matrix, np.eye(4))
        plain.remove()
        assert files(folder) == []

        given = second.seal(folder, number=6, granted=("pose", "semantic", "reference depth"))
        assert files(folder) == ["000006-image.png", "000006-semantic.png"]
        view = query_view(given)
        assert np.allclose(view.pose.matrix, views[1].pose.matrix, atol=1e-12)
        assert np.array_equal(view.semantic(), views[1].semantic())
        again = second.seal(folder, number=6, granted=())  # whoever was to read it may have died
        assert np.array_equal(query_view(again).image(), views[1].image())


def test_where_nothing_can_be_linked_files_are_copied(views: ViewSet, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise PermissionError("another file system")

    monkeypatch.setattr(os, "link", refuse)
    with sealed_folder(views.root) as folder:
        there = opened(references_to_seal(views).seal(folder / "references", withheld={"depth", "semantic"}))
        assert np.array_equal(there[3].image(), views[3].image())
        assert (there.root / "000003-image.png").stat().st_nlink == 1


def test_a_missing_file_is_named_as_it_is_in_the_dataset(views: ViewSet, tmp_path: Path) -> None:
    table = views.table.assign(image=["nowhere.png", *views.table["image"][1:]])
    broken = ViewSet(table, views.root, depth_unit=views.depth_unit)
    with pytest.raises(InputError, match=f"{views.root}/nowhere.png: missing"):
        references_to_seal(broken).seal(tmp_path / "references")
    to_seal = references_to_seal(views)
    there = opened(to_seal.seal(tmp_path / "damaged"))
    (there.root / "000002-image.png").unlink()
    with pytest.raises(InputError) as caught:
        there[2].image()
    assert str(tmp_path) in str(caught.value)
    said = to_seal.unsealed(str(caught.value), there.root)
    assert said == f"{views.root}/room/0002.png: missing or not an image; run 'relocbench check {views.root}'"


MAKER = """
import sys, time
from pathlib import Path
from relocbench.datasets.sealed import sealed_folder
with sealed_folder(Path(sys.argv[1])) as folder:
    (folder / "something").write_text("left")
    print(folder, flush=True)
    time.sleep(1000)
"""


def test_what_was_left_by_who_was_killed_is_removed_by_the_next_and_nothing_else_is(views: ViewSet) -> None:
    process = subprocess.Popen([sys.executable, "-c", MAKER, str(views.root)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    theirs = Path(process.stdout.readline().strip())
    with sealed_folder(views.root) as mine:
        assert theirs.parent == mine.parent
        assert (theirs / "something").exists()  # for it is still in use
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert theirs.exists()
        with sealed_folder(views.root):
            assert not theirs.exists()
            assert mine.exists()
    assert not list(mine.parent.glob(f"{theirs.name}*"))


def test_many_at_once_do_not_take_each_others_folders_for_left_overs(views: ViewSet, tmp_path: Path) -> None:
    code = MAKER.replace("time.sleep(1000)", "time.sleep(0.002)\n    assert (folder / 'something').exists()")
    code = code.replace("with sealed", "for _ in range(50):\n  with sealed").replace("\n    ", "\n      ")
    command = [sys.executable, "-c", code, str(views.root)]
    private = {**os.environ, "TMPDIR": str(tmp_path)}
    running = [subprocess.Popen(command, stdout=subprocess.DEVNULL, env=private) for _ in range(3)]
    assert [process.wait(timeout=60) for process in running] == [0, 0, 0]
    (place,) = tmp_path.iterdir()
    assert list(place.iterdir()) == []


def test_a_place_is_on_the_same_file_system_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = sealing_place(tmp_path)
    assert place.parent.stat().st_dev == tmp_path.stat().st_dev
    shared_memory = Path("/dev/shm")
    if not shared_memory.is_dir() or shared_memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system here")
    monkeypatch.setattr(module.tempfile, "gettempdir", lambda: str(shared_memory))
    monkeypatch.setenv("RELOCBENCH_CACHE", str(shared_memory))
    above = sealing_place(tmp_path)
    assert above.parent.stat().st_dev == tmp_path.stat().st_dev
    assert tmp_path.is_relative_to(above.parent)
    monkeypatch.setattr(module, "_writable", lambda folder: folder == shared_memory)
    assert sealing_place(tmp_path).parent == shared_memory  # to be copied to


def test_a_link_to_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        link_or_copy(tmp_path / "nothing", tmp_path / "something")


def test_the_table_says_as_much_as_the_dataset(views: ViewSet) -> None:
    with sealed_folder(views.root) as folder:
        there = opened(views_to_seal(views).seal(folder / "train"))
        kept = [column for column in views.table if column not in ("image", "depth", "semantic")]
        pd.testing.assert_frame_equal(there.table[kept], views.table[kept])
