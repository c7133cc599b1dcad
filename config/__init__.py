"""How Muster runs: settings, addresses, processes. Importing it makes the Celery app the default one."""

from config.garbage import look_seldom

look_seldom()

from config.celery import app as celery_app  # noqa: E402 - whatever is large comes after

__all__ = ["celery_app"]
