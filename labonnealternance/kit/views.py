"""Addresses that any site has, and what pages that keep a secret share."""

import contextlib
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import wraps

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe


@login_not_required
@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:
    """Whom to tell of a weakness (RFC 9116); valid for half a year from when it is read."""
    expires = (timezone.now() + timedelta(days=180)).strftime("%Y-%m-%dT00:00:00Z")
    lines = [
        f"Contact: {settings.SECURITY_CONTACT}",
        f"Expires: {expires}",
        "Preferred-Languages: fr, en",
        f"Canonical: {settings.SITE_URL}/.well-known/security.txt",
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


def secret_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page whose own address is the secret: no cache keeps it, no engine lists it, no other site is told it.

    Under ``no-referrer`` a browser would send the page's own form without saying where it comes from, and the check of
    the origin would refuse it.
    """

    @wraps(view)
    def guarded(request: HttpRequest, **values) -> HttpResponse:
        response = view(request, **values)
        response["Referrer-Policy"] = "same-origin"
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return never_cache(guarded)


@contextlib.contextmanager
def lasting(seconds: float) -> Iterator[None]:
    """The block lasts ``seconds`` at least: how long an answer takes tells nothing."""
    begun = time.monotonic()
    yield
    time.sleep(max(0.0, begun + seconds - time.monotonic()))
