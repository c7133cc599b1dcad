"""Many rules, one candidate: which of them accept that person.

Judging a rule in Python takes some microseconds, so a hundred thousand take half a second. Most of that is the same
work over and over: many rules ask for the same skills, languages and places. `RuleIndex` keeps every distinct
criterion once, judges all of them in a few vector operations, and then counts for each rule how many of its parts
hold. Its answers are those of `matching.core.truth`, which stays the specification.
"""

from matching.core.inverse.index import Judged, RuleIndex

__all__ = ["Judged", "RuleIndex"]
