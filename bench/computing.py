"""From cells to tables: which units there are to perform, and what becomes of their journals."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ..datasets.handing_over import queries_to_seal, references_to_seal
from ..datasets.sealed import QueryToSeal, ViewsToSeal, remove_leftovers, sealing_place
from ..datasets.views import ViewSet
from ..errors import InputError, RunError
from ..sim.processes.executor import Executor
from ..sim.processes.progress import progress_bars
from .cell import Cell, Lessons, RunSettings
from .consolidation import UnitTruth, estimates_table, maps_table, spans_table
from .journal import answers, read_entries
from .records import arrow_schema, check_columns
from .seeds import Seeds
from .store import COLUMNS, ESTIMATES, MAPS, SPANS, CellRecord
from .units import Done, FitUnit, MapUnit, MethodWorkers
from .watching import Watch

_JOURNAL = "journal"


@dataclass(frozen=True, eq=False)
class MapWork:
    """What every method of a run is asked of one map at one density."""

    map: str
    density: int
    queries: ViewSet
    references: ViewSet

    @cached_property
    def references_to_seal(self) -> ViewsToSeal:
        """The references, as units hand them over."""
        return references_to_seal(self.references)

    def journal(self, cell_folder: Path) -> Path:
        """Return where the answers of one cell are written down, one after the other."""
        readable = re.sub(r"[^A-Za-z0-9._-]", "-", self.map)
        name = f"{readable}-{self.density}-{sha256(self.map.encode()).hexdigest()[:8]}.jsonl"
        return cell_folder / _JOURNAL / name


@dataclass(frozen=True)
class Share:
    """The ``number``-th of ``count`` shares of the units of a run, from 1 on."""

    number: int = 1
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> Share:
        """Read "2/8"; raises ``InputError`` for anything else."""
        number, slash, count = text.partition("/")
        if not (slash and number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
            raise InputError(f"--shard {text!r}: give it as i/n with i from 1 to n, such as 2/8")
        return cls(int(number), int(count))

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def of(self, units: list[MapUnit]) -> list[MapUnit]:
        """Return this share: every n-th unit, so that all shares are as long, whichever method is slow."""
        return units[self.number - 1 :: self.count]

    def begin(self, fits: list[FitUnit]) -> list[FitUnit]:
        """Return the fits in an order in which shares that begin together do not wait for one another at once."""
        first = (self.number - 1) % max(len(fits), 1)
        return fits[first:] + fits[:first]


def map_work(views: ViewSet, split: str, *, where: Path) -> list[MapWork]:
    """Return all that a method is asked, at each density at which every map has references.

    Raises ``InputError`` for an empty split of the dataset ``where``, for a map without references, and for columns
    that are called like what is measured.
    """
    check_columns(map(str, views.table), where=str(where))
    references = views.where(split=split, role="reference")
    queries = views.where(split=split, role="query")
    if not len(queries) or not len(references):
        raise InputError(f"{where}: the split {split!r} has no references or no queries")
    maps = queries.table["map"].unique()
    sparsest = references.table.groupby("map")["density"].min().reindex(maps)
    if sparsest.isna().any():
        raise InputError(f"{where}: the map {sparsest.index[sparsest.isna()][0]} has no references")
    densities = sorted(references.table.loc[references.table["map"].isin(maps), "density"].unique())
    return [
        MapWork(str(name), int(density), queries.where(map=name), references.where(map=name).at_density(density))
        for density in densities
        if density >= sparsest.max()
        for name in maps
    ]


def compute(
    folder: Path,
    cells: list[Cell],
    settings: RunSettings,
    work: list[MapWork],
    *,
    fits_folder: Path,
    share: Share,
    executor: Executor,
    met: Callable[[Done], None],
    finished: Callable[[Cell], None],
    progress: bool,
) -> None:
    """Fit and answer ``share`` of what the cells lack; ``met`` hears of every unit that is over, ``finished`` of every
    cell. What is learned lies in ``fits_folder``, all else in ``folder``."""
    seeds = Seeds.of(settings.dataset, settings.seed)
    asked = {here.map: queries_to_seal(here.queries, seeds.of_query) for here in work}
    units = {cell.folder: _map_units(folder, cell, settings, work, asked, seeds, fits_folder) for cell in cells}
    mine = share.of([unit for cell in cells for unit in units[cell.folder]])
    owner = {unit.journal: cell for cell in cells for unit in units[cell.folder]}
    left = Counter(owner[unit.journal].folder for unit in mine)
    fits = _fit_units(fits_folder, [cell for cell in cells if left[cell.folder]], settings)
    unfit: dict[str, str] = {}  # by the key of a fit that failed
    waiting = [unit for unit in mine if _fit_key(owner[unit.journal]) in fits]
    at_once = [unit for unit in mine if _fit_key(owner[unit.journal]) not in fits]
    with contextlib.ExitStack() as stack:
        # last, when all that were at work here have ended: what those left that could not put it away
        stack.callback(lambda: remove_leftovers(sealing_place(settings.dataset)))
        workers = stack.enter_context(MethodWorkers(folder))
        stack.enter_context(executor)
        bars = stack.enter_context(progress_bars(progress and bool(mine)))
        bar = bars.add_task("localizing queries", total=sum(len(unit.queries) for unit in mine))
        watch = Watch([unit.journal for unit in mine], lambda count: bars.update(bar, completed=count))
        stack.enter_context(watch)

        def perform(some: Sequence[FitUnit | MapUnit]) -> None:
            for unit, done in executor.run(some, workers):
                met(done)
                if isinstance(unit, FitUnit):
                    unfit.update({unit.facts["key"]: done.failure} if done.failure else {})
                    continue
                watch.finish(unit.journal, len(unit.queries))
                cell = owner[unit.journal]
                left[cell.folder] -= 1
                if not left[cell.folder]:
                    finished(cell)

        perform([*share.begin(list(fits.values())), *at_once])  # methods that learn nothing do not wait for the others
        perform([replace(unit, unfit=unfit.get(_fit_key(owner[unit.journal]), "")) for unit in waiting])


def _fit_key(cell: Cell) -> str:
    return "" if cell.fit is None else cell.fit.key


def _fit_units(folder: Path, cells: list[Cell], settings: RunSettings) -> dict[str, FitUnit]:
    """Return one unit per distinct fit that is not there yet, by its key."""
    units: dict[str, FitUnit] = {}
    for cell in cells:
        if cell.fit is not None and cell.fit.key not in units and not (folder / cell.fit.folder).is_dir():
            units[cell.fit.key] = fit_unit(cell, settings.lessons, settings.seed, folder / cell.fit.folder)
    return units


def fit_unit(cell: Cell, lessons: Lessons, seed: int, folder: Path) -> FitUnit:
    """Return the unit that learns what a cell needs into a folder."""
    assert cell.fit is not None
    return FitUnit(
        cell.assignment(),
        train=lessons.to_seal,
        seed=Seeds.of(lessons.dataset, seed).of_fit(),
        folder=folder,
        facts={"fit": cell.fit.name, "key": cell.fit.key, "learned_by": cell.label},
    )


def _map_units(
    folder: Path,
    cell: Cell,
    settings: RunSettings,
    work: list[MapWork],
    asked: dict[str, tuple[QueryToSeal, ...]],
    seeds: Seeds,
    fits_folder: Path,
) -> list[MapUnit]:
    learned = None if cell.fit is None else fits_folder / cell.fit.folder
    hidden = {str(place): None for place in (settings.dataset, settings.lessons.dataset, folder, fits_folder)}
    (folder / cell.folder).mkdir(parents=True, exist_ok=True)
    return [
        MapUnit(
            cell.assignment(hidden=tuple(hidden)),
            map=here.map,
            density=here.density,
            references=here.references_to_seal,
            queries=asked[here.map],
            seed=seeds.of_map(here.map, here.density),
            learned=learned,
            journal=here.journal(folder / cell.folder),
            log=folder / cell.folder / "worker.log",
            query_timeout=settings.query_timeout,
            map_timeout=settings.map_timeout,
        )
        for here in work
    ]


def unanswered(folder: Path, cell: Cell | CellRecord, work: list[MapWork]) -> int:
    """Return how many queries have no answer in the cell's journals."""
    missing = 0
    for here in work:
        missing += len({*here.queries.ids} - answers(here.journal(folder / cell.folder)).keys())
    return missing


def consolidate(folder: Path, cell: Cell | CellRecord, work: list[MapWork]) -> None:
    """Turn a cell's journals into its tables, unit by unit so that memory stays flat; estimates appear last."""
    place = folder / cell.folder
    makers = {SPANS: spans_table, MAPS: maps_table, ESTIMATES: estimates_table}
    writers: dict[str, pq.ParquetWriter] = {}
    try:
        for here, truth in _truths(cell, work):
            entries, _ = read_entries(here.journal(place))
            for name, make in makers.items():
                table = make(entries, truth)
                schema = arrow_schema(COLUMNS[name], table)
                if name not in writers:
                    writers[name] = pq.ParquetWriter(place / f".{name}.tmp", schema)
                writers[name].write_table(pa.Table.from_pandas(table, schema, preserve_index=False))
        for name in makers:
            writers[name].close()
            (place / f".{name}.tmp").replace(place / name)
    except OSError as error:
        raise RunError(f"{place}: cannot be written ({error.strerror or error}); run the same command again") from error
    shutil.rmtree(place / _JOURNAL)


def _truths(cell: Cell | CellRecord, work: list[MapWork]) -> Iterator[tuple[MapWork, UnitTruth]]:
    for here in work:
        asked = (here.map, here.density, here.queries, here.references)
        yield here, UnitTruth(cell.label, cell.role, *asked, cell.replicate)
