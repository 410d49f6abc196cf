"""What stands in the books."""

from sqlalchemy import text
from sqlalchemy.orm import Session


def bank_balance(session: Session) -> int:
    """Return what the co-op's bank account holds by the books, minor units."""
    total = session.scalar(
        text("SELECT coalesce(sum(p.amount), 0) FROM posting p JOIN account a ON a.id = p.account_id AND a.code = 1000")
    )
    return int(total or 0)
