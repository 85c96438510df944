"""The e-mails of the queue: each says which SIRET it is about, and why it is sent."""

from django.conf import settings
from django.urls import reverse

from companies.models import spaced_siret
from labonnealternance.mail.actions import Letter
from offers.models import Access
from opco.models import Decision

# In place of the secret of the link, where an e-mail is only shown.
NOT_SENT = "apercu"


def information_asked(*, decision: Decision, access: Access, token: str) -> Letter:
    """An advisor wants to know more before deciding; ``token`` is that of the link to answer by."""
    establishment = access.establishment
    context = {
        "first_name": access.user.first_name,
        "establishment": establishment.display_name,
        "siret": spaced_siret(establishment.siret),
        "opco": decision.opco.name if decision.opco else "",
        "question": decision.text,
        "link": settings.SITE_URL + reverse("opco:answer", args=[token]),
    }
    return Letter("information_asked", access.user.email, context)
