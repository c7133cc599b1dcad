"""Asking for a plan in the console, and the policy that it keeps to in words."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.forms import ModelForm
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from accounts.admin.documents import DocumentField
from accounts.admin.rendering import sentences
from accounts.admin.steps import whole_number
from accounts.models import Organisation
from marketplace.models import Opportunity
from matching.actions.allocation import default_policy
from matching.actions.allocation.offering import LONGEST_OFFER_HOURS
from matching.admin.wording import policy_text
from matching.core.allocation import Proposing
from matching.core.allocation.emptiness import count
from matching.core.run_policy import Mechanism, RunPolicy
from matching.core.waves import Who
from matching.models import AllocationRun

WEIGHTS = ("quality", "fill", "speed")
NUMBERS = ("min_fit_ppm", "offers_at_once", "urgent_days", "most_per_organisation", "seconds")
CHOICES = ("mechanism", "proposing")
LISTS = ("limits", "shares")


def weight(initial: int) -> forms.IntegerField:
    return forms.IntegerField(
        min_value=0, max_value=1000, initial=initial, widget=UnfoldAdminIntegerFieldWidget(), help_text="thousandths"
    )


def number(label: str, help_text: str) -> forms.IntegerField:
    return forms.IntegerField(
        required=False, min_value=0, label=label, widget=UnfoldAdminIntegerFieldWidget(), help_text=help_text
    )


def choice(label: str, known: type[Any]) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label, choices=[(one.value, one.value) for one in known], widget=UnfoldAdminSelectWidget()
    )


def listed(label: str, help_text: str) -> DocumentField:
    return DocumentField(
        required=False, label=label, widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}), help_text=help_text
    )


def wave_hours(label: str) -> forms.IntegerField:
    return whole_number(
        required=False,
        min_value=1,
        max_value=LONGEST_OFFER_HOURS,
        label=label,
        help_text="hours to answer; empty: no such wave. Without any, all are asked at once.",
    )


class PlanForm(ModelForm):
    quality = weight(600)
    fill = weight(300)
    speed = weight(100)
    min_fit_ppm = number("Least fit", "as a probability, in millionths")
    offers_at_once = number("Offers at once", "live ones from allocations that one person may hold")
    urgent_days = number("Urgent days", "so many days before the deadline, seats begin to count more")
    mechanism = choice("Mechanism", Mechanism)
    proposing = choice("Proposing", Proposing)
    most_per_organisation = number("Most per organisation", "seats for any one that hires; empty: any number")
    seconds = number("Seconds", "for the solver, by the clock; then it gives the best it has found")
    limits = listed("Limits", 'by organisation: [{"organisation": "its public id", "seats": 3}]')
    shares = listed("Reserved shares", '[{"opportunity": "OPP-…", "seats": 2, "rule": {"attribute": …}}]')

    overbooking_ppm = whole_number(
        required=False,
        min_value=0,
        max_value=1_000_000,
        label="Open calls",
        help_text="millionths: chance of more acceptances than seats. Empty: each offer holds a seat.",
    )
    favourites_hours = wave_hours("Favourites first")
    top_hours = wave_hours("Then the top")
    rest_hours = wave_hours("Then the rest")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stated = default_policy().to_data()
        for name in (*NUMBERS, *CHOICES):
            if name in self.fields:
                self.fields[name].initial = stated[name]

    def clean(self) -> dict[str, Any] | None:
        given = super().clean() or {}
        weights = [given[name] for name in WEIGHTS if name in given]
        if len(weights) == 3 and sum(weights) != 1000:
            self.add_error("speed", "The three weights sum to 1000.")
        for name, names_rows in (("limits", _organisations), ("shares", _opportunities)):
            rows = given.get(name) or []
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                self.add_error(name, "This is a list of objects.")
            else:
                given[name] = names_rows(rows)
        return given

    def waves(self) -> list[dict[str, Any]]:
        """Those that were given hours, in this order."""
        hours = {who: self.cleaned_data.get(f"{who}_hours") for who in Who}
        return [{"who": who.value, "hours": given} for who, given in hours.items() if given]

    def policy(self) -> dict[str, Any]:
        """As `plan_allocation` reads it."""
        given = self.cleaned_data
        return {name: given[name] for name in (*WEIGHTS, *NUMBERS, *CHOICES, *LISTS) if given.get(name) is not None}


def _organisations(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "organisation": _uuid(row.get("organisation"))} for row in rows]


def _uuid(text: Any) -> UUID | None:
    try:
        return UUID(str(text))
    except ValueError:
        return None


def _opportunities(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    references = [str(row.get("opportunity")) for row in rows]
    found = Opportunity.objects.filter(reference__in=references).values_list("reference", "public_id")
    known = dict(found) if rows else {}
    return [{**row, "opportunity": known.get(str(row.get("opportunity")))} for row in rows]


def policy_shown(run: AllocationRun) -> str:
    """Weights, and whatever else the run keeps to, a sentence each."""
    policy = RunPolicy.from_data(run.policy)
    names = dict(Organisation.objects.filter(pk__in=policy.limits).values_list("pk", "name")) if policy.limits else {}
    shared = [share.opportunity for share in policy.shares]
    titles = dict(Opportunity.objects.filter(pk__in=shared).values_list("pk", "title")) if shared else {}
    said = [
        policy_text(policy.weights.to_data()),
        f"Least fit {policy.min_fit_ppm / 10_000:g} %; {count(policy.offers_at_once, 'offer')} at once a person.",
    ]
    if policy.urgent_days:
        said.append(f"Seats count more from {count(policy.urgent_days, 'day')} before their deadline.")
    if policy.mechanism is Mechanism.STABLE:
        said.append(f"Stable, as {policy.proposing.value} would have it.")
    if policy.most_per_organisation is not None:
        said.append(f"At most {count(policy.most_per_organisation, 'seat')} for any one organisation that hires.")
    gone = "one that is gone"
    said += [f"At most {count(seats, 'seat')} for {names.get(pk, gone)}." for pk, seats in policy.limits.items()]
    said += [
        f"{count(one.seats, 'seat')} of {titles.get(one.opportunity, gone)} for those who meet another rule."
        for one in policy.shares
    ]
    return sentences(said)
