"""Having it logged what a page showed."""

from collections.abc import Callable, Sequence
from functools import partial

from accounts.api.context import Context
from accounts.core.actor import ActorKind
from matching.actions.decisions import Ranked, log_shown
from matching.core.scoring import INTERCEPT
from matching.models import Decision, Match


def exposing(
    context: Context,
    surface: Decision.Surface,
    ranked: Callable[[], Sequence[Ranked]],
    first_rank: Callable[[], int],
) -> Callable[[], None]:
    """What a page calls when its rows are first read: has them logged once the answer has been sent.

    Whoever asks for a count alone has been shown nobody. Nor has anybody whose answer holds errors: such a page may be
    incomplete. The reader waits for none of it, and a log that cannot be written is no reason to refuse an answer.
    """

    def log() -> None:
        log_shown(
            actor=context.actor,
            capacity=_capacity(context, surface),
            surface=surface,
            ranked=ranked(),
            first_rank=first_rank(),
            now=context.now,
        )

    return partial(context.afterwards.append, log)


def as_scored(match: Match) -> Ranked:
    """A match with the values that its scores were made of."""
    values = {
        part["feature"]: part["value"]
        for head in match.contributions.values()
        for part in head
        if part["feature"] != INTERCEPT
    }
    return Ranked(match.opportunity_id, match.candidate_id, match.model_id, values)


def _capacity(context: Context, surface: Decision.Surface) -> ActorKind:
    """Staff who look at an organisation's page are not whom it is for."""
    if surface in (Decision.Surface.RECOMMENDATIONS, Decision.Surface.OPPORTUNITIES):
        return ActorKind.CANDIDATE
    return ActorKind.STAFF if context.actor.is_staff else ActorKind.MEMBER
