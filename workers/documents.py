"""Write the documents of members that need no asking, and lay each out on paper."""

from datetime import datetime

from coop import jobs
from coop.db import Db
from coop.documents import service as documents
from coop.jobs import Lease
from coop.papers import service as papers
from workers.answering import answers, ticks


@ticks(jobs.ISSUE_DOCUMENTS)
def issue(db: Db, at: datetime) -> None:
    papers.issue_due(db, at=at)


@answers(jobs.WRITE_DOCUMENT)
def write(db: Db, lease: Lease) -> None:
    documents.lay_out(db, lease, at=lease.at)
