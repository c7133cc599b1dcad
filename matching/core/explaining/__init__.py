"""Explaining models that are not sums: Shapley values, as integers that add up to the score exactly."""

from matching.core.explaining.shapley import ANTITHETIC_PAIRS, EXACT_UP_TO, explain

__all__ = ["ANTITHETIC_PAIRS", "EXACT_UP_TO", "explain"]
