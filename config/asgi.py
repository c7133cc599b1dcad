"""The entry of the process that streams: `granian --interface asginl config.asgi:application`.

It is for `/graphql/stream`; everything else is what `config.wsgi` answers faster. It serves one event loop, to which
the database is asked in a few threads.
"""

import os

from django.core.asgi import get_asgi_application

from config.garbage import settle
from config.uploads import bounded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# However a query is meant, no statement of a request takes longer than that.
os.environ.setdefault("DATABASE_STATEMENT_TIMEOUT_MS", "10000")

application = bounded(get_asgi_application())

# As in `config.wsgi`.
import config.urls  # noqa: E402, F401

settle()
