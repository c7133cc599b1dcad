"""The words in use: what a slip of the pen may have been meant as."""

from __future__ import annotations

from django.db import models

from accounts.models.table_state import changes_of_some_renew_the_state
from matching.models.opening import BYTEWISE


class SearchWord(models.Model):
    """A word of a title, a headline, a skill or an organisation's name. `manage.py search rebuild` clears out those
    that have gone out of use."""

    subject_type = models.CharField(max_length=12, choices=[("candidate", "candidate"), ("opportunity", "opportunity")])
    word = models.CharField(max_length=60, db_collation=BYTEWISE)
    initial = models.CharField(max_length=1, db_collation=BYTEWISE, help_text="where slips hardly ever happen")
    length = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subject_type", "word"], name="search_word_is_listed_once"),
        ]
        indexes = [
            # Words about as long as one that is not in use, and beginning like it.
            models.Index(fields=["subject_type", "initial", "length"], name="search_word_near_idx"),
        ]
        triggers = changes_of_some_renew_the_state("{row}.subject_type = 'opportunity'")

    def __str__(self) -> str:
        return self.word
