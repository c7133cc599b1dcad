"""Seats that stay empty: for what cause, what would have to give way, and how that is said."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Cause(StrEnum):
    NOBODY_PASSES = "nobody_passes"  # no edge, and nobody whom only one ground keeps out
    PAY = "pay"  # people pass, but ask for more than it pays
    HOURS = "hours"  # people pass, but have too few free hours
    MIN_FIT = "min_fit"  # people pass, but suit less than is asked for
    ACCEPT_ELSEWHERE = "accept_elsewhere"  # people pass, but are engaged elsewhere, or would sooner accept there
    SET_ASIDE = "set_aside"  # everybody who passes is pinned elsewhere or excluded
    LIMIT = "limit"  # a limit over several opportunities is used up
    SHARE = "share"  # the empty seats are reserved for others than those who could take them
    COMPETITION = "competition"  # a set of opportunities has more seats than people
    NOT_WORTH_IT = "not_worth_it"  # people could be moved to fill it, at a loss in total value


GROUNDS = (Cause.PAY, Cause.HOURS, Cause.MIN_FIT, Cause.ACCEPT_ELSEWHERE)


@dataclass(frozen=True, slots=True)
class KeptOut:
    """People who pass an opportunity's rule and whom one ground alone keeps from an edge, each under that ground.

    A number each, of what they lack: `pay` by how much they ask for more than it pays, in hundredths of its currency
    an hour; `hours` of a week beyond those they have free; `min_fit` the millionths by which they suit less than is
    asked for at least. `elsewhere`: how many hold an offer or a placement that stands in the way.
    """

    pay: tuple[int, ...] = ()
    hours: tuple[int, ...] = ()
    min_fit: tuple[int, ...] = ()
    elsewhere: int = 0

    def lacking(self, ground: Cause) -> list[int]:
        """What each of them lacks, the least first."""
        if ground is Cause.ACCEPT_ELSEWHERE:
            return [1] * self.elsewhere
        return sorted({Cause.PAY: self.pay, Cause.HOURS: self.hours, Cause.MIN_FIT: self.min_fit}[ground])


@dataclass(frozen=True, slots=True)
class Loosening:
    """What one thing that gives way would bring.

    `of` says what: a ground, LIMIT or SHARE; or COMPETITION: more people. It gives way by `by`: hundredths of the
    currency (PAY), hours, millionths of fit, seats (LIMIT, SHARE), people (COMPETITION, ACCEPT_ELSEWHERE). Then
    `people` more could take these seats. `value`: what the first of these would add to the total value, at most; None
    where that is not known.
    """

    of: Cause
    by: int
    people: int
    value: int | None = None

    def to_data(self) -> dict[str, Any]:
        return {"of": self.of.value, "by": self.by, "people": self.people, "value": self.value}

    def sentence(self) -> str:
        """For staff."""
        let_in = f"would let {count(self.people, 'more person', 'more people')} in"
        match self.of:
            case Cause.PAY:
                return f"Paying {self.by // 100}.{self.by % 100:02} more an hour {let_in}."
            case Cause.HOURS:
                return f"Asking for {count(self.by, 'hour')} less {let_in}."
            case Cause.MIN_FIT:
                return f"A least fit lower by {self.by / 10_000:.1f} points of a hundred {let_in}."
            case Cause.ACCEPT_ELSEWHERE:
                return f"{count(self.people, 'person', 'people')} would pass if not engaged elsewhere."
            case Cause.LIMIT:
                return f"A limit higher by {self.by} would add up to {self.value} to the total value."
            case Cause.SHARE:
                return f"{count(self.by, 'seat')} less reserved would add up to {self.value} to the total value."
            case _:
                worth = "" if self.value is None else f", the first of them worth up to {self.value}"
                return f"{count(self.by, 'more person', 'more people')} who could take them would be needed{worth}."


@dataclass(frozen=True, slots=True)
class EmptySeats:
    """Seats of one opportunity that stay empty for one cause.

    `opportunities` (keys, sorted, this one's among them) have `seats` open seats for `candidates` distinct people;
    seats and people of pinned pairs are counted on neither side. For COMPETITION the set is inclusion-minimal among
    those that contain this opportunity, unless the work limit stopped the search: `minimal` is false then, and of
    several empty seats some may be filed under NOT_WORTH_IT that cannot be filled at all. Where people take several
    seats, `candidates` counts each as often as they could take one of these. For LIMIT `opportunities` are those
    under the limit, whose key is `limit`, and `seats` what it allows.
    `loss`: for NOT_WORTH_IT and ACCEPT_ELSEWHERE, what filling the first of the seats would take from the total value;
    in a market with several seats a person, limits or shares: what the cheapest single move would; None of an
    assignment that is stable and not the best in total.
    `loosened`: what would have to give way, in the order of causes.
    """

    opportunity: int
    empty: int
    cause: Cause
    opportunities: tuple[int, ...]
    seats: int
    candidates: int
    loss: int | None = None
    minimal: bool = True
    limit: int | None = None
    loosened: tuple[Loosening, ...] = ()

    def to_data(self) -> dict[str, Any]:
        return {
            "opportunity": self.opportunity,
            "empty": self.empty,
            "cause": self.cause.value,
            "opportunities": list(self.opportunities),
            "seats": self.seats,
            "candidates": self.candidates,
            "loss": self.loss,
            "minimal": self.minimal,
            "limit": self.limit,
            "loosened": [one.to_data() for one in self.loosened],
        }

    def sentence(self, names: Mapping[int, str]) -> str:
        """For staff. `names` maps opportunity keys to titles; a missing one is shown by its key."""
        title = names.get(self.opportunity, f"opportunity {self.opportunity}")
        stays = f"{count(self.empty, 'seat')} of {title} {'stays' if self.empty == 1 else 'stay'} empty: "
        said = stays + self._reason(names, title)
        return " ".join([said, *(one.sentence() for one in self.loosened)])

    def _reason(self, names: Mapping[int, str], title: str) -> str:
        people = count(self.candidates, "person", "people")
        one = self.candidates == 1
        pass_ = "passes" if one else "pass"
        match self.cause:
            case Cause.NOBODY_PASSES:
                return "nobody who is available passes its rule."
            case Cause.PAY:
                return f"{people} {pass_}, but {'asks' if one else 'all ask'} for more than it pays."
            case Cause.HOURS:
                return f"{people} {pass_}, but {'has' if one else 'have'} too few free hours."
            case Cause.MIN_FIT:
                return f"{people} {pass_}, but {'suits' if one else 'all suit'} less than is asked for at least."
            case Cause.ACCEPT_ELSEWHERE if self.loss is None:
                return f"{people} {pass_}, but {'is' if one else 'are'} engaged elsewhere."
            case Cause.ACCEPT_ELSEWHERE:
                return (
                    f"{people} {pass_}, but would sooner accept elsewhere, where they are proposed;"
                    f" filling it would take {self.loss} from the total value."
                )
            case Cause.SET_ASIDE:
                return "everybody who passes is pinned elsewhere or excluded."
            case Cause.LIMIT if len(self.opportunities) == 1:
                return f"a limit of {count(self.seats, 'seat')} is used up."
            case Cause.LIMIT:
                return f"a limit of {count(self.seats, 'seat')} over these and {self._listed(names)} is used up."
            case Cause.SHARE:
                reserved = "it is" if self.empty == 1 else "they are"
                return f"{reserved} reserved for people of whom none is left."
            case Cause.NOT_WORTH_IT if self.loss is None:
                return "filling it would move people from where they are."
            case Cause.NOT_WORTH_IT:
                moved = "by moving people who suit better where they are"
                return f"filling it would take {self.loss} from the total value, {moved}."
            case Cause.COMPETITION:
                return self._competition(names)

    def _competition(self, names: Mapping[int, str]) -> str:
        people = f"only {count(self.candidates, 'person', 'people')}"
        if len(self.opportunities) == 1:
            return f"its {count(self.seats, 'open seat')} can be taken by {people}."
        return (
            f"together with {self._listed(names)} it has {count(self.seats, 'open seat')}, which {people} could take."
        )

    def _listed(self, names: Mapping[int, str]) -> str:
        """The other opportunities, the first few by name."""
        others = [names.get(key, f"opportunity {key}") for key in self.opportunities if key != self.opportunity]
        shown = others[:5]
        if len(others) > len(shown):
            shown.append(f"{len(others) - len(shown)} others")
        return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + " and " + shown[-1]


def loosenings(ground: Cause, lacking: Sequence[int], empty: int) -> tuple[Loosening, ...]:
    """The least by which a ground must give way to let anybody in, and the least that lets in as many as there are
    empty seats, or all. `lacking`: what each person lacks, sorted."""
    if not lacking:
        return ()
    steps = sorted({lacking[0], lacking[min(empty, len(lacking)) - 1]})
    return tuple(Loosening(ground, by, bisect_right(lacking, by)) for by in steps)


def count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
