"""The web server's entry: `granian --interface wsgi config.wsgi:application`."""

import os
import threading

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from config.garbage import settle
from config.stream_proxy import Application, with_streams

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# However a query is meant, no statement of a request takes longer than that.
os.environ.setdefault("DATABASE_STATEMENT_TIMEOUT_MS", "30000")

application: Application = get_wsgi_application()

# Import the views and the GraphQL schema now, then move all of it out of the garbage collector's sight: full
# collections that walk the schema again and again double the p95 of a request.
import config.urls  # noqa: E402, F401

if settings.STREAM_URL:
    application = with_streams(application, settings.STREAM_URL)

settle()

from matching.queries.warming import warm_up  # noqa: E402


def _warm_up() -> None:
    warm_up()
    settle()


threading.Thread(target=_warm_up, name="warm-up", daemon=True).start()
