"""Keys for development, made on first need and kept, so that sessions and tokens outlive a restart."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from accounts.core.rsa import new_rsa_key
from accounts.core.seal import new_key


def development_secret(folder: Path) -> str:
    """Django's SECRET_KEY of this checkout."""
    return _kept(folder / "secret_key", lambda: secrets.token_urlsafe(50))


def development_key(folder: Path, name: str) -> str:
    """A key for fields of this checkout's databases: 32 bytes in base64."""
    return _kept(folder / f"{name}_key", new_key)


def development_rsa_key(folder: Path) -> str:
    """The RSA key (PEM) that signs the JWTs of this checkout."""
    return _kept(folder / "jwt.pem", new_rsa_key)


def _kept(path: Path, make: Callable[[], str]) -> str:
    """The text in `path`, made and stored first where it is missing. Two who start at once agree on one text."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(make())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # somebody was faster: theirs counts
        finally:
            draft.unlink()
    return path.read_text()
