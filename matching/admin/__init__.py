"""The staff's pages of deciding, the console's first page and its navigation."""

from matching.admin import (
    allocation,
    backfill,
    copies,
    dashboard,
    matches,
    models,
    navigation,
    preview,
    rescores,
    saved_searches,
    segments,
    shadows,
    training,
)

__all__ = [
    "allocation",
    "backfill",
    "copies",
    "dashboard",
    "matches",
    "models",
    "navigation",
    "preview",
    "rescores",
    "saved_searches",
    "segments",
    "shadows",
    "training",
]
