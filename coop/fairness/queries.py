"""The report on a season as members read it, and as admins do, who see names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from coop import jobs
from coop.core.claims import MICRO
from coop.core.comparison import STEPS
from coop.core.errors import NotFound
from coop.core.impact import FEWEST_MAKERS, shown_count
from coop.core.money import half_up
from coop.core.season_report import FEWEST_MEMBERS

DELAYED_AFTER: Final = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class ProgressPage:
    """How far the worker is with the latest report that was asked for; `state` is "" where none ever was."""

    season_id: int
    state: str
    since: datetime | None
    done: int
    steps: int
    is_delayed: bool
    failure: str

    @property
    def is_done(self) -> bool:
        """Whether there is nothing to wait for."""
        return self.state != "requested"


@dataclass(frozen=True, slots=True)
class FillClass:
    """A column of the histogram: how many members received this part of their wishes."""

    label: str
    size: int
    text: str


@dataclass(frozen=True, slots=True)
class FillRow:
    """How full the wishes of a pool or of a craft were."""

    name: str
    wished: int
    received: int
    filled: str


@dataclass(frozen=True, slots=True)
class RuleRow:
    """What a rule makes of the season; the first of them is what really came of it."""

    rule: str
    fully_served: int
    lowest: str
    tenth: str
    median: str
    jain: str
    most_short: str
    longest_misses: int


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A member who fared badly; `who` is a name for admins, and how many members for everybody."""

    who: str
    household_id: int | None
    filled: str
    longest: int


@dataclass(frozen=True, slots=True)
class ReachRow:
    """The largest balance of a family of products, beside the bound that the rule promises."""

    family: str
    who: str
    owed: str
    bound: str
    is_promised: bool


@dataclass(frozen=True, slots=True)
class Report:
    """A version of the report. The members' has no names, and no craft of fewer than five makers."""

    version: int
    made_at: datetime
    rule: str
    pools: int
    batches: int
    left_out: int
    members: int
    wished: int
    received: int
    filled: str
    histogram: list[FillClass]
    rules: list[RuleRow]
    by_pool: list[FillRow]
    by_craft: list[FillRow]
    crafts_hidden: int
    lowest: list[MemberRow]
    unserved: list[MemberRow]
    reach: list[ReachRow]


@dataclass(frozen=True, slots=True)
class ReportPage:
    """The latest report of a season; `is_withheld` where so few members wished that it would tell of single ones."""

    season_id: int
    season: str
    by_name: bool
    progress: ProgressPage
    report: Report | None
    is_withheld: bool


_LATEST = text("""
SELECT s.name, r.id, r.version, r.state, r.requested_at, r.done, r.steps, r.failure,
       d.version AS ready_version, d.made_at, d.figures
  FROM season s
  LEFT JOIN LATERAL (SELECT * FROM fairness_report WHERE season_id = s.id ORDER BY version DESC LIMIT 1) r ON true
  LEFT JOIN LATERAL (SELECT * FROM fairness_report WHERE season_id = s.id AND state = 'ready'
                      ORDER BY version DESC LIMIT 1) d ON true
 WHERE s.id = :season
""")


def progress_page(session: Session, season_id: int, *, at: datetime) -> ProgressPage:
    """Return how far the worker is with a season's latest report."""
    return _progress(session, _latest(session, season_id), season_id, at=at)


def report_page(session: Session, season_id: int, *, by_name: bool, at: datetime) -> ReportPage:
    """Return a season's latest report, with names or without."""
    row = _latest(session, season_id)
    figures = row.figures
    is_withheld = bool(figures) and not by_name and figures["rules"][0]["members"] < FEWEST_MEMBERS
    report = None
    if figures and not is_withheld:
        names = _names(session, figures) if by_name else None
        report = _report(figures, row.ready_version, row.made_at, names)
    return ReportPage(season_id, row.name, by_name, _progress(session, row, season_id, at=at), report, is_withheld)


def _latest(session: Session, season_id: int) -> Any:
    row = session.execute(_LATEST, {"season": season_id}).first()
    if row is None:
        raise NotFound
    return row


def _progress(session: Session, row: Any, season_id: int, *, at: datetime) -> ProgressPage:
    job = jobs.state_of(session, jobs.COMPUTE_FAIRNESS, row.id) if row.state == "requested" else None
    late = job is not None and job.attempts == 0 and at - row.requested_at > DELAYED_AFTER
    return ProgressPage(
        season_id, row.state or "", row.requested_at, row.done or 0, row.steps or 0, late, row.failure or ""
    )


def _names(session: Session, figures: Mapping[str, Any]) -> dict[int, str]:
    wanted = {row["household"] for part in ("lowest", "unserved", "reach") for row in figures[part]}
    found = session.execute(text("SELECT id, name FROM household WHERE id = ANY(:ids)"), {"ids": sorted(wanted)})
    return {row.id: row.name for row in found}


def _report(figures: Mapping[str, Any], version: int, made_at: datetime, names: Mapping[int, str] | None) -> Report:
    crafts = figures["by_craft"]
    shown = [row for row in crafts if names is not None or row["makers"] >= FEWEST_MAKERS]
    actual = figures["rules"][0]
    labels = [f"{100 // STEPS * tenth} %" for tenth in range(STEPS)] + ["all"]
    return Report(
        version=version,
        made_at=made_at,
        rule=figures["rule"],
        pools=figures["pools"],
        batches=figures["batches"],
        left_out=figures["left_out"],
        members=actual["members"],
        wished=actual["wished"],
        received=actual["received"],
        filled=_percent(actual["received"], actual["wished"]),
        histogram=[FillClass(*row, f"{row[1]:,}") for row in zip(labels, figures["histogram"], strict=True)],
        rules=[_rule(row) for row in figures["rules"]],
        by_pool=[_fill(row["name"], row) for row in figures["by_pool"] if row["wished"]],
        by_craft=[_fill(row["craft"] or "other", row) for row in shown],
        crafts_hidden=len(crafts) - len(shown),
        lowest=_lowest(figures["lowest"], names),
        unserved=_unserved(figures, names),
        reach=[
            ReachRow(
                row["family"], names[row["household"]] if names else "", row["owed"], row["bound"], row["is_promised"]
            )
            for row in figures["reach"]
        ],
    )


def _fill(name: str, row: Mapping[str, int]) -> FillRow:
    return FillRow(name, row["wished"], row["received"], _percent(row["received"], row["wished"]))


def _rule(row: Mapping[str, Any]) -> RuleRow:
    hundredths = half_up(max(0, row["most_short"]) * 100, MICRO)
    return RuleRow(
        rule=row["rule"],
        fully_served=row["fully_served"],
        lowest=_percent_of(row["lowest"]),
        tenth=_percent_of(row["tenth"]),
        median=_percent_of(row["median"]),
        jain=row["jain"],
        most_short=f"{hundredths // 100:,}.{hundredths % 100:02}",
        longest_misses=row["longest_misses"],
    )


def _lowest(rows: Sequence[Mapping[str, int]], names: Mapping[int, str] | None) -> list[MemberRow]:
    told = [(row, _percent(row["received"], row["wished"])) for row in rows]
    if names is None:
        return [MemberRow("a member", None, filled, row["longest"]) for row, filled in told]
    return [MemberRow(names[row["household"]], row["household"], filled, row["longest"]) for row, filled in told]


def _unserved(figures: Mapping[str, Any], names: Mapping[int, str] | None) -> list[MemberRow]:
    """Name them for admins; for members count them by the length of their row, small counts as "under 11"."""
    if names is None:
        return [MemberRow(shown_count(many), None, "", length) for length, many in figures["rows"]]
    return [
        MemberRow(names[row["household"]], row["household"], _percent(row["received"], row["wished"]), row["longest"])
        for row in figures["unserved"]
    ]


def _percent(part: int, whole: int) -> str:
    tenths = half_up(part * 1000, whole)
    return f"{tenths // 10}.{tenths % 10} %"


def _percent_of(ratio: str) -> str:
    """Write a ratio that was kept with four decimals, as percent with one."""
    return _percent(int(ratio.replace(".", "")), 10_000)
