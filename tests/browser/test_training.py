"""A training, asked for and read in a real browser."""

from __future__ import annotations

import pytest
from django.urls import reverse
from pytest_django.live_server_helper import LiveServer
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from accounts.models import User
from matching.actions.models import live_model
from matching.actions.training import train_next
from matching.models import TrainingRun
from tests.browser.test_admin import PASSWORD, log_in, take_step
from tests.marketplace.factories import NOW
from tests.matching.logged import log

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_a_training_asked_for_on_the_segment_is_drawn_on_the_model(browser: Chrome, live_server: LiveServer) -> None:
    segment = live_model().segment
    log("fit")
    log_in(browser, live_server, User.objects.create_superuser("chief@muster.example", PASSWORD))
    browser.get(f"{live_server}{reverse('admin:matching_segment_change', args=[segment.pk])}")
    take_step(browser, "Train a model")
    assert "train a model, done" in browser.find_element(By.TAG_NAME, "body").text

    assert train_next(NOW) == 1
    model = TrainingRun.objects.get().model
    assert model is not None
    browser.get(f"{live_server}{reverse('admin:matching_scoringmodel_change', args=[model.pk])}")
    drawing = browser.find_element(By.CSS_SELECTOR, "svg[aria-label='Calibration of live, trained']")
    assert drawing.is_displayed()
    assert len(drawing.find_elements(By.TAG_NAME, "circle")) >= 15
