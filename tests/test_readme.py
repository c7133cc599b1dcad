"""The README draws the state machines from their tables."""

from __future__ import annotations

import re
from pathlib import Path

from marketplace.core.workflow import MACHINES as MARKETPLACE_MACHINES
from matching.core.workflow import MACHINES as MATCHING_MACHINES

README = Path(__file__).resolve().parents[1] / "README.md"


def drawings() -> str:
    machines = (*MARKETPLACE_MACHINES, *MATCHING_MACHINES)
    return "\n\n".join(f"### {m.noun.capitalize()}\n\n```mermaid\n{m.mermaid()}\n```" for m in machines)


def test_readme_draws_every_machine_as_its_table_says():
    found = re.search(r"<!-- machines -->\n(.*)\n<!-- /machines -->", README.read_text(), re.DOTALL)
    assert found, "the README has lost its drawings"
    assert found[1].strip() == drawings()
