"""Staff compare models at the console, in a real browser."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.urls import reverse
from pytest_django.live_server_helper import LiveServer
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from accounts.core.actor import Actor
from accounts.models import User
from matching.actions.models import shadow_model
from tests.browser.test_admin import PASSWORD, log_in, take_step
from tests.marketplace.factories import NOW
from tests.matching.staging import work
from tests.matching.test_comparing import LATER, a_market, a_model, shown_and_invited

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def keep(browser: Chrome, name: str) -> None:
    """A picture to look at, where somebody wants one."""
    if folder := os.environ.get("SCREENSHOTS"):
        browser.set_window_size(1400, 2000)
        (Path(folder) / f"{name}.png").write_bytes(browser.get_screenshot_as_png())


def test_models_are_compared_in_drawings_and_promoted_by_a_click(
    browser: Chrome, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff = User.objects.create_superuser("chief@muster.example", PASSWORD)
    for opportunity in a_market(opportunities=4, people=12):
        shown_and_invited(opportunity)
    model = a_model()
    shadow_model(actor=Actor.system(), model_id=model.public_id, now=NOW)
    work()
    monkeypatch.setattr("matching.admin.comparing.timezone.now", lambda: LATER)
    log_in(browser, live_server, staff)
    browser.get(f"{live_server}{reverse('admin:matching_scoringmodel_compare', args=[model.pk])}")
    drawn = browser.find_elements(By.CSS_SELECTOR, "svg[role=img]")
    assert [one.get_attribute("aria-label") for one in drawn] == [
        "Overlap by depth", "Drift of fit", "Drift of interest", "Drift of acceptance", "Calibration of fit",
    ]  # fmt: skip
    assert all(one.size["width"] > 100 and one.size["height"] > 100 for one in drawn)
    keep(browser, "compare")
    browser.find_element(By.LINK_TEXT, "Back to the model").click()
    keep(browser, "model")
    take_step(browser, "Promote to live")
    model.refresh_from_db()
    assert model.state == "live"
    browser.get(f"{live_server}{reverse('admin:matching_segment_changelist')}")
    keep(browser, "segments")
    browser.get(f"{live_server}{reverse('admin:matching_segment_add')}")
    keep(browser, "segment")
    browser.get(f"{live_server}{reverse('admin:matching_scoringmodel_add')}")
    keep(browser, "add")
    assert not [line for line in browser.get_log("browser") if line["level"] == "SEVERE"]
