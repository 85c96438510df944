"""Every request of a browser that visits a recruiter's space: whose pages it gets, and what it may not do.

The visit's secret is a cookie of its own, beside the one of the agent's session, which is not touched: neither its key
nor its row change, so that leaving gives it back as it was, second factor included. At each request the secret counts
only where the agent's own session still enters the back-office with its second factor. The pages get the recruiter and
an empty session that is kept nowhere: they read nothing of the agent's, and the recruiter has no session more.
"""

from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

from labonnealternance.accounts import visits
from labonnealternance.accounts.models import LONGEST_VISIT, User, Visit
from labonnealternance.kit.read_only import is_refusal, read_only

SAFE = {"GET", "HEAD", "OPTIONS"}
# Where nothing of the recruiter's is: the back-office, the development mailbox; and what opens or moves an account.
CLOSED_APPS = {"admin", "mail"}
OPEN_PAGES_OF_ACCOUNTS = {"home", "leave_visit"}


class NoSession(SessionBase):
    """A session of one request, kept nowhere."""

    def exists(self, session_key):
        return False

    def create(self):
        self.modified = True

    def save(self, must_create=False):
        pass

    def delete(self, session_key=None):
        pass

    def load(self):
        return {}

    @classmethod
    def clear_expired(cls):
        pass


def remember(response: HttpResponse, token: str) -> None:
    """The browser holds the visit's secret for as long as a visit may last."""
    response.set_cookie(
        settings.VISIT_COOKIE_NAME,
        token,
        max_age=LONGEST_VISIT,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def forget(response: HttpResponse) -> HttpResponse:
    """The browser's next request is the agent's own again."""
    response.delete_cookie(settings.VISIT_COOKIE_NAME, samesite="Lax")
    return response


class VisitMiddleware:
    """Stands below the sessions, the person and their second factor, and above all that reads them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = request.COOKIES.get(settings.VISIT_COOKIE_NAME)
        if not token:
            return self.get_response(request)
        at, agent = timezone.now(), request.user
        visit = None
        if isinstance(agent, User) and agent.is_staff and agent.is_verified():  # type: ignore[attr-defined]
            visit = visits.find(token=token, by=agent)
        if visit is None:
            # Forged, stolen, or left by a session that has ended: it opens nothing.
            return forget(self.get_response(request))
        assert isinstance(agent, User)
        if not visits.may_go_on(visit, by=agent, at=at):
            return self._over(request, visit, at=at)
        return self._shown(request, visit, at=at)

    def _over(self, request: HttpRequest, visit: Visit, *, at: datetime) -> HttpResponse:
        """Says so once, whatever was asked: a form meant for the recruiter's space is not sent as the agent's."""
        visits.end(visit=visit, at=at)
        back = reverse("admin:accounts_user_change", args=[visit.user_id])
        page = render(request, "accounts/visit_over.html", {"back": back}, status=403)
        add_never_cache_headers(page)
        return forget(page)

    def _shown(self, request: HttpRequest, visit: Visit, *, at: datetime) -> HttpResponse:
        own_session, own_user = request.session, request.user
        visited = visit.user
        visited.otp_device, visited.is_verified = None, lambda: False  # type: ignore[attr-defined]
        request.visit = visit  # type: ignore[attr-defined]
        request.session, request.user = NoSession(), visited
        # Sentences that wait for the agent are not the recruiter's.
        request.COOKIES.pop("messages", None)
        leaves = request.path_info == reverse("accounts:leave_visit")
        try:
            if leaves:
                response = self.get_response(request)
            elif request.method not in SAFE:
                response = refusal(request)
            else:
                with read_only():
                    response = self.get_response(request)
        finally:
            request.session, request.user = own_session, own_user
        add_never_cache_headers(response)
        if not leaves:
            ending = " (refusé)" if response.status_code == 403 else ""
            what = f"{timezone.localtime(at):%H:%M} {request.method} {request.path_info[:200]}{ending}"
            visits.note(visit=visit, what=what, at=at)
        return response

    def process_view(self, request: HttpRequest, view: Callable, args: tuple, kwargs: dict) -> HttpResponse | None:
        if getattr(request, "visit", None) is None:
            return None
        match = request.resolver_match
        assert match is not None
        is_closed = bool(CLOSED_APPS.intersection(match.app_names))
        is_closed |= "accounts" in match.app_names and match.url_name not in OPEN_PAGES_OF_ACCOUNTS
        return refusal(request) if is_closed else None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """A page that writes as it is read is refused too."""
        if getattr(request, "visit", None) is not None and is_refusal(exception):
            return refusal(request)
        return None


def refusal(request: HttpRequest) -> HttpResponse:
    """Nothing was done; says where one is, and how to leave."""
    token = get_token(request)
    visit = request.visit  # type: ignore[attr-defined]
    return render(request, "accounts/read_only.html", {"visit": visit, "csrf_token": token}, status=403)
