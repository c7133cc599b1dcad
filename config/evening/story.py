"""What is remembered of an evening for its summary."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field

from config.evening.client import Json, Refused


@dataclass
class Story:
    """Counts and specimens. Several people write to it at once."""

    counts: Counter[str] = field(default_factory=Counter)
    refusal: Json | None = None  # {"who", "opportunity", "verdict"} of one who was not eligible
    runs: list[Json] = field(default_factory=list)
    opportunity_ids: set[str] = field(default_factory=set)
    surprises: list[str] = field(default_factory=list)  # what was refused and should not have been
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, what: str, number: int = 1) -> None:
        with self._lock:
            self.counts[what] += number

    def surprised(self, refused: Refused) -> None:
        with self._lock:
            self.surprises.append(f"{refused.mutation} was refused: {refused.code}, {refused.message}")

    def expect(self, answer: Json | Refused, what: str, *refusals: str) -> Json | None:
        """Count what was made; a refusal is fine if it is among those named, a surprise otherwise."""
        if isinstance(answer, Refused):
            if answer.code in refusals:
                self.count(answer.code.lower())
            else:
                self.surprised(answer)
            return None
        self.count(what)
        return answer
