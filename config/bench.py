"""`make bench`: named measurements, each with what it is compared to.

A benchmark lives in `tests/benchmarks/<noun>.py`:

    @benchmark("rules.evaluate", unit="µs")
    def evaluate() -> Measured:
        return Measured(value=1.9, baseline=4.2, baseline_name="the rule as nested closures")

Sizes come from `size("CANDIDATES", 100_000)`, which BENCH_CANDIDATES overrides; data sets that take long to build are
kept under `DATA`, or in a database of their own (`own_database`). Benchmarks run on Postgres and Valkey of their own,
or on those that BENCH_DATABASE_URL and BENCH_REDIS_URL name; the run's data is never touched.
"""

import argparse
import contextlib
import importlib
import json
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from config import services

ROOT = Path(__file__).resolve().parent.parent
RESULTS = services.MUSTER_DIR / "bench.json"
# Where benchmarks keep the data sets they build; name the sizes in the file's name.
DATA = services.BENCH.folder / "data"
NOTHING_CHOSEN = 2


@dataclass(frozen=True)
class Measured:
    """A figure, and the figure it is held against. Without a baseline it is absolute."""

    value: float
    baseline: float | None = None
    baseline_name: str | None = None

    @property
    def ratio(self) -> float | None:
        """value ÷ baseline; None without a baseline, or with one of 0."""
        return self.value / self.baseline if self.baseline else None


@dataclass(frozen=True)
class Benchmark:
    name: str
    unit: str
    measure: Callable[[], Measured]


BENCHMARKS: dict[str, Benchmark] = {}


def benchmark(name: str, *, unit: str) -> Callable[[Callable[[], Measured]], Callable[[], Measured]]:
    """Register a measurement under a dotted name. It runs with Django set up and every table migrated."""

    def register(measure: Callable[[], Measured]) -> Callable[[], Measured]:
        if name in BENCHMARKS:
            raise ValueError(f"Two benchmarks are named {name}")
        BENCHMARKS[name] = Benchmark(name, unit, measure)
        return measure

    return register


def size(name: str, default: int) -> int:
    """BENCH_<name> from the environment, else the default."""
    return int(os.environ.get(f"BENCH_{name}", default))


@contextlib.contextmanager
def own_database(name: str, made_of: str, build: Callable[[], object], *, grows: bool = False) -> Iterator[None]:
    """Django on a migrated database `bench_<name>` that keeps a large data set between runs.

    `build` fills it once, from nothing, or from a copy of the database that Django is on where it `grows` out of that;
    `made_of` tells the data set apart from one that was built otherwise, or by half, which is dropped. Every connection
    that was open before is closed, there and back.
    """
    from django.core.management import call_command
    from django.db import connection

    database = f"bench_{name}"
    usual = connection.settings_dict["NAME"]
    ready = _comment_on(database) == made_of
    if not ready:
        print(f"• Building {database}, which later runs find ready …", flush=True)
        _create(database, like=usual if grows else None)
    _connect_to(database)
    try:
        call_command("migrate", verbosity=0)
        if not ready:
            build()
            _run_alone(f"COMMENT ON DATABASE \"{database}\" IS '{made_of}'")
        yield
    finally:
        _connect_to(usual)


@contextlib.contextmanager
def own_copy(name: str) -> Iterator[None]:
    """Django on a copy of the database that it is on, which is dropped in the end: for what cannot be taken back."""
    from django.db import connection

    database, usual = f"bench_{name}", connection.settings_dict["NAME"]
    try:
        _create(database, like=usual)
        _connect_to(database)
        yield
    finally:
        _connect_to("postgres")
        _run_alone(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
        _connect_to(usual)


def _create(database: str, *, like: str | None) -> None:
    """Anew, and where it is to be like another, with what that holds."""
    if like is not None:
        _connect_to("postgres")  # nobody may be connected to what is copied
    _run_alone(
        f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)',
        f'CREATE DATABASE "{database}"' + (f' TEMPLATE "{like}"' if like is not None else ""),
    )


def _comment_on(database: str) -> str | None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [database])
        row = cursor.fetchone()
    return row[0] if row else None


def _run_alone(*statements: str) -> None:
    """Statements that no transaction may hold."""
    from django.db import connection

    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _connect_to(database: str) -> None:
    """Let every later connection of the process be to that database of the same server."""
    from django.db import connections

    for one in connections.all():
        one.close()
        one.close_pool()  # type: ignore[attr-defined]
        one.settings_dict["NAME"] = database


def discover(folder: Path = ROOT / "tests" / "benchmarks") -> None:
    """Import every module of the folder, which registers what it holds."""
    for path in sorted(folder.glob("[!_]*.py")):
        importlib.import_module(f"tests.benchmarks.{path.stem}")


def chosen(only: str) -> list[Benchmark]:
    """Those whose names begin with one of the prefixes, which commas or blanks part; all for none."""
    prefixes = tuple(re.split(r"[,\s]+", only.strip())) if only.strip() else ("",)
    return [BENCHMARKS[name] for name in sorted(BENCHMARKS) if name.startswith(prefixes)]


def run(selected: Sequence[Benchmark]) -> tuple[list[dict[str, Any]], list[str]]:
    """Measure one after the other. Returns the rows, and the names of those that failed."""
    rows: list[dict[str, Any]] = []
    failed: list[str] = []
    for one in selected:
        try:
            measured = one.measure()
        except Exception:
            traceback.print_exc()
            print(f"{one.name:<44} FAILED", flush=True)
            failed.append(one.name)
            continue
        row = {
            "name": one.name,
            "value": measured.value,
            "unit": one.unit,
            "baseline": measured.baseline,
            "baseline_name": measured.baseline_name,
            "ratio": measured.ratio,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        rows.append(row)
        print(_line(row), flush=True)
    return rows, failed


def record(rows: Sequence[dict[str, Any]], path: Path = RESULTS) -> None:
    """Write the rows, keeping the last figure of every benchmark that was not measured this time."""
    try:
        kept = {row["name"]: row for row in json.loads(path.read_text())}
    except (FileNotFoundError, json.JSONDecodeError):
        kept = {}
    kept.update({row["name"]: row for row in rows})
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps([kept[name] for name in sorted(kept) if name in BENCHMARKS], indent=2) + "\n")
    draft.replace(path)


def _line(row: dict[str, Any]) -> str:
    text = f"{row['name']:<44} {row['value']:>12,.4g} {row['unit']:<8}"
    if row["baseline"] is not None:
        ratio = "" if row["ratio"] is None else f"  ratio {row['ratio']:.3f}"
        text += f"  baseline {row['baseline']:,.4g} ({row['baseline_name']}){ratio}"
    return text


@contextlib.contextmanager
def _prepared() -> Iterator[None]:
    """Servers, settings and migrated tables, in that order: settings read the servers' addresses."""
    os.environ["MUSTER_ENV"] = "development"
    os.environ["DEBUG"] = "0"  # Django keeps every query that it ran when it debugs
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    for variable in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(variable, None)
        if given := os.environ.get(f"BENCH_{variable}"):
            os.environ[variable] = given
    with services.embedded_services(services.BENCH) as found:
        os.environ.update(found.environment())
        import django
        from django.core.management import call_command
        from django.db import connections

        django.setup()
        try:
            call_command("migrate", verbosity=0)
            yield
        finally:
            connections.close_all()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make bench", description="Measure, and write .muster/bench.json.")
    parser.add_argument("--only", default="", help="prefixes of names, parted by commas")
    parser.add_argument("--list", action="store_true", help="name the benchmarks and end")
    options = parser.parse_args(arguments)
    with _prepared():
        discover()
        selected = chosen(options.only)
        if options.list:
            print("\n".join(one.name for one in selected))
            return 0
        if not selected:
            print(f"No benchmark begins with {options.only!r}. There are:", *sorted(BENCHMARKS), sep="\n  ")
            return NOTHING_CHOSEN
        DATA.mkdir(parents=True, exist_ok=True)
        rows, failed = run(selected)
        record(rows)
    if failed:
        print(f"\nFailed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    # The modules of benchmarks register with `config.bench`, which is not this module when run as a script.
    from config.bench import main as main_of_the_registry

    sys.exit(main_of_the_registry())
