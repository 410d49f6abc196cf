"""From a file's bytes to its cells, by column: plain or gzipped CSV in UTF-8, strict, and fast where no cell is quoted."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterable, Sequence
from operator import methodcaller
from pathlib import Path
from typing import NamedTuple

BYTES_LIMIT = 256 * 1024 * 1024
"""A larger file, after unpacking, is refused before it fills the memory."""


class Unreadable(Exception):  # noqa: N818 - it says what the file is
    """The file cannot be taken apart into rows; the arguments are line, column, code and sentence of a Problem."""


def unpack(path: Path) -> bytes:
    """Read a file's bytes, unpacked if its name ends in .gz."""
    packed = path.suffix == ".gz"
    try:
        with gzip.open(path) if packed else path.open("rb") as stream:
            content = stream.read(BYTES_LIMIT + 1)
    except EOFError:
        raise Unreadable(
            1, "file", "truncated", "the compressed file ends too early; fetch or export it again"
        ) from None
    except (gzip.BadGzipFile, zlib.error):
        raise Unreadable(
            1, "file", "not_gzip", "the file is damaged or not compressed with gzip; a plain file ends in .csv"
        ) from None
    if len(content) > BYTES_LIMIT:
        raise Unreadable(
            1, "file", "too_large", f"the file is larger than {BYTES_LIMIT} bytes; split the season"
        ) from None
    return content


_MARKS = {
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
    b"\x1f\x8b": "gzip, though its name does not end in .gz",
    b"PK\x03\x04": "a spreadsheet",
}


def decode(content: bytes) -> str:
    """Read the bytes as UTF-8 text, with or without byte order mark, and make sure that it is whole."""
    for mark, kind in _MARKS.items():
        if content.startswith(mark):
            raise Unreadable(1, "file", "wrong_encoding", f"the file is {kind}; save it as CSV in UTF-8")
    nul = content.find(b"\0")
    if nul >= 0:
        raise Unreadable(
            _line_of(content, nul),
            "file",
            "nul",
            "the file holds a NUL character and is damaged or not text; save it as CSV in UTF-8",
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        line = _line_of(content, wrong.start)
        raise Unreadable(
            line,
            "file",
            "wrong_encoding",
            "the file is not UTF-8 (perhaps Windows-1252 or Latin-1); save it as CSV in UTF-8",
        ) from None
    if "\ufffd" in text:
        line = text.count("\n", 0, text.index("\ufffd")) + 1
        raise Unreadable(
            line,
            "file",
            "wrong_encoding",
            "letters were lost when the file was converted (\ufffd); export it again as UTF-8",
        )
    if text and text[-1] not in "\r\n":
        raise Unreadable(
            text.count("\n") + 1,
            "file",
            "truncated",
            "the last line has no line end, so the file may be cut off; export it again",
        )
    return text


def _line_of(content: bytes, position: int) -> int:
    return content.count(b"\n", 0, position) + 1


class Cells(NamedTuple):
    """A file taken apart: its header, its cells by column, the line of each row, and the (line, code, sentence) of rows that do not fit."""

    header: list[str]
    columns: Sequence[Sequence[str]]
    lines: Sequence[int]
    faults: Sequence[tuple[int, str, str]] = ()


def take_apart(text: str) -> Cells:
    """Take a text with a header line apart. Raises `Unreadable` where its quotes do not match."""
    if '"' not in text:
        unix = text.replace("\r\n", "\n")
        first, _, body = unix.partition("\n")
        rows = body.split("\n")
        rows.pop()
        separators = first.count(",")
        if (
            "\r" not in unix
            and first not in rows
            and all(count == separators for count in map(methodcaller("count", ","), rows))
        ):
            cells = body.replace("\n", ",").split(",")
            cells.pop()
            width = separators + 1
            return Cells(first.split(","), [cells[place::width] for place in range(width)], range(2, len(rows) + 2))
    return _take_apart_by_csv(text)


def _take_apart_by_csv(text: str) -> Cells:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    faults: list[tuple[int, str, str]] = []
    try:
        header = next(reader, [])
        for row in reader:
            line, width = reader.line_num, len(row)
            if row == header:
                faults.append(
                    (
                        line,
                        "doubled_file",
                        "the header stands here again, so the file holds itself twice; keep one copy",
                    )
                )
            elif width != len(header):
                faults.append(
                    (line, "wrong_width", f"the row has {width} cells; it needs {len(header)}: {', '.join(header)}")
                )
            else:
                rows.append(row)
                lines.append(line)
    except csv.Error as wrong:
        raise Unreadable(
            reader.line_num, "row", "bad_quotes", f'the row cannot be read ({wrong}); quote a cell with " at both ends'
        ) from None
    columns: Iterable[Sequence[str]] = zip(*rows, strict=True) if rows else [()] * len(header)
    return Cells(header, list(columns), lines, faults)
