"""Training as staff see it: asked for on a segment's page, reported on the model's, with calibration drawn."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from matching.actions.models import live_model
from matching.actions.training import train_model
from matching.admin.training import calibration_plot, report_of
from matching.models import Decision, ScoringModel, Segment, TrainingRun
from tests.marketplace.factories import NOW, a_user
from tests.matching.logged import log
from tests.matching.test_training import SYSTEM

pytestmark = pytest.mark.django_db

BINS = [
    {"low": 0.0, "high": 0.1, "count": 90, "predicted": 0.05, "observed": 0.04},
    {"low": 0.1, "high": 0.5, "count": 10, "predicted": 0.3, "observed": 0.4},
]


@pytest.fixture
def staff() -> User:
    return User.objects.create_superuser(email="staff@example.org", password=None, name="Staff")


@pytest.fixture
def console(staff: User) -> Client:
    client = Client()
    client.force_login(staff, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def page_of(row) -> str:
    return reverse(f"admin:matching_{row._meta.model_name}_change", args=[row.pk])


def test_the_report_stands_on_the_models_page_with_figures_and_a_drawing_for_each_head(console: Client) -> None:
    log("fit")
    model = train_model(actor=SYSTEM, least=300, now=NOW)
    page = console.get(page_of(model)).content.decode()
    assert "against the live model: better" in page
    assert "Keeps the live model&#x27;s weights: 0 examples before the test" in page
    assert page.count("<circle") >= 15
    assert "How far down people look" in page
    assert "http" not in re.search(r"<svg role.*?</svg>", page, re.DOTALL)[0]
    page = console.get(page_of(live_model())).content.decode()
    assert "It was not trained here." in page


def test_a_drawing_is_whole_and_escaped_and_one_of_nothing_is_empty() -> None:
    drawn = ElementTree.fromstring(calibration_plot({"<live>": BINS, "trained": []}))
    circles = drawn.findall("circle")
    assert len(circles) == 2
    assert "<live>" in drawn.attrib["aria-label"]
    assert float(circles[1].attrib["cx"]) > float(circles[0].attrib["cx"])
    assert float(circles[1].attrib["cy"]) < float(circles[0].attrib["cy"])
    ElementTree.fromstring(calibration_plot({}))
    assert report_of(None) == "–"


def test_staff_ask_for_a_training_on_the_segments_page(staff: User, console: Client) -> None:
    segment = Segment.objects.get()
    address = reverse("admin:matching_segment_take_train", args=[segment.pk])
    dialog = console.get(address).content.decode()
    assert "keeps it as a draft" in dialog
    given = {"version": "spring", "since": "2020-01-01", "test_percent": "25", "least": "300", "_form_submitted": "1"}
    console.post(address, given)
    run = TrainingRun.objects.get()
    assert (run.version, run.test_share, run.least, run.created_by) == ("spring", 250, 300, staff)
    assert (run.since.isoformat(), run.until, run.state) == ("2020-01-01T00:00:00+00:00", None, "queued")
    console.post(address, given)  # under way already
    console.post(address, {**given, "since": "2020-01-02", "until": "2020-01-01"})
    assert TrainingRun.objects.count() == 1
    assert "spring" in console.get(page_of(run)).content.decode()


def test_others_neither_see_the_log_nor_have_models_trained() -> None:
    outsider = Client()
    outsider.force_login(a_user(is_staff=True), backend="allauth.account.auth_backends.AuthenticationBackend")
    for model in (Decision, TrainingRun, ScoringModel):
        assert outsider.get(reverse(f"admin:matching_{model._meta.model_name}_changelist")).status_code == 403
    address = reverse("admin:matching_segment_take_train", args=[Segment.objects.get().pk])
    assert outsider.post(address, {"test_percent": "20", "least": "500"}).status_code in (302, 403)
    assert not TrainingRun.objects.exists()
