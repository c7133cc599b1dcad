"""The process in which a file is tried before it is kept: `python -m matching.onnx.trial`, under the kernel's limits.

Reads from standard input a line of JSON and the file's bytes, writes one object of JSON. Whatever a hostile file does
here, to this process alone: it may be killed for it.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matching.core.features import NEUTRAL
from matching.core.onnx import Interface, Manifest, interface_of, read_contents
from matching.core.onnx.probing import TESTED_FOR_LEAKS, explained, forbidden, linear_surrogate, probe_rows
from matching.core.scoring import HEADS, InvalidModel
from matching.onnx.session import CHUNK, RunFailed, Session, micro_log_odds

Integers = NDArray[np.int64]

MEGABYTE = 1 << 20
TIMED_ROWS = 1024
TIMED_RUNS = 3
HOPELESS = 5  # times the time that is allowed


def main() -> None:
    asked = json.loads(sys.stdin.buffer.readline())
    content = sys.stdin.buffer.read()
    _limit(asked)
    try:
        answer = {"accepted": _tried(content, asked)}
    except InvalidModel as refusal:
        answer = {"refused": refusal.data}
    except (MemoryError, RecursionError):
        answer = {"refused": {"field": "file", "problem": "asks for more memory than a model may have"}}
    sys.stdout.write(json.dumps(answer))


def _limit(asked: dict[str, Any]) -> None:
    """Processor time, memory, no files to write, no image left behind when it is killed."""
    resource.setrlimit(resource.RLIMIT_CPU, (asked["seconds"], asked["seconds"] + 1))
    resource.setrlimit(resource.RLIMIT_AS, (asked["megabytes"] * MEGABYTE,) * 2)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _tried(content: bytes, asked: dict[str, Any]) -> dict[str, Any]:
    """Raises `InvalidModel`."""
    contents = read_contents(content)
    interface = interface_of(contents, Manifest.from_json(asked["manifest"]))
    before = _resident()
    try:
        session = Session(content, interface, asked["run_seconds"])
        rows = probe_rows(interface.features)
        _check_hopeless(session, rows, asked)
        scores = _scores(session, rows, interface)
        _check_repeats(session, rows, interface, scores)
        _check_leaks(session, interface)
        speed = _milliseconds_per_thousand(session, rows)
    except RunFailed as failure:
        raise InvalidModel("file", str(failure)) from failure
    if speed > asked["ms_per_thousand_rows"]:
        raise _too_slow(speed, asked)
    linear = linear_surrogate(asked["version"], interface.calibration, interface.features, rows, scores)
    near = linear.totals_many({name: rows[:, place] for place, name in enumerate(interface.features)})
    return {
        "interface": interface.to_json(),
        "linear": linear.to_json(),
        "measured": {
            "ms_per_thousand_rows": round(speed, 3),
            "megabytes": round(max(_resident() - before, 0) / MEGABYTE, 1),
            "nodes": contents.nodes,
            "operators": sorted(contents.operators),
            "opsets": {domain or "ai.onnx": version for domain, version in sorted(contents.opsets.items())},
            "probe_rows": len(rows),
            "lowest": {head: int(scores[head].min()) for head in HEADS},
            "highest": {head: int(scores[head].max()) for head in HEADS},
            "linear_explains": {head: round(explained(scores[head], near[head]), 4) for head in HEADS},
        },
    }


def _scores(session: Session, rows: Integers, interface: Interface) -> dict[str, Integers]:
    """Of rows for each of which there must be a number."""
    found = {}
    for head, numbers in session.run(rows).items():
        scores, sound = micro_log_odds(numbers, interface.scale)
        if not sound.all():
            at = int(np.argmin(sound))
            example = {name: int(value) for name, value in zip(interface.features, rows[at], strict=True)}
            raise InvalidModel(f"outputs.{head}", f"are {numbers[at]} for {json.dumps(example)[:400]}")
        found[head] = scores
    return found


def _check_hopeless(session: Session, rows: Integers, asked: dict[str, Any]) -> None:
    """A model that is far too slow is not run on thousands of rows to find out."""
    start = time.process_time()
    session.run(rows[:CHUNK])
    speed = (time.process_time() - start) * 1e6 / CHUNK
    if speed > HOPELESS * asked["ms_per_thousand_rows"]:
        raise _too_slow(speed, asked)


def _too_slow(speed: float, asked: dict[str, Any]) -> InvalidModel:
    allowed = f"{asked['ms_per_thousand_rows']:g} ms are allowed"
    return InvalidModel("file", f"takes {speed:,.1f} ms for a thousand pairs; {allowed}")


def _check_repeats(session: Session, rows: Integers, interface: Interface, scores: dict[str, Integers]) -> None:
    """The same row must give the same integer again, and wherever it stands among whichever others."""
    order = np.random.default_rng(2).permutation(len(rows))
    for name, chosen in {"again": np.arange(len(rows)), "among others": order}.items():
        repeated = _scores(session, rows[chosen], interface)
        for head in HEADS:
            if (repeated[head] != scores[head][chosen]).any():
                problem = "are not the same when asked again"
                if name != "again":
                    problem = "depend on which other pairs are scored with a pair"
                raise InvalidModel(f"outputs.{head}", problem)


def _check_leaks(session: Session, interface: Interface) -> None:
    """What may not be weighed for a score must not change it."""
    rows = probe_rows(interface.features, seed=3)[-TESTED_FOR_LEAKS:]
    for head, names in forbidden(interface.features).items():
        for name in names:
            changed = rows.copy()
            changed[:, interface.features.index(name)] = NEUTRAL
            if (_scores(session, changed, interface)[head] != _scores(session, rows, interface)[head]).any():
                raise InvalidModel(f"outputs.{head}", f"depend on {name}, which may not be weighed for it")


def _milliseconds_per_thousand(session: Session, rows: Integers) -> float:
    """Of processor time, the best of a few runs: what else the machine does is not the model's fault."""
    timed = np.resize(rows, (TIMED_ROWS, rows.shape[1]))
    taken = []
    for _ in range(TIMED_RUNS):
        start = time.process_time()
        session.run(timed)
        taken.append(time.process_time() - start)
    return min(taken) * 1e6 / TIMED_ROWS


def _resident() -> int:
    """Bytes of memory that the process has held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
