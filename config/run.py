"""`make run`: services, web, worker and beat, a demo market, and one evening of it played over HTTP.

    python -m config.run [--port 8000] [--data FOLDER] [--once]

With ELASTICSEARCH_URL searches read indices there, which are built anew: what it holds may be of another database.

Stays until Ctrl-C, then stops everything it started. With `--once` it ends after the evening, with its status.
Exits with 2 where it cannot start: another run is up, or the port is taken.
"""

import argparse
import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from config import services
from config.processes import (
    Processes,
    ProcessFailed,
    end_with_parent,
    running,
    start_beat,
    start_quick_worker,
    start_stream,
    start_web,
    start_worker,
    wait_until_ready,
)

ROOT = Path(__file__).resolve().parent.parent
CANNOT_START = 2
# How what we wait for is started: Ctrl-C reaches us alone, and we end it.
_APART: dict[str, Any] = {
    "cwd": ROOT,
    "stdin": subprocess.DEVNULL,
    "start_new_session": True,
    "preexec_fn": end_with_parent if sys.platform == "linux" else None,
}


class CannotStart(Exception):
    """Why, in words for the person at the terminal."""


class Stopped(BaseException):
    """SIGTERM or SIGINT came. Not an Exception, so that nothing on the way takes it for a failure."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make run", description="Run Muster and play one evening of the market.")
    parser.add_argument("--port", type=int, default=8000, help="of the web server (default 8000)")
    parser.add_argument(
        "--data", type=Path, default=None, help="a folder with esco/, onet/ and adverts/: play on these"
    )
    parser.add_argument("--once", action="store_true", help="end after the evening, with its status")
    chosen = parser.parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    try:
        with _only_run():
            _check_port(chosen.port)
            return _run(chosen.port, chosen.data.resolve() if chosen.data else None, chosen.once)
    except CannotStart as problem:
        print(f"muster: {problem}", file=sys.stderr)
        return CANNOT_START
    except ProcessFailed as problem:
        print(f"\nmuster: {problem}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as problem:
        print(f"\nmuster: {' '.join(map(str, problem.cmd[1:]))} failed (status {problem.returncode})", file=sys.stderr)
        return 1
    except Stopped:
        print("\nStopped.")
        return 0


def _run(port: int, data: Path | None, once: bool) -> int:
    web = f"http://127.0.0.1:{port}"
    addresses = {
        "web": f"{web}/",
        "graphql": f"{web}/graphql",
        "stream": f"{web}/graphql/stream",
        "admin": f"{web}/admin/",
    }
    with contextlib.ExitStack() as stack:
        _say("Postgres and Valkey")
        found = stack.enter_context(services.embedded_services())
        environment = {
            **os.environ,
            **found.environment(),
            "MUSTER_ENV": "development",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "FRONTEND_URL": os.environ.get("FRONTEND_URL", web),
            "PYTHONUNBUFFERED": "1",
        }
        _say("Migrations")
        _manage(environment, "migrate", "--verbosity", "0")
        _say("The demo market")
        _manage(environment, "load_demo", "--skip-checks", *(["--data", str(data)] if data else []))
        if environment.get("ELASTICSEARCH_URL"):
            _say("Search indices")
            _build_indices(environment)
        _say("Web server, workers and beat")
        processes = stack.enter_context(running(Processes(environment, services.MUSTER_DIR / "log")))
        start_worker(processes)
        start_quick_worker(processes)
        start_beat(processes, services.MUSTER_DIR / "beat-schedule")
        stream_port = services.free_port()
        start_stream(processes, stream_port)
        start_web(processes, port, stream_url=f"http://127.0.0.1:{stream_port}")
        wait_until_ready(processes, web)
        people = json.loads(_manage_output(environment, "demo_people", "--skip-checks"))
        stack.enter_context(_run_file({**addresses, "people": people}))
        status = _play_evening(processes, environment, addresses["graphql"])
        _print_addresses(addresses, people)
        if once:
            return status
        print("\nMuster is up. Ctrl-C stops it.", flush=True)
        while True:
            processes.check()
            time.sleep(0.5)


def _build_indices(environment: dict[str, str]) -> None:
    """Without them Postgres answers, and the worker builds them when it can."""
    try:
        _manage(environment, "search", "--skip-checks", "rebuild", "--quiet")
    except subprocess.CalledProcessError:
        print("  They are not built; until they are, Postgres answers searches.", flush=True)


def _play_evening(processes: Processes, environment: dict[str, str], graphql: str) -> int:
    """Play it in a process of its own: it is a client like any other. Its output is the run's."""
    command = [sys.executable, "-m", "config.evening", "--graphql", graphql]
    evening = subprocess.Popen(command, env=environment, **_APART)
    try:
        while (status := evening.poll()) is None:
            processes.check()
            time.sleep(0.2)
    finally:
        if evening.poll() is None:
            evening.terminate()
            try:
                evening.wait(5)
            except subprocess.TimeoutExpired:
                evening.kill()
                evening.wait()
    if status:
        print(f"\nmuster: the evening ended with status {status}", file=sys.stderr)
    return status


def _print_addresses(addresses: dict[str, str], people: dict[str, Any]) -> None:
    print()
    for name, address in (("GraphQL", addresses["graphql"]), ("Admin", addresses["admin"])):
        print(f"  {name:<10} {address}")
    print("\n  Demo logins (development only):")
    for role, person in people.items():
        print(f"  {role:<10} {person['email']:<36} {person['password']}")
    print(f"\n  Logs       {services.MUSTER_DIR / 'log'}\n  Mail       {services.MUSTER_DIR / 'mail'}", flush=True)


def _manage(environment: dict[str, str], *arguments: str) -> None:
    subprocess.run([sys.executable, "manage.py", *arguments], env=environment, check=True, **_APART)


def _manage_output(environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True, **_APART)
    output: str = done.stdout
    return output


@contextlib.contextmanager
def _run_file(contents: dict[str, Any]) -> Iterator[None]:
    """`.muster/run.json` while we are up: addresses and demo people, for scripts of the same user."""
    path = services.MUSTER_DIR / "run.json"
    draft = path.with_suffix(".draft")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(contents, indent=2))
    draft.replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _only_run() -> Iterator[None]:
    """One run per checkout. The claim is a file lock, so that a run that was killed claims nothing."""
    services.MUSTER_DIR.mkdir(parents=True, exist_ok=True)
    with (services.MUSTER_DIR / "run.lock").open("w") as claim:
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(
                "a run of this checkout is up already: stop it with Ctrl-C where it runs. "
                "Its addresses are in .muster/run.json"
            ) from None
        (services.MUSTER_DIR / "run.json").unlink(missing_ok=True)  # of a run that was killed
        yield


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise CannotStart(f"port {port}: {error.strerror}. Name another: make run PORT=9000") from None


def reset() -> int:
    """`make reset`: stop the services and remove `.muster`, unless a run is up."""
    try:
        with _only_run():
            subprocess.run(["bash", str(ROOT / "config" / "elasticsearch.sh"), "stop"], check=False)
            for instance in (services.TEST, services.BENCH, services.RUN):
                services.wipe(instance)
    except CannotStart as problem:
        print(f"muster: {problem}", file=sys.stderr)
        return CANNOT_START
    print("Removed .muster: the next run begins anew.")
    return 0


def _say(what: str) -> None:
    print(f"• {what} …", flush=True)


def _stop(number: int, frame: FrameType | None) -> None:
    # Once is enough: what follows is the orderly stop, which a second Ctrl-C must not cut short.
    for again in (signal.SIGTERM, signal.SIGINT):
        signal.signal(again, signal.SIG_IGN)
    raise Stopped


if __name__ == "__main__":
    sys.exit(reset() if sys.argv[1:] == ["reset"] else main())
