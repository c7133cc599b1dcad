"""Models made elsewhere: kept with their files, or not at all."""

from __future__ import annotations

from io import StringIO

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import Error, IntegrityError, connection, transaction

from accounts.errors import NotPermitted
from accounts.models import Event
from matching.actions.models import add_model_file
from matching.core.features import FEATURES
from matching.core.scoring import HEADS, INTERCEPT, UNSCORED, NotScored, Scorer, score_values
from matching.errors import InvalidModel, VersionTaken
from matching.models import ModelFile, ScoringModel
from matching.queries.scorers import linear_of, scorer_of
from tests.marketplace.factories import NOW, a_staff_actor, an_organisation
from tests.matching import made_elsewhere as made
from tests.matching.onnx.accepting import accepting

pytestmark = pytest.mark.django_db

MANY = tuple(sorted(name for name, feature in FEATURES.items() if feature.heads.issuperset(HEADS)))


def drafted(content: bytes, version: str = "elsewhere-1", manifest: dict | None = None) -> ScoringModel:
    return add_model_file(actor=a_staff_actor(), version=version, content=content, manifest=manifest, now=NOW)


def rows(count: int, scorer: Scorer) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(4)
    return {name: draw.integers(0, 1001, count) for name in sorted(scorer.features)}


# Keeping


def test_a_file_is_kept_as_it_came_with_what_it_was_seen_to_do() -> None:
    content = made.network()
    model = drafted(content)
    assert (model.state, model.kind) == ("draft", "onnx")
    assert bytes(model.file.content) == content
    assert model.definition["file"] == {"sha256": model.file.sha256, "bytes": len(content)}
    assert set(model.definition["measured"]["lowest"]) == set(HEADS)
    assert Event.objects.filter(name="ModelDrafted", aggregate_id=model.pk).count() == 1


def test_nothing_is_stored_of_a_file_that_is_refused() -> None:
    with pytest.raises(InvalidModel) as refusal:
        drafted(made.giving_nan_where_all_is_full())
    assert refusal.value.code == "INVALID_MODEL"
    assert refusal.value.data["field"] == "outputs.fit"
    assert not ModelFile.objects.exists()
    assert not ScoringModel.objects.filter(kind="onnx").exists()


def test_a_version_is_given_once() -> None:
    drafted(made.network())
    with pytest.raises(VersionTaken):
        drafted(made.trees())
    assert ModelFile.objects.count() == 1


def test_only_staff_keep_models() -> None:
    with pytest.raises(NotPermitted):
        add_model_file(actor=an_organisation().actor, version="mine", content=made.network(), now=NOW)


def test_the_database_keeps_files_as_they_are_and_versions_with_their_files() -> None:
    model = drafted(made.network())
    for changed in ({"content": b"other"}, {"sha256": "0" * 64}, {"size": 1}):
        with pytest.raises(Error, match="Cannot update"), transaction.atomic():
            ModelFile.objects.filter(pk=model.pk).update(**changed)
    with pytest.raises(Error, match="has no file"), transaction.atomic():
        ScoringModel.objects.create(segment=model.segment, version="bare", kind="onnx", definition={})
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(IntegrityError, match="model_file"), transaction.atomic():
        ModelFile.objects.create(
            model=ScoringModel.objects.get(version="linear-2"), content=b"bytes", sha256="0" * 64, size=5
        )


def test_the_command_adds_files_with_what_is_said_beside_them(tmp_path) -> None:
    out, file, manifest = StringIO(), tmp_path / "elsewhere-2.onnx", tmp_path / "manifest.json"
    file.write_bytes(made.network())
    manifest.write_text('{"calibration": "spring"}')
    call_command("model", "add", str(file), "--manifest", str(manifest), stdout=out)
    call_command("model", "add", str(file), "--version", "again", stdout=out)
    model = ScoringModel.objects.get(version="elsewhere-2")
    assert (model.kind, scorer_of(model).calibration) == ("onnx", "spring")
    assert "ms for a thousand pairs" in out.getvalue()
    file.write_bytes(b"broken")
    with pytest.raises(CommandError, match="cannot be used: file is not an ONNX model"):
        call_command("model", "add", str(file), "--version", "third", stdout=out)
    with pytest.raises(CommandError, match="already"):
        call_command("model", "add", str(file), stdout=out)
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("model", "add", str(tmp_path / "none.onnx"), stdout=out)
    assert ModelFile.objects.count() == 2


# Scoring


@pytest.mark.parametrize(
    "content",
    [made.network(), made.trees(), made.per_feature(), made.network(MANY)],
    ids=["network", "trees", "per feature", "all features"],
)
def test_many_pairs_score_as_each_does_alone_and_their_contributions_add_up(content: bytes) -> None:
    scorer = scorer_of(drafted(content))
    values = rows(300, scorer)
    totals = scorer.totals_many(values)
    for place in (0, 7, 255, 256, 299):
        one = {name: int(column[place]) for name, column in values.items()}
        scored = score_values(one, model=scorer)
        assert scored.model_version == "elsewhere-1"
        for head in HEADS:
            found = getattr(scored, head)
            assert found.score == totals[head][place] == scorer.total(head, one)
            assert found.score == sum(part.amount for part in found.contributions)
            assert {part.feature for part in found.contributions} == {INTERCEPT, *scorer.features}
            assert all(part.weight is None for part in found.contributions if part.feature != INTERCEPT)
        assert score_values(one, model=scorer) == scored


def test_scores_are_the_micro_log_odds_that_the_weights_say() -> None:
    weights = {head: {"required_skills": 4321, "hours_fit": -1234} for head in HEADS}
    scorer = scorer_of(drafted(made.linear(weights, dict.fromkeys(HEADS, -1_000_000))))
    values = rows(100, scorer)
    expected = -1_000_000 + 4321 * values["required_skills"] - 1234 * values["hours_fit"]
    assert (scorer.totals_many(values)["fit"] == expected).all()
    assert (linear_of(scorer).totals_many(values)["interest"] == expected).all()


def test_nobody_at_all_is_scored_without_complaint() -> None:
    scorer = scorer_of(drafted(made.network()))
    assert [len(found) for found in scorer.totals_many(rows(0, scorer)).values()] == [0, 0, 0]


def test_a_pair_without_a_number_is_unscored_and_the_others_are_not(monkeypatch) -> None:
    """What no probe row met: it comes at run time."""
    accepting(monkeypatch, made.FEATURES)
    scorer = scorer_of(drafted(made.giving_nan_where_all_is_full()))
    values = {name: np.array([1000, 10, 20]) for name in made.FEATURES}
    for head in HEADS:
        found = scorer.totals_many(values)[head]
        assert found[0] == UNSCORED
        assert (found[1:] != UNSCORED).all()
    full = dict.fromkeys(made.FEATURES, 1000)
    with pytest.raises(NotScored):
        scorer.scored(full)
    with pytest.raises(NotScored):
        scorer.total("fit", full)


def test_a_model_that_hangs_at_run_time_is_given_up_and_scores_nobody(monkeypatch, settings, caplog) -> None:
    settings.ONNX_RUN_SECONDS = 0.2
    accepting(monkeypatch, made.FEATURES)
    scorer = scorer_of(drafted(made.looping(None)))
    found = scorer.totals_many(rows(2000, scorer))
    assert (found["fit"] == UNSCORED).all()
    assert "takes more than 0.2 s" in caplog.text
