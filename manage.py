#!/usr/bin/env python
"""Muster's command line: `python manage.py help`."""

import os
import sys


def main() -> None:
    # A person at a prompt works in development; servers say MUSTER_ENV=production in their environment.
    os.environ.setdefault("MUSTER_ENV", "development")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
