"""Staff at the console, in a real browser: what is clicked is done."""

from __future__ import annotations

import pytest
from django.urls import reverse
from pytest_django.live_server_helper import LiveServer
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.expected_conditions import staleness_of
from selenium.webdriver.support.wait import WebDriverWait

from accounts.models import Event, User
from marketplace.core.workflow import OpportunityState
from matching.actions import projection
from tests.marketplace.factories import NOW, a_candidate, a_published_opportunity

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

PASSWORD = "s3cret-pass-phrase"


@pytest.fixture
def staff() -> User:
    return User.objects.create_superuser("chief@muster.example", PASSWORD)


def log_in(browser: Chrome, live_server: LiveServer, staff: User) -> None:
    browser.get(f"{live_server}{reverse('admin:login')}")
    browser.find_element(By.NAME, "username").send_keys(staff.email)
    browser.find_element(By.NAME, "password").send_keys(PASSWORD)
    browser.find_element(By.CSS_SELECTOR, "form#login-form button, form#login-form [type=submit]").click()
    WebDriverWait(browser, 10).until(lambda found: "/login/" not in found.current_url)


def take_step(browser: Chrome, title: str) -> None:
    """Click a step's button, then the one of the dialog that asks."""
    browser.find_element(By.XPATH, f"//a[@hx-get][contains(., '{title}')]").click()
    page = browser.find_element(By.TAG_NAME, "html")
    browser.find_element(By.XPATH, f"//*[@id='dialog']//button[@type='submit'][contains(., '{title}')]").click()
    WebDriverWait(browser, 10).until(staleness_of(page))


def test_a_step_clicked_and_confirmed_is_taken(browser: Chrome, live_server: LiveServer, staff: User) -> None:
    opportunity = a_published_opportunity()
    log_in(browser, live_server, staff)
    page = reverse("admin:marketplace_opportunity_change", args=[opportunity.pk])
    browser.get(f"{live_server}{page}")

    take_step(browser, "Pause")

    assert "pause, done" in browser.find_element(By.TAG_NAME, "body").text
    opportunity.refresh_from_db()
    assert opportunity.state == OpportunityState.PAUSED
    assert Event.objects.filter(name="OpportunityPaused", aggregate_id=opportunity.pk, actor=staff).count() == 1


def test_a_rule_that_is_typed_is_counted_and_drawn_and_a_faulty_one_named(
    browser: Chrome, live_server: LiveServer, staff: User
) -> None:
    opportunity = a_published_opportunity()
    people = [a_candidate(weekly_hours=hours) for hours in (10, 20, 30, 30, 40)]
    projection.refresh([one.pk for one in people], NOW)
    log_in(browser, live_server, staff)
    browser.get(f"{live_server}{reverse('admin:marketplace_opportunity_change', args=[opportunity.pk])}")
    browser.find_element(By.CSS_SELECTOR, ".rule-preview summary").click()
    field, answer = browser.find_element(By.ID, "rule-preview-rule"), ".rule-preview-answer"

    def says(text: str) -> bool:
        return text in browser.find_element(By.CSS_SELECTOR, answer).text

    field.clear()
    field.send_keys('{"attribute": "weekly_hours", "op": "gte", "value": 30}')
    WebDriverWait(browser, 10).until(lambda _: says("hours wanted at least 30 hours a week"))
    figures = browser.find_element(By.CSS_SELECTOR, ".rule-preview-figures").text.split("\n")
    assert figures == ["3", "eligible", "0", "unknown", "2", "ineligible"]
    assert browser.find_elements(By.CSS_SELECTOR, f"{answer} svg rect.alone")
    assert says("20 hours a week: +1 people")

    field.clear()
    field.send_keys('{"attribute": "weekly_hours", "op": "gte", "value": 30')
    WebDriverWait(browser, 10).until(lambda _: says("This is no JSON"))
    field.send_keys("00}")
    WebDriverWait(browser, 10).until(lambda _: says("OUT_OF_RANGE") and says("$.value"))
    # The answer to a refused rule, which the browser reports like any other of its kind.
    assert all("422" in entry["message"] for entry in browser.get_log("browser"))
