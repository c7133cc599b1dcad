"""The Celery app. Tasks live in each app's `tasks.py`; everything tunable is in settings under `CELERY_`."""

import os
from typing import Any

from celery import Celery
from celery.signals import celeryd_after_setup, task_postrun, worker_ready
from celery.states import SUCCESS
from django.db import close_old_connections, connections

from config.garbage import settle

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("muster")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_ready.connect
def beat_at_once(**kwargs: Any) -> None:
    """The first heartbeat when the worker is up, not at the next stroke of the clock."""
    app.send_task("accounts.tasks.heartbeat")


@celeryd_after_setup.connect
def settled(**kwargs: Any) -> None:
    """Before the pool is forked: its processes share what stays, and none walks it and so makes it its own."""
    settle()


@task_postrun.connect
def connections_laid_down(state: str | None = None, **kwargs: Any) -> None:
    """Back into the pool of the process, as after a request: to open one takes longer than most tasks do. What a task
    that failed may have left on its own, such as a lock, ends with that one."""
    close_old_connections()
    if state != SUCCESS:
        for one in connections.all(initialized_only=True):
            one.close()
            one.close_pool()  # type: ignore[attr-defined]
