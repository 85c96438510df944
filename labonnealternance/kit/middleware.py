"""What happens to every request, before and after the pages."""

from collections.abc import Callable
from urllib.parse import unquote

from django.contrib.auth import SESSION_KEY
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers
from django.utils.deprecation import MiddlewareMixin

from labonnealternance.kit import health


class HealthMiddleware:
    """Answers /livez and /readyz before all else: a probe has no cookie, no https, and an IP address as its host."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info == "/livez":
            return health.livez()
        if request.path_info == "/readyz":
            return health.readyz()
        return self.get_response(request)


class RefuseNulMiddleware(MiddlewareMixin):
    """A NUL in an address or in a cookie is a 400: PostgreSQL can't hold it, and no page has a use for it.

    Forms refuse it by themselves, with a sentence beside the field.
    """

    def process_request(self, request: HttpRequest) -> None:
        told = (request.path_info, unquote(request.META.get("QUERY_STRING", "")), *request.COOKIES.values())
        if any("\0" in text for text in told):
            raise BadRequest("NUL")


class PrivatePagesMiddleware(MiddlewareMixin):
    """Pages that ask to sign in, and pages that know who reads them, are kept by no cache."""

    def process_view(self, request: HttpRequest, view: Callable, args: tuple, kwargs: dict) -> None:
        request.is_private = getattr(view, "login_required", True)  # type: ignore[attr-defined]

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        session = getattr(request, "session", None)
        knows_who_reads = session is not None and session.accessed and SESSION_KEY in session
        if getattr(request, "is_private", False) or knows_who_reads:
            add_never_cache_headers(response)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response
