"""The Celery app. Tasks live in each app's `tasks.py`; everything tunable is in settings under `CELERY_`."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_process_init, worker_ready

from config.garbage import settle

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("muster")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_ready.connect
def beat_at_once(**kwargs: Any) -> None:
    """The first heartbeat when the worker is up, not at the next stroke of the clock."""
    app.send_task("accounts.tasks.heartbeat")


@worker_process_init.connect
def settled(**kwargs: Any) -> None:
    settle()
