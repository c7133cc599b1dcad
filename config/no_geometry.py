"""Say at once that there is no GDAL.

strawberry-django asks for Django's geometry on every start, and Django then looks for GDAL under a dozen names, each
time with a compiler: half a second of every process, for types that Muster has none of.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec

from django.core.exceptions import ImproperlyConfigured


class _NoGeometry(MetaPathFinder):
    def find_spec(self, fullname: str, path: Sequence[str] | None, target: object = None) -> ModuleSpec | None:
        if fullname == "django.contrib.gis.geos":
            raise ImproperlyConfigured("Muster has no geometry")  # what Django says where it finds no GDAL
        return None


def install() -> None:
    """Before strawberry-django is imported. Twice is as good as once."""
    if not any(isinstance(finder, _NoGeometry) for finder in sys.meta_path):
        sys.meta_path.insert(0, _NoGeometry())
