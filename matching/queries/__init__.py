"""Reads of deciding."""

from matching.queries.marks import freshness
from matching.queries.matches import matches_for
from matching.queries.recommendations import recommendations_for

__all__ = ["freshness", "matches_for", "recommendations_for"]
