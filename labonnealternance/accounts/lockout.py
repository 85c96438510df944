"""What django-axes asks of us: whose failures it counts, and what a locked person reads."""

import math

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def typed_name(request: HttpRequest, credentials: dict | None) -> str:
    """The name as it is compared at sign-in: otherwise each change of case would give five more tries."""
    typed = (credentials or {}).get("username") or request.POST.get("username") or ""
    return typed.strip().lower()[:254]


def locked(request: HttpRequest, response: HttpResponse | None, credentials: dict | None) -> HttpResponse:
    """Too many failures from here under this name; says how long to wait."""
    wait = settings.AXES_COOLOFF_TIME
    page = render(request, "accounts/locked.html", {"minutes": math.ceil(wait.total_seconds() / 60)}, status=429)
    page["Retry-After"] = str(int(wait.total_seconds()))
    page["Cache-Control"] = "no-store"
    return page
