"""`Table`: cells that know their value, interval and text, and its forms in Markdown, CSV and LaTeX."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

INFINITY = "∞"
NOTHING = "–"


@dataclass(frozen=True)
class Cell:
    """One cell: its text, the value that sorting and CSV use, and the ends of its interval, which may be unknown."""

    text: str
    value: float | str
    low: float = math.nan
    high: float = math.nan

    @property
    def interval(self) -> str:
        """The interval as the text shows it, "" where there is none."""
        start = self.text.find("[")
        return self.text[start:] if start >= 0 else ""

    @property
    def main(self) -> str:
        """The text without its interval."""
        return self.text.removesuffix(self.interval).rstrip()


@dataclass(frozen=True)
class Column:
    """One column: its header, unit ("" for none), whether it holds numbers, and whether those have intervals.

    ``convention`` says how they are to be read ("" where nothing is to be said).
    """

    header: str
    unit: str = ""
    numeric: bool = True
    has_interval: bool = False
    smaller_is_better: bool = False
    convention: str = ""

    @property
    def title(self) -> str:
        """The header with its unit."""
        return f"{self.header} ({self.unit})" if self.unit else self.header


@dataclass(frozen=True)
class Table:
    """A caption, columns, rows of cells, and the notes that belong below."""

    caption: str
    columns: tuple[Column, ...]
    rows: list[list[Cell]] = field(default_factory=list)
    notes: tuple[str, ...] = ()

    def without(self, header: str) -> Table:
        """Return the table without the columns of that header."""
        kept = [i for i, column in enumerate(self.columns) if column.header != header]
        columns = tuple(self.columns[i] for i in kept)
        return replace(self, columns=columns, rows=[[row[i] for i in kept] for row in self.rows])


def text_cell(text: str) -> Cell:
    """Return a cell of words."""
    return Cell(text, text)


def number_cell(value: float, decimals: int = 0, *, low: float = math.nan, high: float = math.nan) -> Cell:
    """Return a cell that reads "0.42", "0.42 [0.35, 0.51]" where the interval is known, or "∞"; NaN reads "–"."""
    text = format_number(value, decimals)
    if not math.isnan(low) and not math.isnan(value):
        text += f" [{format_number(low, decimals)}, {format_number(high, decimals)}]"
    return Cell(text, float(value), float(low), float(high))


def format_number(value: float, decimals: int) -> str:
    """Return a number with fixed decimals, "∞" for infinity, "–" for NaN."""
    if math.isnan(value):
        return NOTHING
    if math.isinf(value):
        return INFINITY if value > 0 else f"−{INFINITY}"
    text = f"{value:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")


def column_decimals(values: Iterable[float], *, most: int = 3) -> int:
    """Return how many decimals show two digits of the smallest value of a column, at most ``most``."""
    sizes = [abs(value) for value in values if math.isfinite(value) and value != 0]
    return 0 if not sizes else int(min(most, max(0, 1 - math.floor(math.log10(min(sizes))))))


def to_markdown(tables: Sequence[Table]) -> str:
    """Return tables as GitHub Markdown, one after the other."""
    return "\n".join(_markdown(table) for table in tables)


def _markdown(table: Table) -> str:
    header = [_escape_markdown(column.title) for column in table.columns]
    rows = [[_escape_markdown(cell.text) for cell in row] for row in table.rows]
    widths = [max([3, *(len(line[i]) for line in [header, *rows])]) for i in range(len(header))]
    numeric = [column.numeric for column in table.columns]

    def line(cells: list[str]) -> str:
        padded = (c.rjust(w) if n else c.ljust(w) for c, w, n in zip(cells, widths, numeric, strict=True))
        return f"| {' | '.join(padded)} |"

    rule = ["-" * (width - 1) + ":" if n else "-" * width for width, n in zip(widths, numeric, strict=True)]
    lines = [f"**{_escape_markdown(table.caption)}**", "", line(header), line(rule), *(line(row) for row in rows), ""]
    for note in table.notes:
        lines += [_escape_markdown(note), ""]
    return "\n".join(lines)


def _escape_markdown(text: str) -> str:
    for character in "\\|*_`<":
        text = text.replace(character, "\\" + character)
    return text.replace("\n", " ")


def to_csv(table: Table) -> str:
    """Return a table as CSV with raw numbers: a column with intervals becomes three, infinity reads "inf"."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([name for column in table.columns for name in _csv_names(column)])
    for row in table.rows:
        cells = zip(table.columns, row, strict=True)
        writer.writerow([value for column, cell in cells for value in _csv_values(column, cell)])
    return buffer.getvalue()


def _csv_names(column: Column) -> list[str]:
    return [column.title] + [f"{column.title} {end}" for end in ("low", "high") if column.has_interval]


def _csv_values(column: Column, cell: Cell) -> list[str]:
    return [_csv_value(cell.value)] + [_csv_value(end) for end in (cell.low, cell.high) if column.has_interval]


def _csv_value(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return "" if math.isnan(value) else f"{value:.7g}"


_LATEX_HEAD = r"""% A complete document. To use it in a paper: \usepackage{booktabs,standalone}, then \input this file.
\documentclass{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage{booktabs}
\usepackage[a3paper,landscape,margin=15mm]{geometry}
\begin{document}
"""


def to_latex(tables: Sequence[Table]) -> str:
    """Return tables as one LaTeX document that needs booktabs and nothing that is not in every distribution."""
    return _LATEX_HEAD + "\n".join(_latex(table) for table in tables) + "\\end{document}\n"


def _latex(table: Table) -> str:
    def line(cells: Iterable[str]) -> str:
        return "  " + " & ".join(escape_latex(cell) for cell in cells) + r" \\"

    body = [
        r"\begin{table}[htbp]",
        r"\centering\footnotesize",
        rf"\caption{{{escape_latex(table.caption)}}}",
        rf"\begin{{tabular}}{{{''.join('r' if column.numeric else 'l' for column in table.columns)}}}",
        r"  \toprule",
        line(column.header for column in table.columns),
        line(f"({column.unit})" if column.unit else "" for column in table.columns),
        r"  \midrule",
        *(line(cell.text for cell in row) for row in table.rows),
        r"  \bottomrule",
        r"\end{tabular}",
        *(rf"\par\smallskip {escape_latex(note)}" for note in table.notes),
        r"\end{table}",
    ]
    return "\n".join(body) + "\n"


_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "[": "{[}",  # a row that begins with a bracket would be read as an option of \\
    "]": "{]}",
    "∞": r"$\infty$",
    "°": r"$^\circ$",
    "–": "--",
    "−": "$-$",
    "×": r"$\times$",
    "≤": r"$\leq$",
    "†": r"\dag{}",
    "‡": r"\ddag{}",
    "§": r"\S{}",
    "¶": r"\P{}",
    "µ": r"$\mu$",
    "\n": " ",
}


def escape_latex(text: str) -> str:
    """Return text as LaTeX that prints it; characters that pdfLaTeX does not know become question marks."""
    known = (_LATEX.get(c, c if c.isascii() or (c.isalpha() and ord(c) < 0x250) else "?") for c in text)
    return "".join(known)


def write_table(tables: Sequence[Table], stem: Path, *, raw: Table) -> list[Path]:
    """Write tables as ``stem`` .md and .tex, and the ``raw`` one as .csv; return the paths."""
    contents = {"md": to_markdown(tables), "csv": to_csv(raw), "tex": to_latex(tables)}
    paths = []
    for suffix, content in contents.items():
        path = stem.with_name(f"{stem.name}.{suffix}")
        path.write_text(content, encoding="utf-8")
        paths.append(path)
    return paths
