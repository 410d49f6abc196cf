"""The worker's application with leases of four seconds instead of ten, and a sleep at failpoints that is longer still.

For faults that wait until a lease has run out: what has to happen then is the same, only sooner.
"""

from datetime import timedelta

from coop import failpoints, jobs

jobs.LEASE, failpoints.ASLEEP = timedelta(seconds=4), 5.5  # before the worker reads how often to prolong one

from workers.celery_app import app  # noqa: E402

__all__ = ["app"]
