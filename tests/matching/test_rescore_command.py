"""Re-scoring at large, as staff steer it: from the command line, at the console, and in what is measured."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from accounts.models import User
from matching.actions import marks, mass
from matching.actions.mass import working
from matching.models import Match, Rescore
from matching.queries.affected import EVERYTHING, NEW_DAY
from tests.config.test_metrics import labels, scraped
from tests.marketplace.factories import NOW, a_skill
from tests.matching.staging import asking_for, skilled, work

pytestmark = pytest.mark.django_db


def rescore(*arguments: str) -> str:
    out = StringIO()
    call_command("rescore", *arguments, stdout=out)
    return out.getvalue()


def status() -> dict:
    return json.loads(rescore("status", "--json"))


@pytest.fixture
def market(monkeypatch) -> None:
    """Scored, and nothing learnt of how long that takes."""
    monkeypatch.setattr(working, "_sizes", {})
    skill = a_skill()
    for _ in range(3):
        asking_for(skill)
    for level in range(1, 5):
        skilled(skill, level)
    work()


def start(scope=NEW_DAY, cause: str = "day") -> Rescore:
    return mass.start(cause=cause, scopes=[scope], since=NOW, now=NOW)


# From the command line


def test_nothing_was_done_yet() -> None:
    assert status() == {"rescorings": [], "marks": 0, "oldest_mark_seconds": 0.0}
    assert "nothing was re-scored at large yet" in rescore("status")
    for verb in ("pause", "resume", "cancel"):
        with pytest.raises(CommandError, match=f"nothing to {verb}"):
            rescore(verb)


def test_it_is_started_and_left_to_the_workers(market: None) -> None:
    assert "is queued" in rescore("start")
    [job] = status()["rescorings"]
    assert (job["cause"], job["state"]) == ("asked", "queued")


def test_it_is_worked_off_here(market: None) -> None:
    Match.objects.all().delete()
    printed = rescore("start", "--here", "--quiet")
    assert "done" in printed
    assert Match.objects.count() == 12
    [job] = status()["rescorings"]
    assert (job["state"], job["done"], job["total"], job["percent"]) == ("done", 7, 7, 100)


def test_it_is_paused_resumed_and_cancelled(market: None, monkeypatch) -> None:
    monkeypatch.setattr("django.conf.settings.RESCORE_CHUNK_SECONDS", 0.0)
    job = start()
    mass.work(NOW, paced=False)
    assert "is paused" in rescore("pause")
    [told] = status()["rescorings"]
    assert (told["state"], told["done"], told["total"], told["phases"]) == (
        "paused", 1, 3, [{"phase": "score", "done": 1, "total": 3, "failed": 0}],
    )  # fmt: skip
    assert "1 of 3 (33 %)" in rescore("status")
    assert "is queued" in rescore("resume", str(job.pk))
    assert "is cancelled" in rescore("cancel")
    with pytest.raises(CommandError, match="cancelled"):
        rescore("resume", str(job.pk))
    with pytest.raises(CommandError, match="nothing to pause"):
        rescore("pause", "10000000")


def test_where_there_are_several_one_has_to_say_which(market: None) -> None:
    first = start()
    rescore("pause")
    second = start({"kind": "skills", "ids": []}, "taxonomy")
    with pytest.raises(CommandError, match=f"say which: {first.pk}, {second.pk}"):
        rescore("cancel")


# At the console


@pytest.fixture
def console(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("chief@muster.example", "s3cret-pass-phrase"))
    return client


def page(name: str, *args: object) -> str:
    return reverse(f"admin:matching_rescore_{name}", args=args)


def test_staff_see_how_far_it_has_come(market: None, console: Client, monkeypatch) -> None:
    monkeypatch.setattr("django.conf.settings.RESCORE_CHUNK_SECONDS", 0.0)
    job = start()
    for _ in range(2):
        mass.work(NOW, paced=False)
    Rescore.objects.filter(pk=job.pk).update(seconds_each=0.25)
    for address in (page("changelist"), page("change", job.pk)):
        text = console.get(address).content.decode()
        assert "2 of 3" in text
        assert "width: 66%" in text
        assert "4.0" in text
    assert "opportunities scored" in text
    mass.work_all(NOW)
    assert "3 of 3" in console.get(page("changelist")).content.decode()


def test_staff_start_pause_resume_and_cancel(market: None, console: Client) -> None:
    assert console.post(page("add"), {}).status_code == 200
    assert not Rescore.objects.exists(), "who is not sure starts nothing"
    assert console.post(page("add"), {"sure": "on"}).status_code == 302
    job = Rescore.objects.get()
    assert (job.cause, job.scopes) == ("asked", [EVERYTHING])
    for step, state in (("pause", "paused"), ("resume", "queued"), ("cancel", "cancelled")):
        assert console.post(page(f"take_{step}", job.pk), {"_form_submitted": "on"}).status_code == 200
        job.refresh_from_db()
        assert job.state == state
    assert "RescoreCancelled" in console.get(page("change", job.pk)).content.decode()


# In what is measured


def test_the_age_of_the_oldest_change_and_the_progress_are_told(market: None, client: Client, monkeypatch) -> None:
    monkeypatch.setattr("django.conf.settings.RESCORE_CHUNK_SECONDS", 0.0)
    start()
    mass.work(NOW, paced=False)
    marks.mark_candidates([1, 2], NOW)
    found, where = scraped(client), labels(cause="day", state="running")
    assert found["muster_marks", ()] == 2.0
    assert found["muster_mark_age_seconds", ()] >= 0.0
    assert found["muster_rescoring_subjects", where] == 3.0
    assert found["muster_rescoring_done", where] == 1.0
    assert found["muster_rescoring_failed", where] == 0.0
    mass.work_all(NOW)
    assert not [name for name, _ in scraped(client) if name.startswith("muster_rescoring")]
