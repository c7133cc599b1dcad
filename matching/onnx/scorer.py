"""A model made elsewhere, as a scorer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import cached_property
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from matching.core.explaining import explain
from matching.core.onnx import Interface
from matching.core.scoring import HEADS, UNSCORED, LinearModel, NotScored, Scored, Scorer
from matching.onnx.session import CHUNK, RunFailed, RunTookTooLong, Session, micro_log_odds

logger = logging.getLogger(__name__)

Integers = NDArray[np.int64]

MOST_TIMEOUTS = 3


class OnnxScorer(Scorer):
    """An immutable version. Its file is fetched and loaded when it first scores, and stays for the process's life.

    `content` fetches the file, `seconds` is how long a run may take. `linear` is the surrogate: a linear model that
    comes near, for whoever may not run this one.
    """

    def __init__(
        self,
        *,
        version: str,
        interface: Interface,
        linear: LinearModel,
        content: Callable[[], bytes],
        seconds: float = 10.0,
    ) -> None:
        self._version, self.interface, self.linear = version, interface, linear
        self._content, self._seconds = content, seconds
        self._timeouts = 0

    @property
    def version(self) -> str:
        return self._version

    @property
    def calibration(self) -> str:
        return self.interface.calibration

    @property
    def features(self) -> frozenset[str]:
        return frozenset(self.interface.features)

    def scored(self, values: Mapping[str, int]) -> Scored:
        """The scores with their Shapley values. What is drawn for these follows from the version and the values, so
        that whoever asks again, and whoever has the same values, reads the same. Raises `NotScored`."""
        row = np.array([[values[name] for name in self.interface.features]], dtype=np.int64)
        seed = blake2b(self._version.encode() + row.astype("<i8").tobytes(), digest_size=8).digest()
        heads = explain(self._totals, self.interface.features, row[0], seed=int.from_bytes(seed, "little"))
        return Scored(self._version, **heads)

    def totals_many(self, values: Mapping[str, Integers]) -> dict[str, Integers]:
        """As any scorer's; but `UNSCORED` for all three heads of a pair that the model has no number for."""
        columns = [np.asarray(values[name], dtype=np.int64) for name in self.interface.features]
        return self._totals(np.column_stack(columns))

    def total(self, head: str, values: Mapping[str, int]) -> int:
        """Raises `NotScored`."""
        row = np.array([[values[name] for name in self.interface.features]], dtype=np.int64)
        score = int(self._totals(row)[head][0])
        if score == UNSCORED:
            raise NotScored("the model gives no number")
        return score

    def _totals(self, rows: Integers) -> dict[str, Integers]:
        """Rows are run a chunk at a time. One that fails takes its whole chunk along; one that takes too long, what
        comes after it too. A model that hangs again and again is not run any more in this process: it would hold up
        everybody else."""
        parts: dict[str, list[Integers]] = {head: [] for head in HEADS}
        hangs = self._timeouts >= MOST_TIMEOUTS
        for start in range(0, len(rows), CHUNK):
            chunk = rows[start : start + CHUNK]
            found = None
            if not hangs:
                try:
                    found = self._chunk(chunk)
                except RunFailed as failure:
                    logger.warning("model %s does not score %d pairs: it %s", self._version, len(chunk), failure)
                    hangs = isinstance(failure, RunTookTooLong)
                    self._timeouts += hangs
            for head in HEADS:
                parts[head].append(np.full(len(chunk), UNSCORED) if found is None else found[head])
        return {head: np.concatenate(part) if part else np.zeros(0, dtype=np.int64) for head, part in parts.items()}

    def _chunk(self, rows: Integers) -> dict[str, Integers]:
        raw = self._session.run(rows)
        scores = {head: micro_log_odds(raw[head], self.interface.scale) for head in HEADS}
        sound = np.logical_and.reduce([fine for _, fine in scores.values()])
        if not sound.all():
            logger.warning("model %s gives no number for %d pairs", self._version, int((~sound).sum()))
        return {head: np.where(sound, whole, UNSCORED) for head, (whole, _) in scores.items()}

    @cached_property
    def _session(self) -> Session:
        return Session(self._content(), self.interface, self._seconds)
