"""Taking the taxonomies of others into the one list of skills and occupations.

An import adds what is new and corrects what changed; it withdraws nothing, because candidates and opportunities may
hold on to it. It is one transaction, and a second run of the same release finds nothing to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, models, transaction
from django.db.models import Max

from accounts.actions.events import append
from accounts.core.actor import Actor, ActorKind
from accounts.errors import NotPermitted
from marketplace.core.everyday import EVERYDAY
from marketplace.core.folding import MergeIndex, fold, merge_keys, singular, without_qualifier
from marketplace.core.sources import OccupationRow, SkillRow, TaxonomySource
from marketplace.models import (
    Occupation,
    OccupationLabel,
    OccupationSkill,
    OccupationSource,
    Skill,
    SkillBroader,
    SkillLabel,
    SkillSource,
    TaxonomyRevision,
)

LONGEST_LABEL = 255
# Any number, the same for all imports: two at once would each create what the other is creating.
_IMPORT_LOCK = 7_305_001
_BATCH = 2_000
# Keys of skills that are still to be created: above all real ones, so that older skills win.
_PROVISIONAL = 1 << 62
# Whose name and description a skill of several sources carries.
_PRECEDENCE = ("esco", "muster", "onet")

Progress = Callable[[str, int], None]  # (what, how many rows of it are done)


@dataclass(slots=True)
class Imported:
    """What an import changed, by noun; and what of it could not be kept."""

    added: dict[str, int] = field(default_factory=dict)
    corrected: dict[str, int] = field(default_factory=dict)
    merged: int = 0  # skills of this source that were known from another
    too_long: list[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        return any(self.added.values()) or any(self.corrected.values())

    def __str__(self) -> str:
        parts = [f"{count:,} {noun} added" for noun, count in self.added.items() if count]
        parts += [f"{count:,} {noun} corrected" for noun, count in self.corrected.items() if count]
        if self.merged:
            parts.append(f"{self.merged:,} merged into skills known from elsewhere")
        return ", ".join(parts) or "nothing to do"


def everyday_source() -> TaxonomySource:
    """Our own list: what everyone says and the official taxonomies do not."""
    return TaxonomySource("muster", skills=tuple(entry.row() for entry in EVERYDAY))


def import_taxonomy(
    *, actor: Actor, source: TaxonomySource, now: datetime, progress: Progress | None = None
) -> Imported:
    """Bring one source in, all of it or nothing. Staff and the system only. Appends TaxonomyImported if it changed
    anything, and numbers the state that it leads to.
    """
    if not (actor.is_system or actor.is_staff):
        raise NotPermitted("import taxonomies")
    step = progress or (lambda what, count: None)
    outcome = Imported()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_IMPORT_LOCK])
        skills = _place_skills(source, outcome, step)
        _add_labels(SkillLabel, "skill_id", source.skills, skills, _names(Skill), outcome, "skill labels", step)
        occupations = _place_occupations(source, outcome, step)
        _add_labels(
            OccupationLabel,
            "occupation_id",
            source.occupations,
            occupations,
            _names(Occupation),
            outcome,
            "occupation labels",
            step,
        )
        _add_broader(source, skills, outcome, step)
        _add_occupation_skills(source, occupations, skills, outcome, step)
        if outcome.changed:
            last = TaxonomyRevision.objects.aggregate(last=Max("number"))["last"] or 0
            revision = TaxonomyRevision.objects.create(
                number=last + 1, summary=f"{source.scheme}: {outcome}"[:200], at=now
            )
            by = ActorKind.SYSTEM if actor.is_system else ActorKind.STAFF
            append(revision, "TaxonomyImported", actor=actor, by=by, now=now, payload={"scheme": source.scheme})
    return outcome


def _names(model: type[models.Model]) -> dict[int, str]:
    return dict(model._default_manager.values_list("pk", "folded"))


def _copy(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Rows straight into a table: ten times faster than INSERT for the hundred thousands of links and labels."""
    table = connection.ops.quote_name(model._meta.db_table)
    names = ", ".join(connection.ops.quote_name(column) for column in columns)
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


class _KnownSkills:
    """The skills that are there, by what a row of another source may be recognised."""

    def __init__(self, scheme: str) -> None:
        self.scheme = scheme
        self.index = MergeIndex()
        self.by_name: dict[str, int] = {}
        self.sources: dict[int, set[str]] = {}
        for skill, its_scheme in SkillSource.objects.values_list("skill_id", "scheme"):
            self.sources.setdefault(skill, set()).add(its_scheme)
        labels: dict[int, list[str]] = {}
        technologies = Skill.objects.current().filter(kind=Skill.Kind.TECHNOLOGY)
        for skill, label in SkillLabel.objects.filter(skill__in=technologies).values_list("skill_id", "label"):
            labels.setdefault(skill, []).append(label)
        plain = Skill.objects.current().exclude(kind=Skill.Kind.GROUP).order_by("pk")
        for pk, name, kind in plain.values_list("pk", "name", "kind"):
            self.enter(pk, SkillRow("", name, tuple(labels.get(pk, ())), kind=kind), self.sources.get(pk, set()))

    def enter(self, pk: int, row: SkillRow, schemes: Iterable[str]) -> None:
        # Our own labels are other names of the same thing; those of the others may be mere examples.
        if row.kind == Skill.Kind.TECHNOLOGY:
            self.index.add(pk, merge_keys(row.name, row.labels, trusted="muster" in schemes))
        if row.kind != Skill.Kind.GROUP:
            self.by_name.setdefault(fold(row.name), pk)

    def find(self, row: SkillRow) -> int | None:
        """Technologies meet by their merge keys. What people do meets by its very name, and only with our own list:
        two official skills of one name are kept apart, as their owners do."""
        own = self.scheme == "muster"
        found = None
        if row.kind == Skill.Kind.TECHNOLOGY:
            found = self.index.find(merge_keys(row.name, row.labels, trusted=own))
        if found is None and row.kind != Skill.Kind.GROUP:
            for label in (row.name, *(row.labels if own else ())):
                found = self.by_name.get(fold(label))
                if found is not None and not own and "muster" not in self.sources.get(found, ()):
                    found = None
                if found is not None:
                    break
        if found is not None and self.scheme in ("esco", "muster") and self.scheme in self.sources.get(found, ()):
            return None  # every row of these lists is a skill of its own
        return found


def _fits(row: SkillRow | OccupationRow, outcome: Imported) -> bool:
    if len(row.name) <= LONGEST_LABEL and len(row.uri) <= LONGEST_LABEL and len(fold(row.name)) <= LONGEST_LABEL:
        return True
    outcome.too_long.append(row.uri)
    return False


def _place_skills(source: TaxonomySource, outcome: Imported, step: Progress) -> dict[str, int]:
    """URI → skill, of every row; creates the skills and sources that are missing, corrects those that changed."""
    placed: dict[str, int] = dict(SkillSource.objects.filter(scheme=source.scheme).values_list("uri", "skill_id"))
    new = [row for row in source.skills if row.uri not in placed and _fits(row, outcome)]
    creating: list[tuple[SkillRow, Skill]] = []
    sources: list[tuple[str, Skill | int]] = []
    if new:
        known = _KnownSkills(source.scheme)
        # Rows are matched against the skills that were there and against each other; the latter have no key yet.
        for row in new:
            found = known.find(row)
            if found is None:
                creating.append((row, _skill(row)))
                found = _PROVISIONAL + len(creating) - 1
            if found >= _PROVISIONAL:
                sources.append((row.uri, creating[found - _PROVISIONAL][1]))
            else:
                outcome.merged += 1
                sources.append((row.uri, found))
            known.sources.setdefault(found, set()).add(source.scheme)
            known.enter(found, row, known.sources[found])
    for start in range(0, len(creating), _BATCH):
        Skill.objects.bulk_create([skill for _, skill in creating[start : start + _BATCH]])
        step("skills", min(start + _BATCH, len(creating)))
    rows = [(uri, skill.pk if isinstance(skill, Skill) else skill) for uri, skill in sources]
    _copy(SkillSource, ("skill_id", "scheme", "uri"), [(skill, source.scheme, uri) for uri, skill in rows])
    outcome.added["skills"], outcome.added["skill sources"] = len(creating), len(rows)
    placed.update(rows)
    _correct(Skill, source.skills, placed, source.scheme, outcome, "skills")
    return placed


def _skill(row: SkillRow) -> Skill:
    return Skill(name=row.name, folded=fold(row.name), description=row.description, kind=row.kind)


def _correct(
    model: type[Skill] | type[Occupation],
    rows: Sequence[SkillRow | OccupationRow],
    placed: dict[str, int],
    scheme: str,
    outcome: Imported,
    noun: str,
) -> None:
    """Names and descriptions that the source has changed since; only of what carries this source's words."""
    if not rows:
        outcome.corrected[noun] = 0
        return
    owner: dict[int, str] = {}
    through = SkillSource if model is Skill else OccupationSource
    target = "skill_id" if model is Skill else "occupation_id"
    for pk, its_scheme in through.objects.values_list(target, "scheme"):
        if pk not in owner or _PRECEDENCE.index(its_scheme) < _PRECEDENCE.index(owner[pk]):
            owner[pk] = its_scheme
    # Where several rows of the source are one skill, the first speaks for it.
    first = dict(reversed([(placed[row.uri], row) for row in rows if row.uri in placed]))
    changed: list[Any] = []
    former: list[tuple[int, str, str]] = []
    for each in model.objects.filter(pk__in=through.objects.filter(scheme=scheme).values(target)).iterator(5_000):
        row = first.get(each.pk)
        if row is None or owner[each.pk] != scheme or len(row.name) > LONGEST_LABEL:
            continue
        description = row.description or each.description
        if (each.name, each.description) != (row.name, description):
            if each.folded != fold(row.name):
                former.append((each.pk, each.name, each.folded))
            each.name, each.folded, each.description = row.name, fold(row.name), description
            changed.append(each)
    manager: models.Manager[Any] = model._default_manager
    manager.bulk_update(changed, ["name", "folded", "description"], batch_size=500)
    # Under its former name it is found as before.
    labels: type[models.Model] = SkillLabel if model is Skill else OccupationLabel
    labels._default_manager.bulk_create(
        [labels(**{target: pk, "label": name, "folded": folded}) for pk, name, folded in former], ignore_conflicts=True
    )
    outcome.corrected[noun] = len(changed)


def _add_labels(
    model: type[SkillLabel] | type[OccupationLabel],
    column: str,
    rows: Sequence[SkillRow | OccupationRow],
    placed: dict[str, int],
    names: dict[int, str],
    outcome: Imported,
    noun: str,
    step: Progress,
) -> None:
    """Every name of a row by which its skill or occupation is not found yet."""
    there = set(model.objects.values_list(column, "folded"))
    missing: list[tuple[int, str, str]] = []
    for count, row in enumerate(rows, 1):
        pk = placed.get(row.uri)
        if pk is None:
            continue
        for label in (row.name, without_qualifier(row.name), *row.labels):
            folded = fold(label)
            if not folded or folded == names.get(pk) or (pk, folded) in there:
                continue
            if len(label) > LONGEST_LABEL or len(folded) > LONGEST_LABEL:
                outcome.too_long.append(f"{row.uri}: {label[:60]}…")
                continue
            there.add((pk, folded))
            missing.append((pk, label, folded))
        if count % _BATCH == 0:
            step(noun, count)
    _copy(model, (column, "label", "folded"), missing)
    outcome.added[noun] = len(missing)
    step(noun, len(rows))


def _singular_title(name: str) -> str:
    return " ".join(singular(word) for word in fold(name).split())


def _place_occupations(source: TaxonomySource, outcome: Imported, step: Progress) -> dict[str, int]:
    placed = dict(OccupationSource.objects.filter(scheme=source.scheme).values_list("uri", "occupation_id"))
    new = [row for row in source.occupations if row.uri not in placed and _fits(row, outcome)]
    ours = set(placed.values())
    titles = {}
    if new:
        for pk, name in Occupation.objects.order_by("-pk").values_list("pk", "name"):
            if pk not in ours:
                titles[_singular_title(name)] = pk
    creating, joined = [], []
    for row in new:
        found = titles.pop(_singular_title(row.name), None)
        if found is None:
            creating.append(
                (
                    row,
                    Occupation(
                        name=row.name, folded=fold(row.name), description=row.description, isco_code=row.isco_code[:10]
                    ),
                )
            )
        else:
            joined.append((row.uri, found))
    Occupation.objects.bulk_create([occupation for _, occupation in creating], batch_size=_BATCH)
    rows = [(row.uri, occupation.pk) for row, occupation in creating] + joined
    _copy(OccupationSource, ("occupation_id", "scheme", "uri"), [(pk, source.scheme, uri) for uri, pk in rows])
    outcome.added["occupations"], outcome.added["occupation sources"] = len(creating), len(rows)
    step("occupations", len(new))
    placed.update(rows)
    _correct(Occupation, source.occupations, placed, source.scheme, outcome, "occupations")
    return placed


def _add_broader(source: TaxonomySource, skills: dict[str, int], outcome: Imported, step: Progress) -> None:
    there = set(SkillBroader.objects.values_list("skill_id", "broader_id"))
    missing = dict.fromkeys(
        (skills[narrow], skills[broad])
        for narrow, broad in source.broader
        if narrow in skills and broad in skills and skills[narrow] != skills[broad]
    )
    rows = [pair for pair in missing if pair not in there]
    _copy(SkillBroader, ("skill_id", "broader_id"), rows)
    outcome.added["broader links"] = len(rows)
    step("broader links", len(source.broader))


def _add_occupation_skills(
    source: TaxonomySource, occupations: dict[str, int], skills: dict[str, int], outcome: Imported, step: Progress
) -> None:
    there = set(OccupationSkill.objects.values_list("occupation_id", "skill_id"))
    wanted: dict[tuple[int, int], bool] = {}
    for occupation, skill, essential in source.occupation_skills:
        if occupation in occupations and skill in skills:
            pair = (occupations[occupation], skills[skill])
            wanted[pair] = wanted.get(pair, False) or essential
    rows = [(*pair, essential) for pair, essential in wanted.items() if pair not in there]
    _copy(OccupationSkill, ("occupation_id", "skill_id", "essential"), rows)
    outcome.added["occupation-skill links"] = len(rows)
    step("occupation-skill links", len(source.occupation_skills))
