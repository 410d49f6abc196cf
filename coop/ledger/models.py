"""Accounts, entries and postings: debit +, credit -, whole minor units, append-only.

The database itself refuses an entry that does not balance, is incomplete, lies in a closed period or overdraws an
account that may not go below zero; the triggers stand in the migration `guards`.
"""

from datetime import date

from sqlalchemy import CheckConstraint, Index, Integer, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from coop.db import Base, Identity, Instant, Minor


class Account(Base):
    __tablename__ = "account"
    __table_args__ = (
        UniqueConstraint("code", "party"),
        CheckConstraint("side IN (-1, 0, 1)", "side"),
    )

    id: Mapped[Identity]
    code: Mapped[int] = mapped_column(Integer, comment="number in the chart of accounts")
    party: Mapped[str] = mapped_column(
        server_default="", comment="household:17, artisan:4, or empty for the co-op's own"
    )
    currency: Mapped[str]
    side: Mapped[int] = mapped_column(
        SmallInteger, comment="-1: a liability that may not turn into a claim; +1: the reverse; 0: free"
    )


class Period(Base):
    __tablename__ = "period"
    __table_args__ = (CheckConstraint("starts <= ends", "order"), UniqueConstraint("starts"))

    id: Mapped[Identity]
    starts: Mapped[date]
    ends: Mapped[date] = mapped_column(comment="last day, included")
    closed_at: Mapped[Instant | None]
    closed_by: Mapped[int | None]


class Entry(Base):
    __tablename__ = "entry"
    __table_args__ = (
        CheckConstraint("line_count >= 2", "line_count"),
        Index("uq_entry_reverses_id", "reverses_id", unique=True, postgresql_where=text("reverses_id IS NOT NULL")),
        Index(
            "ix_entry_noted",
            "business_date",
            postgresql_where=text(
                "kind IN ('refund', 'supplier_paid', 'advance', 'chargeback', 'manual', 'household_paid')"
            ),
        ),
    )

    id: Mapped[Identity]
    key: Mapped[str] = mapped_column(unique=True, comment="the business fact it books; never pruned")
    kind: Mapped[str]
    business_date: Mapped[date]
    posted_at: Mapped[Instant] = mapped_column(server_default=text("clock_timestamp()"))
    period_id: Mapped[int]
    line_count: Mapped[int] = mapped_column(
        Integer, comment="how many postings it has; with all slots taken nothing can be slipped in"
    )
    reverses_id: Mapped[int | None]
    actor_id: Mapped[int] = mapped_column(comment="person who acted; 0 for the command line and the clock")
    memo: Mapped[str | None]


class Posting(Base):
    __tablename__ = "posting"
    __table_args__ = (
        CheckConstraint("amount <> 0", "amount"),
        CheckConstraint("abs(amount) <= 100000000000", "limit"),
        Index(None, "account_id", "entry_id"),
        Index("ix_posting_line_id", "line_id", postgresql_where=text("line_id IS NOT NULL")),
    )

    entry_id: Mapped[int] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(Integer, primary_key=True, comment="slot 1 .. entry.line_count")
    account_id: Mapped[int]
    amount: Mapped[Minor] = mapped_column(comment="debit +, credit -")
    line_id: Mapped[int | None] = mapped_column(comment="order line that the money belongs to")


class Balance(Base):
    """The kept sum of an account that may not be overdrawn, written by the database alone."""

    __tablename__ = "balance"

    account_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    amount: Mapped[Minor]
    side: Mapped[int] = mapped_column(SmallInteger)


class EntryCheck(Base):
    """Ranges of entries that the commit still has to check; emptied by the check itself."""

    __tablename__ = "entry_check"
    __table_args__ = ({"prefixes": ["UNLOGGED"]},)

    id: Mapped[Identity]
    lowest: Mapped[int]
    highest: Mapped[int]
