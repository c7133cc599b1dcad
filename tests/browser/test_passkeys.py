"""Passkeys in a real browser, whose authenticator is a virtual one: made through the API, and used at the console."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.urls import reverse
from pytest_django.live_server_helper import LiveServer
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.virtual_authenticator import VirtualAuthenticatorOptions
from selenium.webdriver.support.wait import WebDriverWait

from accounts.models import AuditEntry, User
from tests.browser.test_admin import PASSWORD, log_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

# What a frontend does: ask for options, have the browser make or use a key, send what it says.
CEREMONY = """
    const [path, query, password, done] = arguments;
    const address = `/_allauth/browser/v1/${path}`;
    const ask = async (method, url, body) => {
        const token = document.cookie.match(/csrftoken=([^;]+)/)?.[1] ?? "";
        const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
        const answer = await fetch(url, { method, headers, body: body && JSON.stringify(body) });
        return [answer.status, await answer.json()];
    };
    (async () => {
        await ask("GET", "/_allauth/browser/v1/config");
        if (password) await ask("POST", "/_allauth/browser/v1/auth/reauthenticate", { password });
        const [, asked] = await ask("GET", address + query);
        const options = (asked.data.creation_options ?? asked.data.request_options).publicKey;
        const credential = asked.data.creation_options
            ? await navigator.credentials.create({
                publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
            : await navigator.credentials.get({
                publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
        const [status, answer] = await ask("POST", address, { name: "My key", credential: credential.toJSON() });
        return [status, answer.data?.user?.email ?? null];
    })().then(done, (error) => done([0, String(error)]));
"""


@pytest.fixture
def key(browser: Chrome) -> Iterator[Chrome]:
    """The browser with an authenticator whose owner is there and has shown who they are."""
    options = VirtualAuthenticatorOptions(
        has_resident_key=True, has_user_verification=True, is_user_verified=True, is_user_consenting=True
    )
    browser.add_virtual_authenticator(options)
    yield browser
    browser.remove_virtual_authenticator()


def ceremony(browser: Chrome, path: str, query: str = "", password: str = "") -> Any:
    """The status and whose session it is then. On a page of the console, being of the same origin."""
    return browser.execute_async_script(CEREMONY, path, query, password)


def test_staff_use_at_the_console_the_key_that_they_made(key: Chrome, live_server: LiveServer, settings: Any) -> None:
    staff = User.objects.create_superuser("chief@muster.example", PASSWORD)
    log_in(key, live_server, staff)
    made = ceremony(key, "account/authenticators/webauthn", "?passwordless", PASSWORD)
    assert made[0] == 200, made
    assert Authenticator.objects.filter(user=staff, type=Authenticator.Type.WEBAUTHN).count() == 1
    key.delete_all_cookies()

    settings.STAFF_NEED_SECOND_FACTOR = True
    log_in(key, live_server, staff)
    assert reverse("second_factor") in key.current_url
    key.find_element(By.CSS_SELECTOR, "#key button").click()
    WebDriverWait(key, 10).until(lambda page: page.current_url == f"{live_server}{reverse('admin:index')}")
    assert AuditEntry.objects.filter(kind="SecondFactorFailed").count() == 0
    key.delete_all_cookies()

    key.get(f"{live_server}{reverse('admin:login')}")
    assert ceremony(key, "auth/webauthn/login") == [200, staff.email], "without a password too"
    key.get(f"{live_server}{reverse('admin:index')}")
    assert key.current_url == f"{live_server}{reverse('admin:index')}", "which is a second factor by itself"
