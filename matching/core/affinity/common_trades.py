"""What everyone knows of some hundred and fifty trades, for where no taxonomy of occupations was imported.

Written for Muster, not taken from any taxonomy. A trade a line in `trades.txt`: its names, a colon, then words that go
with it, both parted by commas.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from matching.core.affinity.collection import terms_in
from matching.core.affinity.occupations import profile

TRADES = Path(__file__).with_name("trades.txt")


def common_trades() -> list[Counter[str]]:
    """A profile of each."""
    profiles = []
    for line in TRADES.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            names, words = line.split(":")
            profiles.append(profile(names.split(","), "", [terms_in(word) for word in words.split(",")]))
    return profiles
