"""A class in another interpreter keeps the contract, and whatever cannot work there is said in one line."""

from __future__ import annotations

import contextlib
import inspect
import re
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest
from relocbench.datasets.views import ViewSet
from relocbench.errors import InputError
from relocbench.methods import isolated as documentation
from relocbench.methods.conformance import check_method
from relocbench.methods.isolated.isolated_method import IsolatedConfig, IsolatedMethod, ProcessLost, isolated
from relocbench.methods.method import Estimate, Failure, Query
from relocbench.methods.timing import Recorder, Span, record, stage

PLAIN = """
class Plain:
    name = "plain"
    def build_map(self, references):
        pass
    def localize(self, query):
        return "nothing to say"
"""


@pytest.fixture
def configured(numpy_python: Path, tmp_path: Path) -> Callable[..., IsolatedConfig]:
    """Write a method's file and ask the other interpreter about it."""

    def call(text: str, class_name: str = "Plain", file: str = "my_method.py", **options) -> IsolatedConfig:
        (tmp_path / file).write_text(text)
        return isolated(f"{tmp_path / file}:{class_name}", **{"python": str(numpy_python), **options})

    return call


def test_the_documented_example_keeps_the_contract(configured) -> None:
    example = re.search(r"::\n\n(    import.*?)\n\n\w", inspect.getdoc(documentation), flags=re.DOTALL).group(1)
    config = configured(textwrap.dedent(example), "Thumbnail")
    assert config.name == "thumbnail"
    assert len(example.splitlines()) <= 20
    check_method(IsolatedMethod, config)


def test_the_interpreter_has_nothing_of_relocbench(configured) -> None:
    for module in ("relocbench", "cv2", "psutil"):
        with pytest.raises(InputError, match=f"cannot be imported by .*: No module named '{module}'"):
            configured(f"import {module}\n{PLAIN}")


@pytest.mark.parametrize(
    ("text", "class_name", "complaint"),
    [
        (PLAIN, "Muddle", "has no class 'Muddle'"),
        ("import torch_of_old", "Plain", "cannot be imported by .*: ModuleNotFoundError: No module named 'torch_of"),
        ("def broken(:", "Plain", r"SyntaxError: invalid syntax \(my_method.py, line 1\)"),
        ("import os; os._exit(9)", "Plain", "it ended with exit code 9"),
        ("raise SystemExit('no GPU')", "Plain", "SystemExit: no GPU"),
        ("Plain = 3", "Plain", "Plain is no class"),
        (PLAIN.replace('name = "plain"', ""), "Plain", "has no name"),
        (PLAIN.replace("def localize", "def localise"), "Plain", "does not implement localize"),
        (PLAIN + "    needs_fit = True", "Plain", "needs a fit, which cannot be had with --python"),
        ("from relocbench.methods.method import Method", "Plain", "with --python a method is a plain class"),
    ],
)
def test_a_file_that_is_no_method_there_gets_one_line(
    configured, text: str, class_name: str, complaint: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=complaint) as caught:
        configured(text, class_name)
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "my_method.py") in str(caught.value)


def test_a_subclass_of_ours_is_refused_where_relocbench_is_there(configured) -> None:
    text = PLAIN.replace("class Plain", "from relocbench.methods.method import Method\nclass Plain(Method)")
    with pytest.raises(InputError, match="derives from relocbench's Method: leave --python away"):
        configured(text, python=sys.executable)


def test_a_file_called_like_a_loaded_module_is_refused(configured) -> None:
    with pytest.raises(InputError, match="a module called 'random' is loaded already"):
        configured(PLAIN, file="random.py")


def test_a_module_beside_the_file_can_be_imported(configured, tmp_path: Path) -> None:
    (tmp_path / "my_network.py").write_text("NAME = 'from-beside'")
    text = PLAIN.replace('"plain"', "my_network.NAME")
    assert configured(f"import my_network\n{text}").name == "from-beside"


@pytest.mark.parametrize(
    ("python", "complaint"),
    [
        ("/no/such/python", "--python /no/such/python: no such program"),
        ("/etc/passwd", "no such program"),
        ("/bin/false", "/bin/false: cannot run a method: it ended with exit code 1"),
    ],
)
def test_a_wrong_interpreter_gets_one_line(configured, python: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        configured(PLAIN, python=python)


def test_an_interpreter_without_numpy_is_told_how_to_get_it(configured, bare_python: Path) -> None:
    advice = f"it has no NumPy .*; install it with: {bare_python} -m pip install numpy"
    with pytest.raises(InputError, match=advice):
        configured(PLAIN, python=str(bare_python))


def test_the_interpreter_is_not_taken_for_the_one_that_it_links_to(configured, numpy_python: Path) -> None:
    assert configured(PLAIN).python == str(numpy_python)
    assert numpy_python.resolve() != numpy_python


def test_no_process_is_left_behind(configured, box_references: ViewSet) -> None:
    before = set(psutil.Process().children())
    method = IsolatedMethod(configured(PLAIN))
    method.build_map(box_references[:2])
    (process,) = set(psutil.Process().children()) - before
    assert method.peak_memory_bytes() >= process.memory_info().rss > 0
    method.close()
    assert not process.is_running()
    with pytest.raises(ProcessLost, match="build the map again"):
        method.localize(Query(box_references[0].image(), box_references[0].camera))


def test_depth_comes_to_those_who_say_that_they_need_it(configured, box_references: ViewSet, tmp_path: Path) -> None:
    metres = np.arange(150 * 200).reshape(150, 200) / 1000
    cv2.imwrite(str(tmp_path / "depth.png"), np.rint(metres * 1000).astype(np.uint16))
    with_depth = ViewSet(
        box_references[:1].table.assign(depth=str(tmp_path / "depth.png")), box_references.root, depth_unit=0.001
    )
    text = PLAIN.replace("pass", "self.depth = references[0].depth").replace('"nothing to say"', "repr(self.depth)")
    wanting = text + "    needs_depth = True\n"
    assert ask(configured(text), with_depth) == Failure("None")
    told = wanting.replace("repr(self.depth)", "f'{self.depth.dtype} {self.depth.shape} {self.depth[1, 0]:.4f}'")
    assert ask(configured(told), with_depth) == Failure("float32 (150, 200) 0.2000")
    without_depth = ViewSet(box_references[:1].table.assign(depth=""), box_references.root, depth_unit=0.001)
    with pytest.raises(InputError, match="has no depth"):
        ask(configured(wanting), without_depth)


def ask(config: IsolatedConfig, references: ViewSet) -> Estimate | Failure:
    """Build a map and ask one of its references."""
    with contextlib.closing(IsolatedMethod(config)) as method:
        method.build_map(references)
        return method.localize(Query(references[0].image(), references[0].camera))


def test_randomness_comes_from_the_seeds(configured, box_references: ViewSet) -> None:
    text = "import random, numpy as np\n" + PLAIN.replace("pass", "self.drawn = np.random.rand()").replace(
        '"nothing to say"', "str([self.drawn, np.random.rand(), random.random()])"
    )
    method = IsolatedMethod(configured(text))
    image, camera = box_references[0].image(), box_references[0].camera
    said = []
    for map_seed, query_seed in ((0, 1), (0, 1), (1, 1), (0, 2)):
        np.random.seed(map_seed)  # noqa: NPY002 - as the runner does
        method.build_map(box_references[:1])
        said.append(method.localize(Query(image, camera, query_seed)).reason)
    method.close()
    assert said[0] == said[1]
    assert len(set(said)) == 3


def test_spans_from_elsewhere_keep_their_order_and_place() -> None:
    with Recorder() as recorder, stage("outer"):
        record([Span("first", -1, 0.5), Span("inner", 0, 0.25), Span("second", -1, 0.125)])
    named = [(span.name, span.parent) for span in recorder.spans]
    assert named == [("outer", -1), ("first", 0), ("inner", 1), ("second", 0)]
    record([Span("nobody listens", -1, 1.0)])
