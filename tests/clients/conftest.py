"""Clients of other makers, on Node.js, against a live Muster. Without node, or without their packages, the tests of
this folder say why they are skipped.

`package-lock.json` names the packages. They are installed once for each state of it, under `.muster/clients`.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from config.services import MUSTER_DIR

HERE = Path(__file__).parent
NODE, NPM = shutil.which("node"), shutil.which("npm")
INSTALL = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier")
INSTALL_SECONDS = 180

Run = Callable[..., str]


@pytest.fixture(scope="session")
def clients() -> Path:
    """The folder with the packages, and with what the tests run."""
    if not NODE or not NPM:
        pytest.skip("node and npm are not installed")
    lock = (HERE / "package-lock.json").read_bytes()
    folder = MUSTER_DIR / "clients" / hashlib.sha256(lock).hexdigest()[:12]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as claim:
        fcntl.flock(claim, fcntl.LOCK_EX)
        if not (folder / "installed").exists():
            for name in ("package.json", "package-lock.json"):
                shutil.copy(HERE / name, folder)
            try:
                subprocess.run(
                    [NPM, *INSTALL], cwd=folder, check=True, capture_output=True, text=True, timeout=INSTALL_SECONDS
                )
            except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as problem:
                pytest.skip(f"npm could not install the clients: {str(problem.stderr)[-300:]}")
            (folder / "installed").touch()
    shutil.copytree(HERE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.py", "__pycache__", "package*"))
    for name in HERE.glob("*/package.json"):
        shutil.copy(name, folder / name.parent.name)
    return folder


@pytest.fixture
def node(clients: Path) -> Run:
    """Run a script of this folder, or a program that a package brings; what it printed. Fails with all that it said."""

    def run(*command: str, folder: Path = clients) -> str:
        script = command[0]
        program = script if script.endswith("js") else f"node_modules/.bin/{script}"
        answer = subprocess.run(
            [str(NODE), str(clients / program), *command[1:]],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert answer.returncode == 0, f"{' '.join(command)}\n{answer.stdout[-3000:]}\n{answer.stderr[-3000:]}"
        return answer.stdout

    return run
