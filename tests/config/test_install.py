"""How the lock is installed: what pip was told holds for uv, and nothing comes in without its hash."""

from __future__ import annotations

import re

import pytest

from config.install import LOCK, PIP_INSTALL, UV_INSTALL, for_uv, locked, pip_settings

LISTED = r"""
:env:.find-links='/opt/wheels /srv/wheels'
:env:.timeout='180'
global.cert='/etc/ssl/ours.pem'
global.extra-index-url='https://one.example/simple\nhttps://two.example/simple'
global.index-url='https://everybody.example/simple'
global.timeout='5'
install.index-url='https://installs.example/simple'
download.index-url='https://downloads.example/simple'
"""


def test_of_pips_settings_the_nearest_holds() -> None:
    assert pip_settings(LISTED) == {
        "find-links": ["/opt/wheels", "/srv/wheels"],
        "timeout": ["180"],
        "cert": ["/etc/ssl/ours.pem"],
        "extra-index-url": ["https://one.example/simple", "https://two.example/simple"],
        "index-url": ["https://installs.example/simple"],
    }


def test_uv_is_told_what_pip_was_told() -> None:
    assert for_uv(pip_settings(LISTED)) == {
        "UV_DEFAULT_INDEX": "https://installs.example/simple",
        "UV_INDEX": "https://one.example/simple https://two.example/simple",
        "UV_FIND_LINKS": "/opt/wheels,/srv/wheels",
        "UV_HTTP_TIMEOUT": "180",
        "SSL_CERT_FILE": "/etc/ssl/ours.pem",
    }
    assert for_uv(pip_settings("")) == {}


def test_uv_itself_is_installed_by_its_version_and_hashes() -> None:
    lines = locked("uv", LOCK.read_text()).splitlines()
    assert re.fullmatch(r"uv==[\d.]+ \\", lines[0])
    assert len(lines) > 10 and any("--hash=sha256:" in line for line in lines)
    assert all(line.startswith("    ") for line in lines[1:])


def test_what_is_not_locked_is_not_installed() -> None:
    with pytest.raises(SystemExit, match="uvicorn is not locked"):
        locked("uvicorn", "uv==1.0 \\\n    --hash=sha256:0\n")


@pytest.mark.parametrize("command", [PIP_INSTALL, UV_INSTALL])
def test_every_file_must_have_a_hash_that_the_lock_names(command: list[str]) -> None:
    assert "--require-hashes" in command
