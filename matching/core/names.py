"""What people call the things that rules and verdicts name by code or id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Names:
    """Names by code or id. Whatever has none here is called by its code."""

    skills: Mapping[int, str] = field(default_factory=dict)
    languages: Mapping[str, str] = field(default_factory=dict)  # by ISO 639
    countries: Mapping[str, str] = field(default_factory=dict)  # by ISO 3166-1 alpha-2
    regions: Mapping[str, str] = field(default_factory=dict)  # by ISO 3166-2
    groups: Mapping[int, str] = field(default_factory=dict)  # lists have telling names: give them to their owners only

    def skill(self, skill_id: int) -> str:
        return self.skills.get(skill_id, f"skill {skill_id}")

    def language(self, code: str) -> str:
        return self.languages.get(code, f"language {code}")

    def place(self, code: str) -> str:
        """A country by its name, a region by its name and code."""
        if code in self.regions:
            return f"{self.regions[code]} ({code})"
        return self.countries.get(code, code)

    def group(self, group_id: int) -> str:
        return self.groups.get(group_id, "one of the organisation's own")


NO_NAMES = Names()
