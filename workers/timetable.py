"""All schedules of the co-op, on one page.

The beat rings for the sweep and for nothing else. The sweep writes a row for each slot that has come, once however many
beats and sweeps there are, so a slot that was missed can be seen.
"""

from datetime import timedelta
from typing import Final

from coop import jobs

SLOTS: Final = {
    jobs.CLOSE_POOLS: timedelta(seconds=15),
    jobs.RELEASE_INSTALMENTS: timedelta(minutes=10),
    jobs.REMIND_INSTALMENTS: timedelta(hours=1),
    jobs.ISSUE_DOCUMENTS: timedelta(minutes=10),
    jobs.SEAL_AUDIT: timedelta(minutes=1),
    jobs.CHECK_BOOKS: timedelta(hours=1),
    jobs.PURGE: timedelta(days=1),
}
