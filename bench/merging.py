"""`merge_runs`: several results folders of one run, such as its shares, become one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from ..errors import InputError
from ..sim.processes.locks import held
from .computing import MapWork, consolidate, map_work, unanswered
from .journal import answers
from .store import COLUMNS, DECIDES, ESTIMATES, RUN, CellRecord, RunStore, write_record


def merge_runs(runs: Sequence[str | Path], out: str | Path) -> RunStore:
    """Join results folders in ``out``, as if one call had computed all that is in them; they stay as they are.

    Raises ``InputError`` where they are not of one run (another track, dataset, seed, or the same method under another
    configuration or code), where an answer is in none of them, and where ``out`` holds results already.
    """
    return _Merger([RunStore.open(run) for run in runs], Path(out)).merge()


class _Merger:
    def __init__(self, stores: list[RunStore], out: Path) -> None:
        self.stores, self.out = stores, out
        self.first = stores[0].record

    def merge(self) -> RunStore:
        """Write the tables, and last the record of the run that they are of."""
        for store in self.stores[1:]:
            self._check_same(store)
        if (self.out / RUN).exists():
            raise InputError(f"{self.out}: holds results already; choose another --out")
        busy = InputError(f"{self.out}: another run is writing here; wait for it or choose another --out")
        with held(self.out / ".lock", busy=busy):
            cells = [self._merged(cell) for cell in self._cells()]
            record = self.first.model_copy(
                update={"cells": tuple(cells), "sessions": self._sessions(), "dataset": self._dataset(), "share": ""}
            )
            write_record(self.out, record)
            merged = RunStore(self.out, record)
            merged.write_leaderboard()
        return merged

    @cached_property
    def work(self) -> list[MapWork]:
        """What every method was asked; opens the dataset."""
        data = self.stores[0].dataset
        return map_work(data.views, self.first.split, where=data.root)

    def _check_same(self, store: RunStore) -> None:
        for name in (*self.first.identity, "query_timeout", "map_timeout"):
            here, there = getattr(store.record, name), getattr(self.first, name)
            if here != there:
                raise InputError(f"{store.folder}: its {name} is {here}, that of {self.stores[0].folder} is {there}")

    def _cells(self) -> list[CellRecord]:
        """Return every method of any of the runs once, with all of its replicates."""
        cells: dict[tuple[str, int], tuple[CellRecord, RunStore]] = {}
        for store in self.stores:
            for cell in store.record.cells:
                known, of = cells.setdefault((cell.label, cell.replicate), (cell, store))
                if known.key != cell.key:
                    raise InputError(
                        f"{store.folder}: {cell.label} was computed under another configuration or code than in "
                        f"{of.folder}; compute one of them again"
                    )
        return [cell for cell, _ in cells.values()]

    def _merged(self, cell: CellRecord) -> CellRecord:
        """Bring one method's tables into ``out``, from where they are complete or from everybody's journals."""
        fit = None if cell.fit is None else f"fits/{Path(cell.fit).name}"
        here = cell.model_copy(update={"fit": fit})
        place = self.out / cell.folder
        place.mkdir(parents=True, exist_ok=True)
        folders = [store.folder / cell.folder for store in self.stores]
        complete = [folder for folder in folders if (folder / ESTIMATES).exists()]
        for known in [folder / DECIDES for folder in folders if (folder / DECIDES).exists()][:1]:
            shutil.copy2(known, place / DECIDES)
        if complete:
            for name in sorted(COLUMNS, key=lambda name: name == ESTIMATES):  # which say "complete"
                shutil.copy2(complete[0] / name, place / name)
        else:
            self._join_journals(cell)
            missing = unanswered(self.out, cell, self.work)
            if missing:
                raise InputError(f"{cell.label}: {missing} queries have no answer in any of the runs{self._absent()}")
            consolidate(self.out, here, self.work)
        if fit is not None:
            self._copy_fit(cell, fit)
        return here

    def _join_journals(self, cell: CellRecord) -> None:
        for work in self.work:
            whole = work.journal(self.out / cell.folder)
            whole.parent.mkdir(parents=True, exist_ok=True)
            found = [work.journal(store.folder / cell.folder) for store in self.stores]
            farthest = max(found, key=lambda path: len(answers(path)))  # of a unit that several began
            if farthest.exists():
                shutil.copyfile(farthest, whole)

    def _copy_fit(self, cell: CellRecord, fit: str) -> None:
        """Copy what is known of a fit, not what was learned: that may be large, and is not needed for a report."""
        for store in self.stores:
            facts = store.folder / f"{cell.fit}.json"
            target = self.out / f"{fit}.json"
            if facts.exists() and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(facts, target)

    def _absent(self) -> str:
        """Return which shares were not named, where that explains what is missing."""
        shares = [store.record.share.split("/") for store in self.stores if store.record.share]
        if not shares:
            return "; finish one of them"
        count = int(shares[0][1])
        absent = sorted({*range(1, count + 1)} - {int(number) for number, _ in shares})
        return f"; name shares {', '.join(map(str, absent))} too" if absent else "; run the unfinished shares again"

    def _sessions(self) -> tuple[dict[str, object], ...]:
        sessions = [session for store in self.stores for session in store.record.sessions]
        return tuple(sorted(sessions, key=lambda session: str(session.get("started", ""))))

    def _dataset(self) -> str:
        root = (self.stores[0].folder / self.first.dataset).resolve()
        return os.path.relpath(root, self.out.resolve()) if root.is_relative_to(self.out.resolve()) else str(root)
