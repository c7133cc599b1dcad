"""What happens to a seat that comes free: who is asked next, and who decides."""

from __future__ import annotations

from enum import StrEnum


class BackfillPolicy(StrEnum):
    AUTOMATIC = "automatic"  # first those who wait for a seat, then whoever is worth most: offers go out by themselves
    PROPOSE = "propose"  # the next one is proposed; an offer goes out when a recruiter or staff commit it
    WAITING_LIST = "waiting_list"  # those who wait for a seat, and nobody else
    OFF = "off"  # the seat stays open

    @property
    def serves_the_line(self) -> bool:
        return self in {BackfillPolicy.AUTOMATIC, BackfillPolicy.WAITING_LIST}

    @property
    def looks_further(self) -> bool:
        return self in {BackfillPolicy.AUTOMATIC, BackfillPolicy.PROPOSE}


class BackfillSource(StrEnum):
    OPPORTUNITY = "opportunity"  # set for the opportunity itself
    ORGANISATION = "organisation"  # set for all of the organisation's
    USUAL = "usual"  # set by nobody


def effective(own: str | None, organisations: str | None, *, allocated: bool) -> tuple[BackfillPolicy, BackfillSource]:
    """What holds for an opportunity, and where it was set: its own policy, else its organisation's.

    Where neither is set, an opportunity whose seats were offered by an allocation is backfilled automatically; any
    other serves its waiting list alone, since nobody has put its seats into Muster's hands.
    """
    if own:
        return BackfillPolicy(own), BackfillSource.OPPORTUNITY
    if organisations:
        return BackfillPolicy(organisations), BackfillSource.ORGANISATION
    return BackfillPolicy.AUTOMATIC if allocated else BackfillPolicy.WAITING_LIST, BackfillSource.USUAL
