"""Install the lock into the virtual environment whose Python runs this: `.venv/bin/python config/install.py`.

pip fetches uv, of the locked version, and uv the rest: seconds instead of a minute. What pip was told of indexes and
certificates holds for uv too. Where uv cannot do it, pip does. Every file must have a hash that the lock names.
"""

import ast
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

LOCK = Path(__file__).resolve().parent.parent / "requirements.txt"
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
PIP_INSTALL = [*PIP, "install", "--quiet", "--no-compile", "--require-hashes"]
UV_INSTALL = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", sys.executable, "--require-hashes"]

# pip's settings, what uv calls them, and what stands between the values of those that take several.
TRANSLATIONS = {
    "index-url": ("UV_DEFAULT_INDEX", ""),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "no-index": ("UV_NO_INDEX", ""),
    "timeout": ("UV_HTTP_TIMEOUT", ""),
    "default-timeout": ("UV_HTTP_TIMEOUT", ""),
    "proxy": ("ALL_PROXY", ""),
    "cert": ("SSL_CERT_FILE", ""),
    "client-cert": ("SSL_CLIENT_CERT", ""),
}


def main() -> int:
    if _with_uv():
        return 0
    print("• uv could not install it, so pip does; that takes a while …", file=sys.stderr)
    return subprocess.run([*PIP_INSTALL, "-r", str(LOCK)], check=False).returncode


def _with_uv() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        only_uv = Path(folder) / "uv.txt"
        only_uv.write_text(locked("uv", LOCK.read_text()))
        if subprocess.run([*PIP_INSTALL, "--no-deps", "-r", str(only_uv)], check=False).returncode:
            return False
    listed = subprocess.run([*PIP, "config", "list"], capture_output=True, text=True, check=False).stdout
    # pip trusts the system's certificates and takes the best of all indexes; the hashes keep the latter safe.
    likewise = {"UV_SYSTEM_CERTS": "1", "UV_INDEX_STRATEGY": "unsafe-best-match"}
    environment = {**likewise, **for_uv(pip_settings(listed)), **os.environ}
    return subprocess.run([*UV_INSTALL, "-r", str(LOCK)], env=environment, check=False).returncode == 0


def locked(name: str, lock: str) -> str:
    """The lines of one package in a lock: its version and hashes."""
    entry = re.search(rf"^{re.escape(name)}==.*(?:\n[ \t].*)*", lock, re.M)
    if entry is None:
        raise SystemExit(f"{name} is not locked in {LOCK}")
    return entry[0] + "\n"


def pip_settings(listed: str) -> dict[str, list[str]]:
    """What holds for `pip install`, of lines such as `global.index-url='https://…'` that `pip config list` prints."""
    found: dict[str, list[str]] = {}
    for scope in ("global", "install", ":env:"):  # each overrides those before
        for name, value in re.findall(rf"^{scope}\.([\w-]+)=(.*)$", listed, re.M):
            found[name] = str(ast.literal_eval(value)).split()
    return found


def for_uv(settings: dict[str, list[str]]) -> dict[str, str]:
    """The same as environment variables that uv reads, without what has several words where uv wants one."""
    return {
        variable: separator.join(settings[name])
        for name, (variable, separator) in TRANSLATIONS.items()
        if name in settings and (separator or len(settings[name]) == 1)
    }


if __name__ == "__main__":
    sys.exit(main())
