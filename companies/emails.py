"""The e-mails about establishments and what is published of them."""

from datetime import datetime

from django.conf import settings
from django.urls import reverse

from companies.models import Release
from labonnealternance.mail.actions import write


def publication_dropped(*, release: Release, refusal: str, at: datetime) -> None:
    """Tells who asked for ``release`` to be put online that it can't be any more; ``refusal`` is a sentence."""
    assert release.asked_by
    write(
        name="publication_dropped",
        to=release.asked_by.email,
        at=at,
        context={
            "first_name": release.asked_by.first_name,
            "number": release.pk,
            "asked_at": release.asked_at,
            "refusal": refusal,
            "link": settings.SITE_URL + reverse("admin:companies_release_change", args=[release.pk]),
        },
    )
