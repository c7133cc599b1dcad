"""A real browser, where the machine has one: Chromium, driven through ChromeDriver."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # tests may run as root
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1400,1000",
)


@pytest.fixture(scope="session")
def _chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    if not CHROMIUM or not DRIVER:
        pytest.skip("chromium and chromedriver are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for option in (*OPTIONS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    browser.implicitly_wait(10)
    try:
        yield browser
    finally:
        browser.quit()


@pytest.fixture
def browser(_chromium: webdriver.Chrome, request: pytest.FixtureRequest) -> Iterator[webdriver.Chrome]:
    """The browser without anybody's cookies. Whatever a page complains of fails the test; a failed test leaves a
    screenshot under `.muster/screenshots`."""
    _chromium.get_log("browser")
    failed = request.session.testsfailed
    yield _chromium
    complaints = [entry["message"] for entry in _chromium.get_log("browser") if entry["level"] == "SEVERE"]
    if request.session.testsfailed > failed or complaints:
        folder = Path(".muster/screenshots")
        folder.mkdir(parents=True, exist_ok=True)
        _chromium.save_screenshot(str(folder / f"{request.node.name}.png"))
    _chromium.delete_all_cookies()
    assert not complaints, complaints
