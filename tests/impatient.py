"""The worker's application with a broker that hands a message out again after three seconds."""

from workers.celery_app import app

app.conf.broker_transport_options |= {"visibility_timeout": 3, "unacked_restore_interval": 1}
