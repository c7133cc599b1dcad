"""The embedded Postgres and Valkey: real servers, with nothing to install.

    with embedded_services() as services:      # start or join, and stop when the last who uses them leaves
        services.database_url, services.redis_url

    python -m config.services start | stop | status

Data lies under `.muster/`. A server that already runs is used again. DATABASE_URL and REDIS_URL say to use another
server instead; then nothing of that kind is started. Two who start at once take turns at a lock that dies with them, so
a crash leaves nothing locked.
"""

import argparse
import contextlib
import fcntl
import json
import os
import secrets
import shutil
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

# Everything that is made at run time; elsewhere for a test that runs a whole Muster of its own.
MUSTER_DIR = Path(os.environ.get("MUSTER_DIR") or Path(__file__).resolve().parent.parent / ".muster")


@dataclass(frozen=True)
class Instance:
    """A pair of servers with data of their own. Only a `durable` one keeps its data through a power cut."""

    folder: Path
    durable: bool = True


RUN = Instance(MUSTER_DIR)
TEST = Instance(MUSTER_DIR / "test", durable=False)
BENCH = Instance(MUSTER_DIR / "bench")


@dataclass(frozen=True)
class Services:
    """Where the servers are."""

    database_url: str
    redis_url: str

    def environment(self) -> dict[str, str]:
        """For a child process, whose settings read it."""
        return {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url}


class Server(Protocol):
    """What the embedded servers have in common."""

    def url(self, port: int, password: str) -> str: ...
    def answers(self, port: int, password: str) -> bool: ...
    def start(self, port: int, password: str) -> None: ...
    def stop(self) -> None: ...


def ensure_services(instance: Instance = RUN, *, keep: bool = True) -> Services:
    """Start what does not run yet. With `keep` it stays after those who use it through `embedded_services` left."""
    with _locked(instance):
        record = _read_record(instance)
        urls = {}
        for name, variable in (("postgres", "DATABASE_URL"), ("valkey", "REDIS_URL")):
            urls[name] = os.environ.get(variable) or _ensure(_server(instance, name), record.setdefault(name, {}))
            _write_record(instance, record)
        if keep and not record.get("kept"):
            _write_record(instance, record | {"kept": True})
        return Services(urls["postgres"], urls["valkey"])


def stop_services(instance: Instance = RUN) -> None:
    """Stop what runs, whoever uses it."""
    if not _record_path(instance).exists():
        return
    with _locked(instance):
        _stop(instance)


@contextlib.contextmanager
def embedded_services(instance: Instance = RUN) -> Iterator[Services]:
    """Use the servers. The last one to leave stops them, unless they were started to be kept.

    The claim to them is a shared file lock, which a crash gives up too.
    """
    instance.folder.mkdir(parents=True, exist_ok=True)
    with (instance.folder / "in-use").open("w") as claim:
        fcntl.flock(claim, fcntl.LOCK_SH)
        try:
            yield ensure_services(instance, keep=False)
        finally:
            # Refused while somebody else's claim stands. Under the lock nobody can start what is being stopped.
            with _locked(instance), contextlib.suppress(BlockingIOError):
                fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if not _read_record(instance).get("kept"):
                    _stop(instance)


def wipe(instance: Instance = RUN) -> None:
    """Stop the servers and remove their data, and everything else in the instance's folder."""
    stop_services(instance)
    from config.embedded_postgres import EmbeddedPostgres

    if instance.folder.exists():
        EmbeddedPostgres(instance.folder, instance.durable).wipe()
        shutil.rmtree(instance.folder)


def status(instance: Instance = RUN) -> dict[str, str | None]:
    """The address of each embedded server that answers, None for one that does not."""
    record = _read_record(instance)
    found: dict[str, str | None] = {}
    for name in ("postgres", "valkey"):
        entry = record.get(name)
        server = _server(instance, name)
        found[name] = server.url(**entry) if entry and server.answers(**entry) else None
    return found


def recorded_database_url(instance: Instance = RUN) -> str:
    """The embedded Postgres' address as last started; the usual port of an installed one if it never was."""
    if entry := _read_record(instance).get("postgres"):
        return _server(instance, "postgres").url(**entry)
    return "postgresql://postgres@127.0.0.1:5432/muster"


def recorded_redis_url(instance: Instance = RUN) -> str:
    """The embedded Valkey's address as last started; the usual port of an installed Redis if it never was."""
    if entry := _read_record(instance).get("valkey"):
        return _server(instance, "valkey").url(**entry)
    return "redis://127.0.0.1:6379/0"


def free_port() -> int:
    """A TCP port of the loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# --- inside -----------------------------------------------------------------------------------------------------------


def _server(instance: Instance, name: str) -> Server:
    # Imported late: settings read addresses from here, and need no server binaries for that.
    if name == "postgres":
        from config.embedded_postgres import EmbeddedPostgres

        return EmbeddedPostgres(instance.folder, instance.durable)
    from config.embedded_valkey import EmbeddedValkey

    return EmbeddedValkey(instance.folder, instance.durable)


def _ensure(server: Server, entry: dict[str, Any]) -> str:
    """Start `server` unless it answers where `entry` says; bring `entry` up to date."""
    entry.setdefault("password", secrets.token_urlsafe(24))
    if "port" not in entry or not server.answers(**entry):
        # The same port again where it is free: addresses that people noted down stay true.
        if "port" not in entry or not _is_free(entry["port"]):
            entry["port"] = free_port()
        server.start(**entry)
    return server.url(**entry)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _stop(instance: Instance) -> None:
    record = _read_record(instance)
    for name in ("valkey", "postgres"):
        if name in record:
            _server(instance, name).stop()
    record.pop("kept", None)
    _write_record(instance, record)


@contextlib.contextmanager
def _locked(instance: Instance) -> Iterator[None]:
    instance.folder.mkdir(parents=True, exist_ok=True)
    with (instance.folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _record_path(instance: Instance) -> Path:
    return instance.folder / "services.json"


def _read_record(instance: Instance) -> dict[str, Any]:
    try:
        record: dict[str, Any] = json.loads(_record_path(instance).read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return record


def _write_record(instance: Instance, record: dict[str, Any]) -> None:
    draft = _record_path(instance).with_suffix(".draft")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(record, indent=2))
    draft.replace(_record_path(instance))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m config.services", description="The embedded Postgres and Valkey.")
    parser.add_argument("command", choices=("start", "stop", "status"))
    parser.add_argument("--test", action="store_true", help="the tests' own servers instead of the run's")
    chosen = parser.parse_args(arguments)
    instance = TEST if chosen.test else RUN
    if chosen.command == "stop":
        stop_services(instance)
    elif chosen.command == "start":
        services = ensure_services(instance)
        print(f"DATABASE_URL={services.database_url}\nREDIS_URL={services.redis_url}")
    else:
        found = status(instance)
        for name, url in found.items():
            print(f"{name}: {url or 'stopped'}")
        return 0 if all(found.values()) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
