"""Deciding's enums, as the API explains them."""

from accounts.api.enums import described
from matching.core.allocation import Cause, Proposing
from matching.core.backfill import BackfillPolicy, BackfillSource
from matching.core.run_policy import Mechanism
from matching.core.search.digests import Frequency
from matching.core.waves import Who
from matching.core.workflow import ProposalState, RunState, SolvingStage
from matching.models import AllocationRun

RunStateEnum = described(
    RunState,
    "AllocationRunState",
    "Where an allocation run stands.",
    {
        "queued": "Waits for a worker.",
        "solving": "Being solved.",
        "planned": "To be looked at, pinned, excluded, committed.",
        "committing": "Offers are going out.",
        "committed": "Offers were sent.",
        "discarded": "Laid aside.",
        "expired": "Too old to be trusted.",
        "failed": "Could not be solved.",
    },
)
SolvingStageEnum = described(
    SolvingStage,
    "SolvingStage",
    "What a worker does with an allocation run, in this order.",
    {
        "gathering": "Reads opportunities, and who could take their seats.",
        "solving": "Looks for the best assignment, and for the proof.",
        "explaining": "Finds out why seats stay empty.",
        "storing": "Writes what it proposes.",
    },
)
RunCauseEnum = described(
    AllocationRun.Cause,
    "AllocationRunCause",
    "Why there is an allocation run.",
    {
        "asked": "Somebody asked for it.",
        "backfill": "Seats came free.",
        "wave": "The wave of offers before it has ended, and seats are still open.",
        "routing": "A candidate was routed between runs.",
    },
)
ProposalStateEnum = described(
    ProposalState,
    "ProposalState",
    "Where a proposal stands.",
    {
        "proposed": "By the solver.",
        "pinned": "Somebody insists on it; the next plan keeps it.",
        "excluded": "Somebody rules it out; the next plan avoids it.",
        "sent": "Became an offer.",
        "dropped": "Did not survive the recheck at commit.",
    },
)
CauseEnum = described(
    Cause,
    "EmptySeatCause",
    "Why seats stay empty.",
    {
        "nobody_passes": "Nobody who is available passes the rule.",
        "pay": "People pass, but ask for more than it pays.",
        "hours": "People pass, but have too few free hours.",
        "min_fit": "People pass, but suit less than is asked for at least.",
        "accept_elsewhere": "People pass, but are engaged elsewhere, or would sooner accept there.",
        "limit": "A limit over several opportunities is used up.",
        "share": "The empty seats are reserved, and nobody of those they are for is left.",
        "set_aside": "Everybody who passes is pinned elsewhere or excluded.",
        "competition": "A set of opportunities has more seats than people.",
        "not_worth_it": "People could be moved to fill them, at a loss in total value.",
    },
)
MechanismEnum = described(
    Mechanism,
    "AllocationMechanism",
    "How an allocation gives seats.",
    {
        "optimal": "So that the expected value of all offers together is greatest.",
        "stable": "So that no person and opportunity would both rather have each other than what they are given.",
    },
)
ProposingEnum = described(
    Proposing,
    "ProposingSide",
    "Who proposes when a stable assignment is sought: of all such, it is the best for them.",
    {"candidates": "The best for candidates.", "opportunities": "The best for opportunities."},
)
AlertFrequencyEnum = described(
    Frequency,
    "AlertFrequency",
    "How often somebody is told by mail of what a saved search has found.",
    {
        "immediately": "Within a minute.",
        "daily": "At seven in the morning, by their own clock.",
        "weekly": "On Mondays at seven in the morning, by their own clock.",
        "none": "Never; what was found is shown in the app.",
    },
)
BackfillPolicyEnum = described(
    BackfillPolicy,
    "BackfillPolicy",
    "What becomes of a seat that comes free.",
    {
        "automatic": "Offered at once: to those who wait for one, then to whoever is worth most by the present truth.",
        "propose": "Somebody is proposed for it; whoever recruits is told, and the offer goes out when they commit it.",
        "waiting_list": "Offered at once to those who wait for one, and to nobody else.",
        "off": "It stays open.",
    },
)
BackfillSourceEnum = described(
    BackfillSource,
    "BackfillSource",
    "Where it was said.",
    {
        "opportunity": "For the opportunity itself.",
        "organisation": "For all of the organisation's that say nothing else.",
        "usual": (
            "Nowhere: automatic where an allocation has offered seats of the opportunity, else the waiting list alone."
        ),
    },
)
WaveWhoEnum = described(
    Who,
    "WaveWho",
    "Who is asked in a wave of offers.",
    {
        "favourites": "Those on a favourites list of the posting or the hiring organisation.",
        "top": "Those who suit best: so many for each seat.",
        "rest": "Everybody who suits.",
    },
)
