"""Fitting models to what became of people who were shown: pure functions over columns of numbers.

The same examples give the same model, bit for bit: nothing is drawn but with a fixed seed, and sums run in one order.
"""

from matching.core.learning.report import HeadReport, report_on
from matching.core.learning.training import Examples, Plan, TrainedHead, train_head

__all__ = ["Examples", "HeadReport", "Plan", "TrainedHead", "report_on", "train_head"]
