"""Progress bars for commands: one line per file or table, on a terminal and in a log alike."""

from __future__ import annotations

import sys
from types import TracebackType

from tqdm import tqdm


class Bars:
    """Called with (what, rows done so far); a new `what` starts a new bar. Quiet where nobody looks."""

    def __init__(self, *, enabled: bool = True, totals: dict[str, int] | None = None) -> None:
        self.enabled, self.totals = enabled, totals or {}
        self._bar: tqdm | None = None
        self._what = ""

    def __call__(self, what: str, count: int) -> None:
        if not self.enabled:
            return
        if what != self._what:
            self.close()
            self._what = what
            self._bar = tqdm(
                desc=f"{what:<24}",
                total=self.totals.get(what),
                unit=" rows",
                file=sys.stderr,
                mininterval=0.2,
                leave=True,
            )
        assert self._bar is not None
        self._bar.update(count - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def __enter__(self) -> Bars:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
