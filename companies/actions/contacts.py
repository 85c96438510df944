"""Contacts that sources know of establishments: their imports, and what they prove of who writes."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import BooleanField, Exists, ExpressionWrapper, F, OuterRef, Q, Subquery, Value
from django.db.models.functions import Concat
from django.utils import timezone

from companies.actions.imports import QuarantineFile, Run, Source
from companies.enums import FREE_MAIL, TEACHING, Channel, ImportKind
from companies.models import Contact, ContactCorrection, Establishment, EstablishmentImport, domain_of

STAGED_CONTACTS = "siret varchar(14), email varchar(254), phone varchar(20), source varchar(100)"


def import_contacts(
    *,
    sources: list[Source],
    at: dt.datetime,
    quarantine: QuarantineFile,
    forced_reason: str = "",
    on_progress: Callable[[int], Any] = lambda position: None,
) -> EstablishmentImport:
    """Adds the contacts of a file to the known ones; a SIRET that is not imported yet keeps its own for later.

    A filled field replaces the known one, an empty field leaves it: only a correction erases. Corrections win over
    whatever is imported. Raises ``RefusedImport``, and then changes nothing.
    """
    run = Run(
        kind=ImportKind.CONTACTS,
        sources=sources,
        at=at,
        quarantine=quarantine,
        dated_on=timezone.localdate(at),
        forced_reason=forced_reason,
        # A list of contacts is never the whole of them.
        is_partial=True,
        on_progress=on_progress,
    )
    return run.execute(STAGED_CONTACTS, _apply_contacts)


def _apply_contacts(run: Run):
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE companies_contact c
            SET email = COALESCE(NULLIF(s.email, ''), c.email), phone = COALESCE(NULLIF(s.phone, ''), c.phone),
                source = s.source, imported_at = %(at)s
            FROM staged s WHERE s.siret = c.siret
                AND ((s.email <> '' AND s.email <> c.email) OR (s.phone <> '' AND s.phone <> c.phone))
            """,
            {"at": run.at},
        )
        run.record.changed_rows = cursor.rowcount
        cursor.execute(
            """
            INSERT INTO companies_contact (siret, email, phone, source, imported_at)
            SELECT s.siret, s.email, s.phone, s.source, %(at)s FROM staged s
            WHERE NOT EXISTS (SELECT FROM companies_contact c WHERE c.siret = s.siret)
            """,
            {"at": run.at},
        )
        run.record.added_rows = cursor.rowcount


def known_contact(*, siret: str) -> str:
    """The e-mail address known of the establishment: the latest correction, else the imported one; "" for none."""
    corrected = _corrections().filter(siret=siret).values_list("value", flat=True).first()
    if corrected is not None:
        return corrected
    return Contact.objects.filter(siret=siret).values_list("email", flat=True).first() or ""


def sirets_of(*, email: str, limit: int) -> list[str]:
    """The SIRETs whose known address is ``email`` (lower case), in their order, at most ``limit``; imported or not."""
    if not email:
        return []
    latest = Subquery(_corrections().filter(siret=OuterRef("siret")).values("value")[:1])
    imported = Contact.objects.filter(email=email).alias(corrected=latest).filter(corrected__isnull=True)
    given = ContactCorrection.objects.filter(channel=Channel.EMAIL, value=email).alias(now=latest).filter(now=email)
    either = imported.values_list("siret", flat=True).union(given.values_list("siret", flat=True))
    return list(either.order_by("siret")[:limit])


def known_domains(*, siren: str) -> set[str]:
    """The domains of the addresses known of a company's establishments, without those where anybody has one."""
    # A SIRET begins with its SIREN: a range is read by the index on SIRETs.
    same_company = {"siret__gte": f"{siren}00000", "siret__lte": f"{siren}99999"}
    known = dict(Contact.objects.filter(**same_company).values_list("siret", "email"))
    corrections = _corrections().filter(**same_company).order_by("siret", "-decided_at", "-id").distinct("siret")
    known |= dict(corrections.values_list("siret", "value"))
    domains = {email.rpartition("@")[2] for email in known.values() if email}
    return {domain for domain in domains if not is_free_mail(domain)}


def may_be_vouched_for(*, email: str, establishment: str) -> Q:
    """Of rows of any table, those whose column ``email`` may be that of a known contact of their ``establishment``, or
    share its company's domain.

    A few more than ``known_contact`` and ``known_domains`` know of (an address that was corrected since), never fewer.
    """
    siret, siren = OuterRef(f"{establishment}__siret"), OuterRef(f"{establishment}__siren")
    same_company = {"siret__gte": Concat(siren, Value("00000")), "siret__lte": Concat(siren, Value("99999"))}
    domain = domain_of(OuterRef(email))
    given = ContactCorrection.objects.filter(channel=Channel.EMAIL)
    same_address = Q(Exists(Contact.objects.filter(siret=siret, email=OuterRef(email)))) | Q(
        Exists(given.filter(siret=siret, value=OuterRef(email)))
    )
    same_domain = Q(Exists(Contact.objects.alias(domain=domain_of("email")).filter(**same_company, domain=domain))) | Q(
        Exists(given.alias(domain=domain_of("value")).filter(**same_company, domain=domain))
    )
    return same_address | same_domain


@dataclass(frozen=True)
class TrainingCentre:
    """An establishment that teaches, of which an address is the known contact (``is_contact``) or has its domain."""

    siret: str
    name: str
    is_contact: bool


def training_centre_of(*, email: str, besides: str = "") -> TrainingCentre | None:
    """The training centre that the address ``email`` (lower case) points to, outside the company of SIREN ``besides``.

    Two queries, and a third one where there is a centre. A domain where anybody has an address points to nobody.
    """
    domain = email.rpartition("@")[2]
    if not domain:
        return None
    told = {"email": email} if is_free_mail(domain) else {"domain": domain}
    teaches = Exists(Establishment.objects.filter(siret=OuterRef("siret"), naf__code__startswith=TEACHING))
    corrected = Exists(_corrections().order_by().filter(siret=OuterRef("siret")))
    imported = Contact.objects.annotate(domain=domain_of("email")).filter(~corrected, teaches, **told)
    latest = Subquery(_corrections().filter(siret=OuterRef("siret")).values("pk")[:1])
    given = ContactCorrection.objects.annotate(email=F("value"), domain=domain_of("value"))
    given = given.filter(teaches, channel=Channel.EMAIL, pk=latest, **told)
    found: list[tuple[bool, str]] = []
    for rows in (imported, given):
        if besides:
            rows = rows.exclude(siret__startswith=besides)
        is_address = ExpressionWrapper(Q(email=email), output_field=BooleanField())
        found += (
            rows.annotate(is_contact=is_address).order_by("-is_contact", "siret").values_list("is_contact", "siret")[:1]
        )
    if not found:
        return None
    is_contact, siret = max(found)
    return TrainingCentre(siret, Establishment.objects.get(siret=siret).display_name, is_contact)


def is_free_mail(domain: str) -> bool:
    """Whether anybody may have an address at ``domain``."""
    return domain.strip().rstrip(".").lower() in FREE_MAIL


def _corrections():
    """The corrections of e-mail addresses, latest first."""
    return ContactCorrection.objects.filter(channel=Channel.EMAIL).order_by("-decided_at", "-id")
