"""What the lists of the market share: they are searched by an address, a SIRET or a SIREN, and open one another."""

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from companies.models import Establishment, spaced_siret, without_separators
from labonnealternance.accounts.models import User
from offers.models import Offer

MOST_FOUND = 500
SHOWN_LINES = 50

SEARCH_HELP = "SIRET, SIREN, ou début de l’adresse e-mail."


def narrowed(queryset: QuerySet, text: str, *, access: str = "") -> QuerySet:
    """``queryset`` for what support types; ``access`` leads to the access, and ends with ``__``.

    A number is looked up by its index, an address by its first letters, for ``MOST_FOUND`` people at most.
    """
    text = text.strip().lower()
    digits = without_separators(text)
    if not text:
        return queryset
    if digits.isdecimal() and len(digits) in (9, 14):
        return queryset.filter(**{f"{access}establishment__{'siret' if len(digits) == 14 else 'siren'}": digits})
    people = User.objects.filter(email__startswith=text).values_list("pk", flat=True)
    return queryset.filter(**{f"{access}user__in": list(people[:MOST_FOUND])})


def link(instance: Any, text: object = None) -> SafeString:
    """The page of ``instance`` in the back-office."""
    page = f"admin:{instance._meta.app_label}_{instance._meta.model_name}_change"
    return format_html('<a href="{}">{}</a>', reverse(page, args=[instance.pk]), text or instance)


def link_to_establishment(establishment: Establishment) -> SafeString:
    return link(establishment, f"{establishment.display_name}, SIRET {spaced_siret(establishment.siret)}")


def link_to_offer(offer: Offer) -> SafeString:
    return link(offer, offer.title)
