"""A loaded model, and the limits it runs under."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matching.core.features import FULL
from matching.core.onnx import Interface, Scale
from matching.core.onnx.interface import Values
from matching.core.scoring import HEADS, MAX_INTERCEPT

CHUNK = 256
"""Rows that are run at a time, always so many, filled up where there are fewer: how a product of matrices rounds may
depend on their size, and nobody's score is to depend on how many others were scored with them."""

ARENA_BYTES = 256 << 20  # what a run may take for what it computes, over all models of a process
LEAST_PROBABILITY = 1e-9

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_ELEMENTS: Mapping[str, Any] = {"float": np.float32, "double": np.float64, "int32": np.int32, "int64": np.int64}


class RunFailed(Exception):
    """A model that did not answer: it failed, asked for too much memory, or took too long."""


class RunTookTooLong(RunFailed):
    """It was stopped."""


class Session:
    """A model ready to run, on one thread, each chunk within so many seconds. Not for the web server: it loads
    onnxruntime.

    Raises `RunFailed` for bytes that cannot be loaded.
    """

    def __init__(self, content: bytes, interface: Interface, seconds: float) -> None:
        onnxruntime = _runtime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.use_deterministic_compute = True
        options.log_severity_level = 4
        options.add_session_config_entry("session.use_env_allocators", "1")
        self._interface, self._seconds = interface, seconds
        self._run_options = onnxruntime.RunOptions
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # of a dozen kinds, whatever is wrong
            raise RunFailed(plain(error)) from None

    def run(self, rows: Integers) -> dict[str, Floats]:
        """Head → what the model gives for each row of thousandths, whose columns are the interface's features: raw, as
        it comes out. Raises `RunFailed`."""
        found: dict[str, list[Floats]] = {head: [] for head in HEADS}
        for start in range(0, len(rows), CHUNK):
            part = rows[start : start + CHUNK]
            filled = np.concatenate([part, np.repeat(part[-1:], CHUNK - len(part), axis=0)])
            for head, numbers in zip(HEADS, self._outputs(filled), strict=True):
                found[head].append(_column(head, numbers)[: len(part)])
        return {head: np.concatenate(parts) if parts else np.zeros(0) for head, parts in found.items()}

    def _outputs(self, rows: Integers) -> list[Any]:
        options = self._run_options()
        expired = threading.Event()

        def stop() -> None:
            expired.set()
            options.terminate = True

        watch = threading.Timer(self._seconds, stop)
        watch.daemon = True
        watch.start()
        try:
            return list(self._session.run(list(HEADS), self._fed(rows), options))
        except Exception as error:
            if expired.is_set():
                raise RunTookTooLong(f"takes more than {self._seconds:g} s for {CHUNK} rows") from None
            raise RunFailed(plain(error)) from None
        finally:
            watch.cancel()

    def _fed(self, rows: Integers) -> dict[str, Any]:
        shares = self._interface.values is Values.SHARES
        inputs = self._interface.inputs
        if self._interface.is_matrix:
            [(name, element)] = inputs
            return {name: _given(rows, element, shares)}
        shaped = {one.name: len(one.shape) for one in self._session.get_inputs()}
        return {
            name: _given(rows[:, place] if shaped[name] == 1 else rows[:, [place]], element, shares)
            for place, (name, element) in enumerate(inputs)
        }


def micro_log_odds(numbers: Floats, scale: Scale) -> tuple[Integers, NDArray[np.bool_]]:
    """Scores as integers, and which of them are scores at all: NaN, the infinite, and what is no probability are not.

    Rounded to the nearest, halves to the even. Probabilities are kept a billionth away from 0 and 1.
    """
    sound = np.isfinite(numbers)
    known = np.where(sound, numbers, 0.0)
    if scale is Scale.PROBABILITIES:
        sound &= (known >= 0) & (known <= 1)
        held = np.clip(np.where(sound, known, 0.5), LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
        known = np.log(held) - np.log1p(-held)
    whole = np.rint(np.clip(known * 1e6, -MAX_INTERCEPT, MAX_INTERCEPT))
    return whole.astype(np.int64), sound


def plain(error: BaseException) -> str:
    """What went wrong, in one line without the runtime's own places."""
    text = " ".join(str(error).split())
    if any(word in text for word in ("bad_alloc", "Available memory of", "Failed to allocate", "std::bad_array")):
        return "asks for more memory than a model may have"
    for begin in ("Status Message: ", "Exception during initialization: ", " : "):
        if begin in text:
            text = text.rsplit(begin, 1)[1]
    words = [word for word in text.split() if "/" not in word and "::" not in word]
    return "cannot be run: " + (" ".join(words)[:200] or type(error).__name__)


def _given(values: Integers, element: str, shares: bool) -> Any:
    return np.ascontiguousarray(values / FULL if shares else values, dtype=_ELEMENTS[element])


def _column(head: str, numbers: Any) -> Floats:
    given = np.asarray(numbers)
    if given.shape not in ((CHUNK,), (CHUNK, 1)) or given.dtype.kind != "f":
        raise RunFailed(
            f"gives {head} in the shape {list(given.shape)} for {CHUNK} pairs: one number each is asked for"
        )
    return given.reshape(CHUNK).astype(np.float64)


_lock = threading.Lock()
_loaded: list[Any] = []


def _runtime() -> Any:
    """onnxruntime, with one allocator for all models of the process, which gives no more than is allowed."""
    with _lock:
        if not _loaded:
            import onnxruntime

            onnxruntime.set_default_logger_severity(4)
            onnxruntime.disable_telemetry_events()
            kind = onnxruntime.OrtMemoryInfo(
                "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
            )
            arena = onnxruntime.OrtArenaCfg({"max_mem": ARENA_BYTES, "arena_extend_strategy": 1})
            onnxruntime.create_and_register_allocator(kind, arena)
            _loaded.append(onnxruntime)
        return _loaded[0]
