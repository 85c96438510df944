"""The error pages: what happened, and where to go from here."""

from django.shortcuts import render


def csrf_failure(request, reason=""):
    """A form whose token is too old or missing: the page says to go back and send it again."""
    return render(request, "403_csrf.html", status=403)
