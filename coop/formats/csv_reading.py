"""Strict reading of comma-separated files, plain or gzipped: every fault is named with its place, and a faulty file is refused whole."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from coop.core.errors import RuleBroken
from coop.formats.cells import shown
from coop.formats.csv_text import Unreadable, decode, take_apart, unpack

LISTED_PROBLEMS = 1000

_Value = TypeVar("_Value")
Places = NDArray[np.int64]


class Problem(NamedTuple):
    """One fault of a file: where it is, a stable code, and a sentence saying what is wrong and what is allowed."""

    file: str
    line: int
    column: str
    code: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.column}: {self.sentence}"


class FilesRefused(RuleBroken):
    """The files are refused whole; `problems` are the first of them in the order of files and lines, `count` is how many there are."""

    def __init__(self, problems: Sequence[Problem], count: int) -> None:
        self.problems = tuple(problems)
        self.count = count
        codes = {problem.code for problem in problems}
        code = codes.pop() if len(codes) == 1 else "bad_rows"
        more = f" The first of {count} faults" if count > 1 else " The fault"
        super().__init__(
            code, f"Nothing was stored.{more} is {problems[0]}", field=f"{problems[0].file}:{problems[0].line}"
        )


class Problems:
    """Collects the faults of several files, remembering the first of each file and counting all."""

    def __init__(self) -> None:
        self._found: dict[str, list[Problem]] = {}
        self.count = 0

    def add(self, file: str, line: int, column: str, code: str, sentence: str) -> None:
        """Note one fault."""
        self.count += 1
        found = self._found.setdefault(file, [])
        if len(found) < LISTED_PROBLEMS:
            found.append(Problem(file, line, column, code, sentence))

    def refuse_if_any(self) -> None:
        """Raise `FilesRefused` if anything was noted."""
        if self.count:
            listed = [
                problem for found in self._found.values() for problem in sorted(found, key=lambda problem: problem.line)
            ]
            raise FilesRefused(listed[:LISTED_PROBLEMS], self.count)


class Table:
    """The cells of one file, by column; the faults of its cells go to the `problems` it was read with.

    A column is kept as its distinct texts, sorted, and for each row the place of its text among them: what is read or checked is read or
    checked once for each distinct text, and rows are compared as whole numbers (int64).
    """

    def __init__(
        self, file: str, columns: Mapping[str, Sequence[str]], lines: Sequence[int], problems: Problems
    ) -> None:
        self.file = file
        self.lines = lines
        self._problems = problems
        self._distinct = {column: sorted(set(texts)) for column, texts in columns.items()}
        self._places = {column: self._placed(column, texts) for column, texts in columns.items()}

    def _placed(self, column: str, texts: Sequence[str]) -> Places:
        places = {text: place for place, text in enumerate(self._distinct[column])}
        return np.fromiter(map(places.__getitem__, texts), np.int64, len(texts))

    def __len__(self) -> int:
        return len(self.lines)

    def distinct(self, column: str) -> list[str]:
        """Give the distinct texts of a column, sorted."""
        return self._distinct[column]

    def places(self, column: str) -> Places:
        """Give for each row the place of its text among the distinct ones."""
        return self._places[column]

    def places_in(self, known: "Table", column: str) -> Places:
        """Give for each row the place of its text among the distinct ones of the other table, -1 where it is not there."""
        places = {text: place for place, text in enumerate(known.distinct(column))}
        there = np.array([places.get(text, -1) for text in self._distinct[column]], np.int64)
        return there[self._places[column]]

    def keys(self, *columns: str) -> Places:
        """Give one whole number for each row, equal for rows that are equal in these columns, and sorted as they are."""
        joined = self._places[columns[0]]
        for column in columns[1:]:
            joined = joined * len(self._distinct[column]) + self._places[column]
        return joined

    def row(self, row: int, *columns: str) -> str:
        """Show what a row says in these columns."""
        return shown(" ".join(self._distinct[column][self._places[column][row]] for column in columns))

    def values(self, column: str, read: Callable[[str], _Value]) -> list[_Value]:
        """Read each cell of a column; where `read` raises RuleBroken the fault is noted, and the column is empty."""
        known: list[_Value] = []
        wrong: dict[int, RuleBroken] = {}
        for place, text in enumerate(self._distinct[column]):
            try:
                known.append(read(text))
            except RuleBroken as broken:
                wrong[place] = broken
        places = self._places[column].tolist()
        if not wrong:
            return [known[place] for place in places]
        for row, place in enumerate(places):
            if place in wrong:
                self.fault(row, column, wrong[place].code, wrong[place].sentence)
        return []

    def fault(self, row: int, column: str, code: str, sentence: str) -> None:
        """Note that this row is wrong."""
        self._problems.add(self.file, self.lines[row], column, code, sentence)

    def file_fault(self, code: str, sentence: str) -> None:
        """Note that the file as a whole is wrong."""
        self._problems.add(self.file, 1, "file", code, sentence)


def read_table(path: Path, columns: Sequence[str], problems: Problems) -> Table | None:
    """Read a file that has exactly these columns, in any order; None, with the faults noted, if it is no such file."""
    try:
        header, cells, lines, faults = take_apart(decode(unpack(path)))
    except Unreadable as found:
        problems.add(path.name, *found.args)
        return None
    if wrong := list(_header_faults(header, columns)):
        for code, sentence in wrong:
            problems.add(path.name, 1, "header", code, sentence)
        return None
    for line, code, sentence in faults:
        problems.add(path.name, line, "row", code, sentence)
    return Table(path.name, dict(zip(header, cells, strict=True)), lines, problems)


_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}


def _header_faults(header: list[str], columns: Sequence[str]) -> Iterator[tuple[str, str]]:
    listed = ", ".join(columns)
    if not any(header):
        yield "empty_file", f"the first line is empty; it needs the columns {listed}"
        return
    for separator, name in _OTHER_SEPARATORS.items():
        if len(header) == 1 and separator in header[0]:
            yield "wrong_separator", f"the columns are separated by {name}; separate them by commas"
            return
    for column in columns:
        if column not in header:
            yield "missing_column", f"the column {column} is missing; the columns are {listed}"
    for column in dict.fromkeys(header):
        if column not in columns:
            yield "unknown_column", f"the column “{shown(column)}” is unknown; the columns are {listed}"
        elif header.count(column) > 1:
            yield "duplicate_column", f"the column {column} stands twice; keep one"
