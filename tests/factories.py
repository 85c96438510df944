"""Rows for the tests, with sensible defaults. SIRETs lie in the range 000…, phones and addresses are fictitious."""

import datetime as dt
import uuid

import factory
from django.contrib.auth.models import Group
from django.utils import timezone
from factory.django import DjangoModelFactory
from stdnum import luhn

from companies.enums import (
    BatchKind,
    Channel,
    DecisionKind,
    DecisionOrigin,
    DecisionReason,
    DecisionScope,
    HeadcountBand,
)
from companies.models import (
    Batch,
    Commune,
    Contact,
    ContactCorrection,
    Departement,
    Establishment,
    EstablishmentImport,
    FormerCommune,
    Idcc,
    LegalUnit,
    Naf,
    NafRomeShare,
    Opco,
    Region,
    Rome,
    RomeAppellation,
    VisibilityDecision,
)
from companies.models.search_keys import place_key, title_keys
from labonnealternance.accounts.models import User
from labonnealternance.kit.text import search_key
from labonnealternance.settings.groups import SUPPORT
from offers.enums import AccessStatus, OfferStatus
from offers.models import Access, Offer, Registration
from unsubscribe.enums import Outcome, Proof, ReportKind, ReportStatus, Status
from unsubscribe.models import Report, Request


def make_siren(n: int) -> str:
    """The ``n``-th valid SIREN of the range 000… (n < 100 000)."""
    body = f"000{n:05d}"
    return body + luhn.calc_check_digit(body)


def make_siret(n: int, *, branch: int = 1) -> str:
    """The ``branch``-th establishment of the ``n``-th fictitious company: a valid SIRET."""
    body = make_siren(n) + f"{branch:04d}"
    return body + luhn.calc_check_digit(body)


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"personne{n}@exemple.fr")
    first_name = "Camille"
    last_name = "Exemple"


class StaffFactory(UserFactory):
    """A member of support, of the group that does all (``group`` names another)."""

    email = factory.Sequence(lambda n: f"support{n}@exemple.fr")
    is_staff = True

    @factory.post_generation
    def group(self, create, name, **others):
        if create and not self.is_superuser:
            self.groups.add(Group.objects.get(name=name or SUPPORT))


class RegionFactory(DjangoModelFactory):
    class Meta:
        model = Region
        django_get_or_create = ("code",)

    code = "44"
    name = "Grand Est"


class DepartementFactory(DjangoModelFactory):
    class Meta:
        model = Departement
        django_get_or_create = ("code",)

    code = "57"
    name = "Moselle"
    region = factory.SubFactory(RegionFactory)


class CommuneFactory(DjangoModelFactory):
    class Meta:
        model = Commune
        django_get_or_create = ("code",)

    code = "57463"
    name = "Metz"
    search_key = factory.LazyAttribute(lambda commune: place_key(commune.name))
    postcodes = factory.LazyFunction(lambda: ["57000", "57050", "57070"])
    departement = factory.SubFactory(DepartementFactory)
    population = 120_000
    latitude = 49.1193
    longitude = 6.1757


class FormerCommuneFactory(DjangoModelFactory):
    class Meta:
        model = FormerCommune
        django_get_or_create = ("code",)

    code = factory.Sequence(lambda n: f"57{900 + n % 100}")
    name = "Ancienneville"
    search_key = factory.LazyAttribute(lambda commune: place_key(commune.name))
    commune = factory.SubFactory(CommuneFactory)


class NafFactory(DjangoModelFactory):
    class Meta:
        model = Naf
        django_get_or_create = ("code",)

    code = "1071C"
    label = "Boulangerie et boulangerie-pâtisserie"


class OpcoFactory(DjangoModelFactory):
    class Meta:
        model = Opco
        django_get_or_create = ("code",)

    code = "opco-ep"
    name = "Opco entreprises de proximité"


class IdccFactory(DjangoModelFactory):
    class Meta:
        model = Idcc
        django_get_or_create = ("code",)

    code = "843"
    label = "Boulangerie et pâtisserie : entreprises artisanales"
    opco = factory.SubFactory(OpcoFactory)


class RomeFactory(DjangoModelFactory):
    class Meta:
        model = Rome
        django_get_or_create = ("code",)

    code = "D1102"
    label = "Boulanger / Boulangère"
    parent_code = factory.SelfAttribute("code")
    domain_code = factory.LazyAttribute(lambda rome: rome.code[:3])
    domain_label = "Alimentation"
    large_domain_label = "Commerce, vente et grande distribution"
    definition = "Réalise des produits de boulangerie."


class RomeAppellationFactory(DjangoModelFactory):
    class Meta:
        model = RomeAppellation
        django_get_or_create = ("ogr",)

    ogr = factory.Sequence(lambda n: 900_000 + n)
    rome = factory.SubFactory(RomeFactory)
    label = "Boulanger / Boulangère"
    short_label = factory.SelfAttribute("label")
    search_key = factory.LazyAttribute(lambda appellation: search_key(appellation.label))
    masculine_key = factory.LazyAttribute(lambda appellation: title_keys(appellation.label)[0])
    feminine_key = factory.LazyAttribute(lambda appellation: title_keys(appellation.label)[1])


class NafRomeShareFactory(DjangoModelFactory):
    class Meta:
        model = NafRomeShare

    naf = factory.SubFactory(NafFactory)
    rome = factory.SubFactory(RomeFactory)
    share = 1.0


class EstablishmentImportFactory(DjangoModelFactory):
    class Meta:
        model = EstablishmentImport

    file_name = "StockEtablissement.csv"
    file_sha256 = "0" * 64
    file_dated_on = dt.date(2026, 11, 1)
    started_at = factory.LazyFunction(timezone.now)


class LegalUnitFactory(DjangoModelFactory):
    class Meta:
        model = LegalUnit
        django_get_or_create = ("siren",)

    siren = factory.Sequence(lambda n: make_siren(n + 1))
    name = factory.Sequence(lambda n: f"ENTREPRISE EXEMPLE {n}")


class EstablishmentFactory(DjangoModelFactory):
    """An open, diffusible employer in the middle of Metz: ``listed()`` as it is."""

    class Meta:
        model = Establishment

    siret = factory.Sequence(lambda n: make_siret(n + 1))
    name = factory.Sequence(lambda n: f"BOULANGERIE EXEMPLE {n}")
    legal_name = factory.SelfAttribute("name")
    naf = factory.SubFactory(NafFactory)
    headcount_band = HeadcountBand.FROM_10
    created_on = dt.date(2015, 3, 2)
    address = "1 PLACE D'ARMES"
    postcode = "57000"
    commune = factory.SubFactory(CommuneFactory)
    latitude = factory.SelfAttribute("commune.latitude")
    longitude = factory.SelfAttribute("commune.longitude")


class ContactFactory(DjangoModelFactory):
    class Meta:
        model = Contact
        django_get_or_create = ("siret",)

    siret = factory.Sequence(lambda n: make_siret(n + 1))
    email = factory.Sequence(lambda n: f"contact{n}@example.fr")
    phone = factory.Sequence(lambda n: f"+3319900{n % 10_000:04d}")
    source = "test"
    imported_at = factory.LazyFunction(timezone.now)


class VisibilityDecisionFactory(DjangoModelFactory):
    """A delisting for good, decided an hour ago."""

    class Meta:
        model = VisibilityDecision

    kind = DecisionKind.DELISTED
    scope = DecisionScope.SIRET
    value = factory.Sequence(lambda n: make_siret(n + 1))
    channel = Channel.ALL
    starts_at = factory.LazyFunction(lambda: timezone.now() - dt.timedelta(hours=1))
    reason = DecisionReason.OTHER
    origin = DecisionOrigin.SUPPORT
    decided_at = factory.SelfAttribute("starts_at")


class BatchFactory(DjangoModelFactory):
    """Two establishments that support took out of sight in one go, an hour ago."""

    class Meta:
        model = Batch

    id = factory.LazyFunction(uuid.uuid4)
    kind = BatchKind.DELISTED
    scope = DecisionScope.SIRET
    asked = "Retirer 2 établissements, sans fin"
    reason = DecisionReason.OTHER
    counts = factory.LazyFunction(lambda: {"wanted": 2, "known": 2, "made": 2, "visible": 1})
    by = factory.SubFactory(StaffFactory)
    at = factory.LazyFunction(lambda: timezone.now() - dt.timedelta(hours=1))


class ContactCorrectionFactory(DjangoModelFactory):
    class Meta:
        model = ContactCorrection

    siret = factory.Sequence(lambda n: make_siret(n + 1))
    channel = Channel.EMAIL
    value = factory.Sequence(lambda n: f"correction{n}@example.fr")
    origin = DecisionOrigin.SUPPORT
    reason = "Demande de l’établissement"
    decided_at = factory.LazyFunction(timezone.now)


class AccessFactory(DjangoModelFactory):
    """A granted access, to an establishment of its own."""

    class Meta:
        model = Access

    user = factory.SubFactory(UserFactory, email_confirmed_at=factory.LazyFunction(timezone.now))
    establishment = factory.SubFactory(EstablishmentFactory)
    status = AccessStatus.GRANTED
    asked_at = factory.LazyFunction(lambda: timezone.now() - dt.timedelta(days=2))
    confirmed_at = factory.SelfAttribute("asked_at")
    decided_at = factory.LazyAttribute(
        lambda access: None if access.status == AccessStatus.AWAITING else access.asked_at
    )


class RegistrationFactory(DjangoModelFactory):
    """What a visitor asked for an hour ago, and has not confirmed."""

    class Meta:
        model = Registration

    access = factory.SubFactory(
        AccessFactory, status=AccessStatus.AWAITING, confirmed_at=None, user=factory.SubFactory(UserFactory)
    )
    first_name = "Camille"
    last_name = "Exemple"
    phone = "+33199000018"
    created_at = factory.LazyFunction(lambda: timezone.now() - dt.timedelta(hours=1))


class OfferFactory(DjangoModelFactory):
    """An offer published an hour ago, of a granted access, public as it is."""

    class Meta:
        model = Offer

    access = factory.SubFactory(AccessFactory)
    establishment = factory.SelfAttribute("access.establishment")
    status = OfferStatus.ACTIVE
    rome = factory.SubFactory(RomeFactory)
    job_label = "Boulanger / Boulangère"
    starts_on = factory.LazyFunction(lambda: timezone.localdate() + dt.timedelta(days=20))
    description = "Réalise des produits de boulangerie."
    skills = factory.LazyFunction(lambda: ["Pétrir une pâte", "Conduire une cuisson"])
    latitude = factory.SelfAttribute("establishment.latitude")
    longitude = factory.SelfAttribute("establishment.longitude")
    created_at = factory.LazyFunction(lambda: timezone.now() - dt.timedelta(hours=1))
    confirmed_at = factory.SelfAttribute("created_at")
    published_at = factory.LazyAttribute(
        lambda offer: None if offer.status == OfferStatus.AWAITING else offer.created_at
    )
    expires_on = factory.LazyAttribute(
        lambda offer: Offer.last_day_from(offer.published_at) if offer.published_at else None
    )
    closed_at = factory.LazyAttribute(
        lambda offer: None if offer.status in {OfferStatus.AWAITING, OfferStatus.ACTIVE} else offer.created_at
    )


class RequestFactory(DjangoModelFactory):
    """An establishment without a known address asks to leave, and confirmed its own an hour ago: support's to treat."""

    class Meta:
        model = Request

    outcome = Outcome.LEAVE
    scope = DecisionScope.SIRET
    value = factory.Sequence(lambda n: make_siret(n + 1))
    reason = DecisionReason.OTHER
    status = Status.CONFIRMED
    proof = Proof.DOCUMENT
    address = factory.Sequence(lambda n: f"demandeur{n}@exemple.fr")
    digest = factory.Sequence(lambda n: f"{n:064d}")
    asked_at = factory.LazyFunction(lambda: timezone.now() - dt.timedelta(hours=2))
    expires_at = factory.LazyAttribute(lambda asked: asked.asked_at + dt.timedelta(hours=72))
    confirmed_at = factory.LazyAttribute(
        lambda asked: None if asked.status in {Status.ASKED, Status.EXPIRED} else asked.asked_at
    )
    settled_at = factory.LazyAttribute(
        lambda asked: asked.asked_at if asked.status in {Status.DONE, Status.REFUSED} else None
    )


class ReportFactory(DjangoModelFactory):
    """A visitor said an hour ago that an establishment has closed: support's to treat."""

    class Meta:
        model = Report

    siret = factory.Sequence(lambda n: make_siret(n + 1))
    kind = ReportKind.CLOSED
    reported_at = factory.LazyFunction(lambda: timezone.now() - dt.timedelta(hours=1))
    settled_at = factory.LazyAttribute(
        lambda report: None if report.status == ReportStatus.TO_TREAT else report.reported_at
    )
    status = ReportStatus.TO_TREAT
