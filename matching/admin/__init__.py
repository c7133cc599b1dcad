"""The staff's pages of deciding, the console's first page and its navigation."""

from matching.admin import allocation, copies, dashboard, matches, models, navigation, preview, saved_searches, segments

__all__ = [
    "allocation",
    "copies",
    "dashboard",
    "matches",
    "models",
    "navigation",
    "preview",
    "saved_searches",
    "segments",
]
