"""The command line as a user meets it: in a process of its own, with right and with wrong input."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import yaml
from relocbench.cli import Listing
from relocbench.sim.scene_files import save_scene


def relocbench(*arguments: object, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    code = "from relocbench.cli import main; main()"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    variables = {**os.environ, **environment}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=250, env=variables)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory, make_box_room) -> Path:
    """A folder with two scenes, a track on them, and a method in a file."""
    folder = tmp_path_factory.mktemp("workplace")
    for seed in (1, 2):
        save_scene(make_box_room(seed), folder)
    learn, test = (str(path.name) for path in sorted(folder.glob("*.glb")))
    dataset = {
        "scenes": {"train": [learn], "val": [], "test": [test]},
        "camera": {"width": 96, "height": 96, "horizontal_fov": 90.0},
        "queries_per_room": 3,
        "train_views_per_scene": 6,
    }
    track = {
        "name": "tiny",
        "version": 1,
        "protocol": "sparse-reference",
        "description": "A track for tests.",
        "sizes": {"mini": {"dataset": dataset}},
        "methods": ["random", "oracle-nearest"],
    }
    (folder / "tiny.yaml").write_text(yaml.safe_dump(track))
    (folder / "first.py").write_text(
        "from relocbench.methods.method import Estimate, Method\n"
        "class First(Method):\n"
        "    name = 'first'\n"
        "    def build_map(self, references):\n"
        "        self.pose = references[0].pose\n"
        "    def localize(self, query):\n"
        "        return Estimate(pose=self.pose)\n"
    )
    return folder


@pytest.fixture(scope="module")
def finished_run(workplace) -> Path:
    arguments = ["run", "tiny.yaml", "--size", "mini", "--out", "out", "--method", "first.py:First"]
    result = relocbench(*arguments, folder=workplace)
    assert result.returncode == 0, result.stderr
    assert "oracle-nearest" in result.stdout
    assert "first" in result.stdout
    assert str(workplace / "out" / "report" / "report.html") in result.stdout
    return workplace / "out"


def test_a_run_leaves_a_dataset_estimates_and_a_report(finished_run):
    assert json.loads((finished_run / "dataset" / "dataset.json").read_text())
    assert (finished_run / "report" / "report.html").stat().st_size > 10_000
    assert list(finished_run.rglob("estimates.parquet"))


def test_the_same_command_again_computes_nothing(workplace, finished_run):
    before = {path: path.stat().st_mtime_ns for path in finished_run.rglob("estimates.parquet")}
    arguments = ["run", "tiny.yaml", "--size", "mini", "--out", "out", "--method", "first.py:First"]
    assert relocbench(*arguments, folder=workplace).returncode == 0
    assert {path: path.stat().st_mtime_ns for path in finished_run.rglob("estimates.parquet")} == before


RUN_AGAIN = ("run", "tiny.yaml", "--size", "mini", "--out", "out", "--method", "first.py:First")


def test_what_a_terminal_cannot_show_is_replaced(workplace, finished_run):
    result = relocbench(*RUN_AGAIN, folder=workplace, PYTHONIOENCODING="ascii")
    assert result.returncode == 0, result.stderr
    assert "oracle-nearest ?" in result.stdout
    assert f"report: {(finished_run / 'report' / 'report.html').resolve()}" in result.stdout.splitlines()


def test_a_narrow_terminal_gets_fewer_columns_and_whole_numbers(workplace, finished_run):
    result = relocbench(*RUN_AGAIN, folder=workplace, COLUMNS="30")
    assert result.returncode == 0, result.stderr
    assert "oracle-nearest" in result.stdout
    assert "latency p50" in result.stdout
    assert "…" not in result.stdout


def test_names_are_no_markup(workplace, finished_run):
    result = relocbench("report", "out", "--out", "[red]of :100: [/red]", folder=workplace)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == str(workplace.resolve() / "[red]of :100: [/red]" / "report.html")
    drawn = workplace / "[bold]" / "plan.png"
    drawn.parent.mkdir()
    result = relocbench("view", finished_run / "dataset", "--out", drawn, folder=workplace)
    assert result.stdout.strip() == str(drawn)


def test_a_fit_that_fails_fails_the_run_after_all_else_is_done(workplace, finished_run):
    (workplace / "unfit.py").write_text(
        "from first import First\n"
        "class Unfit(First):\n"
        "    name = 'unfit'\n"
        "    needs_fit = True\n"
        "    def fit(self, train):\n"
        "        raise ArithmeticError('nothing to learn')\n"
    )
    again = ("run", "tiny.yaml", "--size", "mini", "--dataset", "out/dataset", "--out", "unfit")
    result = relocbench(*again, "--method", "unfit.py:Unfit", folder=workplace, PYTHONPATH=_beside(workplace))
    assert result.returncode == 1
    assert "relocbench: unfit: fit raised ArithmeticError: nothing to learn" in result.stderr
    assert "unfit: 6 of 6 queries failed: fit raised ArithmeticError: nothing to learn" in result.stdout
    assert (workplace / "unfit" / "report" / "report.html").exists()


def _beside(folder: Path) -> str:
    return os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])


def test_a_dataset_can_be_checked_and_drawn(workplace, finished_run):
    checked = relocbench("check", "out/dataset", folder=workplace)
    assert checked.returncode == 0, checked.stderr
    assert "sound" in checked.stdout
    assert relocbench("view", "out/dataset", "--out", "overview.png", folder=workplace).returncode == 0
    assert (workplace / "overview.png").read_bytes().startswith(b"\x89PNG")


def test_check_names_the_file_whose_byte_flipped(workplace, finished_run, tmp_path):
    subprocess.run(["cp", "-r", str(finished_run / "dataset"), str(tmp_path / "copy")], check=True)
    victim = sorted((tmp_path / "copy" / "depth").rglob("*.png"))[0]
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.write_bytes(content)
    result = relocbench("check", tmp_path / "copy", folder=tmp_path)
    assert result.returncode == 2
    assert victim.name in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("what", [*Listing])
def test_lists_have_a_description_for_every_entry(workplace, what):
    result = relocbench("list", what, folder=workplace)
    assert result.returncode == 0
    assert result.stdout.strip()
    assert all(len(line.split()) > 1 for line in result.stdout.splitlines() if line.strip())


WRONG = {
    "unknown track": (["run", "no-such-track"], "no-such-track"),
    "unknown method": (["run", "quickstart", "--methods", "no-such-method"], "no-such-method"),
    "unknown format": (["import", ".", "--format", "no-such-format", "--out", "new"], "no-such-format"),
    "missing method file": (["run", "quickstart", "--method", "missing.py:Some"], "missing.py"),
    "not a dataset": (["check", "."], "dataset"),
    "not a results folder": (["report", "."], "results"),
    "folder in use for something else": (["generate", "quickstart", "--size", "mini", "--out", "."], "folder"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_is_one_clear_line_and_exit_code_2(tmp_path, case):
    arguments, names = WRONG[case]
    (tmp_path / "something.txt").write_text("precious")
    result = relocbench(*arguments, folder=tmp_path)
    assert result.returncode == 2, result.stderr
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1
    assert names in lines[0]
    assert (tmp_path / "something.txt").read_text() == "precious"


def test_debug_shows_where_an_error_came_from(tmp_path):
    assert "Traceback" in relocbench("--debug", "run", "no-such-track", folder=tmp_path).stderr


def test_an_unknown_key_in_a_track_is_named(workplace):
    track = yaml.safe_load((workplace / "tiny.yaml").read_text())
    track["sizes"]["mini"]["dataset"]["querys_per_room"] = 3
    (workplace / "wrong.yaml").write_text(yaml.safe_dump(track))
    result = relocbench("run", "wrong.yaml", "--size", "mini", folder=workplace)
    assert result.returncode == 2
    assert "wrong.yaml" in result.stderr
    assert "querys_per_room" in result.stderr


WITHOUT_TORCH = """
import sys
import time

class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name=name)

sys.meta_path.insert(0, NoTorch())
from relocbench.cli import main
main()
"""


@pytest.mark.parametrize(
    ("arguments", "name", "status"),
    [(["list", "methods"], "method 'netvlad'", 0), (["train", "depth"], "network 'depth'", 2)],
)
def test_without_the_learned_extra_it_says_what_to_install(arguments, name, status, tmp_path):
    command = [sys.executable, "-c", WITHOUT_TORCH, *arguments]
    wide = {**os.environ, "COLUMNS": "200"}
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100, env=wide)
    assert result.returncode == status
    said = " ".join((result.stdout + result.stderr).split())
    assert f"{name} needs torch: pip install 'relocbench[learned]'" in said
    assert "Warning" not in said


def test_shares_of_a_run_are_merged_into_a_report(workplace, finished_run, tmp_path):
    for shard in ("1/2", "2/2"):
        result = relocbench(
            *("run", "tiny.yaml", "--size", "mini", "--dataset", finished_run / "dataset"),
            *("--jobs", 1, "--shard", shard, "--out", tmp_path / "run"),
            folder=workplace,
        )
        assert result.returncode == 0, result.stderr
        assert "relocbench merge" in result.stdout
    shares = sorted((tmp_path / "run" / "shards").iterdir())
    result = relocbench("merge", *shares, "--out", tmp_path / "run", folder=workplace)
    assert result.returncode == 0, result.stderr
    assert "oracle-nearest" in result.stdout
    assert (tmp_path / "run" / "report" / "report.html").exists()


def test_ctrl_c_says_how_to_go_on_and_leaves_no_process(workplace, tmp_path):
    arguments = ["run", "tiny.yaml", "--size", "mini", "--out", str(tmp_path / "out")]
    # what starts in the background of a shell ignores Ctrl-C, and its children with it: here it is heard
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    process = subprocess.Popen(
        [sys.executable, "-c", f"{heard}; from relocbench.cli import main; main()", *arguments],
        cwd=workplace,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while not (workers := psutil.Process(process.pid).children(recursive=True)):
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    assert process.stderr is not None
    said = process.stderr.read()
    assert process.wait(timeout=30) == 130
    assert said.endswith("relocbench: interrupted; the same command resumes where this one stopped\n")
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive


@pytest.mark.parametrize("arguments", [("run", "tiny.yaml", "--size", "huge"), ("list", "nothing")])
def test_a_value_that_is_not_one_of_those_there_are_is_told_in_plain_words(workplace, arguments):
    result = relocbench(*arguments, folder=workplace)
    assert result.returncode == 2
    assert f"'{arguments[-1]}' is not one of" in " ".join(result.stderr.split())
    assert "Value error" not in result.stderr
