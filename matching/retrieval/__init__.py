"""Finding opportunities and people: one interface, two sources.

A source reads copies and so may be behind. What its copies do not know yet is left out of what it is asked for, and
judged by the tables instead: so a search never shows what may no longer be seen, not even in a count.
"""
