"""`Seeds`: what every random choice of a run starts from, which nobody can turn back into the names of queries."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from pathlib import Path

from ..datasets.dataset import VIEWS


@dataclass(frozen=True)
class Seeds:
    """Seeds below 2**31, by what they are for: HMAC-SHA-256 of a run's seed and that name.

    The key is the SHA-256 of the dataset's table of views, so that a run gives the same answers again to the bit, and
    only who holds the ground truth can tell which query a seed belongs to.
    """

    key: bytes
    run_seed: int

    @classmethod
    def of(cls, dataset: Path, run_seed: int) -> Seeds:
        """Return the seeds of a run on the dataset in a folder."""
        return cls(hashlib.sha256((dataset / VIEWS).read_bytes()).digest(), run_seed)

    def of_query(self, view: str) -> int:
        """Return the seed of a query, by its id."""
        return self._seed(f"query {view}")

    def of_map(self, name: str, density: int) -> int:
        """Return the seed that the global generators have before a map is built."""
        return self._seed(f"map {name} {density}")

    def of_fit(self) -> int:
        """Return the seed that the global generators have before a fit."""
        return self._seed("fit")

    def _seed(self, identity: str) -> int:
        content = hmac.digest(self.key, f"{self.run_seed} {identity}".encode(), "sha256")
        return int.from_bytes(content[:4], "little") >> 1
