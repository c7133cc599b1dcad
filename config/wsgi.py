"""The web server's entry: `granian --interface wsgi config.wsgi:application`."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

# Import the views and the GraphQL schema now, then move all of it out of the garbage collector's sight: full
# collections that walk the schema again and again double the p95 of a request.
import config.urls  # noqa: E402, F401

gc.collect()
gc.freeze()
