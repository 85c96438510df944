"""A sound database tells nothing; each fault, made in rows past the actions, is told by its check and by no other."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.utils import timezone

from companies.enums import Channel, DecisionKind, DecisionScope, ImportStatus, ReleaseStatus
from companies.models import Establishment, Release, SearchEdition
from companies.models.establishment import EstablishmentQuerySet
from labonnealternance.accounts.models import Session, SignInLink, User
from labonnealternance.kit import consistency
from labonnealternance.kit.models import Counter, Reading
from labonnealternance.mail.enums import MessageStatus, SuppressionReason, SuppressionSource
from labonnealternance.mail.models import Message, Suppression
from offers.enums import AccessStatus, OfferStatus
from offers.models import Access, Offer, Registration
from offers.sources import establishments_sql as search
from offers.sources import statements
from opco.models import Advisor, Decision, Note
from scoring.models import Run
from tests import factories
from tests.companies.potentials import hide, list_by_hand, make_jobs, put_online
from unsubscribe.models import Request

# One worker makes the rows, once.
pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("consistency")]

DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
CHECKS = {check.name: check for check in consistency.checks()}


@pytest.fixture(scope="module")
def now():
    return timezone.now()


@pytest.fixture(scope="module")
def sound(django_db_setup, django_db_blocker, now):
    """Made once; what a test changes is undone after it."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield make_market(now)
        transaction.set_rollback(True)


def make_market(now):
    """A small market where everything is as it should be, with each kind of row that a check reads."""
    make_jobs()
    shop = factories.EstablishmentFactory(opco=factories.OpcoFactory(), opco_is_certified=True)
    hidden, by_company, by_address, by_correction, paused, closed, asked_for = (
        factories.EstablishmentFactory.create_batch(7)
    )
    put_online([(each, "D1102", 1.0) for each in Establishment.objects.all()], at=now)
    hide(hidden, at=now)
    hide(by_company, at=now, scope=DecisionScope.SIREN, value=by_company.siret[:9])
    factories.ContactFactory(siret=by_address.siret, email="boite@exemple.fr")
    hide(by_address, at=now, scope=DecisionScope.EMAIL, value="boite@exemple.fr")
    factories.ContactFactory(siret=by_correction.siret, email="avant@exemple.fr")
    factories.ContactCorrectionFactory(siret=by_correction.siret, value="apres@exemple.fr")
    hide(by_correction, at=now, scope=DecisionScope.EMAIL, value="apres@exemple.fr")
    hide(paused, at=now, kind=DecisionKind.PAUSED, starts_at=now - 9 * DAY, ends_at=now - DAY)
    list_by_hand(asked_for, "D1102", at=now)
    Establishment.objects.filter(pk=closed.pk).update(closed_on=now.date() - DAY)
    # Its address bounced, and its e-mail is hidden: nobody can apply to it.
    factories.ContactFactory(siret=shop.siret, email="rejet@exemple.fr", phone="+33199000010")
    suppress("rejet@exemple.fr", now)
    hide(shop, at=now, kind=DecisionKind.CHANNEL_HIDDEN, channel=Channel.EMAIL)
    access = factories.AccessFactory(establishment=shop)
    offer = factories.OfferFactory(access=access)
    waiting = factories.OfferFactory(status=OfferStatus.AWAITING, access__status=AccessStatus.AWAITING)
    factories.RegistrationFactory()
    staff = factories.StaffFactory()
    staff.totpdevice_set.create(name="essai", confirmed=True)
    Advisor.objects.create(user=factories.UserFactory(), opco=shop.opco, created_at=now, created_by=staff)
    Decision.objects.create(
        access=waiting.access, kind="certify", made_by=staff, made_at=now, effective_at=now + dt.timedelta(minutes=1)
    )
    Message.objects.create(kind="essai", recipient="a@exemple.fr", subject="Essai", created_at=now, next_attempt_at=now)
    factories.RequestFactory()
    Run.objects.create(started_at=now, history="essai", seed=1)
    factories.EstablishmentImportFactory(started_at=now)
    return {"shop": shop, "hidden": hidden, "paused": paused, "closed": closed, "offer": offer, "staff": staff}


def suppress(address, at):
    return Suppression.objects.create(
        address=address, reason=SuppressionReason.BOUNCE, source=SuppressionSource.PROVIDER, at=at
    )


def failing(at):
    found = {name: consistency.look(check, at=at) for name, check in CHECKS.items()}
    assert {name: each.error for name, each in found.items() if each.error} == {}
    return {name for name, each in found.items() if not each.holds}


def test_a_sound_database_tells_nothing(sound, now):
    assert failing(now) == set()


def test_checks_have_names_of_their_own_and_say_what_to_do():
    told = consistency.checks()
    assert len({check.name for check in told}) == len(told)
    assert all(check.rule.endswith(".") and check.remedy.endswith(".") for check in told)
    assert {check.name.partition(".")[0] for check in told} >= {"mail", "companies", "offers", "opco"}


def edition():
    return SearchEdition.objects.get(is_current=True)


def run(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)


def an_address_put_aside(rows, now):
    factories.ContactFactory(siret=rows["paused"].siret, email="plein@exemple.fr")
    suppress("plein@exemple.fr", now)


def an_address_corrected_to_one_put_aside(rows, now):
    factories.ContactCorrectionFactory(siret=rows["paused"].siret, value="plein@exemple.fr")
    suppress("plein@exemple.fr", now)


def an_entry_of_nobody(rows, now):
    run(f"UPDATE {edition().entries_table} SET establishment_id = 999999 WHERE establishment_id = {rows['paused'].pk}")


def an_edition_without_tables(rows, now):
    run(f"DROP TABLE {edition().cells_table}")


def a_publication_that_waits(rows, now):
    release = Release.objects.create(origin="essai", begun_at=now, written_at=now)
    Release.objects.filter(pk=release.pk).update(asked_at=now - 2 * HOUR, asked_by=rows["staff"], asked_reason="Essai")


def an_offer(rows, **columns):
    Offer.objects.filter(pk=rows["offer"].pk).update(**columns)


def the_access(rows, **columns):
    Access.objects.filter(pk=rows["offer"].access_id).update(**columns)


def the_shop(rows, **columns):
    Establishment.objects.filter(pk=rows["shop"].pk).update(**columns)


def an_offer_of_another(rows, now):
    an_offer(rows, establishment=rows["paused"])


def an_offer_that_waits_for_nothing(rows, now):
    factories.OfferFactory(access=rows["offer"].access, status=OfferStatus.AWAITING)


def a_message(now, **columns):
    Message.objects.update(
        **{"status": MessageStatus.SENT, "sent_at": now, "next_attempt_at": None, "created_at": now, **columns}
    )


def a_kept_link(rows, now):
    SignInLink.objects.create(
        digest="0" * 64, user=rows["offer"].access.user, address="a@exemple.fr", created_at=now - 5 * DAY,
        expires_at=now - 4 * DAY,
    )  # fmt: skip


def a_kept_session(rows, now):
    Session.objects.create(
        session_key="cle", session_data="", expire_date=now - 3 * DAY, created_at=now, last_seen_at=now
    )


def a_note_of_another_time(rows, now):
    Note.objects.create(access=rows["offer"].access, by=rows["staff"], at=now - 735 * DAY, text="Vu.")


def a_document_kept(rows, now):
    Request.objects.update(document="unsubscribe/x.pdf", status="done", settled_at=now - 33 * DAY)


FAULTS: dict[str, list[Callable]] = {
    "accounts.without_second_factor": [lambda rows, now: rows["staff"].totpdevice_set.all().delete()],
    "accounts.without_group": [lambda rows, now: rows["staff"].groups.clear()],
    "accounts.groups_differ": [lambda rows, now: Group.objects.get(name="Science").permissions.clear()],
    "accounts.kept_too_long": [
        a_kept_link,
        a_kept_session,
        lambda rows, now: Counter.objects.create(key="0" * 64, hits=1, ends_at=now - 3 * DAY),
        lambda rows, now: User.objects.filter(advisor__isnull=False).update(last_login=now - 733 * DAY),
        lambda rows, now: Reading.objects.create(by=rows["staff"], at=now - 368 * DAY, screen="Fiche", model="x.y"),
    ],
    "companies.reached_though_suppressed": [an_address_put_aside, an_address_corrected_to_one_put_aside],
    "companies.certified_without_opco": [lambda rows, now: the_shop(rows, opco=None)],
    "companies.editions_astray": [
        lambda rows, now: Release.objects.update(status=ReleaseStatus.PREVIOUS),
        lambda rows, now: SearchEdition.objects.update(is_current=False),
        lambda rows, now: SearchEdition.objects.update(day=now.date() - 4 * DAY),
        an_edition_without_tables,
    ],
    "companies.entries_of_nobody": [an_entry_of_nobody],
    "companies.publications_waiting": [a_publication_that_waits],
    "companies.imports_never_ended": [
        lambda rows, now: factories.EstablishmentImportFactory._meta.model.objects.update(
            status=ImportStatus.RUNNING, started_at=now - DAY
        )
    ],
    "offers.without_access": [lambda rows, now: the_access(rows, status=AccessStatus.DENIED)],
    "offers.without_confirmed_address": [
        lambda rows, now: User.objects.filter(accesses=rows["offer"].access).update(email_confirmed_at=None)
    ],
    "offers.of_another_establishment": [an_offer_of_another],
    "offers.past_their_end": [lambda rows, now: an_offer(rows, expires_on=now.date() - 2 * DAY)],
    "offers.of_gone_establishments": [
        lambda rows, now: the_shop(rows, closed_on=now.date() - DAY),
        lambda rows, now: the_shop(rows, is_diffusible=False),
        lambda rows, now: the_shop(rows, refusal="teaching"),
    ],
    "offers.ready_and_waiting": [an_offer_that_waits_for_nothing],
    "offers.kept_too_long": [lambda rows, now: Registration.objects.update(created_at=now - 33 * DAY)],
    "mail.stuck": [lambda rows, now: Message.objects.update(next_attempt_at=now - 2 * HOUR)],
    "mail.readable_secrets": [lambda rows, now: a_message(now, confidential=True, text_body="Un lien")],
    "mail.kept_too_long": [
        lambda rows, now: a_message(now, created_at=now - 93 * DAY),
        lambda rows, now: a_message(now, created_at=now - 733 * DAY, erased_at=now),
        lambda rows, now: Suppression.objects.update(lifted_at=now - 733 * DAY, lift_reason="Essai"),
    ],
    "opco.without_account": [
        lambda rows, now: User.objects.filter(advisor__isnull=False).update(is_active=False),
        lambda rows, now: User.objects.filter(advisor__isnull=False).update(anonymised_at=now),
    ],
    "opco.held_too_long": [lambda rows, now: Decision.objects.update(effective_at=now - HOUR)],
    "opco.kept_too_long": [a_note_of_another_time],
    "unsubscribe.waiting_too_long": [lambda rows, now: Request.objects.update(confirmed_at=now - 6 * DAY)],
    "unsubscribe.kept_too_long": [
        lambda rows, now: Request.objects.update(status="asked", confirmed_at=None, expires_at=now - 3 * DAY),
        a_document_kept,
        lambda rows, now: Request.objects.update(status="done", settled_at=now - 733 * DAY),
    ],
    "scoring.never_ended": [lambda rows, now: Run.objects.update(started_at=now - 2 * DAY)],
}
# These read what is computed: their fault is in the code, and is made there.
BROKEN_IN_CODE = {
    "companies.shown_though_hidden", "companies.hidden_though_free", "offers.found_though_hidden",
    "offers.public_though_hidden",
}  # fmt: skip


@pytest.mark.parametrize(
    "name, make",
    [pytest.param(name, make, id=f"{name}-{n}") for name, ways in FAULTS.items() for n, make in enumerate(ways)],
)
def test_a_fault_in_the_rows_is_told_by_its_check_alone(sound, now, name, make):
    make(sound, now)
    assert failing(now) == {name}


def test_every_check_has_its_fault_here():
    assert set(FAULTS) | BROKEN_IN_CODE == set(CHECKS)


def test_decisions_that_no_longer_hide_are_told(sound, now, monkeypatch):
    monkeypatch.setattr(EstablishmentQuerySet, "unhidden", lambda rows, at: rows)
    found = consistency.look(CHECKS["companies.shown_though_hidden"], at=now)
    assert (found.count, found.error) == (4, "")
    hidden_offer = factories.OfferFactory(access__establishment=sound["hidden"])
    found = consistency.look(CHECKS["offers.public_though_hidden"], at=now)
    assert [each["label"] for each in found.examples] == [f"Offre {hidden_offer.pk}"]


def test_a_pause_that_hides_beyond_its_end_is_told(sound, now, monkeypatch):
    unhidden = EstablishmentQuerySet.unhidden
    monkeypatch.setattr(EstablishmentQuerySet, "unhidden", lambda rows, at: unhidden(rows, at - 2 * DAY))
    found = consistency.look(CHECKS["companies.hidden_though_free"], at=now)
    assert [each["label"] for each in found.examples] == [f"Établissement {sound['paused'].siret}"]


def test_a_search_that_forgets_decisions_or_facts_is_told(sound, now, monkeypatch):
    everything = statements.At(lambda at: Establishment.objects.values_list("pk"), "listed")
    monkeypatch.setattr(search, "LISTED", everything)
    found = consistency.look(CHECKS["offers.found_though_hidden"], at=now)
    assert {each["label"].split()[-1] for each in found.examples} >= {sound["hidden"].siret, sound["closed"].siret}
    assert found.count == 5
