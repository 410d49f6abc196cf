"""Make a longer season out of a season's files: the same weeks again, some weeks later, told apart by their codes."""

import csv
import gzip
import io
from datetime import date, datetime, timedelta
from pathlib import Path


def write_again(folder: Path, into: Path, *, weeks_later: int, mark: str = "", times: int = 1) -> None:
    """Write the season in `folder` `times` times over, each `weeks_later` weeks after the one before, beginning so much later.

    Members, artisans and products stay the same over the repetitions; `mark` goes before their codes, so that the
    result can stand beside the original.
    """
    into.mkdir(parents=True, exist_ok=True)
    shifts = [weeks_later * (n if times > 1 else 1) for n in range(times)]
    for stem in ("members", "products", "orders", "yields"):
        rows = _rows(folder, stem)
        written = [_shifted(row, shift, mark) for shift in (shifts if "cycle" in rows[0] else [0]) for row in rows]
        write_rows(into / f"{stem}.csv", written)


def _rows(folder: Path, stem: str) -> list[dict[str, str]]:
    packed = folder / f"{stem}.csv.gz"
    content = gzip.decompress(packed.read_bytes()) if packed.exists() else (folder / f"{stem}.csv").read_bytes()
    return list(csv.DictReader(io.StringIO(content.decode())))


def _shifted(row: dict[str, str], weeks: int, mark: str) -> dict[str, str]:
    moved = {name: mark + value if name in {"member", "product", "artisan"} else value for name, value in row.items()}
    if "cycle" in row:
        year, week = row["cycle"].split("-W")
        later = (date.fromisocalendar(int(year), int(week), 1) + timedelta(weeks=weeks)).isocalendar()
        moved["cycle"] = f"{later.year}-W{later.week:02}"
    if "ordered_at" in row:
        moved["ordered_at"] = (datetime.fromisoformat(row["ordered_at"]) + timedelta(weeks=weeks)).isoformat()
    return moved


def write_rows(path: Path, rows: list[dict[str, str]]) -> None:
    """Write a file of a season."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
