"""`Registry`: things of one kind by name, those of this package and those that others add by entry point."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar

from .errors import InputError, one_line

T = TypeVar("T")

_PACKAGE = __name__.partition(".")[0]


class Registry(Generic[T]):
    """Objects that are found by name and imported when they are asked for: listing names imports none of them.

    ``built_in`` maps a name to ``relocbench.module:attribute``, written relative to the package (``".sim.x:Y"``). An
    installed package adds one by an entry point of the group ``relocbench.<group>``; built-in names cannot be replaced.
    """

    def __init__(
        self,
        kind: str,
        group: str,
        built_in: Mapping[str, str],
        *,
        extra: str = "learned",
        otherwise: str = "",
        check: Callable[[Any, str], T] = lambda loaded, origin: loaded,
    ) -> None:
        """``kind`` is what errors call such a thing, ``extra`` the one that brings what a built-in one may lack,
        ``otherwise`` what may be given in place of a name;
        ``check`` turns what was loaded into what is returned, and raises `InputError` where it is none (its second
        argument says where it came from)."""
        self.kind, self.group = kind, f"{_PACKAGE}.{group}"
        self.built_in, self._extra, self._otherwise, self.check = built_in, extra, otherwise, check

    def names(self) -> list[str]:
        """Return all names, built-in ones first."""
        added = {point.name for point in entry_points(group=self.group)} - set(self.built_in)
        return [*self.built_in, *sorted(added)]

    def load(self, name: str) -> T:
        """Return the object called ``name``; raises `InputError` where there is none or it cannot be imported."""
        if name in self.built_in:
            return self._built_in(name)
        for point in entry_points(group=self.group):
            if point.name == name:
                return self._added(point)
        raise InputError(f"unknown {self.kind} {name!r}; {self.known()}")

    def known(self) -> str:
        """Return what may be given as a name, as the end of a sentence, or where such things come from."""
        names = [*self.names(), *([self._otherwise] if self._otherwise else [])]
        nothing = f"none is here; packages bring them by entry points of the group {self.group}"
        return f"known: {', '.join(names)}" if names else nothing

    def _built_in(self, name: str) -> T:
        module, _, attribute = self.built_in[name].partition(":")
        try:
            return self.check(getattr(importlib.import_module(module, _PACKAGE), attribute), f"{self.kind} {name!r}")
        except ModuleNotFoundError as error:
            if error.name is None or error.name.startswith(_PACKAGE):
                raise
            extra = f"{_PACKAGE}[{self._extra}]"
            raise InputError(f"{self.kind} {name!r} needs {error.name}: pip install '{extra}'") from error

    def _added(self, point: EntryPoint) -> T:
        origin = f"{self.kind} {point.name!r} (entry point {point.value})"
        try:
            loaded = point.load()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # somebody else's module may do anything while it is imported
            raise InputError(
                f"{origin} cannot be imported: {one_line(error)}; repair or uninstall its package"
            ) from error
        return self.check(loaded, origin)


def complete_class(base: Callable[..., T]) -> Callable[[Any, str], type[T]]:
    """Return the check of a registry of classes: each is derived from the class ``base``, leaves nothing to implement,
    and has the attributes that ``base`` declares without a value (its ``name``, say)."""
    assert isinstance(base, type)
    annotated = {name: kind for part in base.__mro__ for name, kind in vars(part).get("__annotations__", {}).items()}
    declared = [n for n, kind in annotated.items() if str(kind).startswith("ClassVar") and not hasattr(base, n)]

    def check(loaded: Any, origin: str) -> Any:
        if not (isinstance(loaded, type) and issubclass(loaded, base)):
            raise InputError(f"{origin} is not a subclass of {base.__module__}.{base.__name__}")
        if inspect.isabstract(loaded):
            missing = sorted(getattr(loaded, "__abstractmethods__", ()))
            raise InputError(f"{origin} does not implement {', '.join(missing)}")
        lacking = [name for name in declared if getattr(loaded, name, None) in (None, "")]
        if lacking:
            raise InputError(f"{origin} has no {', '.join(lacking)}; give the class such attributes")
        return loaded

    return check
