"""Play one evening: see `config.evening`."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from types import FrameType

from rich.console import Console

from config.evening.cast import gather_cast
from config.evening.client import EveningFailed, Market
from config.evening.play import Evening, bars
from config.evening.story import Story
from config.evening.summary import show


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m config.evening", description="Play one evening of the market.")
    parser.add_argument("--graphql", required=True, help="address of the endpoint")
    parser.add_argument("--seed", type=int, default=None, help="who does what; another one each time if not given")
    chosen = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    seed = chosen.seed if chosen.seed is not None else int(time.time()) // 60
    console = Console()
    story = Story()
    try:
        with Market(chosen.graphql) as market:
            cast = gather_cast()
            console.print("\n[bold]An evening of the market[/]")
            with bars(console) as progress:
                Evening(market, cast, story, progress, seed).play()
            show(market, cast, story, console)
    except EveningFailed as problem:
        print(f"The evening failed: {problem}", file=sys.stderr)
        return 1
    return 1 if story.surprises else 0


def _stop(number: int, frame: FrameType | None) -> None:
    # Once is enough: what follows ends the bars and whoever is still on the way, and says nothing.
    for again in (signal.SIGTERM, signal.SIGINT):
        signal.signal(again, signal.SIG_IGN)
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
