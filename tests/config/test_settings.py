"""What settings are refused when Muster starts, and not first when somebody asks for what they make impossible."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("name", "value"),
    [("MATCH_TOP_K", "0"), ("SHADOW_TOP_K", "-1"), ("ONNX_POOL", "99"), ("RESCORE_SHARE_PERCENT", "0")],
)
def test_a_number_that_nothing_could_work_with_is_refused_by_its_name(name: str, value: str) -> None:
    started = subprocess.run(
        [sys.executable, "-c", "import config.settings"],
        cwd=ROOT,
        env=os.environ | {name: value},
        capture_output=True,
        text=True,
        check=False,
    )
    assert started.returncode
    assert "ImproperlyConfigured" in started.stderr
    assert name in started.stderr
