"""How moments and months are written: the examples of the module hold, and no page writes them otherwise."""

import datetime as dt
import doctest
import re
from pathlib import Path

import pytest
from django.conf import settings

from labonnealternance.kit import text


def test_the_examples_of_the_module_hold():
    told = doctest.testmod(text)
    assert told.attempted > 10
    assert told.failed == 0


@pytest.mark.parametrize(
    ("at", "told"),
    [
        (dt.datetime(2026, 7, 14, 22, 5, tzinfo=dt.UTC), "15 juillet 2026 à 0 h 05"),
        (dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC), "25 octobre 2026 à 2 h 30"),
        (dt.datetime(2026, 10, 25, 1, 30, tzinfo=dt.UTC), "25 octobre 2026 à 2 h 30"),
    ],
)
def test_a_moment_is_told_in_paris(at, told):
    assert text.french_moment(at) == told


def test_no_page_of_people_writes_an_hour_with_a_colon():
    """What support reads in lists, and what a spreadsheet reads, keep digits."""
    pages = ["labonnealternance/templates/accounts", "offers/templates", "opco/templates", "offers/recruiters"]
    others = {"opco/views/exports.py"}
    files = [
        file for page in [*pages, "opco/views", "opco/actions"] for file in Path(settings.BASE_DIR, page).rglob("*")
    ]
    read = [file for file in files if file.suffix in {".py", ".html", ".txt"}]
    assert len(read) > 50
    wrong = [str(file.relative_to(settings.BASE_DIR)) for file in read if re.search(r"H:i|%H[ :h]", file.read_text())]
    assert set(wrong) <= others
