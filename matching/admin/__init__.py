"""The staff's pages of deciding, the console's first page and its navigation."""

from matching.admin import allocation, dashboard, matches, models, navigation, preview

__all__ = ["allocation", "dashboard", "matches", "models", "navigation", "preview"]
