"""The worker's application with a watch over its hearing that loses patience after three seconds."""

from workers import hearing
from workers.celery_app import app

__all__ = ["app"]

hearing.DEAF_AFTER, hearing.LOOK_EVERY = 3.0, 0.5
