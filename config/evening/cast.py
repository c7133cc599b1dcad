"""Who plays: recruiters and candidates of the demo market, staff, and newcomers who sign up over HTTP."""

from __future__ import annotations

import json
import random
import secrets
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from config.evening.client import EveningFailed, Market, Person

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Cast:
    staff: Person
    recruiters: tuple[Person, ...]
    candidates: tuple[Person, ...]


def gather_cast() -> Cast:
    """Logins of the demo market. Tokens are handed out by the development commands: typing four hundred passwords
    would measure the password hash, not the market."""
    people = _manage("demo_people")
    cast = _manage("demo_cast")
    return Cast(
        staff=Person(people["staff"]["email"], people["staff"]["token"]),
        recruiters=tuple(Person(r["email"], r["token"], r["organisation"]) for r in cast["recruiters"]),
        candidates=tuple(Person(c["email"], c["token"]) for c in cast["candidates"]),
    )


def sign_up(market: Market, name: str) -> Person:
    """A newcomer makes an account as an app would, and gets a token."""
    email = f"{name}-{secrets.token_hex(3)}@newcomers.example"
    body = {"email": email, "password": secrets.token_urlsafe(18)}
    answer = market.post("/_allauth/app/v1/auth/signup", body)
    token = answer.get("meta", {}).get("access_token")
    if not token:
        raise EveningFailed(f"sign-up of {email} gave no token: {answer}")
    return Person(email, token)


def share(people: tuple[Person, ...], part: float, chance: random.Random) -> list[Person]:
    """A part of these people, in a random order."""
    return chance.sample(people, k=round(len(people) * part))


def _manage(command: str) -> dict:
    answer = subprocess.run(
        [sys.executable, "manage.py", command, "--skip-checks"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    )
    return json.loads(answer.stdout)
