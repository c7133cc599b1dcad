"""Having a file tried before it is kept, in a process that may hang, crash or fill its memory without harm."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from matching.core.onnx import Manifest
from matching.core.scoring import InvalidModel

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 20  # until the process has begun, on a busy machine


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckLimits:
    """What a file may be and take. A whole check has `seconds` of processor time, `megabytes` of memory."""

    file_megabytes: int
    seconds: int
    megabytes: int
    ms_per_thousand_rows: float
    run_seconds: float


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file that was tried and may be kept; `definition` is what scoring needs to know of it besides, as JSON."""

    content: bytes
    digest: str
    definition: Mapping[str, Any]


def check_file(
    content: bytes, manifest: bytes | str | Mapping[str, Any] | None, *, version: str, limits: CheckLimits
) -> CheckedFile:
    """Raises `InvalidModel` with what is wrong with the file, or with what it did when it was tried.

    Takes seconds: most of a second to start, then twice the runs of some two thousand probe rows.
    """
    if not content:
        raise InvalidModel("file", "is empty")
    if len(content) > limits.file_megabytes << 20:
        raise InvalidModel("file", f"is larger than {limits.file_megabytes} MB")
    said = Manifest.from_json(manifest or {})
    asked = {
        "version": version,
        "manifest": {name: value for name, value in _plain(said).items() if value is not None},
        "seconds": limits.seconds,
        "megabytes": limits.megabytes,
        "ms_per_thousand_rows": limits.ms_per_thousand_rows,
        "run_seconds": limits.run_seconds,
    }
    answer = _tried(content, asked, limits)
    if "refused" in answer:
        raise InvalidModel(answer["refused"]["field"], answer["refused"]["problem"])
    digest = sha256(content).hexdigest()
    definition = {"version": version, "file": {"sha256": digest, "bytes": len(content)}, **answer["accepted"]}
    return CheckedFile(content, digest, definition)


def _tried(content: bytes, asked: Mapping[str, Any], limits: CheckLimits) -> dict[str, Any]:
    # No variable of ours goes along: what the file makes of the process is not to read a password there.
    environment = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    environment |= {"OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2", "LANG": "C.UTF-8"}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "matching.onnx.trial"],
            input=json.dumps(asked).encode() + b"\n" + content,
            capture_output=True,
            cwd="/",
            env=environment,
            timeout=2 * limits.seconds + START_SECONDS,  # of the clock: others use the processor too
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise InvalidModel("file", f"is not done being tried after {limits.seconds} s") from None
    if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        raise InvalidModel("file", f"is not done being tried after {limits.seconds} s of processor time")
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        told = done.stderr.decode("utf-8", "replace")
        if "MemoryError" in told or "bad_alloc" in told or "Cannot allocate memory" in told:
            raise InvalidModel("file", "asks for more memory than a model may have") from None
        raise InvalidModel("file", f"ends the process that tries it (exit {done.returncode})") from None
    return answer


def _plain(manifest: Manifest) -> dict[str, Any]:
    return {
        "features": None if manifest.features is None else list(manifest.features),
        "values": manifest.values,
        "outputs": manifest.outputs,
        "calibration": manifest.calibration,
    }
