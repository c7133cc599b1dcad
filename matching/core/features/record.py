"""What came of dealing with a person before.

A rate over few cases says little, and nobody's chances may hang on it, so each is drawn towards what is usual, as if
`STRENGTH` usual cases had come before the first: (successes × 1000 + usual × STRENGTH) ÷ (cases + STRENGTH). That is
the mean of a Beta distribution after as many successes and failures. Who has no history stands exactly at the usual
rate, which is what somebody with an ordinary history stands at: starting out is neither a merit nor a penalty, whatever
weight a model gives it. All newcomers stand there alike, so among them the rates decide nothing.
"""

from __future__ import annotations

from matching.core.facts import CandidateFacts, OpportunityTerms
from matching.core.features.declaring import ALL_HEADS, FULL, NEUTRAL, WISHES, Feature, Names, counted, months_since

STRENGTH = 4
# What is usual, in thousandths: assumed before any outcomes were seen.
USUAL_RESPONSE = 500
USUAL_ACCEPTANCE = 700
USUAL_COMPLETION = 850

RESTING = 50  # thousandths that each month without a sign takes: after 20 months nothing is left


def shrunk(successes: int, cases: int, usual: int) -> int:
    """A rate in thousandths, drawn towards what is usual."""
    cases = max(cases, 0)
    successes = min(max(successes, 0), cases)
    return (successes * FULL + usual * STRENGTH) // (cases + STRENGTH)


def response_rate(candidate: CandidateFacts, terms: OpportunityTerms) -> int:
    """Of the invitations that were answered or ran out, those that were answered, by yes or by no."""
    return shrunk(candidate.invitations_answered, candidate.invitations_received, USUAL_RESPONSE)


def _response_sentence(candidate: CandidateFacts, terms: OpportunityTerms, names: Names) -> str:
    if candidate.invitations_received <= 0:
        return "has not had an invitation to answer before"
    return f"answered {candidate.invitations_answered} of {counted(candidate.invitations_received, 'invitation')}"


def acceptance_rate(candidate: CandidateFacts, terms: OpportunityTerms) -> int:
    """Of the offers that were answered or ran out, those that were accepted."""
    return shrunk(candidate.offers_accepted, candidate.offers_decided, USUAL_ACCEPTANCE)


def _acceptance_sentence(candidate: CandidateFacts, terms: OpportunityTerms, names: Names) -> str:
    if candidate.offers_decided <= 0:
        return "has not had an offer to decide on before"
    return f"accepted {candidate.offers_accepted} of {counted(candidate.offers_decided, 'offer')}"


def completion_rate(candidate: CandidateFacts, terms: OpportunityTerms) -> int:
    """Of the placements that ran their course or that they ended themselves, those that ran their course."""
    return shrunk(candidate.placements_completed, candidate.placements_over, USUAL_COMPLETION)


def _completion_sentence(candidate: CandidateFacts, terms: OpportunityTerms, names: Names) -> str:
    if candidate.placements_over <= 0:
        return "has not had a placement that is over"
    return f"completed {candidate.placements_completed} of {counted(candidate.placements_over, 'placement')}"


def past_work(candidate: CandidateFacts, terms: OpportunityTerms) -> int:
    """1000 where they completed a placement with the organisation that posts or hires, else neutral."""
    return NEUTRAL if candidate.worked_for.isdisjoint(terms.organisations) else FULL


def _past_work_sentence(candidate: CandidateFacts, terms: OpportunityTerms, names: Names) -> str:
    if past_work(candidate, terms) == FULL:
        return "has completed a placement with this organisation"
    return "has not worked for this organisation through us"


def months_at_rest(candidate: CandidateFacts, terms: OpportunityTerms) -> int | None:
    """Whole months of 30 days since they last did something themselves; None where it is not known."""
    if candidate.last_active_on is None or terms.on is None:
        return None
    return months_since(candidate.last_active_on, terms.on)


def activity(candidate: CandidateFacts, terms: OpportunityTerms) -> int:
    """1000 within a month of the last thing that they did, less 50 for every month since.

    It falls by whole months, so that it changes at most once a month while nobody does anything.
    """
    months = months_at_rest(candidate, terms)
    return NEUTRAL if months is None else max(FULL - months * RESTING, 0)


def _activity_sentence(candidate: CandidateFacts, terms: OpportunityTerms, names: Names) -> str:
    months = months_at_rest(candidate, terms)
    if months is None:
        return "when they were last active is not known"
    return f"was last active {counted(months, 'month')} ago" if months else "was active within a month"


RECORD = (
    Feature(
        "response_rate",
        frozenset({"acceptance"}),
        "share of invitations that they answered, drawn towards the usual rate",
        f"without any, the usual rate of {USUAL_RESPONSE}",
        response_rate,
        _response_sentence,
        reads=("invitations_answered", "invitations_received"),
    ),
    Feature(
        "acceptance_rate",
        frozenset({"acceptance"}),
        "share of offers that they accepted, drawn towards the usual rate",
        f"without any, the usual rate of {USUAL_ACCEPTANCE}",
        acceptance_rate,
        _acceptance_sentence,
        reads=("offers_accepted", "offers_decided"),
    ),
    Feature(
        "completion_rate",
        frozenset({"fit", "acceptance"}),
        "share of placements that they completed, drawn towards the usual rate",
        f"without any, the usual rate of {USUAL_COMPLETION}",
        completion_rate,
        _completion_sentence,
        reads=("placements_completed", "placements_over"),
    ),
    Feature(
        "past_work",
        ALL_HEADS,
        "whether they completed a placement with the organisation",
        "neutral: who never worked for it is no worse for that",
        past_work,
        _past_work_sentence,
        least=NEUTRAL,
        reads=("worked_for",),
    ),
    Feature(
        "activity",
        WISHES,
        "how lately they did something themselves",
        "neutral",
        activity,
        _activity_sentence,
        reads=("last_active_on",),
    ),
)
