"""`Pages`: README and ``docs/``, filled in from the summaries under ``docs/results``."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ...errors import InputError
from ...methods.closure import PACKAGE
from ..tables import Table
from .pictures import draw, drawn_from, is_current
from .shown import Scores, broken_claim, kept_table, places_table, run_table, value_text
from .specs import (
    AT_LINE_START,
    BLOCK,
    CLAIMS,
    END,
    INLINE,
    ClaimsSpec,
    PictureSpec,
    PlacesSpec,
    TableSpec,
    parse_block,
    parse_value,
)
from .summaries import AnySummary, RunSummary, TableSummary, read_summary

RESULTS = "docs/results"
_IMAGE = re.compile(r"!\[[^]]*\]\(([^)]+)\)")


class Shelf:
    """The summaries of a checkout, each read once, by their names; ``used`` are those that were asked for."""

    def __init__(self, root: Path) -> None:
        self.root, self.folder = root, root / RESULTS
        self.used: set[str] = set()
        self._read: dict[str, AnySummary] = {}

    @property
    def names(self) -> list[str]:
        """What there is."""
        return sorted(path.stem for path in self.folder.glob("*.json"))

    def get(self, name: str) -> AnySummary:
        """Return a summary; raises ``InputError`` where there is none of that name, or the file is none."""
        if name not in self._read:
            if name not in self.names:
                raise InputError(f"no summary {name!r} in {self.folder}; there are {', '.join(self.names) or 'none'}")
            self._read[name] = read_summary(self.folder / f"{name}.json")
        self.used.add(name)
        return self._read[name]

    def run(self, name: str) -> RunSummary:
        """Return the summary of a run; raises ``InputError`` where it is of another kind."""
        summary = self.get(name)
        if not isinstance(summary, RunSummary):
            raise InputError(f"{name}: is kept as a table, of which nothing else can be shown")
        return summary


@dataclass(frozen=True)
class Page:
    """A page as it is, and as the summaries want it."""

    path: Path
    text: str
    filled: str
    pictures: tuple[tuple[Path, PictureSpec], ...]
    broken_claims: tuple[str, ...]


@dataclass
class Pages:
    """The pages of a checkout whose root is ``root``."""

    root: Path
    shelf: Shelf = field(init=False)

    def __post_init__(self) -> None:
        self.shelf = Shelf(self.root)
        if not self.shelf.folder.is_dir():
            raise InputError(f"{self.shelf.folder}: is not there; pages are made in a checkout of the sources only")

    @classmethod
    def here(cls) -> Pages:
        """Return those of this package's own checkout; raises ``InputError`` where it is installed without."""
        return cls(PACKAGE)

    @property
    def paths(self) -> list[Path]:
        """README and all pages of docs/."""
        return [self.root / "README.md", *sorted((self.root / "docs").glob("*.md"))]

    def filled(self) -> Iterator[Page]:
        """Yield every page as it should be; raises ``InputError`` where one asks for what is not there."""
        for path in self.paths:
            try:
                yield self._filled(path)
            except InputError as error:
                raise InputError(f"{path.relative_to(self.root)}: {error}") from error

    def write(self) -> list[Path]:
        """Write the pages and draw the pictures that differ; return their paths."""
        changed = []
        for page in self.filled():
            if page.text != page.filled:
                page.path.write_text(page.filled, encoding="utf-8")
                changed.append(page.path)
            for path, spec in page.pictures:
                summary = self.shelf.get(spec.picture)
                if isinstance(summary, TableSummary):
                    continue
                if not is_current(path, drawn_from(summary, spec)):
                    draw(path, summary, spec)
                    changed.append(path)
        return changed

    def problems(self) -> list[str]:
        """Return in what pages and pictures differ from the summaries, and summaries that no page shows."""
        found = []
        for page in self.filled():
            name = page.path.relative_to(self.root)
            if page.text != page.filled:
                found.append(f"{name}: differs from {RESULTS}; 'relocbench docs' writes it")
            found += [f"{name}: {claim}" for claim in page.broken_claims]
            found += [f"{name}: {problem}" for path, spec in page.pictures if (problem := self._picture(path, spec))]
        found += [
            f"{RESULTS}/{name}.json: no page shows it" for name in self.shelf.names if name not in self.shelf.used
        ]
        return found

    def _filled(self, path: Path) -> Page:
        text = path.read_text(encoding="utf-8")
        _check_markers(text)
        pictures: list[tuple[Path, PictureSpec]] = []

        def block(match: re.Match[str]) -> str:
            spec = parse_block(match[1])
            if isinstance(spec, PictureSpec):
                pictures.append((self._image(path, match[2], spec), spec))
                return match[0]
            return f"<!-- {match[1]}-->\n\n{grid(self._table(spec))}\n{END}"

        filled = BLOCK.sub(block, text)
        filled = INLINE.sub(lambda match: f"<!--={match[1]}-->{self._value(match[1])}<!--/-->", filled)
        claims = [parse_block(match[1]) for match in CLAIMS.finditer(text)]
        broken = [said for claim in claims for said in self._broken(claim)]
        return Page(path, text, filled, tuple(pictures), tuple(broken))

    def _table(self, spec: TableSpec | PlacesSpec) -> Table:
        if isinstance(spec, PlacesSpec):
            return places_table(self.shelf.run(spec.places), spec.places)
        summary = self.shelf.get(spec.table)
        if isinstance(summary, RunSummary):
            return run_table(Scores(summary, spec.table, spec.at), spec)
        if spec != TableSpec(table=spec.table):
            raise InputError(f"{spec.table}: is kept as a table, which is shown as it is")
        return kept_table(summary)

    def _value(self, text: str) -> str:
        asked = parse_value(text)
        return value_text(self.shelf.run(asked.summary), asked)

    def _broken(self, spec: ClaimsSpec) -> list[str]:
        scores = Scores(self.shelf.run(spec.claims), spec.claims, spec.at)
        return [said for claim in spec.hold if (said := broken_claim(scores, claim))]

    def _image(self, page: Path, body: str, spec: PictureSpec) -> Path:
        summary = self.shelf.get(spec.picture)
        if isinstance(summary, RunSummary):
            drawn_from(summary, spec)  # says what it has not
        images = _IMAGE.findall(body)
        if len(images) != 1:
            raise InputError(f"'picture: {spec.picture}': wants one image between it and {END}, not {len(images)}")
        return page.parent / images[0]

    def _picture(self, path: Path, spec: PictureSpec) -> str:
        """Return what is wrong with a picture, "" where it is as it should be."""
        summary, name = self.shelf.get(spec.picture), path.relative_to(self.root).as_posix()
        if isinstance(summary, TableSummary):
            kept = summary.pictures.get(name, "")
            return "" if kept == file_digest(path) else f"{name} is not the picture that {spec.picture} kept"
        return (
            ""
            if is_current(path, drawn_from(summary, spec))
            else f"{name} differs from {spec.picture}; 'relocbench docs' draws it"
        )


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a picture, "" where there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _check_markers(text: str) -> None:
    """Raise ``InputError`` where a marker has no end, or stands where Markdown takes the whole line for HTML."""
    for begins, ends, whole in ((r"<!-- (?:table|places|picture):", END, BLOCK), ("<!--=", "<!--/-->", INLINE)):
        starts, stops, found = len(re.findall(begins, text)), text.count(ends), len(whole.findall(text))
        if not starts == stops == found:
            raise InputError(f"{starts} markers begin with '{begins[:5]}' and {stops} end with '{ends}'")
    wrong = AT_LINE_START.search(text)
    if wrong:
        line = text.count("\n", 0, wrong.end()) + 1
        raise InputError(f"line {line}: begins with a value's marker; put a word before it")


def grid(table: Table) -> str:
    """Return a table as Markdown without padding, so that one changed number changes one line; then its notes."""
    header = [column.title for column in table.columns]
    rule = ["---:" if column.numeric else "---" for column in table.columns]
    rows = [[cell.text.replace("|", "\\|") for cell in row] for row in table.rows]
    lines = ["|" + "|".join(f" {text} " if text else " " for text in row) + "|" for row in (header, rule, *rows)]
    return "\n".join([*lines, "", *(line for note in table.notes for line in (note, ""))])


#: A cell of a table that was measured, not named: it is a number, or has percent of something.
_NUMBER = re.compile(r"^[^\w|]*\d[\d.,]*(?:\s*(?:%|°|m|ms|s|deg|GiB|MB))?(?:\s*\[.*\])?[^\w]*$|\d %")


def typed_tables(text: str) -> list[str]:
    """Return the first lines of tables with numbers that stand outside of markers, where nobody holds them to results.

    A column of numbers is set to the right, or has a cell that is a number.
    """
    outside = BLOCK.sub("", text)
    tables = re.findall(r"(?:^\|.*\n)+", outside, re.MULTILINE)
    return [table.partition("\n")[0] for table in tables if _has_numbers(table)]


def _has_numbers(table: str) -> bool:
    lines = table.splitlines()
    cells = [cell.strip() for line in lines for cell in line.strip("|").split("|")[1:]]
    return any(re.fullmatch(r"-+:", cell) or _NUMBER.search(cell) for cell in cells)
