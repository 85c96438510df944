"""Who reads a page: a person, as far as the request tells, or a machine that says so."""

import re

from django.http import HttpRequest

from labonnealternance.kit.read_only import is_read_only

# What search engines, previews of messages, monitors and tools call themselves. (A make of telephones is named Cubot.)
_MACHINE = re.compile(
    r"(?<!\bcu)bot\b|crawl|spider|slurp|preview|facebookexternalhit|whatsapp/|monitor|uptime|lighthouse|scrap"
    r"|\b(?:curl|wget|python|java|go-http-client|okhttp|axios|node|libwww|httpclient)\b",
    re.IGNORECASE,
)


def is_a_person(request: HttpRequest) -> bool:
    """Whether a reading is worth counting: no declared robot, no browser that loads a page in case it is wanted, and
    no member of support in a recruiter's space.
    """
    if is_read_only():
        return False
    ahead = request.headers.get("Sec-Purpose", "") or request.headers.get("Purpose", "")
    return not _MACHINE.search(request.headers.get("User-Agent", "")) and "prefetch" not in ahead
