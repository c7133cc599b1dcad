"""Training from a log, which all tests here share: what is kept, what is reported, and what is too little."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection, transaction

from accounts.core.actor import Actor
from accounts.models import Event
from matching.actions.models import create_segment, live_model, promote_model
from matching.actions.training import ask_training, runs, train_model, train_next, training
from matching.core.evaluation.metrics import auc
from matching.core.learning import Examples
from matching.core.scoring import DEFAULT_MODEL, HEADS, LinearModel
from matching.errors import NothingLearned, TrainingRunning, VersionTaken
from matching.models import ScoringModel, Segment
from matching.queries import outcomes
from matching.queries.outcomes import microseconds, outcomes_of
from tests.marketplace.factories import DAY, NOW, a_staff_actor
from tests.matching.logged import START, log

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("training")]

SYSTEM = Actor.system()


def train(**given) -> ScoringModel:
    return train_model(**{"actor": SYSTEM, "now": NOW, "least": 300, **given})


def figures(model: ScoringModel, head: str) -> dict:
    return model.training["heads"][head]["figures"]


@pytest.fixture(scope="module")
def fit_log(shared_rows: None) -> Examples:
    return log("fit")


def test_a_model_is_trained_measured_on_what_came_later_and_kept_as_a_draft(fit_log) -> None:
    model = train()
    assert (model.state, model.kind, model.segment) == ("draft", "linear", live_model().segment)
    fit = LinearModel.from_json(model.definition).heads["fit"]
    assert fit.weights["experience"] > DEFAULT_MODEL.heads["fit"].weights["experience"]
    assert fit.weights["required_skills"] > 0
    report = figures(model, "fit")
    assert report["models"]["trained"]["auc"]["value"] > report["models"]["live"]["auc"]["value"]
    assert report["verdict"] == "better"
    assert report["models"]["trained"]["calibration_error"] < 0.05
    assert report["models"]["trained"]["log_loss"]["value"] < report["models"]["base rate"]["log_loss"]["value"]
    assert Event.objects.filter(name="ModelDrafted", aggregate_id=model.pk).exists()
    told = model.training
    assert (told["live"], told["by"], told["at"]) == (live_model().version, None, NOW.isoformat())
    assert told["heads"]["fit"]["fitted"]["last_decision"] < told["heads"]["fit"]["test"]["first_decision"]


def test_heads_without_examples_keep_the_live_weights_and_the_report_says_why(fit_log) -> None:
    model = train()
    for head in ("interest", "acceptance"):
        assert model.definition["heads"][head] == live_model().definition["heads"][head]
        report = model.training["heads"][head]
        assert (report["trained"], report["figures"]) == (False, None)
        assert report["problem"] == "0 examples before the test, of 300 that are needed"


def test_reported_figures_are_those_of_the_model_as_it_is_kept(fit_log) -> None:
    model = train()
    found = outcomes_of("fit", since=START - DAY, until=NOW, now=NOW)
    test = training.Split.of(found, 200).testing
    scores = LinearModel.from_json(model.definition).totals_many(test.values)["fit"]

    assert figures(model, "fit")["models"]["trained"]["auc_as_shown"] == round(auc(test.labels, scores), 6)
    assert figures(model, "fit")["examples"] == len(test)


def test_the_same_log_gives_the_same_model_which_is_refused_as_there_already(fit_log) -> None:
    model = train()
    with pytest.raises(VersionTaken):
        train()
    other = train(version="by another name")
    assert json.dumps(other.definition["heads"]) == json.dumps(model.definition["heads"])
    assert other.training == model.training
    with pytest.raises(VersionTaken):
        train(version="by another name")
    assert ScoringModel.objects.count() == 1 + 2


def test_what_came_after_the_split_teaches_nothing(fit_log) -> None:
    """Whatever becomes of people from the test on, the model is the same: only its figures are not."""
    before = train(version="before")
    split = training.Split.of(outcomes_of("fit", since=START - DAY, until=NOW, now=NOW), 200)
    begins = int(split.testing.shown_at.min())
    assert int(split.calibrating.shown_at.max()) + split.testing.window <= begins
    assert set(split.fitting.ids) & set(split.testing.ids) == set()
    assert split.fitting.known_at == begins
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM marketplace_invitation WHERE created_at > to_timestamp(%s)", [begins / 1_000_000])
        cursor.execute("SELECT count(*) FROM marketplace_invitation")
        assert cursor.fetchone()[0] > 100
    found = training.Split.of(outcomes_of("fit", since=START - DAY, until=NOW, now=NOW), 200)
    assert found.testing.labels.sum() < split.testing.labels.sum()
    assert np.array_equal(found.fitting.labels, split.fitting.labels)
    assert training._digest(found) != training._digest(split)
    assert before.training["heads"]["fit"]["fitted"]["positives"] == int(found.fitting.labels.sum())


def test_outcomes_are_those_known_at_the_time_and_times_must_be_ripe(fit_log, settings) -> None:
    settings.OUTCOME_DAYS = {**settings.OUTCOME_DAYS, "fit": 90}
    found = outcomes_of("fit", since=START - DAY, until=NOW, now=NOW)
    assert len(found) < len(fit_log)
    assert found.shown_at.max() + found.window <= microseconds(NOW)
    with pytest.raises(NothingLearned):  # nothing is ripe when the test begins
        train()


def test_too_few_examples_and_those_of_one_kind_alone_are_refused_and_keep_nothing(fit_log) -> None:
    with pytest.raises(NothingLearned, match="of 100000 that"):
        train(least=100_000)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM marketplace_invitation")
    with pytest.raises(NothingLearned, match="fit: 0 yes and"):
        train()
    assert ScoringModel.objects.count() == 1


def test_what_a_model_was_trained_on_is_never_rewritten(fit_log) -> None:
    model = train()
    with pytest.raises(ProgrammingError), transaction.atomic():
        ScoringModel.objects.filter(pk=model.pk).update(training={})


def test_a_trained_model_goes_live_like_any_other_and_the_next_is_measured_against_it(fit_log) -> None:
    model = train()
    promote_model(actor=a_staff_actor(), model_id=model.public_id, now=NOW)
    again = train(version="second")
    assert again.training["live"] == model.version
    gain = figures(again, "fit")["gain"]["auc"]["value"]
    assert abs(gain) < 0.05


def test_a_segment_learns_from_what_its_own_models_showed(fit_log) -> None:
    rule = {"attribute": "arrangement", "op": "eq", "value": "remote"}
    segment = create_segment(actor=SYSTEM, name="remote", rule=rule, now=NOW)
    with pytest.raises(NothingLearned, match="0 examples"):
        train(segment_id=segment.public_id)


# The command


def test_the_command_trains_tells_its_figures_and_refuses_in_words(fit_log, monkeypatch) -> None:
    from django.utils import timezone

    monkeypatch.setattr(timezone, "now", lambda: NOW)
    out, err = StringIO(), StringIO()
    call_command("model", "train", "--min-examples", "300", "--version", "spring", stdout=out, stderr=err)
    assert "spring is a draft of the segment everything, trained beside" in out.getvalue()
    assert "against the live model: better" in out.getvalue()
    assert "keeps the live model's weights: 0 examples before the test" in out.getvalue()
    assert "fit: fitting to" in err.getvalue()
    out = StringIO()
    call_command("model", "train", "--min-examples", "300", "--version", "two", "--json", stdout=out, stderr=err)
    told = json.loads(out.getvalue())
    assert (told["version"], told["state"]) == ("two", "draft")
    assert told["training"]["heads"]["fit"]["trained"] is True
    with pytest.raises(CommandError, match="There is a model spring already"):
        call_command("model", "train", "--version", "spring", stdout=out, stderr=err)
    with pytest.raises(CommandError, match="too little to learn from"):
        call_command("model", "train", "--from", "2027-02-28", stdout=out, stderr=err)
    for wrong in (["--from", "soon"], ["--test-share", "half"], ["--test-share", "nan"], ["--segment", "none"]):
        with pytest.raises(CommandError):
            call_command("model", "train", *wrong, stdout=out, stderr=err)


# In the worker


def test_the_worker_trains_what_staff_asked_for(fit_log) -> None:
    staff = a_staff_actor()
    run = ask_training(actor=staff, least=300, version="asked for", now=NOW)
    with pytest.raises(TrainingRunning):
        ask_training(actor=staff, now=NOW)
    assert (train_next(NOW), train_next(NOW)) == (1, 0)
    run.refresh_from_db()
    assert (run.state, run.model.version, run.error) == ("trained", "asked for", "")
    assert run.model.training["by"] == staff.user_id
    assert list(Event.objects.filter(aggregate_type="trainingrun").order_by("id").values_list("name", flat=True)) == [
        "TrainingAsked", "TrainingBegun", "TrainingFinished",
    ]  # fmt: skip


def test_a_training_that_fails_says_why_and_one_whose_worker_was_killed_is_begun_again(monkeypatch, fit_log) -> None:
    run = ask_training(actor=a_staff_actor(), now=NOW, since=NOW - DAY)
    assert train_next(NOW) == 1
    run.refresh_from_db()
    assert run.state == "failed"
    assert run.error.startswith("There is too little to learn from")
    run = ask_training(actor=a_staff_actor(), least=300, now=NOW)

    def killed(**_) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(runs, "train_model", killed)
    with pytest.raises(KeyboardInterrupt):
        train_next(NOW)
    run.refresh_from_db()
    assert run.state == "training"
    monkeypatch.undo()
    assert train_next(NOW + timedelta(minutes=1)) == 1
    run.refresh_from_db()
    assert run.state == "trained"


def test_a_log_of_more_than_can_be_held_is_sampled(monkeypatch, fit_log) -> None:
    monkeypatch.setattr(outcomes, "MOST_EXAMPLES", 1000)
    found = outcomes_of("fit", since=START - DAY, until=NOW, now=NOW)
    assert 0.15 < len(found) / len(fit_log) < 0.45
    assert found.labels.mean() == pytest.approx(fit_log.labels.mean(), abs=0.04)
    assert set(HEADS) == set(live_model().definition["heads"])
    assert Segment.objects.count() == 1
