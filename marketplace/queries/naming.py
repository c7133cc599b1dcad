"""English names of languages, countries, regions and skills, for sentences about rules."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from matching.core.names import Names


def names_of(skills: Mapping[int, str], groups: Mapping[int, str] | None = None) -> Names:
    """All names, with those of these skills by inner id. Groups are named only to those who may see them. No query."""
    return Names(skills, _languages(), _countries(), _regions(), groups or {})


# Loading these takes a tenth of a second each: once a process, and not at all where no sentence is read.


@cache
def _languages() -> Mapping[str, str]:
    from babel import Locale

    return dict(Locale("en").languages)


@cache
def _countries() -> Mapping[str, str]:
    from babel import Locale

    return dict(Locale("en").territories)


@cache
def _regions() -> Mapping[str, str]:
    import pycountry

    return {region.code: region.name for region in pycountry.subdivisions}
