"""The page in a real browser: it sorts, it opens a failure, and it asks the network for nothing."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from relocbench.reports.html import ReportPaths

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless=new",
    "--no-sandbox",  # the test may run as root in a container
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-prefers-reduced-motion",  # a click must not race a scroll
    "--window-size=1280,900",
)


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed (pip install selenium)")
    from selenium.webdriver.chrome.service import Service

    browser = next((path for path in map(shutil.which, BROWSERS) if path), None)
    chromedriver = shutil.which("chromedriver")
    if browser is None or chromedriver is None:
        pytest.skip("no Chromium with its chromedriver is installed (Debian: apt install chromium chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(chromedriver))
    yield driver
    driver.quit()


@pytest.fixture
def page(driver: Any, report: ReportPaths) -> Any:
    driver.get(report.html.as_uri())
    return driver


def column(page: Any, number: int) -> list[str]:
    """Return what the cells of a column of the first table sort by, top to bottom."""
    cells = page.find_elements("css selector", f"table.board tbody tr > :nth-child({number})")
    return [cell.get_attribute("data-value") for cell in cells]


def header(page: Any, number: int) -> Any:
    return page.find_element("css selector", f"table.board thead th:nth-child({number})")


def as_number(text: str) -> float:
    return math.inf if text == "inf" else float(text)


def test_a_click_on_a_header_sorts_by_number_and_a_second_one_turns_it_round(page: Any) -> None:
    success = 6  # share of successes: the best is the largest, so that the first click puts it on top
    header(page, success).find_element("css selector", "button").click()
    values = [as_number(text) for text in column(page, success)]
    assert values == sorted(values, reverse=True)
    assert len(set(values)) > 1
    assert header(page, success).get_attribute("aria-sort") == "descending"
    header(page, success).find_element("css selector", "button").click()
    values = [as_number(text) for text in column(page, success)]
    assert values == sorted(values)
    assert header(page, success).get_attribute("aria-sort") == "ascending"
    assert len(page.find_elements("css selector", "table.board th[aria-sort]")) == 1


def test_what_is_not_ranked_stays_last_whichever_way_ranks_are_sorted(page: Any) -> None:
    for _ in range(2):
        header(page, 1).find_element("css selector", "button").click()
        ranks = column(page, 1)
        without = [rank == "" for rank in ranks]
        assert any(without)
        assert without == sorted(without)


def test_rows_move_as_a_whole(page: Any) -> None:
    before = dict(zip(column(page, 2), column(page, 3), strict=True))
    header(page, 2).find_element("css selector", "button").click()
    assert column(page, 2) == sorted(column(page, 2))
    assert dict(zip(column(page, 2), column(page, 3), strict=True)) == before


def choose(page: Any, control: str, label: str) -> None:
    from selenium.webdriver.support.ui import Select

    Select(page.find_element("css selector", f"[data-control={control}]")).select_by_visible_text(label)


def test_a_failure_opens_with_its_reason_its_image_and_the_references(page: Any, estimates: Any) -> None:
    choose(page, "method", "sift-5pt")
    choose(page, "filter", "failures only")
    entries = page.find_elements("css selector", ".queries button")
    failed = estimates[(estimates["method"] == "sift-5pt") & (estimates["status"] == "failure")].set_index("query")
    assert len(entries) == min(len(failed), 60)
    entries[0].click()
    detail = page.find_element("css selector", ".detail")
    query = detail.find_element("css selector", "h3").text
    assert query == failed["covisibility"].idxmax()  # the failure that saw most comes first
    assert failed.loc[query, "reason"] in detail.find_element("css selector", ".verdict").text
    images = detail.find_elements("css selector", "img")
    assert len(images) == 1 + min(5, len(failed.loc[query, "ranking"]))
    assert all(page.execute_script("return arguments[0].naturalWidth", image) > 0 for image in images)
    assert detail.find_element("css selector", ".plan svg .truth")
    assert not detail.find_elements("css selector", ".plan svg > .estimate")
    assert entries[0].get_attribute("aria-current") == "true"


def test_the_worst_answer_comes_first_and_its_error_is_shown(page: Any, estimates: Any) -> None:
    choose(page, "method", "dense-vlad")
    page.find_element("css selector", ".queries button").click()
    worst = estimates[estimates["method"] == "dense-vlad"].nlargest(1, "translation_error").iloc[0]
    detail = page.find_element("css selector", ".detail")
    assert detail.find_element("css selector", "h3").text == worst["query"]
    assert f"{worst['translation_error']:.2f} m" in detail.find_element("css selector", ".verdict").text
    assert detail.find_element("css selector", ".plan svg > .estimate")


def test_the_browser_of_queries_works_from_the_keyboard(page: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    entry = page.find_element("css selector", ".queries button")
    page.execute_script("arguments[0].focus()", entry)
    entry.send_keys(Keys.ENTER)
    first = page.find_element("css selector", ".detail h3").text
    following = page.find_elements("css selector", ".steps button")[1]
    following.send_keys(Keys.SPACE)
    assert page.find_element("css selector", ".detail h3").text != first


def test_the_page_asks_the_network_for_nothing_and_logs_no_error(page: Any, report: ReportPaths) -> None:
    page.get_log("performance"), page.get_log("browser")  # what came before this test
    page.get(report.html.as_uri())
    page.find_element("css selector", ".queries button").click()
    events = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    requests = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
    assert report.html.as_uri() in requests
    assert all(url == report.html.as_uri() or url.startswith("data:") for url in requests)
    assert page.get_log("browser") == []


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_sticks_out_of_the_window(page: Any, width: int) -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    page.find_element("css selector", ".queries button").click()
    assert page.execute_script("return document.documentElement.scrollWidth") <= width
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_report_is_one_file(report: ReportPaths, driver: Any, tmp_path: Path) -> None:
    alone = Path(shutil.copy(report.html, tmp_path))
    driver.get(alone.as_uri())
    assert driver.find_elements("css selector", ".queries img")
