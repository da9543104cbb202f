"""Modules of single files, which belong to no package and may lie anywhere.

They are named as if they lay below this module, so that whoever knows such a name can import it again: the processes
that a method starts are sent names by multiprocessing, and find here, with the help of the environment that they
inherit, the files that these stand for.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from hashlib import sha256
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from ..errors import InputError, one_line

__path__: list[str] = []  # makes a package of this module, as far as imports are concerned

#: How the names of such modules begin.
FILE_MODULE = f"{__name__}."

_VARIABLE = "RELOCBENCH_FILE_"


def split_location(location: str) -> tuple[Path, str]:
    """Return the file, absolute, and the name of the class in it; raises ``InputError`` where there is no such file."""
    file, _, attribute = location.rpartition(":")
    path = Path(file).expanduser().resolve()
    if not path.is_file() or not attribute:
        raise InputError(f"{location}: no such file; give a method as path/to/file.py:ClassName")
    return path, attribute


def import_file(path: Path) -> ModuleType:
    """Import, anew, the Python file at an absolute path; raises ``InputError`` where it is none or importing fails.

    The file sees no arguments of the command line but its own name, as where Python runs it: ours are not for it.
    """
    identity = sha256(str(path).encode(errors="surrogateescape")).hexdigest()[:12]
    os.environ[_VARIABLE + identity] = str(path)
    name = f"{FILE_MODULE}{path.stem}_{identity}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InputError(f"{path}: not a Python file; give a method as path/to/file.py:ClassName")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pydantic look their module up while a class is made
    arguments, sys.argv = sys.argv, [str(path)]
    try:
        spec.loader.exec_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # somebody's own file may do anything while it is imported
        del sys.modules[name]
        raise InputError(f"{path}: cannot be imported: {one_line(error)}") from error
    finally:
        sys.argv = arguments
    return module


class _Finder:
    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        file = os.environ.get(_VARIABLE + name.rpartition("_")[2]) if name.startswith(FILE_MODULE) else None
        return None if file is None else importlib.util.spec_from_file_location(name, file)


sys.meta_path.append(_Finder)
