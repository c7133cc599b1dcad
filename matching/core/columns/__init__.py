"""People as columns: rules judged and counted over a million of them at once, exactly.

`reading` turns the database's own text into segments, `segments` holds and joins them, `leaves` judges one criterion
over all people of a segment, `counting` a rule over all segments. `matching.core.truth` is the specification.
"""

from matching.core.columns.counting import CriterionCounts, Crowd, JudgedRule, Split
from matching.core.columns.leaves import Leaves
from matching.core.columns.segments import COLUMNS, Column, Form, Segment, joined

__all__ = [
    "COLUMNS",
    "Column",
    "CriterionCounts",
    "Crowd",
    "Form",
    "JudgedRule",
    "Leaves",
    "Segment",
    "Split",
    "joined",
]
