#!/usr/bin/env python
"""Muster's command line: `python manage.py help`."""

import os
import sys


def main() -> None:
    # A person at a prompt works in development; servers say MUSTER_ENV=production in their environment.
    os.environ.setdefault("MUSTER_ENV", "development")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line
    from django.db import OperationalError
    from psycopg_pool import PoolTimeout

    try:
        execute_from_command_line(sys.argv)
    except OperationalError as error:
        if not isinstance(error.__cause__, PoolTimeout) or "--traceback" in sys.argv:
            raise
        sys.exit(
            "The database does not answer. `make run` starts Muster with its own, `python -m config.services start` the"
            " database alone; DATABASE_URL names another one."
        )


if __name__ == "__main__":
    main()
