"""What the console's side bar leads to: only what its reader may see."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

# Group → (title, app.model, icon of Material Symbols).
GROUPS: tuple[tuple[str, bool, tuple[tuple[str, str, str], ...]], ...] = (
    ("Demand", False, (
        ("Opportunities", "marketplace.opportunity", "work"),
        ("Seats", "marketplace.seat", "event_seat"),
        ("Waivers", "marketplace.eligibilitywaiver", "verified_user"),
        ("Revisions", "marketplace.opportunityrevision", "history_edu"),
        ("Organisations", "accounts.organisation", "apartment"),
        ("Members", "accounts.membership", "badge"),
        ("Service tokens", "accounts.servicetoken", "vpn_key"),
    )),
    ("Supply", False, (
        ("Candidates", "marketplace.candidate", "person_search"),
        ("Candidate groups", "marketplace.candidategroup", "group"),
        ("Checks", "marketplace.vettingresult", "fact_check"),
        ("Suspected duplicates", "marketplace.suspectedduplicate", "file_copy"),
        ("Saved searches", "matching.savedsearch", "saved_search"),
        ("Skills", "marketplace.skill", "psychology"),
        ("Occupations", "marketplace.occupation", "engineering"),
    )),
    ("Fulfillment", False, (
        ("Invitations", "marketplace.invitation", "mail"),
        ("Applications", "marketplace.application", "description"),
        ("Refusals", "marketplace.eligibilityrefusal", "do_not_disturb_on"),
        ("Offers", "marketplace.offer", "handshake"),
        ("Waiting list", "marketplace.waitlistentry", "hourglass"),
        ("Placements", "marketplace.placement", "badge"),
    )),
    ("Deciding", False, (
        ("Allocation runs", "matching.allocationrun", "hub"),
        ("Proposals", "matching.proposal", "checklist"),
        ("Backfill rules", "matching.backfillrule", "autorenew"),
        ("Vacancies", "matching.vacancy", "person_add"),
        ("Matches", "matching.match", "join_inner"),
        ("Pairs without a score", "matching.unscoredpair", "unknown_med"),
        ("Scoring models", "matching.scoringmodel", "function"),
        ("Segments", "matching.segment", "segment"),
        ("Shadow rankings", "matching.shadowranking", "visibility_off"),
        ("Trainings", "matching.trainingrun", "model_training"),
        ("Decisions", "matching.decision", "visibility"),
        ("Exchange rates", "marketplace.exchangerateset", "currency_exchange"),
    )),
    ("Machinery", True, (
        ("Events", "accounts.event", "bolt"),
        ("Deliveries", "accounts.delivery", "outbox"),
        ("Transitions", "accounts.transition", "timeline"),
        ("Timers", "accounts.timer", "timer"),
        ("Re-scorings", "matching.rescore", "published_with_changes"),
        ("Marks", "matching.mark", "refresh"),
        ("Marks of pairs", "matching.pairmark", "sync_alt"),
        ("Marks for shadows", "matching.shadowmark", "hourglass_empty"),
        ("Failures in the shadow", "matching.shadowfailure", "error"),
        ("Departures", "matching.departure", "person_remove"),
        ("Projections of people", "matching.candidateprojection", "table_rows"),
        ("Projections of opportunities", "matching.opportunityprojection", "table_rows"),
        ("Marks of copies", "matching.copymark", "content_copy"),
        ("Notifications", "marketplace.notification", "notifications"),
        ("Digests", "matching.digest", "forward_to_inbox"),
        ("Idempotency", "accounts.idempotencyrecord", "key"),
        ("Trusted documents", "accounts.trusteddocument", "verified"),
        ("Deprecated uses", "accounts.deprecateduse", "auto_delete"),
        ("Taxonomy revisions", "marketplace.taxonomyrevision", "tag"),
        ("Candidate facts", "marketplace.candidatefactevent", "history"),
        ("Skill facts", "marketplace.candidateskillfactevent", "history"),
        ("Language facts", "marketplace.candidatelanguagefactevent", "history"),
        ("Authorisation facts", "marketplace.authorisationfactevent", "history"),
        ("Vetting facts", "marketplace.vettingfactevent", "history"),
        ("Group facts", "marketplace.groupfactevent", "history"),
    )),
    ("People and rights", True, (
        ("Users", "accounts.user", "person"),
        ("Audit log", "accounts.auditentry", "policy"),
        ("Seals of the audit log", "accounts.auditseal", "lock"),
        ("Groups", "auth.group", "admin_panel_settings"),
        ("E-mail addresses", "account.emailaddress", "alternate_email"),
        ("Second factors", "mfa.authenticator", "phonelink_lock"),
        ("Sessions", "usersessions.usersession", "devices"),
        ("Known places", "accounts.knownplace", "where_to_vote"),
        ("Attempts", "accounts.attemptcounter", "speed"),
        ("Signing keys", "accounts.signingkey", "key"),
        ("Programs", "allauth_idp_oidc.client", "apps"),
        ("Accounts elsewhere", "socialaccount.socialaccount", "link"),
        ("Tokens of programs", "allauth_idp_oidc.token", "token"),
    )),
)  # fmt: skip


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Unfold's navigation; groups with nothing to see are left out."""
    overview = {"title": "Overview", "icon": "dashboard", "link": reverse("admin:index")}
    groups: list[dict[str, Any]] = [{"title": "", "items": [overview]}]
    for title, collapsible, entries in GROUPS:
        items = [
            {"title": name, "icon": icon, "link": reverse(f"admin:{model.replace('.', '_')}_changelist")}
            for name, model, icon in entries
            if may_see(request, model)
        ]
        if items:
            groups.append({"title": title, "separator": True, "collapsible": collapsible, "items": items})
    return groups


def may_see(request: HttpRequest, label: str) -> bool:
    app, model = label.split(".")
    return request.user.has_perm(f"{app}.view_{model}") or request.user.has_perm(f"{app}.change_{model}")


def environment(request: HttpRequest) -> list[str] | None:
    """A mark on every page that this is not the real market."""
    return None if settings.PRODUCTION else [settings.MUSTER_ENV.capitalize(), "warning"]
