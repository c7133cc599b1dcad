"""What came of dealing with people: how they answered, what they finished, when they were last heard of.

An invitation is received once it was answered or ran out: while it is open it speaks neither for nor against anybody.
An offer is decided likewise. A placement is over for this purpose when it was completed, when the person ended or
cancelled it, or did not turn up. They were last active when they registered, changed something of themselves, applied,
answered, or ended a placement.
"""

from __future__ import annotations

RECORDED = (
    "invitations_answered",
    "invitations_received",
    "offers_accepted",
    "offers_decided",
    "placements_completed",
    "placements_over",
    "worked_for",
    "last_active_on",
)
"""The fields of `CandidateFacts` that a record fills, in the order of its columns."""

# One branch per table, each with its own columns filled, so that all is one statement. `max` of arrays skips nulls and
# so picks the only branch that has one. What an organisation withdraws, or the end that it puts to a placement, tells
# nothing of the person; an open call that was full when they accepted they did accept.
RECORDS = """
    SELECT candidate_id, sum(answered)::int AS invitations_answered, sum(received)::int AS invitations_received,
        sum(accepted)::int AS offers_accepted, sum(decided)::int AS offers_decided,
        sum(completed)::int AS placements_completed, sum(over)::int AS placements_over,
        max(worked_for) AS worked_for, (max(at) AT TIME ZONE 'UTC')::date AS last_active_on
    FROM (
        SELECT candidate_id, count(*) FILTER (WHERE state IN ('accepted', 'declined')) AS answered,
            count(*) AS received, 0 AS accepted, 0 AS decided, 0 AS completed, 0 AS over,
            NULL::bigint[] AS worked_for, max(answered_at) AS at
        FROM marketplace_invitation
        WHERE candidate_id = ANY(%(ids)s::bigint[]) AND state IN ('accepted', 'declined', 'expired')
        GROUP BY candidate_id
        UNION ALL
        SELECT candidate_id, 0, 0, count(*) FILTER (WHERE state IN ('accepted', 'overtaken')), count(*), 0, 0,
            NULL, max(answered_at) FILTER (WHERE state <> 'expired')
        FROM marketplace_offer
        WHERE candidate_id = ANY(%(ids)s::bigint[]) AND state IN ('accepted', 'declined', 'expired', 'overtaken')
        GROUP BY candidate_id
        UNION ALL
        SELECT placement.candidate_id, 0, 0, 0, 0, count(*) FILTER (WHERE placement.state = 'completed'), count(*),
            array_agg(opportunity.posting_organisation_id) FILTER (WHERE placement.state = 'completed')
                || array_agg(opportunity.hiring_organisation_id) FILTER (WHERE placement.state = 'completed'),
            max(placement.ended_at) FILTER (WHERE placement.ended_by_id = candidate.user_id)
        FROM marketplace_placement placement
        JOIN marketplace_opportunity opportunity ON opportunity.id = placement.opportunity_id
        JOIN marketplace_candidate candidate ON candidate.id = placement.candidate_id
        WHERE placement.candidate_id = ANY(%(ids)s::bigint[]) AND (
            placement.state IN ('completed', 'no_show')
            OR placement.state IN ('ended_early', 'cancelled') AND placement.ended_by_id = candidate.user_id
        )
        GROUP BY placement.candidate_id
        UNION ALL
        SELECT candidate_id, 0, 0, 0, 0, 0, 0, NULL, max(created_at)
        FROM marketplace_application WHERE candidate_id = ANY(%(ids)s::bigint[]) AND source <> 'allocation'
        GROUP BY candidate_id
        UNION ALL
        SELECT aggregate_id, 0, 0, 0, 0, 0, 0, NULL, max(at)
        FROM accounts_event
        WHERE aggregate_type = 'candidate' AND aggregate_id = ANY(%(ids)s::bigint[]) AND actor_kind = 'candidate'
        GROUP BY aggregate_id
    ) told
    GROUP BY candidate_id
"""
"""A row for each of the candidates `ids` (inner ids) who has any record: `candidate_id`, and `RECORDED`."""
