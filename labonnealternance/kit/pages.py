"""The pages of a long list, as ``partials/pages.html`` shows them."""

from collections.abc import Mapping
from urllib.parse import urlencode

from django.core.paginator import Page


def page_links(page: Page, kept: Mapping[str, str]) -> list[tuple[str, str]]:
    """``(label, address)`` of the pages around ``page``, the first and the last; a gap has no address.

    ``kept`` is what the address says besides the page; an empty value is left out.
    """
    numbers = page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)
    query = {name: value for name, value in kept.items() if value}
    return [
        (str(number), "?" + urlencode({**query, "page": number}) if isinstance(number, int) else "")
        for number in numbers
    ]
