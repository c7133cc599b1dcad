"""Child processes that end with their parent: web server, worker and beat, as `make run` and tests start them."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from config.stream_proxy import ANSWERING, STREAMING

PR_SET_PDEATHSIG = 1


class ProcessFailed(Exception):
    """A child ended by itself, or did not come up; the message has the end of its log."""


def end_with_parent() -> None:
    """In the child, before exec: ask Linux to end it when its parent is gone, even by SIGKILL."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


MOST_RESTARTS = 3  # within RESTART_SECONDS; a child that ends more often than that cannot run
RESTART_SECONDS = 60


@dataclass
class Process:
    """A running child. Its output goes to `log`. One that `returns` is started again where it ends by itself."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    popen: subprocess.Popen[bytes]
    returns: bool = False
    restarted_at: list[float] = field(default_factory=list)

    def may_restart(self, now: float) -> bool:
        return self.returns and sum(now - at < RESTART_SECONDS for at in self.restarted_at) < MOST_RESTARTS

    def tail(self, lines: int = 25) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


@dataclass
class Processes:
    """The children of one supervisor, stopped in the reverse of the order they were started in."""

    environment: Mapping[str, str]
    log_folder: Path
    children: list[Process] = field(default_factory=list)

    def start(self, name: str, command: Sequence[str], *, returns: bool = False, **environment: str) -> Process:
        self.log_folder.mkdir(parents=True, exist_ok=True)
        log = self.log_folder / f"{name}.log"
        log.unlink(missing_ok=True)
        whole = {**self.environment, **environment}
        process = Process(name, command, whole, log, _spawn(command, whole, log), returns)
        self.children.append(process)
        return process

    def check(self) -> None:
        """Start those again that return; raise ProcessFailed when another child has ended, or one of them too often.

        A worker may end when the broker does: Celery's client for it fails where it should reconnect, if messages were
        unacknowledged twice in a row.
        """
        for child in self.children:
            status = child.popen.poll()
            if status is None:
                continue
            if not child.may_restart(now := time.monotonic()):
                raise ProcessFailed(
                    f"The {child.name} process ended by itself (status {status}). "
                    f"The end of {child.log}:\n\n{child.tail()}"
                )
            _end_group(child)
            child.restarted_at.append(now)
            child.popen = _spawn(child.command, child.environment, child.log)

    @property
    def restarts(self) -> int:
        """How often any of the present children was started again."""
        return sum(len(child.restarted_at) for child in self.children)

    def stop(self, process: Process, grace_seconds: float = 20) -> None:
        """Ask it to finish what it does, and end it where it takes longer than the grace."""
        if process.popen.poll() is None:
            process.popen.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.popen.wait(grace_seconds)
        _end_group(process)
        process.popen.wait()
        if process in self.children:
            self.children.remove(process)

    def stop_all(self, grace_seconds: float = 20) -> None:
        for process in reversed(self.children):
            if process.popen.poll() is None:
                process.popen.terminate()
        for process in list(reversed(self.children)):
            self.stop(process, grace_seconds)


def _spawn(command: Sequence[str], environment: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # A group of its own: Ctrl-C reaches the supervisor alone, which then stops them in order.
            start_new_session=True,
            preexec_fn=end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - single-threaded here
        )


def _end_group(process: Process) -> None:
    """Pool workers and server workers share the child's group; none may outlive it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.popen.pid, signal.SIGKILL)


def start_web(processes: Processes, port: int, *, stream_url: str = "") -> Process:
    """Granian with WSGI threads on the loopback. What is meant for the process that streams is passed on to it."""
    threads = ANSWERING + STREAMING if stream_url else ANSWERING
    command = _granian("wsgi", port, "--blocking-threads", str(threads), "--access-log", "--workers-kill-timeout", "10")
    return processes.start("web", command, STREAM_URL=stream_url)


def start_stream(processes: Processes, port: int) -> Process:
    """Granian with an event loop on the loopback, for /graphql/stream."""
    command = _granian("asgi", port, "--workers-kill-timeout", "5")
    return processes.start("stream", command, returns=True)


def _granian(entry: str, port: int, *options: str) -> list[str]:
    """One server process of `config.wsgi` or `config.asgi` on the loopback."""
    interface = {"wsgi": "wsgi", "asgi": "asginl"}[entry]  # of ASGI without its lifespan, which Django does not know
    return [
        str(Path(sys.executable).with_name("granian")),
        "--interface", interface,
        "--host", "127.0.0.1",
        "--port", str(port),
        "--workers", "1",
        "--no-ws",
        *options,
        f"config.{entry}:application",
    ]  # fmt: skip


def start_worker(
    processes: Processes, *, name: str = "worker", concurrency: int = 2, queues: Sequence[str] = ()
) -> Process:
    """A Celery worker with real pool processes, for all queues or for these."""
    command = [
        sys.executable, "-m", "celery", "--app", "config", "--skip-checks", "worker",
        "--concurrency", str(concurrency),
        "--hostname", f"{name}-{os.getpid()}@%h",
        "--loglevel", "INFO",
        "--without-gossip", "--without-mingle",
        *(["--queues", ",".join(queues)] if queues else []),
    ]  # fmt: skip
    # Each pool process works on one task at a time: it needs few connections.
    return processes.start(name, command, returns=True, DATABASE_POOL_SIZE="2")


def start_quick_worker(processes: Processes) -> Process:
    """Another, for what is not to wait until the others have scored, compared and mailed."""
    return start_worker(processes, name="quick-worker", concurrency=1, queues=["quick"])


def start_beat(processes: Processes, schedule: Path) -> Process:
    """Celery's clock. `schedule` is the file in which it notes when each entry was last due."""
    command = [
        sys.executable, "-m", "celery", "--app", "config", "--skip-checks", "beat",
        "--loglevel", "INFO", "--pidfile=", "--schedule", str(schedule),
    ]  # fmt: skip
    return processes.start("beat", command, returns=True)


def wait_until_ready(processes: Processes, web: str, *, seconds: float = 60) -> None:
    """Return once `/readyz` says yes; raise ProcessFailed when a child ends or the time is up."""
    deadline = time.monotonic() + seconds
    answer = "no answer"
    with httpx.Client(verify=False, timeout=5) as http:
        while time.monotonic() < deadline:
            processes.check()
            try:
                response = http.get(f"{web}/readyz")
                if response.status_code == httpx.codes.OK:
                    return
                answer = response.text
            except httpx.HTTPError as error:
                answer = type(error).__name__
            time.sleep(0.2)
    raise ProcessFailed(f"Not ready after {seconds:g} s: {answer}")


@contextlib.contextmanager
def running(processes: Processes) -> Iterator[Processes]:
    """Stop all the children at the end, whatever happens."""
    try:
        yield processes
    finally:
        processes.stop_all()
