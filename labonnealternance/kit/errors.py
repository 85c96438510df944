"""The error pages: what happened, and where to go from here. None of them needs the database."""

import sys

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string

from labonnealternance.kit.context_processors import site

RETRY_AFTER_SECONDS = 30
TOO_LARGE = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)


def _page(request: HttpRequest, template: str, status: int) -> HttpResponse:
    """Without the request: neither a session nor a person is read, so that the page stands when they can't be.

    The banner of a visit, which holds what it shows already, stands there too.
    """
    told = site(None)
    visit = getattr(request, "visit", None)
    if visit is not None:
        told |= {"visit": visit, "csrf_token": get_token(request)}
    return HttpResponse(render_to_string(template, told), status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """What came can't be read, or is more than a form ever holds."""
    if isinstance(exception, TOO_LARGE):
        return _page(request, "413.html", 413)
    return _page(request, "400.html", 400)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """The page exists, and is not for this person."""
    return _page(request, "403.html", 403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose token is too old or missing: the page says to go back and send it again."""
    return _page(request, "403_csrf.html", 403)


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Nothing is at this address."""
    return _page(request, "404.html", 404)


def gone(request: HttpRequest) -> HttpResponse:
    """Something was at this address, and will not come back: search engines forget a 410 at once."""
    return _page(request, "410.html", 410)


def server_error(request: HttpRequest) -> HttpResponse:
    """A fault of ours; where the database is what fails, a 503 that says when to come back.

    Django calls this while it handles the exception, wherever it was raised: view, template, session, middleware.
    """
    fault = sys.exc_info()[1]
    while fault is not None:
        if isinstance(fault, OperationalError | InterfaceError):
            return unavailable(request)
        fault = fault.__cause__ or fault.__context__
    return _page(request, "500.html", 500)


def unavailable(request: HttpRequest) -> HttpResponse:
    """The service can't answer now, and can soon."""
    response = _page(request, "503.html", 503)
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    response["Cache-Control"] = "no-store"
    return response
