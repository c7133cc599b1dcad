"""A whole Muster of a test's own: database, Valkey, web server, worker and beat as real processes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import psycopg

from config import services
from config.embedded_valkey import EmbeddedValkey
from config.processes import Process, Processes, running, start_beat, start_web, start_worker, wait_until_ready
from config.services import Instance

ROOT = Path(__file__).resolve().parents[1]


@dataclass
class LiveMuster:
    """Addresses and processes of a running market. `environment` is what its processes see."""

    web: str
    environment: dict[str, str]
    folder: Path
    instance: Instance
    processes: Processes
    worker: Process | None = None

    @property
    def graphql(self) -> str:
        return f"{self.web}/graphql"

    @property
    def mail_folder(self) -> Path:
        return self.folder / "mail"

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a Python command line beside the market."""
        arguments = [sys.executable, *command]
        return subprocess.run(
            arguments,
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def manage(self, *arguments: str) -> str:
        """What a management command prints. AssertionError with its complaint where it fails."""
        # Checks load the whole API, and have a test of their own.
        answer = self.run("manage.py", *arguments, "--skip-checks")
        assert answer.returncode == 0, f"manage.py {' '.join(arguments)}: {answer.stderr[-3000:]}"
        return answer.stdout

    def audit(self, *, wait: float = 60) -> dict[str, Any]:
        """Figures and violations, once the deliveries are done or `wait` seconds have passed."""
        answer = self.run("manage.py", "audit", "--json", "--wait", str(wait), "--skip-checks")
        assert answer.stdout, answer.stderr[-3000:]
        return json.loads(answer.stdout)

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with self.connect() as connection:
            return connection.execute(query, parameters).fetchall()

    def one(self, query: str, *parameters: Any) -> Any:
        """The first column of the first row, None where there is none."""
        found = self.rows(query, *parameters)
        return found[0][0] if found else None

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(self.environment["DATABASE_URL"])

    def log(self, name: str) -> str:
        return (self.processes.log_folder / f"{name}.log").read_text(errors="replace")

    # --- what may go wrong --------------------------------------------------------------------------------------------

    def kill_worker(self) -> None:
        """As the kernel does when memory runs out: parent and pool processes at once, in the middle of anything."""
        if self.worker is None:
            return
        os.killpg(self.worker.popen.pid, signal.SIGKILL)
        self.worker.popen.wait()
        self.processes.children.remove(self.worker)
        self.worker = None

    def start_worker(self) -> None:
        if self.worker is None:
            self.worker = start_worker(self.processes)

    def kill_valkey(self) -> None:
        """SIGKILL: what it held is lost, as nothing of it is on disk."""
        self._valkey_process().kill()
        assert eventually(lambda: not self.valkey_answers(), seconds=10)

    def stall_valkey(self) -> None:
        """It takes connections and answers nothing."""
        self._valkey_process().suspend()

    def resume_valkey(self) -> None:
        self._valkey_process().resume()

    def start_valkey(self) -> None:
        """The same address and password again, and empty."""
        if not self.valkey_answers():
            port, password = self._valkey_address()
            EmbeddedValkey(self.instance.folder, self.instance.durable).start(port, password)

    def valkey_answers(self) -> bool:
        port, password = self._valkey_address()
        return EmbeddedValkey(self.instance.folder, self.instance.durable).answers(port, password)

    def _valkey_address(self) -> tuple[int, str]:
        address = urlsplit(self.environment["REDIS_URL"])
        assert address.port and address.password
        return address.port, address.password

    def _valkey_process(self) -> psutil.Process:
        home = EmbeddedValkey(self.instance.folder, self.instance.durable).home
        return psutil.Process(int((home / "pid").read_text()))


def eventually(what: Callable[[], object], *, seconds: float, pause: float = 0.1) -> bool:
    """Whether it came true within the time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if what():
            return True
        time.sleep(pause)
    return bool(what())


@contextlib.contextmanager
def live_muster(folder: Path, database_url: str, *load: str) -> Iterator[LiveMuster]:
    """Start everything in `folder`, on a migrated database, and load a demo market with `load_demo`'s options."""
    instance = Instance(folder / "services", durable=False)
    with contextlib.ExitStack() as stack:
        stack.callback(services.wipe, instance)
        with _named_outside(database_url):
            found = stack.enter_context(services.embedded_services(instance))
        environment = {
            **os.environ,
            **found.environment(),
            "MUSTER_ENV": "development",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "MUSTER_DIR": str(folder),
            # A dozen processes import the same modules: compile them once, also where Python is told not to keep that.
            "PYTHONDONTWRITEBYTECODE": "",
        }
        port = services.free_port()
        processes = stack.enter_context(running(Processes(environment, folder / "log")))
        live = LiveMuster(f"http://127.0.0.1:{port}", environment, folder, instance, processes)
        start_web(processes, port)
        live.start_worker()
        start_beat(processes, folder / "beat-schedule")
        live.manage("load_demo", "--quiet", *load)
        wait_until_ready(processes, live.web)
        yield live


@contextlib.contextmanager
def _named_outside(database_url: str) -> Iterator[None]:
    """This market's database is on the tests' server; its Valkey, which tests kill, is its own."""
    outside = {name: os.environ.pop(name) for name in ("DATABASE_URL", "REDIS_URL") if name in os.environ}
    os.environ["DATABASE_URL"] = database_url
    try:
        yield
    finally:
        del os.environ["DATABASE_URL"]
        os.environ.update(outside)
