"""The far end of an isolated method: the user's interpreter runs this file, and imports the user's file into it.

It imports the standard library, NumPy and what lies in ``serving.py``, and nothing of relocbench (Python 3.9 syntax).
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import os
import random
import sys
import time
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

try:
    import numpy as np
except ImportError as error:
    sys.exit(f"it has no NumPy ({error}); install it with: {sys.executable} -m pip install numpy")

_spec = importlib.util.spec_from_file_location("relocbench_serving", os.environ["RELOCBENCH_SERVING"])
assert _spec is not None
assert _spec.loader is not None
serving: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(serving)

Fields = dict[str, Any]
Arrays = dict[str, Any]
Reply = tuple[Fields, Arrays]

_ANSWERS = ("world_from_camera", "ranking", "confidence", "flags")
_PLAIN_CLASS = "with --python a method is a plain class, see the documentation of relocbench.methods.isolated"


@dataclass(frozen=True)
class Camera:
    """A pinhole camera; intrinsics in pixels, the top-left pixel's centre at (0.5, 0.5)."""

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float


@dataclass(eq=False)
class Reference:
    """One reference of a map: image (H, W, 3) uint8, depth (H, W) float32 or None, pose (4, 4) float64."""

    id: str
    image: np.ndarray
    depth: np.ndarray | None
    camera: Camera
    world_from_camera: np.ndarray


@dataclass(eq=False)
class Query:
    """One query: image (H, W, 3) uint8, and the one source of randomness that its answer should use."""

    image: np.ndarray
    camera: Camera
    seed: int
    spans: list[list[Any]] = field(default_factory=list)  # name, enclosing span or -1, seconds
    open: int = -1

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Name what is being timed: ``with query.stage("features"):``; stages may be nested."""
        span, outer = [str(name), self.open, 0.0], self.open
        self.open = len(self.spans)
        self.spans.append(span)
        start = time.perf_counter()
        try:
            yield
        finally:
            span[2] = time.perf_counter() - start
            self.open = outer


class Host:
    """The user's class, its instance for the present map, and the references that were told so far."""

    def __init__(self) -> None:
        self.method: Any = None
        self.subject: Any = None
        self.references: list[Reference] = []

    def open(self, fields: Fields, arrays: Arrays) -> Reply:
        """Import the file and find the class in it; refused where it is not what a method must be."""
        self.method = _imported(fields["file"], fields["class"])
        return {"name": self.method.name, "libraries": _versions(fields.get("libraries", ()))}, {}

    def make(self, fields: Fields, arrays: Arrays) -> Reply:
        """Make a fresh instance: no answer depends on the maps before."""
        self.subject = None
        try:
            self.subject = self.method()
        except BaseException as error:
            return {"raised": _raised(error)}, {}
        return {"needs_depth": bool(getattr(self.method, "needs_depth", False))}, {}

    def reference(self, fields: Fields, arrays: Arrays) -> Reply:
        """Take in one reference; they come one by one, so that no message is as large as a map."""
        if fields["number"] == 0:
            self.references = []  # those of a map that came to nothing
        arrays = {name: np.array(array) for name, array in arrays.items()}  # what is sent is read-only
        camera = Camera(*fields["camera"])
        pose = arrays["world_from_camera"]
        self.references.append(Reference(fields["id"], arrays["image"], arrays.get("depth"), camera, pose))
        return {}, {}

    def build_map(self, fields: Fields, arrays: Arrays) -> Reply:
        """Have the map built from the references that were told since the last one."""
        references, self.references = self.references, []
        _reseed(fields["seed"])
        try:
            self.subject.build_map(references)
            own = getattr(self.subject, "map_bytes", None)
            return {"map_bytes": int(own()) if callable(own) else _size(vars(self.subject))}, {}
        except BaseException as error:
            return {"raised": _raised(error)}, {}

    def localize(self, fields: Fields, arrays: Arrays) -> Reply:
        """Have one query answered; the stages in the reply begin with the whole call."""
        query = Query(np.array(arrays["image"]), Camera(*fields["camera"]), fields["seed"])
        _reseed(query.seed)
        try:
            with query.stage("localize"):
                answer = self.subject.localize(query)
        except BaseException as error:
            return {"raised": _raised(error), "spans": query.spans}, {}
        try:
            reply, pose = _plain(answer)
        except Exception as error:  # an answer may be anything
            reply, pose = {"invalid": str(error) or type(error).__name__}, {}
        return dict(reply, spans=query.spans), pose


def _imported(file: str, attribute: str) -> Any:
    """Return the class, after checking that it is one that this side can ask."""
    folder, name = os.path.dirname(file), os.path.splitext(os.path.basename(file))[0]
    if name in sys.modules:
        raise serving.Refusal(f"a module called {name!r} is loaded already; give the file another name")
    sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise serving.Refusal("not a Python file")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    sys.argv = [file]  # as where Python runs the file
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        name, message = _raised(error)
        missing = (getattr(error, "name", None) or "").split(".")[0]
        advice = f"; {_PLAIN_CLASS}" if isinstance(error, ImportError) and missing == "relocbench" else ""
        line = f"{name}: {message}".splitlines()[0]
        raise serving.Refusal(f"cannot be imported by {sys.executable}: {line}{advice}") from error
    if not hasattr(module, attribute):
        raise serving.Refusal(f"has no class {attribute!r}")
    method = getattr(module, attribute)
    problem = _problem(method)
    if problem:
        raise serving.Refusal(f"{attribute} {problem}")
    return method


def _problem(method: Any) -> str:
    """Return what keeps a class from being a method here; "" for nothing."""
    if not isinstance(method, type):
        return f"is no class; {_PLAIN_CLASS}"
    if any(base.__module__.split(".")[0] == "relocbench" for base in method.__mro__):
        return f"derives from relocbench's Method: leave --python away; {_PLAIN_CLASS}"
    missing = [name for name in ("build_map", "localize") if not callable(getattr(method, name, None))]
    if missing:
        return f"does not implement {', '.join(missing)}"
    name = getattr(method, "name", None)
    if not (isinstance(name, str) and name):
        return "has no name; give the class an attribute: name = 'my-method'"
    if getattr(method, "needs_fit", False):
        return "needs a fit, which cannot be had with --python; learn beforehand and load what was learned"
    return ""


def _versions(libraries: Iterable[str]) -> dict[str, str]:
    """Return the versions of the distributions that the libraries come from, of those that are installed."""
    distributions: Any = getattr(metadata, "packages_distributions", dict)()  # Python 3.9 has none
    found = {}
    for name in {name for library in libraries for name in distributions.get(library, [library])}:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def _plain(answer: Any) -> Reply:
    """Return an answer as what can be sent; raises where it is none. What is valid is decided over there."""
    if isinstance(answer, str):
        return {"failure": answer}, {}
    if not isinstance(answer, dict):
        raise TypeError(f"localize returns a dictionary, or a string for a failure, not {type(answer).__name__}")
    unknown = [name for name in answer if name not in _ANSWERS]
    if unknown:
        raise ValueError(f"it has {unknown[0]!r}; an answer has {', '.join(_ANSWERS)}")
    plain: Fields = {name: _sent(_given(answer, name, ())) for name in ("ranking", "flags")}
    plain["confidence"] = float(_given(answer, "confidence", "nan"))
    pose = answer.get("world_from_camera")
    return plain, {} if pose is None else {"world_from_camera": np.asarray(pose, dtype=np.float64)}


def _sent(strings: Any) -> Any:
    return strings if isinstance(strings, str) else [str(item) for item in strings]


def _given(answer: Fields, name: str, default: Any) -> Any:
    value = answer.get(name)
    return default if value is None else value


def _raised(error: BaseException) -> list[str]:
    with contextlib.suppress(BaseException):
        traceback.print_exc()
    try:
        return [type(error).__name__, str(error)]
    except BaseException:  # somebody's own class may raise anything where it is asked what it says
        return [type(error).__name__, ""]


def _reseed(seed: int) -> None:
    """Seed the global generators, and keep OpenCV to the one thread that everything else is kept to."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - the global one is the point here
    opencv = sys.modules.get("cv2")
    if opencv is not None:
        opencv.setNumThreads(1)
        opencv.setRNGSeed(seed)


def _size(value: Any) -> int:
    """Return the bytes of the arrays in a value, in lists and dictionaries, and in references that were kept."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, dict):
        return sum(map(_size, value.values()))
    if isinstance(value, (list, tuple)):
        return sum(map(_size, value))
    return _size(vars(value)) if isinstance(value, Reference) else 0


def main() -> None:
    """Serve; what the method prints is not kept back in a buffer."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [folder for folder in sys.path if folder != here]  # what lies beside this file is not the user's
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    host = Host()
    operations = {
        "open": host.open,
        "make": host.make,
        "reference": host.reference,
        "build_map": host.build_map,
        "localize": host.localize,
    }
    hello = {"name": "method", "versions": {"numpy": np.__version__}, "renderer": "none"}
    serving.serve(operations, hello)


if __name__ == "__main__":  # not in the processes that the method's own multiprocessing starts
    main()
