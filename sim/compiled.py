"""`compiled`: numba's kernels, kept on disk where there is a place to keep them."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

from numba import njit

#: What to do where there is none.
KEEP_IT = "set NUMBA_CACHE_DIR to a folder that can be written, and what is compiled is kept there"


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Return a decorator that compiles with numba's ``options`` when a kernel is first called.

    Neither the package's folder nor the user's cache need be writable, as in containers and on clusters: every process
    then compiles anew, and says so once.
    """

    def compile_later(function: Callable[..., Any]) -> Any:
        try:
            return njit(cache=True, **options)(function)
        except RuntimeError:  # "cannot cache function: no locator available"
            _say_that_nothing_is_kept()
            return njit(**options)(function)

    return compile_later


@functools.cache
def _say_that_nothing_is_kept() -> None:
    print(f"relocbench: every process compiles its kernels anew, which takes a while; {KEEP_IT}", file=sys.stderr)
