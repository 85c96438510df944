"""Chromium on a live copy of the service. A page that complains or calls another host fails its test."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

# Playwright's synchronous interface runs a loop in this thread: Django would refuse the tests' own queries.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"

NARROW, WIDE = 360, 1280
_ARGUMENTS = [
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


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
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=_ARGUMENTS)
        yield launched
        launched.close()


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
        page.on("console", lambda said: said.type in {"error", "warning"} and complaints.append(said.text))
        page.on("pageerror", lambda fault: complaints.append(str(fault)))
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
