"""What staff look at before they commit: the proof, the curve of other weights, what each proposal won against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.html import format_html

from accounts.admin.rendering import NOTHING, sentences, table
from marketplace.models import Candidate, Opportunity
from matching.admin.plots import frontier
from matching.core.allocation import Certificate
from matching.core.allocation.alternatives import told_alternatives
from matching.models import AllocationRun, Proposal

MILLION = 1_000_000


def proof_in_words(run: AllocationRun, found: Certificate) -> str:
    """What the stored solution proves, checked just now, and the pairs that block it."""
    solution = run.solution or {}
    if found.valid and found.gap == 0:
        said = ["Verified just now: no assignment is worth more."]
    elif found.valid:
        share = (found.gap or 0) / max(found.bound or 0, 1)
        said = [f"Verified just now: no assignment is worth more than {found.bound:,}, {share:.2%} above this one."]
    else:
        said = ["This plan does not prove what it claims.", *found.problems[:5]]
    relaxation = solution.get("relaxation", "assignment")
    ended = " A limit ended it before it was done." if solution.get("stopped") else ""
    said.append(f"Found by {solution.get('solver')} in {solution.get('work', 0):,} steps; bound: {relaxation}.{ended}")
    if run.blocking is not None:
        count = run.blocking["count"]
        said.append(
            f"{count:,} pairs of a person and an opportunity would both rather have each other."
            if count
            else "No person and opportunity would both rather have each other."
        )
    return sentences(said)


def pareto_drawn(points: Sequence[Mapping[str, Any]]) -> str:
    """The curve, and the same in figures for those who do not see it."""
    rows = [
        (
            f"{point['policy']['quality'] / 10:g} %",
            f"{point['policy']['fill'] / 10:g} %",
            f"{point['seats']:,}",
            f"{point['placements_ppm'] / MILLION:,.1f}",
            f"{point['fit_ppm'] / 10_000:.1f} %",
            "chosen" if point["chosen"] else "",
        )
        for point in points
    ]
    places = [
        (point["placements_ppm"] / MILLION, point["fit_ppm"] / MILLION, _weights(point), bool(point["chosen"]))
        for point in points
    ]
    drawn = frontier("Fill against quality", places, label="expected placements")
    return format_html("{}{}", drawn, table(["Quality", "Fill", "Seats", "Expected placements", "Fit", ""], rows))


def _weights(point: Mapping[str, Any]) -> str:
    return f"quality {point['policy']['quality'] / 10:g} %, fill {point['policy']['fill'] / 10:g} %"


def alternatives_in_words(proposal: Proposal) -> str:
    """Why this pair and not the next best on either side. Two statements."""
    if not proposal.alternatives:
        return NOTHING
    options = [one for one in proposal.alternatives.values() if one]
    keys = {key for one in options for key in (one["opportunity"], one["at"]) if key is not None}
    titles = dict(Opportunity.objects.filter(pk__in=keys).values_list("pk", "title"))
    people = dict(Candidate.objects.filter(pk__in={one["candidate"] for one in options}).values_list("pk", "name"))
    return sentences([told_alternatives(proposal.alternatives).sentence(titles, people)])
