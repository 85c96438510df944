"""A lively market: offers of simulated establishments, a recruiter with a space of their own, people who wait.

Made by the real actions, some of them in the past; once every offer of the demo's recruiter is over, made again.
"""

import random
import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.conf import settings
from django.db import transaction
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from companies.enums import TEACHING, ReleaseStatus
from companies.models import Contact, Establishment, HiringPotential, RomeAppellation
from labonnealternance.accounts.demo import PEOPLE, SUPPORT
from labonnealternance.accounts.enums import Role
from labonnealternance.accounts.models import User
from labonnealternance.kit.demo_registry import Step
from labonnealternance.mail.models import Message
from offers import search
from offers.actions import accesses, clock, links, offers, registrations
from offers.actions.offers import OfferFields
from offers.enums import AccessStatus, ContractType, Door, Level, OfferStatus, Outcome
from offers.models import Offer, OfferDay
from offers.public import questions

SEED = 2026
OFFERS, OFFERS_OF_ONE, WAITING = 150, 3, 8
PLACES_OF_A_TOWN, PLACES_OF_THE_EXAMPLE = 4, 7
EXAMPLE = {"metier": "Boulangère", "lieu": "Metz", "rayon": "30"}
RECRUITER = PEOPLE[Role.RECRUITER][0]
# Nothing known of any company is at this domain.
STRANGER = "quelquun@ailleurs.exemple.fr"

FIRST_NAMES = ["Adèle", "Bruno", "Chloé", "Driss", "Élise", "Fatou", "Gaël", "Hana", "Ismaël", "Jeanne"]
LAST_NAMES = ["Abel", "Berger", "Cordier", "Duval", "Estève", "Fabre", "Garnier", "Hamon", "Imbert", "Jolivet"]
PRESENTATIONS = [
    "Une équipe de six personnes, un tuteur par apprenti, et un métier que l’on apprend dès la première semaine.",
    "Maison familiale depuis trois générations. Nous formons deux apprentis par an, et la plupart restent avec nous.",
    "Nos horaires sont connus un mois à l’avance, et le trajet est remboursé.",
]


class Place(NamedTuple):
    """An establishment that would hire for these jobs; ``contact`` is its known address, "" where none is."""

    siret: str
    town: str
    contact: str
    romes: list[str]


def _places(rng: random.Random) -> list[Place]:
    """What the release online exposes, in a drawn order; the establishments with much to offer come first."""
    contacts = dict(Contact.objects.exclude(email="").values_list("siret", "email"))
    exposed = (
        HiringPotential.objects.filter(
            release__status=ReleaseStatus.CURRENT,
            establishment__in=Establishment.objects.listed(timezone.now()).exclude(naf__code__startswith=TEACHING),
        )
        .order_by("establishment__siret", "-expected", "rome_id")
        .values_list("establishment__siret", "establishment__commune__name", "rome_id")
    )
    found: dict[str, Place] = {}
    for siret, town, rome in exposed:
        found.setdefault(siret, Place(siret, town, contacts.get(siret, ""), [])).romes.append(rome)
    places = list(found.values())
    rng.shuffle(places)
    return sorted(places, key=lambda place: len(place.romes) < OFFERS_OF_ONE)


def _market(places: list[Place]) -> list[Place]:
    """Of what the example finds, then a few establishments of each town whose address is known, large towns first."""
    towns: dict[str, list[Place]] = {}
    for place in places:
        if place.contact:
            towns.setdefault(place.town, []).append(place)
    largest_first = sorted(towns, key=lambda town: (-len(towns[town]), town))
    others = [place for town in largest_first for place in towns[town][:PLACES_OF_A_TOWN]]
    market: dict[str, Place] = {}
    for place in _of_the_example(places) + others:
        market.setdefault(place.siret, place)
    return list(market.values())


def _of_the_example(places: list[Place]) -> list[Place]:
    """Those of ``places`` that the example finds, up to a few, its job first."""
    asked = questions.read(QueryDict(urlencode(EXAMPLE)))
    if not asked.is_complete:
        return []
    market = questions.asked_of_the_market(asked, today=timezone.localdate())
    found = search.search(replace(market, kinds=frozenset([search.Kind.ESTABLISHMENTS])), at=timezone.now())
    known = {place.siret: place for place in places}
    example = [known[each.establishment.siret] for each in found.establishments if each.establishment.siret in known]
    return [
        place._replace(romes=sorted(place.romes, key=lambda rome: rome not in asked.rome_codes))
        for place in example[:PLACES_OF_THE_EXAMPLE]
    ]


def _open_the_market() -> None:
    """All of it or nothing: three weeks of a market, in the words of the actions."""
    rng, now = random.Random(SEED), timezone.now()  # noqa: S311 (a demo's draws)
    places = _places(rng)
    market = _market(places)
    # Whoever comes for these waits for someone's word.
    companies = {place.siret[:9] for place in [*market, *places] if place.contact or place in market}
    unknown = [place for place in places if place.siret[:9] not in companies]
    with transaction.atomic():
        support = User.objects.get(email=SUPPORT)
        _recruiter_s_offers(market[:1], unknown[:1], rng, now=now, support=support)
        left = OFFERS
        for n, place in enumerate(market[1:]):
            at = now - timedelta(days=rng.randint(0, 20), minutes=rng.randint(0, 600))
            jobs = place.romes[: min(OFFERS_OF_ONE, left)]
            person = _person(place.contact or f"recrutement.{place.siret}@ailleurs.exemple.fr", n, at=at)
            _deposit(person, place, jobs, rng, at=at, support=support)
            left -= len(jobs)
            if not left:
                break
        for n, place in enumerate(unknown[1 : WAITING + 1]):
            at = now - timedelta(days=rng.randint(0, 6), minutes=rng.randint(0, 600))
            _deposit(_person(f"candidat{n + 1}@ailleurs.exemple.fr", n, at=at), place, place.romes[:1], rng, at=at)
        # What was announced in the past has been read.
        Message.objects.queued().filter(kind__in=["offer_published", "access_granted"], created_at__lt=now).delete()
        clock.remind_due(at=now)


def _recruiter_s_offers(
    own: list[Place], unknown: list[Place], rng: random.Random, *, now: datetime, support: User
) -> None:
    """One that ends in six days, one that people read, one that is filled; and one that waits for an access."""
    user = User.objects.get(email=RECRUITER)
    if user.email_confirmed_at is None:
        user.email_confirmed_at, user.phone = now - timedelta(days=30), "+33199000999"
        user.save(update_fields=["email_confirmed_at", "phone"])
    for place in own:
        job = place.romes[:1]
        _deposit(user, place, job, rng, at=now - timedelta(days=24), support=support)
        [read] = _deposit(user, place, job, rng, at=now - timedelta(days=9), support=support)
        OfferDay.objects.bulk_create(
            OfferDay(
                offer=read,
                day=timezone.localdate(now) - timedelta(days=n),
                shown=rng.randint(40, 90),
                opened=rng.randint(5, 20),
                applied=rng.randint(0, 2),
            )
            for n in range(9)
        )
        [filled] = _deposit(user, place, job, rng, at=now - timedelta(days=15), support=support)
        offers.close(
            offer_id=filled.pk, outcome=Outcome.FILLED_HERE, by=user, at=now - timedelta(days=3), via=Door.SPACE
        )
    for place in unknown:
        _deposit(user, place, place.romes[:1], rng, at=now - timedelta(days=1))


def _person(email: str, n: int, *, at: datetime) -> User:
    """Someone who proved their address."""
    known = User.objects.filter(email=email).first()
    return known or User.objects.create_user(
        email,
        first_name=FIRST_NAMES[n % 10],
        last_name=LAST_NAMES[n // 10 % 10],
        phone=f"+3319900{1000 + n:04d}",
        email_confirmed_at=at,
        joined_at=at,
    )


def _deposit(
    user: User, place: Place, jobs: list[str], rng: random.Random, *, at: datetime, support: User | None = None
) -> list[Offer]:
    """An offer for each of ``jobs``; where no known contact vouches for ``user``, ``support`` does, if given."""
    access = registrations.add_establishment(user=user, siret=place.siret, opco_code="", at=at)
    if support and access.status == AccessStatus.AWAITING:
        accesses.grant(access_id=access.pk, by=support, at=at, reason="Démonstration : vu au téléphone")
    both = (ContractType.APPRENTICESHIP, ContractType.PROFESSIONALISATION)
    deposited = []
    for rome in jobs:
        titles = RomeAppellation.objects.filter(rome_id=rome).order_by("ogr").values_list("ogr", flat=True)
        fields = OfferFields(
            appellation_ogr=rng.choice(titles[:5]),
            starts_on=timezone.localdate(at) + timedelta(days=rng.randint(30, 200)),
            contract_types=rng.choice([both[:1], both[:1], both]),
            level=rng.choice(["", "", Level.LEVEL_3, Level.LEVEL_4, Level.LEVEL_5]),
            duration_months=rng.choice([12, 12, 24, 36]),
            positions=rng.choice([1, 1, 1, 2, 3]),
            presentation=rng.choice(["", *PRESENTATIONS]),
        )
        deposited.append(offers.deposit(access_id=access.pk, fields=fields, key=uuid.uuid4(), at=at, by=user))
    return deposited


def steps() -> list[Step]:
    own = Offer.objects.filter(access__user__email=RECRUITER, access__status=AccessStatus.GRANTED)
    return [
        Step(
            "offres de démonstration (aucune n’est réelle)",
            lambda: own.active(timezone.now()).exists(),
            _open_the_market,
        )
    ]


# ── What a script is told ────────────────────────────────────────────────────────────────────────────────────────────


def _own_offers() -> dict[str, Offer]:
    """The offers of the demo's recruiter, by what each shows."""
    now = timezone.now()
    own = Offer.objects.filter(access__user__email=RECRUITER).select_related("establishment")
    active = own.active(now).order_by("expires_on", "pk")
    found = {
        "ending": active.first(),
        "read": active.filter(days__isnull=False).last(),
        "filled": own.filter(status=OfferStatus.FILLED).order_by("pk").first(),
        "awaiting": own.filter(status=OfferStatus.AWAITING).order_by("pk").first(),
    }
    return {name: offer for name, offer in found.items() if offer}


def _newcomer() -> Contact | None:
    """The known address of an establishment that nobody has registered yet."""
    now = timezone.now()
    open_to_all = (
        Establishment.objects.listed(now).exclude(naf__code__startswith=TEACHING).filter(accesses__isnull=True)
    )
    return Contact.objects.exclude(email="").filter(siret__in=open_to_all.values("siret")).order_by("siret").first()


def _shown_establishment() -> Establishment | None:
    """An establishment that has a page: the release online holds it, and nothing hides it."""
    held = HiringPotential.objects.filter(release__status=ReleaseStatus.CURRENT).values("establishment_id")
    return Establishment.objects.listed(at=timezone.now()).filter(pk__in=held).order_by("pk").first()


def accounts() -> dict[str, dict[str, Any]]:
    told: dict[str, Any] = {"space": settings.SITE_URL + reverse("offers:space")}
    own = _own_offers()
    if "ending" in own:
        told["siret"] = own["ending"].establishment.siret
    told["offers"] = {name: str(offer.pk) for name, offer in own.items()}
    return {Role.RECRUITER.value: told}


def examples() -> dict[str, dict[str, str]]:
    """A registration to try: whose address is granted at once, and whose waits for someone's word."""
    newcomer = _newcomer()
    if newcomer is None:
        return {}
    return {"registration": {"siret": newcomer.siret, "granted": newcomer.email, "awaiting": STRANGER}}


def pages() -> dict[str, str]:
    told = {
        "home": reverse("offers:home"),
        "search": reverse("offers:search"),
        "search_example": f"{reverse('offers:search')}?{urlencode(EXAMPLE)}",
        "how_it_works": reverse("offers:how_it_works"),
        "contact": reverse("offers:contact"),
        "register": reverse("offers:register"),
        "space": reverse("offers:space"),
    }
    shown, own = _shown_establishment(), _own_offers()
    if shown:
        told["establishment_example"] = reverse("offers:establishment", args=[shown.siret])
    if "ending" in own:
        told["offer_example"] = reverse("offers:offer", args=[own["ending"].pk])
        told["recruiter_offer_example"] = reverse("offers:recruiter_offer", args=[own["ending"].pk])
        for act in links.Act:
            told[f"offer_act_{act.value}"] = reverse(
                "offers:offer_act", args=[links.make(offer=own["ending"], act=act)]
            )
    return told
