"""Ring again for what is not done, and write down the slots of the timetable that have come."""

import logging

from sqlalchemy.exc import DBAPIError

from coop import bell, jobs
from workers import timetable
from workers.answering import ticks
from workers.celery_app import app, database, settings

log = logging.getLogger(__name__)


def sweep() -> None:
    """Run beside all jobs, every two seconds; any number of sweeps may run at once."""
    db = database()
    try:
        with db.begin() as session:
            jobs.beat(session, "beat")  # only the beat rings for the sweep, so hearing it is its sign of life
            jobs.beat(session, "worker")
            for job, every in timetable.SLOTS.items():
                if missed := jobs.tick(session, job, every):
                    log.warning("job=%s missed=%s slots", job, missed)
        bell.ring(settings().redis_url, jobs.due(db, known()))
    except DBAPIError as error:
        log.warning("sweep failed=%s", type(error).__name__)


def known() -> list[str]:
    """Return the names of the jobs this worker can answer."""
    return [name for name in app.tasks if not name.startswith("celery.") and name != jobs.SWEEP]


app.task(sweep, name=jobs.SWEEP)
ticks(jobs.PURGE)(lambda db, _: jobs.purge(db))
