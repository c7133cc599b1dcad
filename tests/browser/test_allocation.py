"""A plan, looked at in a real browser before it is committed."""

from __future__ import annotations

import pytest
from django.urls import reverse
from pytest_django.live_server_helper import LiveServer
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from accounts.models import User
from tests.browser.test_admin import PASSWORD, log_in
from tests.marketplace.factories import a_skill, an_organisation
from tests.matching.staging import asking_for, plan, skilled

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_a_plan_shows_its_proof_and_the_curve_of_other_weights(browser: Chrome, live_server: LiveServer) -> None:
    by, skill = an_organisation(), a_skill()
    for level in (1, 3, 5):
        asking_for(skill, by, level=level, seats=2, title=f"Level {level}")
    for number in range(5):
        skilled(skill, 1 + number % 5)
    run = plan(by)
    log_in(browser, live_server, User.objects.create_superuser("chief@muster.example", PASSWORD))
    browser.get(f"{live_server}{reverse('admin:matching_allocationrun_change', args=[run.pk])}")
    drawing = browser.find_element(By.CSS_SELECTOR, "svg[aria-label='Fill against quality']")
    assert drawing.is_displayed()
    assert len(drawing.find_elements(By.TAG_NAME, "circle")) == len(run.pareto)
    assert "Verified just now: no assignment is worth more." in browser.find_element(By.TAG_NAME, "body").text
