"""The e-mails about registrations, accesses and offers: each says which SIRET it is about, and why it is sent.

A function gives a ``Letter``; the actions write it in the outbox, alone or with those of a batch. ``tokens`` are those
of ``offers.actions.links``: the token of each act on the offer, by the act's name.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.timezone import localdate

from companies.models import Establishment, spaced_siret
from labonnealternance.accounts import emails as account_emails
from labonnealternance.accounts.actions import LinkWords
from labonnealternance.accounts.models import SignInLink
from labonnealternance.kit.text import counted, french_date
from labonnealternance.mail.actions import Letter, write_many
from offers.enums import AccessStatus, OfferStatus
from offers.models import Access, Offer, Registration

# A mail that tells of many offers names the first ones, and counts the others.
MOST_TITLES = 20
# The first word of the subject of a sign-in link that confirms a registration.
REGISTRATION = "registration"


def _address(name: str, *args: object) -> str:
    """The whole address of one of the market's pages."""
    return settings.SITE_URL + reverse(f"offers:{name}", args=args)


def _who(establishment: Establishment) -> dict[str, str]:
    return {"establishment": establishment.display_name, "siret": spaced_siret(establishment.siret)}


def _titles(offers: Sequence[Offer]) -> dict[str, Any]:
    return {"titles": [offer.title for offer in offers[:MOST_TITLES]], "others": max(0, len(offers) - MOST_TITLES)}


# ── Registration ─────────────────────────────────────────────────────────────────────────────────────────────────────


def registration_link(*, link: SignInLink, token: str, at: datetime) -> None:
    """Writes the mail of a link that confirms a registration (``settings.LINK_EMAILS``): what it confirms is named.

    The names that the visitor typed are not: nobody knows yet whether the visitor is the reader. Where the registration
    is gone, or was refused meanwhile, it is the ordinary mail of a sign-in.
    """
    registration = _alive(link)
    if registration is None:
        account_emails.sign_in_link(link=link, token=token, at=at)
        return
    establishment = registration.access.establishment
    context = {
        **_who(establishment),
        "place": _place(establishment),
        **_titles(_to_confirm(registration, link)),
        "link": settings.SITE_URL + reverse("accounts:use_link", args=[token]),
        "minutes": settings.SIGN_IN_LINK_LIFETIME_MINUTES,
    }
    write_many([Letter("registration_link", link.address, context, confidential=True)], at=at)


def registration_words(*, link: SignInLink) -> LinkWords | None:
    """What the page of the link says that its button confirms (``settings.LINK_WORDS``): what its mail told of.

    None where nothing is left to confirm: the link only signs in.
    """
    registration = _alive(link)
    if registration is None:
        return None
    told = _titles(_to_confirm(registration, link))
    if registration.confirmed_at and not told["titles"]:
        return None
    who = _who(registration.access.establishment)
    place = _place(registration.access.establishment)
    lines = [f"votre inscription pour {who['establishment']}, SIRET {who['siret']}{f', {place}' if place else ''}"]
    lines += [f"votre offre « {title} »" for title in told["titles"]]
    if told["others"]:
        lines.append(f"et {counted(told['others'], 'autre offre', 'autres offres')}")
    done = f"Votre inscription pour {who['establishment']} est confirmée."
    return LinkWords("Confirmer votre inscription", lines, "Confirmer et me connecter", done)


def _alive(link: SignInLink) -> Registration | None:
    """The registration that ``link`` confirms, unless it is gone, or was refused meanwhile."""
    registration_id = registration_of(link)
    alive = Registration.objects.filter(access__user=link.user_id).exclude(access__status=AccessStatus.DENIED)
    alive = alive.select_related("access__establishment__commune")
    return alive.filter(pk=registration_id).first() if registration_id else None


def _to_confirm(registration: Registration, link: SignInLink) -> list[Offer]:
    """The offers that ``link`` confirms: what was deposited after it had left is not among them."""
    waiting = registration.offers.filter(status=OfferStatus.AWAITING, confirmed_at__isnull=True)
    return list(waiting.filter(created_at__lte=link.created_at).order_by("created_at", "pk"))


def _place(establishment: Establishment) -> str:
    return f"{establishment.postcode} {establishment.commune.name if establishment.commune else ''}".strip()


def subject_of(registration: Registration) -> str:
    """What the link of ``registration`` says that it confirms."""
    return f"{REGISTRATION}:{registration.pk}"


def registration_of(link: SignInLink) -> uuid.UUID | None:
    """The id of the registration that ``link`` confirms, if it is one's."""
    kind, _, value = link.subject.partition(":")
    return uuid.UUID(value) if kind == REGISTRATION else None


def registration_refused(*, access: Access) -> Letter:
    """Someone asked again, in this address's name, for an access that was refused; or the account is shut."""
    context = {
        **_who(access.establishment),
        "is_shut": not access.user.is_active,
        "contact": settings.CONTACT_EMAIL,
    }
    return Letter("registration_refused", access.user.email, context)


def registration_of_support(*, access: Access) -> Letter:
    """Someone asked, in the name of a member of support, for an access to an establishment: there is none to give."""
    context = {**_who(access.establishment), "back_office": settings.SITE_URL + reverse("admin:index")}
    return Letter("registration_of_support", access.user.email, context)


def registration_unfinished(*, registration: Registration) -> Letter:
    """The next morning: the link was not used, here is how to finish."""
    context = {
        **_who(registration.access.establishment),
        "sign_in": f"{settings.SITE_URL}{reverse('accounts:sign_in')}",
    }
    return Letter("registration_unfinished", registration.access.user.email, context)


# ── Access ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _for(access: Access) -> dict[str, Any]:
    return {"first_name": access.user.first_name, **_who(access.establishment)}


def access_granted(*, access: Access, published: int) -> Letter:
    """Someone vouched for the person; ``published`` of their offers are online since."""
    context = {
        **_for(access),
        "published": published,
        "space": _address("space"),
        "deposit": _address("offer_new"),
    }
    return Letter("access_granted", access.user.email, context)


def access_denied(*, access: Access, reason: str, was_granted: bool, cancelled: Sequence[Offer]) -> Letter:
    """Someone refused the person, or took the access back; ``cancelled`` are their offers there."""
    context = {
        **_for(access),
        "reason": reason,
        "was_granted": was_granted,
        **_titles(cancelled),
        "contact": settings.CONTACT_EMAIL,
    }
    return Letter("access_denied", access.user.email, context)


# ── Offers ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _about(offer: Offer, tokens: Mapping[str, str]) -> dict[str, Any]:
    assert offer.expires_on
    # One look-up for the three links: a night writes tens of thousands of letters.
    page = _address("offer_act", "TOKEN")
    return {
        **_for(offer.access),
        "title": offer.title,
        "last_day": french_date(offer.expires_on),
        **{act: page.replace("TOKEN", token) for act, token in tokens.items()},
    }


def offer_published(*, offer: Offer, tokens: Mapping[str, str]) -> Letter:
    """The offer is online: where it is, how to share it, how long it stays."""
    context = {
        **_about(offer, tokens),
        "page": _address("offer", offer.pk),
        "own_page": _address("recruiter_offer", offer.pk),
        "edit": _address("offer_edit", offer.pk),
        "printed": _address("offer_print", offer.pk),
    }
    return Letter("offer_published", offer.access.user.email, context)


def offer_expires_soon(*, offer: Offer, tokens: Mapping[str, str], at: datetime) -> Letter:
    """A week before the last day, or as soon after as the clock could: prolong it, or say what became of it."""
    context = {**_about(offer, tokens), "days": offer.days_left(at)}
    return Letter("offer_expires_soon", offer.access.user.email, context)


def offer_expires_tomorrow(*, offer: Offer, tokens: Mapping[str, str], at: datetime) -> Letter:
    """The day before the last one, or on it."""
    context = {**_about(offer, tokens), "is_today": offer.expires_on == localdate(at)}
    return Letter("offer_expires_tomorrow", offer.access.user.email, context)


def offer_expired(*, offer: Offer, tokens: Mapping[str, str]) -> Letter:
    """The offer is no longer online: what became of it?"""
    context = {**_about(offer, tokens), "duplicate": _address("offer_duplicate", offer.pk)}
    return Letter("offer_expired", offer.access.user.email, context)


def offers_closed_with_establishment(*, access: Access, closed: Sequence[Offer], reason: str) -> Letter:
    """The establishment is closed, or may not deposit offers, as the sentence ``reason`` says: its offers are gone."""
    context = {**_for(access), **_titles(closed), "reason": reason, "contact": settings.CONTACT_EMAIL}
    return Letter("offers_closed_with_establishment", access.user.email, context)


def offer_moderated(*, offer: Offer, comment: str) -> Letter:
    """Support withdrew the offer; ``comment`` is what they say of it, as it is."""
    context = {**_for(offer.access), "title": offer.title, "comment": comment, "contact": settings.CONTACT_EMAIL}
    return Letter("offer_moderated", offer.access.user.email, context)
