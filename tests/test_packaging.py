"""The wheel holds the whole package, and nothing else lands in site-packages."""

import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SUBPACKAGES = ["sim", "datasets", "methods", "bench", "reports"]


def packages_in_tree() -> set[str]:
    folders = [ROOT, *(ROOT / top for top in SUBPACKAGES)]
    for top in SUBPACKAGES:
        folders += [path.parent for path in (ROOT / top).rglob("__init__.py")]
    return {".".join(["relocbench", *folder.relative_to(ROOT).parts]) for folder in folders}


def test_pyproject_lists_the_packages_that_exist():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert set(project["tool"]["setuptools"]["packages"]) == packages_in_tree()


@pytest.fixture(scope="module")
def wheel_files(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("wheel")
    ignored = shutil.ignore_patterns(".*", "build", "runs", "*.egg-info", "__pycache__")
    shutil.copytree(ROOT, folder / "source", ignore=ignored)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "--wheel-dir", str(folder), str(folder / "source")], check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


def test_only_relocbench_lands_in_site_packages(wheel_files):
    top = {name.split("/")[0] for name in wheel_files}
    assert {name for name in top if not name.endswith(".dist-info")} == {"relocbench"}


def test_every_module_and_data_file_is_in_the_wheel(wheel_files):
    data = {".py", ".yaml", ".j2", ".css", ".js", ".txt"}
    expected = {
        f"relocbench/{path.relative_to(ROOT).as_posix()}"
        for top in SUBPACKAGES
        for path in (ROOT / top).rglob("*")
        if path.suffix in data and "__pycache__" not in path.parts
    }
    expected |= {f"relocbench/{path.name}" for path in ROOT.glob("*.py")} | {"relocbench/py.typed"}
    assert expected <= wheel_files
    assert not any(name.startswith("relocbench/tests") for name in wheel_files)


def test_the_core_does_not_import_torch():
    imports = "import sys, relocbench.cli, relocbench.bench.runner, relocbench.reports.html"
    subprocess.run([sys.executable, "-c", f"{imports}; assert 'torch' not in sys.modules"], check=True)
