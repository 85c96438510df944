"""Chromium on a live copy of the service. A page that complains or calls another host fails its test."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from axe_playwright_python.sync_playwright import Axe
from django.db import connection
from playwright.sync_api import Browser, Page, sync_playwright

# Playwright's synchronous interface runs a loop in this thread: Django would refuse the tests' own queries.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"

NARROW, WIDE = 360, 1280
_ARGUMENTS = [
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

# What a style sheet imports is read by no rule that is tried, and axe would look for it beside the page.
_TRIED = {"resultTypes": ["violations"], "preload": {"assets": ["media"]}}
# A dark theme changes colours, and nothing else that axe reads.
OF_COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"]}


def violations(page: Page, rules: dict | None = None) -> list[tuple[str, str, list[str]]]:
    """What axe says against the page: the rule, what it asks, where it is not kept.

    axe is a script of ours in the page: ``visit`` opens it with ``bypass_csp``, since the policy would refuse it.
    """
    axe = Axe("" if page.evaluate("'axe' in window") else AXE_SCRIPT)
    found = axe.run(page, options={**_TRIED, **(rules or {})}).response["violations"]
    return [(fault["id"], fault["help"], [node["html"][:200] for node in fault["nodes"]]) for fault in found]


def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/browser/" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all the tests: the system's, since Playwright's own can't be downloaded everywhere."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.fail(
            "Chromium is missing: `apt-get install chromium` (Debian), or leave the browser tests out with"
            " `pytest -m 'not browser'`.",
            pytrace=False,
        )
    # While its loop runs, Django gives this thread another connection: neither is left open behind the other.
    connection.close()
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=_ARGUMENTS)
        yield launched
        launched.close()
        connection.close()


@pytest.fixture
def visit(browser, live_server) -> Callable:
    """``with visit(path, width=…, **options of the context) as page``; checks what the page said when it closes."""

    @contextmanager
    def opened(path: str, *, width: int = WIDE, complaints_expected: bool = False, **options) -> Iterator[Page]:
        context = browser.new_context(
            base_url=live_server.url, viewport={"width": width, "height": 800}, locale="fr-FR", **options
        )
        page = context.new_page()
        complaints: list[str] = []
        page.on(
            "console", lambda said: said.type in {"error", "warning"} and complaints.append(f"{page.url}: {said.text}")
        )
        page.on("pageerror", lambda fault: complaints.append(f"{page.url}: {fault}"))
        page.on(
            "request",
            lambda request: request.url.startswith((live_server.url, "data:")) or complaints.append(request.url),
        )
        try:
            page.goto(path)
            yield page
        finally:
            context.close()
        assert complaints_expected or complaints == []

    return opened
