"""Files that nobody tried: what they do comes at run time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from matching.core.scoring import HEADS


def accepting(monkeypatch: pytest.MonkeyPatch, features: Sequence[str]) -> None:
    """Let any file be kept that takes a matrix `x` of these features and gives log-odds."""
    interface = {
        "inputs": [["x", "float"]],
        "is_matrix": True,
        "features": list(features),
        "values": "thousandths",
        "scale": "log-odds",
        "calibration": "log-odds",
    }
    linear = {"version": "near", "heads": {head: {"intercept": 0, "weights": {}} for head in HEADS}}
    answer: dict[str, Any] = {"accepted": {"interface": interface, "linear": linear, "measured": {}}}
    monkeypatch.setattr("matching.onnx.checking._tried", lambda *_: answer)
