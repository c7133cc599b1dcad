"""How often somebody may try a password or a code: a bucket that fills with attempts and leaks with time.

Whoever guesses is slowed, nobody is locked out: what an account's owner may try from where they are known is counted
apart from what everybody else may try.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True, slots=True)
class Allowance:
    """`burst` attempts at once, and another one after every `refill_seconds`."""

    burst: int
    refill_seconds: float

    def left_in(self, level: float, elapsed_seconds: float) -> float:
        """How full a bucket still is that was filled to `level` so long ago."""
        return max(0.0, level - max(0.0, elapsed_seconds) / self.refill_seconds)

    def wait_seconds(self, level: float) -> int:
        """Whole seconds until there is room for one more attempt; 0 where there is."""
        return ceil(max(0.0, (level + 1 - self.burst) * self.refill_seconds) - 1e-6)


# At one account, by whoever is not known there: 10 at once, then 720 a day. A password that passes our validators
# outlasts that for longer than anybody lives; a code of six digits holds for 30 seconds.
BY_STRANGERS = Allowance(burst=10, refill_seconds=120)
# At one account from one device, or address, from which its owner has logged in before.
BY_KNOWN = Allowance(burst=10, refill_seconds=60)
# From one address at all accounts together: an office behind one address mistypes less.
FROM_ADDRESS = Allowance(burst=40, refill_seconds=20)
