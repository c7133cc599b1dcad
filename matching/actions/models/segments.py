"""Segments: which opportunities are scored by models of their own.

Whoever changes them does so one after the other. What is scored by another model afterwards is scored again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.access import require_staff
from accounts.actions.events import append
from accounts.core.actor import Actor
from accounts.errors import InvalidInput, NotFound
from marketplace.models import Skill
from matching.access import planner_kind
from matching.actions.models.serving import ensure_default_model
from matching.core.attributes import Subject
from matching.core.rules import InvalidRule, dump, load, skill_ids
from matching.errors import LastSegmentStays, PredicateRefused, SegmentNameTaken, TooManySegments
from matching.models import Segment

MOST = Segment.LAST  # with predicates


def create_segment(
    *, actor: Actor, name: str, rule: Mapping[str, Any], place: int | None = None, now: datetime
) -> Segment:
    """Set opportunities apart that a predicate takes. `rule` asks about attributes of opportunities, as stored JSON
    with inner ids; `place` counts from 1, and is the last before the one that takes all if None.

    Without a live model of its own, nothing changes yet. Staff only; raises NotPermitted, InvalidInput,
    PredicateRefused, SegmentNameTaken, TooManySegments.
    """
    require_staff(actor)
    predicate = checked_predicate(rule)
    with transaction.atomic():
        others = _others(now)
        if len(others) >= MOST:
            raise TooManySegments(most=MOST)
        segment = Segment(name=_free_name(name, None), rule=predicate, position=_end(others))
        segment.save()
        append(segment, "SegmentCreated", actor=actor, by=planner_kind(actor), now=now)
        if place is not None:
            _arrange([*others, segment], segment, place)
    return segment


def change_segment(
    *, actor: Actor, segment_id: UUID, name: str | None = None, rule: Mapping[str, Any] | None = None, now: datetime
) -> Segment:
    """Call a segment otherwise, or have it take others. What is None stays as it is.

    Staff only; raises NotPermitted, NotFound, InvalidInput, PredicateRefused, SegmentNameTaken, LastSegmentStays.
    """
    require_staff(actor)
    predicate = checked_predicate(rule) if rule is not None else None
    with transaction.atomic():
        segment = _one(segment_id, now)
        if predicate is not None and segment.rule is None:
            raise LastSegmentStays(segment=segment.name)
        changed = []
        if name is not None and name.strip() != segment.name:
            segment.name = _free_name(name, segment)
            changed.append("name")
        if predicate is not None and predicate != segment.rule:
            segment.rule = predicate
            changed.append("rule")
        if changed:
            segment.save(update_fields=changed)
            payload = {"changed": changed}
            append(segment, "SegmentChanged", actor=actor, by=planner_kind(actor), now=now, payload=payload)
    return segment


def move_segment(*, actor: Actor, segment_id: UUID, place: int, now: datetime) -> Segment:
    """Put a segment to another place, counted from 1: what several take goes to the first of them.

    Staff only; raises NotPermitted, NotFound, InvalidInput, LastSegmentStays.
    """
    require_staff(actor)
    with transaction.atomic():
        segment = _one(segment_id, now)
        if segment.rule is None:
            raise LastSegmentStays(segment=segment.name)
        others = _others(now)
        was = [one.pk for one in others].index(segment.pk) + 1
        _arrange(others, segment, place)
        if place != was:
            payload = {"from": was, "to": place}
            append(segment, "SegmentMoved", actor=actor, by=planner_kind(actor), now=now, payload=payload)
    segment.refresh_from_db()
    return segment


def move_earlier(*, actor: Actor, segment_id: UUID, now: datetime) -> Segment:
    """One place up. Raises as `move_segment`; InvalidInput for the first one."""
    return move_segment(actor=actor, segment_id=segment_id, place=_place(segment_id) - 1, now=now)


def move_later(*, actor: Actor, segment_id: UUID, now: datetime) -> Segment:
    """One place down. Raises as `move_segment`; InvalidInput for the last but the one that takes all."""
    return move_segment(actor=actor, segment_id=segment_id, place=_place(segment_id) + 1, now=now)


def checked_predicate(raw: object) -> dict[str, Any]:
    """The predicate as it is stored. Raises PredicateRefused with the path of every fault."""
    try:
        rule = load(raw, about=Subject.OPPORTUNITY)
        named = skill_ids(rule)
        known = set(Skill.objects.filter(pk__in=named).values_list("pk", flat=True)) if named else set()
    except InvalidRule as error:
        raise PredicateRefused([fault.to_json() for fault in error.faults]) from error
    if not raw:
        problem = "must ask for something: there is a segment that takes all already"
        raise PredicateRefused([{"path": "$", "code": "EMPTY_RULE", "problem": problem}])
    if named - known:
        problem = f"names skills that do not exist: {', '.join(map(str, sorted(named - known)[:5]))}"
        raise PredicateRefused([{"path": "$", "code": "UNKNOWN_SKILL", "problem": problem}])
    return dump(rule)


def _free_name(name: str, segment: Segment | None) -> str:
    name = name.strip() if isinstance(name, str) else ""
    if not 1 <= len(name) <= 80 or not name.isprintable():
        raise InvalidInput("name", "must be a text of 1 to 80 characters")
    if Segment.objects.filter(name=name).exclude(pk__in=[segment.pk] if segment else []).exists():
        raise SegmentNameTaken(name=name)
    return name


def _others(now: datetime) -> list[Segment]:
    """Those with predicates, in order, all of them locked. The last one's lock is what makes changes take turns."""
    ensure_default_model(now=now)
    list(Segment.objects.filter(rule__isnull=True).select_for_update(no_key=True))
    return list(Segment.objects.filter(rule__isnull=False).order_by("position").select_for_update(no_key=True))


def _one(segment_id: UUID, now: datetime) -> Segment:
    _others(now)
    segment = Segment.objects.filter(public_id=segment_id).first()
    if segment is None:
        raise NotFound("segment")
    return segment


def _place(segment_id: UUID) -> int:
    """Counted from 1, as things stand; 0 for one that is not there."""
    ids = list(Segment.objects.order_by("position").values_list("public_id", flat=True))
    return ids.index(segment_id) + 1 if segment_id in ids else 0


def _end(others: list[Segment]) -> int:
    """The first free position behind them; they close up where there is none."""
    if others and others[-1].position == MOST - 1:
        _close_up(others)
    return others[-1].position + 1 if others else 1


def _arrange(segments: list[Segment], moved: Segment, place: int) -> None:
    if type(place) is not int or not 1 <= place <= len(segments):
        raise InvalidInput("place", f"must be a whole number from 1 to {len(segments)}")
    left = [one for one in segments if one.pk != moved.pk]
    _close_up([*left[: place - 1], moved, *left[place - 1 :]])


def _close_up(segments: list[Segment]) -> None:
    for position, one in enumerate(segments):
        if one.position != position:
            one.position = position
            one.save(update_fields=["position"])
