"""Long lists in pages, and searching in them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Slice:
    """Which part of a list a page shows: page `number` from 1, of `size` rows, of `total` in all."""

    number: int
    size: int
    total: int

    @property
    def skipped(self) -> int:
        """How many rows stand before this page."""
        return (self.number - 1) * self.size

    @property
    def first(self) -> int:
        """The place of the page's first row, 0 where it has none."""
        return self.skipped + 1 if self.skipped < self.total else 0

    @property
    def last(self) -> int:
        """The place of the page's last row, 0 where it has none."""
        return min(self.skipped + self.size, self.total) if self.first else 0


def anywhere(sought: str) -> str:
    """Turn what is searched for into a LIKE pattern that finds it anywhere, each character taken literally; "%%" finds all."""
    return "%" + sought.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
