"""Connecting Dialpad as a person does: in Chromium, through Dialpad's own login page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cti import Stack
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from test.sim.client import Simulator

WAIT_SECONDS = 20
SNIPPET = (Path(__file__).resolve().parents[1] / "fixtures" / "seed_connect.js").read_text()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
                     "--no-first-run", f"--user-data-dir={tmp_path}"):
        options.add_argument(argument)
    driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture
def app_id(linked: Stack) -> str:
    return linked.admin("POST", "/apps", {"name": "Acme Sales"})["app_id"]


def press(browser: webdriver.Chrome, button: str, user: str | None = None) -> str:
    """On Dialpad's page; the text of the page that comes then."""
    WebDriverWait(browser, WAIT_SECONDS).until(lambda b: b.find_elements(By.ID, button))
    if user is not None:
        Select(browser.find_element(By.ID, "user")).select_by_value(user)
    browser.find_element(By.ID, button).click()
    WebDriverWait(browser, WAIT_SECONDS).until(lambda b: "/auth/dialpad/callback" in b.current_url)
    return browser.find_element(By.TAG_NAME, "body").text


def test_from_a_click_in_a_clients_page_to_dialpad_connected(
        linked: Stack, dialpad: Simulator, browser: webdriver.Chrome, app_id: str, tmp_path: Path):
    page = tmp_path / "client.html"
    script = SNIPPET.replace("const window = { location: {} };", "").replace(
        "process.env.REACT_APP_CTI_SERVER", repr(linked.apid.url)).replace(
        "process.env.REACT_APP_CTI_APP_ID", repr(app_id))
    page.write_text(f"<button id=connect>Connect Dialpad Account</button><script>{script}"
                    "document.getElementById('connect').onclick = handleConnect;</script>")
    browser.get(page.as_uri())
    browser.find_element(By.ID, "connect").click()
    company = dialpad.company()
    text = press(browser, "allow", company["users"][0]["email"])
    assert browser.title == "Dialpad connected"
    assert f"Acme Sales is now connected with {company['name']} at Dialpad (sandbox)." in text
    assert f"Connected by {company['users'][0]['email']}." in text
    shown = linked.admin("GET", f"/apps/{app_id}/connection")
    assert shown["state"] == "connected" and shown["company"] == company["name"]
    assert not browser.get_cookies()


def test_who_denies_reads_that_nothing_happened(
        linked: Stack, dialpad: Simulator, browser: webdriver.Chrome, app_id: str):
    browser.get(f"{linked.apid.url}/auth/dialpad/connect?app_id={app_id}")
    assert "Access was denied at Dialpad" in press(browser, "deny")
    assert linked.admin("GET", f"/apps/{app_id}/connection")["state"] == "never_connected"


def test_the_page_of_a_used_login_says_what_to_do(
        linked: Stack, dialpad: Simulator, browser: webdriver.Chrome, app_id: str):
    browser.get(f"{linked.apid.url}/auth/dialpad/connect?app_id={app_id}")
    press(browser, "allow", dialpad.company()["users"][0]["email"])
    browser.refresh()
    assert "Start again" in browser.find_element(By.TAG_NAME, "body").text
