"""Re-scoring: draining marks in batches, so that a thousand edits cost one pass."""

from matching.actions.rescoring.draining import drain, drain_all

__all__ = ["drain", "drain_all"]
