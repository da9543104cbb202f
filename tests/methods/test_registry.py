from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from relocbench import registry
from relocbench.errors import InputError
from relocbench.methods.conformance import check_method
from relocbench.methods.method import Method, MethodConfig
from relocbench.methods.registry import METHODS, load_method_file, make_method, method_class

MINIMAL = """
import cv2
import numpy as np
from relocbench.methods.method import Estimate, Method

class Thumbnail(Method):
    name = "thumbnail"

    def build_map(self, references):
        self.ids, self.poses = references.ids, references.poses
        self.thumbnails = np.stack([self.thumbnail(view.image()) for view in references])

    def localize(self, query):
        difference = np.abs(self.thumbnails - self.thumbnail(query.image)).mean(axis=1)
        order = np.argsort(difference, kind="stable")
        return Estimate(pose=self.poses[order[0]], ranking=tuple(self.ids[i] for i in order))

    def thumbnail(self, image):
        return cv2.resize(image, (16, 16), interpolation=cv2.INTER_AREA).astype(np.float32).ravel()
"""


UNSPEAKABLE = """
class Unspeakable(Exception):
    def __str__(self):
        raise ValueError
raise Unspeakable
"""

ARGUMENTS = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--weights", required=False)
parser.parse_args()
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "my_method.py"
    path.write_text(text)
    return path


def offer(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    point = EntryPoint(name=name, value=value, group="relocbench.methods")
    monkeypatch.setattr(registry, "entry_points", lambda group: [point] if group == point.group else [])


def test_every_built_in_method_is_known_by_its_own_name() -> None:
    names = METHODS.names()
    assert {"random", "oracle-nearest", "dense-vlad", "sift-5pt", "sift-pnp"} <= set(names)
    assert [method_class(name).name for name in names] == names


def test_by_default_only_oracles_are_privileged() -> None:
    assert [name for name in METHODS.names() if method_class(name)().privileges] == ["oracle-nearest"]


def test_every_configuration_field_explains_itself() -> None:
    for name in METHODS.names():
        for key, field in method_class(name).Config.model_fields.items():
            assert field.description, f"{name}: {key} has no docstring"


def test_listing_names_imports_no_method() -> None:
    code = (
        "import sys; from relocbench.methods.registry import METHODS; METHODS.names();"
        "print([m for m in sys.modules if m.split('.')[0] in ('faiss', 'poselib', 'pycolmap')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"unknown method 'sfit-5pt'; known: .*sift-5pt"):
        method_class("sfit-5pt")


def test_a_file_brings_a_method_in_twenty_lines(tmp_path: Path) -> None:
    path = write(tmp_path, MINIMAL)
    method = make_method(f"{path}:Thumbnail")
    assert isinstance(method, Method)
    assert method.name == "thumbnail"
    assert len(MINIMAL.strip().splitlines()) < 20
    check_method(type(method))


@pytest.mark.parametrize(
    ("text", "attribute", "complaint"),
    [
        (MINIMAL, "Muddle", "has no class 'Muddle'"),
        ("import nothing_of_that_name", "Thumbnail", "cannot be imported: ModuleNotFoundError"),
        ("def Thumbnail(): pass", "Thumbnail", "not a subclass"),
        ("import sys; sys.exit(0)", "Thumbnail", "cannot be imported: SystemExit: 0"),
        ("raise BaseException('deep trouble')", "Thumbnail", "cannot be imported: BaseException: deep trouble"),
        (UNSPEAKABLE, "Thumbnail", "cannot be imported: Unspeakable$"),
        (ARGUMENTS.replace("required=False", "required=True") + MINIMAL, "Thumbnail", "cannot be imported: SystemExit"),
        (MINIMAL.replace('name = "thumbnail"', ""), "Thumbnail", "has no name"),
        (MINIMAL.replace('name = "thumbnail"', 'name = ""'), "Thumbnail", "has no name"),
        (MINIMAL.replace("def localize", "def localise"), "Thumbnail", "does not implement localize"),
    ],
)
def test_a_file_that_is_no_method_gets_one_line(tmp_path: Path, text: str, attribute: str, complaint: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(InputError, match=complaint) as caught:
        load_method_file(f"{path}:{attribute}")
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_file_that_reads_arguments_is_given_none_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = ["relocbench", "run", "--foreign"]
    monkeypatch.setattr(sys, "argv", ours)
    load_method_file(f"{write(tmp_path, ARGUMENTS + MINIMAL)}:Thumbnail")
    assert sys.argv is ours


@pytest.mark.parametrize(
    ("init", "complaint"),
    [
        ("def __init__(self): pass", "TypeError"),
        ("def __init__(self, config=None, *, weights): pass", "TypeError: .*'weights'"),
        ("def __init__(self, config=None): raise OSError('weights/there.pth')", "OSError: weights/there.pth"),
        ("def __init__(self, config=None): raise SystemExit(3)", "SystemExit: 3"),
    ],
)
def test_a_class_that_cannot_be_made_is_named_with_its_file(tmp_path: Path, init: str, complaint: str) -> None:
    path = write(tmp_path, f"{MINIMAL}\n    {init}\n")
    with pytest.raises(InputError, match=rf"my_method.py:Thumbnail' cannot be made .*{complaint}"):
        make_method(f"{path}:Thumbnail")


def test_a_missing_file_gets_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere.py:Thumbnail: no such file"):
        method_class(f"{tmp_path}/nowhere.py:Thumbnail")


def test_an_entry_point_brings_a_method(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, "another", "relocbench.methods.baselines.random:RandomReference")
    assert "another" in METHODS.names()
    assert issubclass(method_class("another"), Method)


def test_a_broken_entry_point_takes_nothing_else_down(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, "broken", "nothing_of_that_name:Broken")
    assert method_class("random").name == "random"
    with pytest.raises(InputError, match=r"'broken'.*cannot be imported.*nothing_of_that_name"):
        method_class("broken")


def test_an_entry_point_cannot_replace_a_built_in_method(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, "random", "nothing_of_that_name:Random")
    assert method_class("random").name == "random"
    assert METHODS.names().count("random") == 1


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ({"ration": 0.9}, r"unknown configuration key 'ration'; allowed: .*ratio"),
        ({"sift": {"max_keypoint": 5}}, r"unknown configuration key 'sift.max_keypoint'; allowed: .*max_keypoints"),
        ({"ratio": "wide"}, r"configuration key 'ratio': .*'wide'"),
        ({"retrieved": 1}, r"configuration key 'retrieved': .*greater than or equal to 2"),
        ({"fallback": "guess"}, r"configuration key 'fallback'"),
        ({"retrieval": {"widths": [15]}}, r"configuration key 'retrieval.widths': .*multiples of 8"),
    ],
)
def test_a_wrong_configuration_names_the_key(config: dict, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint) as caught:
        make_method("sift-5pt", config)
    assert "\n" not in str(caught.value)


def test_a_method_without_configuration_allows_no_key() -> None:
    with pytest.raises(InputError, match="allowed: none"):
        make_method("random", {"seed": 1})


def test_methods_that_retrieve_alike_share_one_fit() -> None:
    words = {"words": 16}
    identities = [
        make_method("dense-vlad", words).fit_identity(),
        make_method("sift-5pt", {"retrieval": words, "ratio": 0.9}).fit_identity(),
        make_method("sift-pnp", {"retrieval": words}).fit_identity(),
    ]
    assert identities[0] == identities[1] == identities[2]
    assert make_method("dense-vlad").fit_identity() != identities[0]


def test_a_method_without_its_extra_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)  # as where the core alone is installed
    for module in [name for name in sys.modules if name.startswith("relocbench.methods.netvlad")]:
        monkeypatch.delitem(sys.modules, module)
    for module in [name for name in sys.modules if name.startswith("relocbench.methods.features.")]:
        monkeypatch.delitem(sys.modules, module)
    with pytest.raises(InputError, match=r"'netvlad' needs torch: pip install 'relocbench\[learned\]'"):
        method_class("netvlad")


def test_a_configuration_is_given_in_brackets_or_by_name_and_a_subclass_may_have_another() -> None:
    class Narrow(MethodConfig):
        ratio: float = 0.8

    class Wide(Narrow):
        ratio: float = 0.9

    class Named(Method):
        Config = Narrow
        build_map = localize = None  # type: ignore[assignment]

    class Typed(Method[Narrow]):
        build_map = localize = None  # type: ignore[assignment]

    class Inheriting(Typed):
        pass

    class Wider(Typed):
        Config = Wide

    assert [cls().config for cls in (Named, Typed, Inheriting, Wider)] == [Narrow(), Narrow(), Narrow(), Wide()]
    assert Typed(Narrow(ratio=0.5)).config.ratio == 0.5
