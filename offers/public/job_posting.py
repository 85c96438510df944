"""An offer for search engines: schema.org's ``JobPosting``, as JSON-LD that stands within a page."""

import json
from datetime import datetime, time
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import get_default_timezone, localdate

from offers.actions.sheets import OfferSheet
from offers.models import Offer

# So that no text of an offer ends the script that holds it, nor begins another.
_WITHIN_A_SCRIPT = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"}


def job_posting(*, offer: Offer, sheet: OfferSheet) -> SafeString:
    """The JSON of a public offer, to stand in a ``<script type="application/ld+json">``."""
    told = json.dumps(_posting(offer, sheet))
    return mark_safe(told.translate(_WITHIN_A_SCRIPT))  # noqa: S308 (no sign of markup is left in it)


def _posting(offer: Offer, sheet: OfferSheet) -> dict[str, Any]:
    assert offer.published_at
    assert offer.expires_on
    establishment = offer.establishment
    commune = establishment.commune
    address = {
        "@type": "PostalAddress",
        "streetAddress": establishment.address,
        "postalCode": establishment.postcode,
        "addressLocality": commune.name if commune else "",
        "addressRegion": commune.departement.region.name if commune and commune.departement.region else "",
        "addressCountry": "FR",
    }
    place: dict[str, Any] = {"@type": "Place", "address": {name: text for name, text in address.items() if text}}
    if offer.latitude is not None:
        place["geo"] = {"@type": "GeoCoordinates", "latitude": offer.latitude, "longitude": offer.longitude}
    end = datetime.combine(offer.expires_on, time(23, 59, 59), tzinfo=get_default_timezone())
    posting = {
        "@context": "https://schema.org/",
        "@type": "JobPosting",
        "title": sheet.title,
        "description": _html(sheet),
        "datePosted": localdate(offer.published_at).isoformat(),
        "validThrough": end.isoformat(),
        "employmentType": ["FULL_TIME", "TEMPORARY"],
        "hiringOrganization": {"@type": "Organization", "name": sheet.employer.name},
        "jobLocation": place,
        "identifier": {"@type": "PropertyValue", "name": settings.SITE_NAME, "value": str(offer.pk)},
        "url": f"{settings.SITE_URL}{reverse('offers:offer', args=[offer.pk])}",
        "directApply": False,
        "totalJobOpenings": offer.positions,
        "jobStartDate": offer.starts_on.isoformat(),
        "industry": sheet.employer.activity,
        "occupationalCategory": f"{offer.rome_id} {offer.rome.label}",
        "skills": ", ".join([*sheet.skills, *sheet.knowledge]),
    }
    return {name: value for name, value in posting.items() if value != ""}


def _html(sheet: OfferSheet) -> str:
    """The text of the offer, as the HTML that search engines ask for."""
    facts = [
        ("Contrat", sheet.contract),
        ("Diplôme visé", sheet.level),
        ("Durée", sheet.duration),
        ("Début", sheet.start),
    ]
    parts = [f"<p>{'<br>'.join(escape(text).splitlines())}</p>" for text in (sheet.presentation, sheet.description)]
    parts.append("<ul>" + "".join(f"<li>{name}\u00a0: {escape(text)}</li>" for name, text in facts) + "</ul>")
    for name, texts in (("Compétences", sheet.skills), ("Savoirs", sheet.knowledge)):
        if texts:
            parts.append(f"<p>{name}\u00a0:</p><ul>" + "".join(f"<li>{escape(text)}</li>" for text in texts) + "</ul>")
    return "".join(part for part in parts if part != "<p></p>")
