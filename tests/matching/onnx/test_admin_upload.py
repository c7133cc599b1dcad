"""Files of models in the staff's console."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from matching.models import Match, ModelFile, ScoringModel, Segment
from tests.marketplace.factories import a_skill, a_user
from tests.matching import made_elsewhere as made
from tests.matching.staging import asking_for, skilled, work

pytestmark = pytest.mark.django_db


@pytest.fixture
def console() -> Client:
    client = Client()
    client.force_login(a_user(is_staff=True, is_superuser=True))
    return client


def upload(console: Client, content: bytes, name: str = "elsewhere.onnx", **more: str) -> str:
    """What the page says."""
    given = {"segment": Segment.objects.get().pk, "file": SimpleUploadedFile(name, content), **more}
    response = console.post(reverse("admin:matching_scoringmodel_add"), given, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def test_an_uploaded_file_becomes_a_draft_that_tells_what_it_was_seen_to_do(console: Client) -> None:
    upload(console, made.network(), manifest='{"calibration": "spring"}')
    model = ScoringModel.objects.get(version="elsewhere")
    assert (model.kind, model.state) == ("onnx", "draft")
    page = console.get(reverse("admin:matching_scoringmodel_change", args=[model.pk])).content.decode()
    for part in (model.file.sha256, "required skills", "Tanh", "ms"):
        assert part in page


def test_an_uploaded_file_that_is_refused_says_why_and_leaves_nothing(console: Client) -> None:
    page = upload(console, b"broken")
    assert "is not an ONNX model" in page
    assert "has its version" in upload(console, b"{}", name="linear.json", version="mine")
    assert not ModelFile.objects.exists()


def test_the_page_of_a_match_shows_bars_and_what_would_raise_the_rank(console: Client) -> None:
    skill = a_skill("welding")
    asking_for(skill, level=5)
    skilled(skill, 1)
    skilled(skill, 4)
    work()
    match = Match.objects.order_by("fit").first()
    page = console.get(reverse("admin:matching_match_change", args=[match.pk])).content.decode()
    assert 'aria-label="100 of 100"' in page
    assert "With welding at level 5" in page
