"""The house stands as it was drawn: import contracts, linters and types."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command

from accounts.core.seal import new_key

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
# Groups are dealt out first: what takes long does not come last, when the other workers have nothing left to do.
pytestmark = pytest.mark.xdist_group("house")


def run(*command: str) -> None:
    environment = {**os.environ, "MUSTER_ENV": "test", "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    done = subprocess.run(
        [str(BIN / command[0]), *command[1:]], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout[-8000:]}{done.stderr[-4000:]}"


def test_imports_go_one_way():
    run("lint-imports", "--no-cache")


def test_ruff_has_nothing_to_say():
    run("ruff", "check", ".")


def test_code_is_formatted():
    run("ruff", "format", "--check", ".")


@pytest.mark.slow
def test_types_agree():
    run("mypy")


@pytest.mark.django_db
def test_models_and_migrations_agree():
    call_command("makemigrations", check=True, dry_run=True)  # SystemExit, after it said what is missing


def test_rows_are_ordered_by_their_own_columns():
    """By a relation they would be joined with it, and `select_for_update()` would lock the others' rows too."""
    for app in ("accounts", "marketplace", "matching"):
        for model in apps.get_app_config(app).get_models():
            columns = {field.attname for field in model._meta.concrete_fields}
            assert {name.lstrip("-") for name in model._meta.ordering} <= columns, model._meta.label


def test_a_deployment_passes_djangos_checks(tmp_path):
    key = "k" * 20 + "0123456789abcdefghijklmnopqrstuvwxyz"
    environment = {
        **os.environ,
        "MUSTER_ENV": "production",
        "SECRET_KEY": key,
        "JWT_PRIVATE_KEY": "a key",
        "FIELD_KEYS": new_key(),
        "FIELD_INDEX_KEY": new_key(),
        "ALLOWED_HOSTS": "muster.example",
        "STATIC_ROOT": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_production_refuses_to_start_without_its_secrets():
    environment = {name: value for name, value in os.environ.items() if name not in {"SECRET_KEY", "MUSTER_ENV"}}
    done = subprocess.run(
        [sys.executable, "-c", "import config.settings"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "SECRET_KEY is needed in production" in done.stderr
