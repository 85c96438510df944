"""The recruiter's space: what waits, the list, one offer, its poster, the person and their establishments."""

import re
import uuid
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from django.utils.timezone import localdate

from companies.models import Establishment
from labonnealternance.kit.text import french_date
from offers.actions import accesses
from offers.enums import AccessStatus, CancelReason, Door, FilledThrough, OfferEventKind, OfferStatus, Outcome
from offers.models import LIFETIME, Offer, OfferDay, OfferEvent
from offers.recruiters import space
from tests.factories import (
    AccessFactory,
    EstablishmentFactory,
    OfferFactory,
    OpcoFactory,
    RegistrationFactory,
    StaffFactory,
    UserFactory,
    VisibilityDecisionFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def recruiter():
    return UserFactory(email_confirmed_at=timezone.now(), phone="+33199000018")


@pytest.fixture
def mine(client, recruiter):
    """The recruiter's browser."""
    client.force_login(recruiter, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def access(recruiter):
    return AccessFactory(user=recruiter)


def page_of(client, name="space", *arguments, query=""):
    answer = client.get(reverse(f"offers:{name}", args=arguments) + query)
    assert answer.status_code == 200
    assert "variable inconnue" not in answer.text
    return answer.text


def ends_on(offer, day):
    Offer.objects.filter(pk=offer.pk).update(expires_on=day)


# ── What waits for the person ────────────────────────────────────────────────────────────────────────────────────────


def test_without_any_access_the_person_is_invited_to_register_an_establishment(mine):
    text = page_of(mine)
    assert "Vous n’avez pas encore d’établissement" in text
    assert f'href="{reverse("offers:register")}"' in text
    assert "À suivre" not in text


def test_with_an_access_and_no_offer_the_person_is_told_how_to_deposit_one(mine, access):
    text = page_of(mine)
    assert "Vous n’avez pas encore d’offre" in text
    assert f'href="{reverse("offers:offer_new")}"' in text


def test_a_pending_registration_is_confirmed_by_its_button_and_its_offer_is_named(mine, recruiter):
    registration = RegistrationFactory(
        access=AccessFactory(user=recruiter, status=AccessStatus.AWAITING, confirmed_at=None)
    )
    offer = OfferFactory(
        access=registration.access,
        registration=registration,
        status=OfferStatus.AWAITING,
        confirmed_at=None,
        custom_title="Apprenti boulanger du Sablon",
    )
    text = page_of(mine)
    assert f"Confirmez votre demande pour {registration.access.establishment.display_name}" in text
    assert "Avec elle, vous confirmez" in text
    assert offer.title in text
    answer = mine.post(reverse("offers:confirm_registration", args=[registration.pk]), follow=True)
    registration.refresh_from_db()
    offer.refresh_from_db()
    assert registration.confirmed_at
    assert offer.confirmed_at
    assert "est confirmée" in answer.text
    assert "Confirmez votre demande" not in answer.text


def test_what_was_deposited_after_the_page_was_shown_is_not_confirmed_by_its_button(mine, recruiter):
    registration = RegistrationFactory(
        access=AccessFactory(user=recruiter, status=AccessStatus.AWAITING, confirmed_at=None)
    )
    shown_at = re.search(r'name="shown_at" value="([^"]+)"', page_of(mine)).group(1)
    later = OfferFactory(
        access=registration.access,
        registration=registration,
        status=OfferStatus.AWAITING,
        confirmed_at=None,
        created_at=timezone.now(),
    )
    mine.post(reverse("offers:confirm_registration", args=[registration.pk]), {"shown_at": shown_at})
    later.refresh_from_db()
    assert later.confirmed_at is None


@pytest.mark.parametrize("told", ["", "hier", "2026-01-01", "\0", "9" * 5000, "9999-12-31T23:59:59+00:00"])
def test_a_moment_that_no_page_wrote_is_no_fault(mine, recruiter, told):
    registration = RegistrationFactory(
        access=AccessFactory(user=recruiter, status=AccessStatus.AWAITING, confirmed_at=None)
    )
    answer = mine.post(reverse("offers:confirm_registration", args=[registration.pk]), {"shown_at": told})
    assert answer.status_code == 302
    registration.refresh_from_db()
    assert registration.confirmed_at


def test_a_registration_of_a_refused_access_is_not_confirmed_and_the_page_says_whom_to_write_to(mine, recruiter):
    registration = RegistrationFactory(access=AccessFactory(user=recruiter, status=AccessStatus.DENIED))
    answer = mine.post(reverse("offers:confirm_registration", args=[registration.pk]), follow=True)
    assert settings.CONTACT_EMAIL in answer.text
    registration.refresh_from_db()
    assert registration.confirmed_at is None


@pytest.mark.parametrize("is_known", [True, False])
def test_an_awaiting_access_says_who_decides_and_what_to_expect(mine, recruiter, is_known):
    opco = OpcoFactory(code="ocapiat", name="OCAPIAT") if is_known else None
    AccessFactory(user=recruiter, status=AccessStatus.AWAITING, establishment=EstablishmentFactory(opco=opco))
    text = page_of(mine)
    decider = "l’OPCO de votre branche (OCAPIAT)" if is_known else "l’équipe de La bonne alternance"
    assert f"C’est {decider} qui vérifie" in text
    assert "Vous recevrez la réponse par e-mail" in text


def test_a_denied_access_says_whom_to_write_to(mine, recruiter):
    denied = AccessFactory(user=recruiter, status=AccessStatus.DENIED)
    text = page_of(mine)
    assert f"Votre demande pour {denied.establishment.display_name} a été refusée" in text
    assert f"mailto:{settings.CONTACT_EMAIL}" in text
    assert "Vous n’avez pas encore d’offre" not in text


def test_an_establishment_to_verify_is_told(mine, recruiter):
    AccessFactory(user=recruiter, establishment=EstablishmentFactory(to_verify_since=timezone.now()))
    assert "Le registre des entreprises n’a pas répondu" in page_of(mine)


def test_what_waits_is_bounded(mine, recruiter):
    for _ in range(space.MOST_WAITING + 3):
        access = AccessFactory(user=recruiter, status=AccessStatus.AWAITING, confirmed_at=None)
        RegistrationFactory(access=access)
    assert page_of(mine).count("Confirmez votre demande pour") == space.MOST_WAITING


# ── The list ─────────────────────────────────────────────────────────────────────────────────────────────────────────

CLOSED = {
    "pourvue ici": (OfferStatus.FILLED, {"outcome": Outcome.FILLED_HERE}, "Pourvue grâce à La bonne alternance"),
    "pourvue ailleurs": (
        OfferStatus.FILLED,
        {"outcome": Outcome.FILLED_ELSEWHERE, "filled_through": FilledThrough.FRANCE_TRAVAIL},
        "Pourvue par un autre moyen – France Travail ou une mission locale",
    ),
    "annulée": (
        OfferStatus.CANCELLED,
        {"outcome": Outcome.CANCELLED, "cancel_reason": CancelReason.TOO_EARLY},
        "Je recruterai plus tard",
    ),
    "retirée par le support": (
        OfferStatus.CANCELLED,
        {"outcome": Outcome.CANCELLED, "cancel_reason": CancelReason.MODERATED},
        "Retirée par le support",
    ),
    "expirée sans un mot": (OfferStatus.EXPIRED, {}, "Dites-nous ce qu’elle est devenue."),
    "expirée puis pourvue": (
        OfferStatus.EXPIRED,
        {"outcome": Outcome.FILLED_HERE},
        "Pourvue grâce à La bonne alternance",
    ),
}


@pytest.mark.parametrize("kind", CLOSED)
def test_a_closed_offer_says_what_became_of_it(mine, access, kind):
    status, facts, sentence = CLOSED[kind]
    OfferFactory(access=access, status=status, **facts)
    text = page_of(mine)
    assert sentence in text
    assert "Dupliquer" in text
    assert "Modifier" not in text
    assert ("Dire ce qu’elle est devenue" in text) == (kind == "expirée sans un mot")


@pytest.mark.parametrize(
    "days, sentence", [(30, "Encore 30 jours"), (2, "Encore 2 jours"), (1, "Encore 1 jour"), (0, "")]
)
def test_an_offer_online_says_the_days_left_and_its_last_day(mine, access, days, sentence):
    offer = OfferFactory(access=access)
    last_day = localdate() + timedelta(days=days)
    ends_on(offer, last_day)
    text = page_of(mine)
    told = f"{sentence}, jusqu’au {french_date(last_day)} inclus." if sentence else "En ligne jusqu’à ce soir."
    assert told in text
    # The thirty days are whole: there is nothing to prolong.
    assert ("Prolonger de 30" in text) == (days < 30)


def test_an_offer_beyond_its_last_day_is_told_expired_before_any_task_ran(mine, access):
    ends_on(OfferFactory(access=access), localdate() - timedelta(days=1))
    text = page_of(mine)
    assert "Expirée" in text
    assert "En ligne" not in re.sub(r"<option.*?</option>", "", text)
    assert "Prolonger" not in text
    assert "Dire ce qu’elle est devenue" in text


def test_an_offer_of_a_delisted_establishment_is_told_hidden(mine, access):
    OfferFactory(access=access)
    VisibilityDecisionFactory(value=access.establishment.siret)
    text = page_of(mine)
    assert "Masquée" in text
    assert "Imprimer" not in text


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"confirmed_at": None}, "Elle attend que vous confirmiez votre demande."),
        ({"access": AccessStatus.AWAITING}, "dès que l’équipe de La bonne alternance aura accepté votre demande."),
        ({"to_verify_since": timezone.now()}, "dès que l’établissement sera vérifié."),
        ({"is_diffusible": False}, "Le registre des entreprises ne permet pas de la publier."),
        ({}, "Elle paraîtra d’elle-même d’ici une minute."),
    ],
)
def test_an_awaiting_offer_says_what_it_waits_for(mine, recruiter, change, sentence):
    establishment = EstablishmentFactory(
        **{name: value for name, value in change.items() if name in {"to_verify_since", "is_diffusible"}}
    )
    access = AccessFactory(
        user=recruiter, establishment=establishment, status=change.get("access", AccessStatus.GRANTED)
    )
    offer = OfferFactory(access=access, status=OfferStatus.AWAITING)
    if "confirmed_at" in change:
        Offer.objects.filter(pk=offer.pk).update(confirmed_at=None)
    text = page_of(mine)
    assert sentence in text
    assert "Retirer" in text
    assert "vues dans les résultats" not in text


def test_counters_are_the_sums_of_the_days(mine, access):
    offer = OfferFactory(access=access)
    OfferDay.objects.create(offer=offer, day=localdate(), shown=1200, opened=1, applied=0)
    OfferDay.objects.create(offer=offer, day=localdate() - timedelta(days=1), shown=34, opened=0, applied=2)
    text = page_of(mine)
    assert "<strong>1\u202f234</strong> vues dans les résultats" in text
    assert "<strong>1</strong> ouverture de la page" in text
    assert "<strong>2</strong> demandes de contact" in text


def test_the_list_has_the_same_queries_with_one_offer_and_with_thirty(mine, recruiter):
    def one_more():
        access = AccessFactory(user=recruiter, establishment=EstablishmentFactory(opco=OpcoFactory()))
        offer = OfferFactory(access=access)
        OfferDay.objects.create(offer=offer, day=localdate(), shown=1)
        waiting = AccessFactory(user=recruiter, status=AccessStatus.AWAITING, confirmed_at=None)
        OfferFactory(
            access=waiting,
            registration=RegistrationFactory(access=waiting),
            status=OfferStatus.AWAITING,
            confirmed_at=None,
        )

    one_more()
    page_of(mine)
    with CaptureQueriesContext(connection) as one:
        page_of(mine)
    for _ in range(14):
        one_more()
    with CaptureQueriesContext(connection) as thirty:
        text = page_of(mine)
    assert Offer.objects.of(recruiter).count() == 30
    assert text.count('<li class="offer-line') == space.PER_PAGE
    assert len(thirty) == len(one) <= 12, [query["sql"] for query in thirty]


def test_pages_of_twenty_follow_each_other_and_no_offer_is_missing(mine, access):
    titles = {OfferFactory(access=access, custom_title=f"Offre numéro {n:03d}").title for n in range(23)}
    shown = [set(re.findall(r"Offre numéro \d{3}", page_of(mine, query=f"?page={n}"))) for n in (1, 2)]
    assert len(shown[0]) == 20
    assert shown[0] | shown[1] == titles
    assert not shown[0] & shown[1]


@pytest.mark.parametrize(
    "query", ["?page=0", "?page=999", "?page=abc", "?etat=x&etablissement=y", "?etat=%27", "?page=-1"]
)
def test_an_address_that_no_page_gave_shows_a_list(mine, access, query):
    OfferFactory(access=access)
    assert '<li class="offer-line' in page_of(mine, query=query)


def test_what_is_live_comes_first_then_what_lacks_its_outcome(mine, access):
    old = timezone.now() - timedelta(days=90)
    OfferFactory(access=access, custom_title="Rang 3", status=OfferStatus.FILLED, outcome=Outcome.FILLED_HERE)
    OfferFactory(access=access, custom_title="Rang 2", status=OfferStatus.EXPIRED, created_at=old)
    ends_on(OfferFactory(access=access, custom_title="Rang 1", created_at=old), localdate())
    assert re.findall(r"(Rang \d)</a></h3>", page_of(mine)) == ["Rang 1", "Rang 2", "Rang 3"]


def test_the_list_is_narrowed_by_status_and_by_establishment(mine, recruiter, access):
    other = AccessFactory(user=recruiter)
    OfferFactory(access=access, custom_title="En ligne ici")
    OfferFactory(access=other, custom_title="En ligne ailleurs")
    OfferFactory(access=access, custom_title="Pas encore ici", status=OfferStatus.AWAITING)
    OfferFactory(access=access, custom_title="Finie ici", status=OfferStatus.FILLED, outcome=Outcome.FILLED_HERE)
    ends_on(OfferFactory(access=access, custom_title="Passée ici"), localdate() - timedelta(days=1))

    def titles(query):
        return set(re.findall(r">([^<>]+)</a></h3>", page_of(mine, query=query)))

    assert titles("?etat=en-ligne") == {"En ligne ici", "En ligne ailleurs"}
    assert titles("?etat=en-attente") == {"Pas encore ici"}
    assert titles("?etat=closes") == {"Finie ici", "Passée ici"}
    assert titles(f"?etat=en-ligne&etablissement={access.establishment.siret}") == {"En ligne ici"}
    assert titles(f"?etat=en-attente&etablissement={other.establishment.siret}") == set()
    assert "Aucune de vos offres ne correspond" in page_of(
        mine, query=f"?etat=en-attente&etablissement={other.establishment.siret}"
    )


def test_another_s_establishment_narrows_nothing(mine, access):
    OfferFactory(access=access)
    theirs = OfferFactory()
    text = page_of(mine, query=f"?etablissement={theirs.establishment.siret}")
    assert text.count('<li class="offer-line') == 1
    assert theirs.establishment.siret not in text


# ── One offer ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_page_of_an_offer_tells_its_history_in_words_and_names_nobody_else(mine, recruiter, access):
    offer = OfferFactory(access=access)
    support = StaffFactory(first_name="Sacha", last_name="Secret")
    now = timezone.now()
    for minutes, kind, via, by in (
        (9, OfferEventKind.DEPOSITED, Door.SPACE, recruiter),
        (8, OfferEventKind.PUBLISHED, Door.CLOCK, None),
        (7, OfferEventKind.PROLONGED, Door.MAIL_LINK, None),
        (6, OfferEventKind.EDITED, Door.SUPPORT, support),
    ):
        OfferEvent.objects.create(
            offer=offer, kind=kind, via=via, by=by, at=now - timedelta(minutes=minutes),
            from_status=offer.status, to_status=offer.status,
        )  # fmt: skip
    text = page_of(mine, "recruiter_offer", offer.pk)
    history = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text.split("Historique</h2>")[1].split("</ol>")[0]))
    for what, who in (
        ("Offre modifiée", "le support"),
        ("Offre prolongée", "vous, par le lien d’un e-mail"),
        ("Offre mise en ligne", "le service"),
        ("Offre déposée", "vous"),
    ):
        assert re.search(rf"{what} \d.{{0,40}}, par {who}", history), (what, history)
    assert "Secret" not in text
    assert support.email not in text


@pytest.mark.parametrize("kind", OfferEventKind)
@pytest.mark.parametrize("status", [OfferStatus.FILLED, OfferStatus.CANCELLED, OfferStatus.EXPIRED])
def test_every_event_has_words(mine, access, kind, status):
    offer = OfferFactory(access=access, status=status)
    for via in Door:
        event = OfferEvent.objects.create(
            offer=offer, kind=kind, via=via, at=timezone.now(), from_status=OfferStatus.ACTIVE, to_status=status
        )
        assert "Rien n’est encore arrivé" not in page_of(mine, "recruiter_offer", offer.pk), via
        event.delete()


def test_the_page_of_an_offer_shares_its_public_address_by_link_mail_and_code(mine, access):
    offer = OfferFactory(access=access, custom_title="Pâtissier & cie")
    address = f"{settings.SITE_URL}/offre/{offer.pk}/"
    text = page_of(mine, "recruiter_offer", offer.pk)
    assert f'href="{address}"' in text
    assert f'data-copy="{address}"' in text
    assert "mailto:?subject=Offre%20en%20alternance%20%3A%20P%C3%A2tissier%20%26%20cie&amp;body=Bonjour" in text
    assert '<svg viewBox="0 0' in text


@pytest.mark.parametrize("title", ["Bcc: a@exemple.fr", "x&bcc=a@exemple.fr", "saut\r\nBcc: a", "%0ABcc:x", "é" * 150])
def test_a_title_adds_nothing_to_the_message_that_shares_the_offer(title):
    offer = Offer(establishment=Establishment(name="Fournil & fils"), custom_title=title)
    told = space._mail_address(offer, "https://site.exemple.fr/offre/1/")
    assert re.fullmatch(r"mailto:\?subject=[\w.~%-]+&body=[\w.~%/-]+", told)


def test_what_is_not_online_is_not_shared(mine, access):
    for offer in (
        OfferFactory(access=access, status=OfferStatus.AWAITING),
        OfferFactory(access=access, status=OfferStatus.EXPIRED),
    ):
        text = page_of(mine, "recruiter_offer", offer.pk)
        assert "Partager l’offre" not in text
        assert "<svg viewBox" not in text


def test_readers_are_told_day_by_day_in_words_and_in_a_table(mine, access):
    offer = OfferFactory(access=access, created_at=timezone.now() - timedelta(days=40))
    ends_on(offer, localdate() + timedelta(days=3))
    OfferDay.objects.create(offer=offer, day=localdate() - timedelta(days=35), shown=9, opened=90)
    OfferDay.objects.create(offer=offer, day=localdate() - timedelta(days=3), shown=50, opened=8, applied=1)
    OfferDay.objects.create(offer=offer, day=localdate(), shown=5, opened=2)
    text = page_of(mine, "recruiter_offer", offer.pk)
    assert text.count("<rect ") == space.DAYS_SHOWN
    best = french_date(localdate() - timedelta(days=3))
    assert f"10 ouvertures en 30 jours, dont 8 le {best}" in text
    assert f'<th scope="row">{best}</th><td>50</td><td>8</td><td>1</td>' in text
    heights = [int(height) for height in re.findall(r'<rect [^>]*height="(\d+)"', text)]
    assert max(heights) == space.CHART_HEIGHT
    assert heights[-1] == space.CHART_HEIGHT / 4


def test_everything_typed_is_shown_as_text(mine, recruiter):
    nasty = "<script>alert(1)</script>"
    access = AccessFactory(user=recruiter, establishment=EstablishmentFactory(name=nasty, legal_name=nasty))
    recruiter.first_name = recruiter.last_name = nasty
    recruiter.save()
    offer = OfferFactory(
        access=access, custom_title=nasty, presentation=nasty, description=nasty, skills=[nasty], knowledge=[nasty],
        questions=[nasty], outcome_comment=nasty,
    )  # fmt: skip
    for name, arguments in (
        ("space", []), ("recruiter_offer", [offer.pk]), ("offer_close", [offer.pk]), ("offer_print", [offer.pk]),
        ("contact_edit", []), ("establishments", []),
    ):  # fmt: skip
        text = page_of(mine, name, *arguments)
        assert nasty not in text, name
        assert name == "offer_close" or escape(nasty) in text, name


# ── Prolong, close ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_button_prolongs_by_thirty_days_from_now_and_a_double_click_is_one_prolongation(mine, access):
    offer = OfferFactory(access=access)
    ends_on(offer, localdate() + timedelta(days=2))
    seen = re.search(r'name="seen" value="([^"]+)"', page_of(mine)).group(1)
    for told in ("est en ligne jusqu’au", "a déjà été prolongée"):
        answer = mine.post(reverse("offers:offer_prolong", args=[offer.pk]), {"seen": seen}, follow=True)
        assert told in answer.text
    offer.refresh_from_db()
    assert offer.expires_on == localdate() + LIFETIME
    [event] = offer.journal.all()
    assert (event.kind, event.via, event.by) == (OfferEventKind.PROLONGED, Door.SPACE, access.user)


@pytest.mark.parametrize("seen", [None, "", "x", "2020-01-01", "9999-12-31"])
def test_without_the_day_that_the_page_showed_nothing_is_prolonged_and_the_page_says_so(mine, access, seen):
    offer = OfferFactory(access=access)
    ends_on(offer, localdate() + timedelta(days=2))
    sent = {} if seen is None else {"seen": seen}
    answer = mine.post(reverse("offers:offer_prolong", args=[offer.pk]), sent, follow=True)
    assert "n’a pas été prolongée" in answer.text
    assert "a déjà été prolongée" not in answer.text
    assert "est en ligne jusqu’au" not in answer.text
    offer.refresh_from_db()
    assert offer.expires_on == localdate() + timedelta(days=2)
    assert not offer.journal.exists()


def test_an_offer_that_has_its_thirty_days_is_not_said_prolonged(mine, access):
    offer = OfferFactory(access=access)
    ends_on(offer, localdate() + LIFETIME)
    seen = (localdate() + LIFETIME).isoformat()
    answer = mine.post(reverse("offers:offer_prolong", args=[offer.pk]), {"seen": seen}, follow=True)
    assert "n’a pas été prolongée : elle a déjà ses 30 jours" in answer.text
    assert not offer.journal.exists()


def test_a_closed_offer_is_not_prolonged_and_the_page_says_what_to_do(mine, access):
    offer = OfferFactory(access=access, status=OfferStatus.EXPIRED)
    answer = mine.post(reverse("offers:offer_prolong", args=[offer.pk]), {"seen": "x"}, follow=True)
    assert "dupliquez-la" in answer.text
    offer.refresh_from_db()
    assert offer.status == OfferStatus.EXPIRED


GOOD_ENDS = {
    "ici": ({"outcome": "filled_here"}, OfferStatus.FILLED, ("filled_here", "", "")),
    "ailleurs": (
        {"outcome": "filled_elsewhere", "filled_through": "cfa"},
        OfferStatus.FILLED,
        ("filled_elsewhere", "cfa", ""),
    ),
    "annulée": (
        {"outcome": "cancelled", "cancel_reason": "too_early"},
        OfferStatus.CANCELLED,
        ("cancelled", "", "too_early"),
    ),
    # A browser sends the hidden lists too.
    "ici, avec le reste": (
        {"outcome": "filled_here", "filled_through": "cfa", "cancel_reason": "mistake"},
        OfferStatus.FILLED,
        ("filled_here", "", ""),
    ),
}


@pytest.mark.parametrize("end", GOOD_ENDS)
def test_an_offer_is_closed_with_its_outcome(mine, access, end):
    typed, status, kept = GOOD_ENDS[end]
    offer = OfferFactory(access=access)
    answer = mine.post(reverse("offers:offer_close", args=[offer.pk]), {**typed, "comment": "Ravi 🎉"}, follow=True)
    assert "est close" in answer.text
    offer.refresh_from_db()
    assert (offer.status, offer.outcome_comment) == (status, "Ravi 🎉")
    assert (offer.outcome, offer.filled_through, offer.cancel_reason) == kept
    assert offer.journal.get().by == access.user


BAD_ENDS = [
    ({}, "Choisissez ce qu’est devenue l’offre."),
    ({"outcome": "brûlée"}, "Choisissez une réponse de la liste."),
    ({"outcome": "filled_elsewhere"}, "Choisissez par quel moyen l’offre est pourvue."),
    ({"outcome": "filled_elsewhere", "filled_through": "x"}, "Choisissez un moyen de la liste."),
    ({"outcome": "cancelled"}, "Choisissez pourquoi l’offre est annulée."),
    ({"outcome": "cancelled", "cancel_reason": "access_denied"}, "Choisissez une raison de la liste."),
    ({"outcome": "cancelled", "cancel_reason": "moderated"}, "Choisissez une raison de la liste."),
    ({"outcome": "filled_here", "comment": "é" * 501}, "dépasse 500 caractères"),
    ({"outcome": "filled_here", "comment": "é" * 10_000}, "dépasse 500 caractères"),
    ({"outcome": "filled_here", "comment": "a\0b"}, "caractère"),
    ({"outcome": "filled_here", "comment": "a\u202eb"}, "caractère invisible"),
]


@pytest.mark.parametrize("typed, sentence", BAD_ENDS)
def test_a_bad_answer_is_told_beside_its_field_and_closes_nothing(mine, access, typed, sentence):
    offer = OfferFactory(access=access)
    typed = {"comment": "Gardé tel quel", **typed}
    answer = mine.post(reverse("offers:offer_close", args=[offer.pk]), typed)
    assert answer.status_code == 200
    assert escape(sentence) in answer.text
    assert "<title>Erreur" in answer.text
    assert answer.text.count(" autofocus") == 1
    assert escape(typed["comment"]).replace("\0", "") in answer.text.replace("\0", "")
    offer.refresh_from_db()
    assert offer.status == OfferStatus.ACTIVE


def test_five_hundred_characters_are_those_that_the_browser_counts(mine, access):
    """A browser counts a line's end as one character and sends two."""
    offer = OfferFactory(access=access)
    mine.post(
        reverse("offers:offer_close", args=[offer.pk]), {"outcome": "filled_here", "comment": "a\r\n" * 249 + "ab"}
    )
    offer.refresh_from_db()
    assert offer.outcome_comment == "a\n" * 249 + "ab"


def test_closing_twice_is_no_error_and_the_first_word_stands(mine, access):
    offer = OfferFactory(access=access)
    address = reverse("offers:offer_close", args=[offer.pk])
    mine.post(address, {"outcome": "filled_here"})
    answer = mine.post(address, {"outcome": "cancelled", "cancel_reason": "mistake"})
    assert answer.status_code == 200
    assert "Cette offre est déjà close" in answer.text
    assert "Pourvue grâce à La bonne alternance" in answer.text
    offer.refresh_from_db()
    assert offer.outcome == Outcome.FILLED_HERE
    assert offer.journal.count() == 1


def test_an_offer_that_expired_without_a_word_takes_its_outcome_and_stays_expired(mine, access):
    offer = OfferFactory(access=access, status=OfferStatus.EXPIRED)
    address = reverse("offers:offer_close", args=[offer.pk])
    assert "Qu’est devenue cette offre" in mine.get(address).text
    answer = mine.post(address, {"outcome": "filled_elsewhere", "filled_through": "network"}, follow=True)
    assert "Merci, votre réponse est notée." in answer.text
    offer.refresh_from_db()
    assert (offer.status, offer.outcome) == (OfferStatus.EXPIRED, Outcome.FILLED_ELSEWHERE)


def test_an_offer_that_was_never_online_can_only_be_withdrawn(mine, access):
    offer = OfferFactory(access=access, status=OfferStatus.AWAITING)
    address = reverse("offers:offer_close", args=[offer.pk])
    text = mine.get(address).text
    assert "Retirer cette offre" in text
    assert "filled_here" not in text
    assert "Choisissez une réponse de la liste." in mine.post(address, {"outcome": "filled_here"}).text
    mine.post(address, {"outcome": "cancelled", "cancel_reason": "mistake"})
    offer.refresh_from_db()
    assert offer.status == OfferStatus.CANCELLED


def test_forms_want_their_token(recruiter, access):
    offer = OfferFactory(access=access)
    guarded = Client(enforce_csrf_checks=True)
    guarded.force_login(recruiter, backend="django.contrib.auth.backends.ModelBackend")
    for name in ("offer_prolong", "offer_close"):
        answer = guarded.post(reverse(f"offers:{name}", args=[offer.pk]), {"outcome": "filled_here"})
        assert answer.status_code == 403
    assert guarded.post(reverse("offers:contact_edit")).status_code == 403


# ── Poster ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_poster_tells_the_offer_and_carries_a_code_of_its_public_address(mine, access):
    offer = OfferFactory(access=access, presentation="Une équipe de six. " * 40)
    text = page_of(mine, "offer_print", offer.pk)
    for told in (offer.title, access.establishment.name, "Apprentissage, 12\u00a0mois", french_date(offer.starts_on)):
        assert told in text
    assert f"{settings.SITE_URL}/offre/{offer.pk}/" in text
    assert re.search(r'<svg viewBox="0 0 \d+ \d+" class="qr"><path fill="#fff" d="[^"]+"/><path stroke="#000" ', text)
    # Cut to what the sheet holds.
    assert len(re.search(r'<p class="prewrap">([^<]+)</p>', text).group(1)) <= space.PRINTED_TEXT


def test_the_code_reads_as_the_address():
    address = f"{settings.SITE_URL}/offre/{uuid.uuid4()}/"
    import segno

    drawn = space.qr_code(address)
    assert drawn == segno.make(address, error="m", micro=False).svg_inline(
        omitsize=True, light="#fff", svgclass="qr", lineclass=None
    )
    assert "style" not in drawn


def test_only_an_offer_online_has_a_poster(mine, access):
    late = OfferFactory(access=access)
    ends_on(late, localdate() - timedelta(days=1))
    hidden = OfferFactory(access=AccessFactory(user=access.user))
    VisibilityDecisionFactory(value=hidden.establishment.siret)
    closed = [OfferFactory(access=access, status=status) for status in OfferStatus if status != OfferStatus.ACTIVE]
    for offer in (late, hidden, *closed):
        assert mine.get(reverse("offers:offer_print", args=[offer.pk])).status_code == 404


# ── The person and their establishments ──────────────────────────────────────────────────────────────────────────────


def test_names_and_telephone_are_changed_and_kept_in_one_form(mine, recruiter):
    address = reverse("offers:contact_edit")
    assert 'value="01 99 00 00 18"' in mine.get(address).text
    typed = {"first_name": " Zoé ", "last_name": "D’Aubigné", "phone": "01.99.00.12.34"}
    assert "sont enregistrées" in mine.post(address, typed, follow=True).text
    recruiter.refresh_from_db()
    assert (recruiter.first_name, recruiter.last_name, recruiter.phone) == ("Zoé", "D’Aubigné", "+33199001234")


def test_the_contact_page_never_changes_the_address(mine, recruiter):
    before = recruiter.email
    mine.post(
        reverse("offers:contact_edit"),
        {"first_name": "A", "last_name": "B", "phone": "0199001234", "email": "autre@exemple.fr", "is_staff": "on"},
    )
    recruiter.refresh_from_db()
    assert recruiter.email == before
    assert not recruiter.is_staff


@pytest.mark.parametrize(
    "wrong",
    [
        {"first_name": ""},
        {"last_name": " "},
        {"phone": ""},
        {"phone": "0899123456"},
        {"phone": "pas un numéro"},
        {"phone": "1" * 10_000},
        {"first_name": "é" * 10_000},
        {"last_name": "a\0b"},
        {"last_name": "a\u202eb"},
    ],
)
def test_a_bad_contact_is_told_beside_its_field_and_what_was_typed_is_kept(mine, recruiter, wrong):
    typed = {"first_name": "Gardé", "last_name": "Tel quel", "phone": "0199001234", **wrong}
    answer = mine.post(reverse("offers:contact_edit"), typed)
    assert answer.status_code == 200
    assert 'class="fr-error-text"' in answer.text
    assert answer.text.count('aria-invalid="true"') == 1
    assert "<title>Erreur" in answer.text
    recruiter.refresh_from_db()
    assert recruiter.first_name == "Camille"


def test_establishments_tell_their_legal_data_their_opco_and_how_they_stand(mine, recruiter):
    opco = OpcoFactory(code="ocapiat", name="OCAPIAT")
    shop = EstablishmentFactory(opco=opco, legal_name="SOCIÉTÉ EXEMPLE")
    mine_there = AccessFactory(user=recruiter, establishment=shop)
    OfferFactory(access=mine_there)
    OfferFactory(access=mine_there, status=OfferStatus.FILLED)
    AccessFactory(user=recruiter, status=AccessStatus.DENIED)
    colleague = AccessFactory(establishment=shop)
    hidden = AccessFactory(user=recruiter)
    VisibilityDecisionFactory(value=hidden.establishment.siret)
    text = page_of(mine, "establishments")
    for told in (shop.name, "SOCIÉTÉ EXEMPLE", "OCAPIAT", "1 PLACE D&#x27;ARMES", "57000 Metz", "1 offre en cours",
                 "Accordé", "Refusé", "Masqué", "Non connu", settings.CONTACT_EMAIL):  # fmt: skip
        assert told in text, told
    assert text.count("Déposer une offre<") == 2
    assert colleague.user.email not in text


def test_establishments_have_the_same_queries_with_one_row_and_with_thirty(mine, recruiter):
    AccessFactory(user=recruiter, establishment=EstablishmentFactory(opco=OpcoFactory()))
    page_of(mine, "establishments")
    with CaptureQueriesContext(connection) as one:
        page_of(mine, "establishments")
    for _ in range(29):
        AccessFactory(user=recruiter, establishment=EstablishmentFactory(opco=OpcoFactory()))
    with CaptureQueriesContext(connection) as thirty:
        assert page_of(mine, "establishments").count('<li class="offer-line') == space.PER_PAGE
    assert len(thirty) == len(one)


# ── Whose ────────────────────────────────────────────────────────────────────────────────────────────────────────────

OF_AN_OFFER = [
    "recruiter_offer", "offer_edit", "offer_prolong", "offer_close", "offer_duplicate", "offer_print",
]  # fmt: skip
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def test_every_address_of_an_offer_is_among_those_tried():
    from offers.recruiters.urls import urlpatterns

    named = {pattern.name for pattern in urlpatterns if str(pattern.pattern).startswith("offres/<uuid:")}
    assert named == set(OF_AN_OFFER)


@pytest.mark.parametrize("who", ["granted elsewhere", "granted there", "awaiting there", "denied there", "nobody"])
@pytest.mark.parametrize("name", OF_AN_OFFER)
def test_another_s_offer_is_a_404_by_every_address_and_method(client, name, who):
    offer = OfferFactory()
    stranger = UserFactory(email_confirmed_at=timezone.now())
    if who == "granted elsewhere":
        AccessFactory(user=stranger)
    elif who != "nobody":
        # A colleague of the same establishment has a space of their own.
        AccessFactory(user=stranger, establishment=offer.establishment, status=who.split()[0])
    client.force_login(stranger, backend="django.contrib.auth.backends.ModelBackend")
    before = Offer.objects.values().get(pk=offer.pk)
    for address in (reverse(f"offers:{name}", args=[offer.pk]), reverse(f"offers:{name}", args=[uuid.uuid4()])):
        for method in METHODS:
            answer = client.generic(
                method, address, "outcome=filled_here", content_type="application/x-www-form-urlencoded"
            )
            assert answer.status_code in {404, 405}, (method, address)
            assert answer.status_code == 404 or method not in {"GET", "POST"} or answer.headers["Allow"]
            assert offer.title not in answer.text
    assert Offer.objects.values().get(pk=offer.pk) == before
    assert not offer.journal.exists()


def test_another_s_registration_is_a_404(mine):
    registration = RegistrationFactory()
    for registration_id in (registration.pk, uuid.uuid4()):
        assert mine.post(reverse("offers:confirm_registration", args=[registration_id])).status_code == 404
    registration.refresh_from_db()
    assert registration.confirmed_at is None


@pytest.mark.parametrize("name", [*OF_AN_OFFER, "space", "contact_edit", "establishments", "confirm_registration"])
def test_who_is_signed_out_is_sent_to_sign_in_and_back(client, name):
    arguments = [OfferFactory().pk] if name in OF_AN_OFFER else []
    arguments = [RegistrationFactory().pk] if name == "confirm_registration" else arguments
    address = reverse(f"offers:{name}", args=arguments)
    for method in ("get", "post"):
        answer = getattr(client, method)(address)
        assert answer.status_code == 302
        assert answer.url == f"{reverse('accounts:sign_in')}?next={address}"


def test_an_offer_of_a_refused_access_stays_the_person_s_to_read_and_nothing_more(mine, access):
    offer = OfferFactory(access=access)
    accesses.deny(access_id=access.pk, by=StaffFactory(), at=timezone.now(), reason="Inconnu dans l’entreprise.")
    text = page_of(mine, "recruiter_offer", offer.pk)
    assert "Le droit d’agir pour l’établissement a été refusé" in text
    answer = mine.post(reverse("offers:offer_prolong", args=[offer.pk]), follow=True)
    assert "close" in answer.text
    offer.refresh_from_db()
    assert offer.status == OfferStatus.CANCELLED


def test_the_reason_of_a_refusal_is_told_as_text_and_the_last_one(mine, access):
    staff = StaffFactory()
    for hours, reason in ((3, "Ancien motif."), (1, "Parti <b>en juin</b>.")):
        at = timezone.now() - timedelta(hours=hours)
        accesses.deny(access_id=access.pk, by=staff, at=at, reason=reason)
        if hours == 3:
            accesses.grant(access_id=access.pk, by=staff, at=at + timedelta(hours=1), reason="Accordé.")
    text = page_of(mine)
    assert "Parti &lt;b&gt;en juin&lt;/b&gt;." in text
    assert "Ancien motif." not in text
    assert "Accordé." not in text


def test_an_offer_of_a_refused_access_has_no_copy_and_the_address_says_why(mine, access):
    kept, refused = OfferFactory(access=AccessFactory(user=access.user)), OfferFactory(access=access)
    accesses.deny(access_id=access.pk, by=StaffFactory(), at=timezone.now(), reason="Inconnu.")
    target = reverse("offers:offer_duplicate", args=[refused.pk])
    for text in (page_of(mine), page_of(mine, "recruiter_offer", refused.pk)):
        assert f'href="{target}"' not in text
    assert f'href="{reverse("offers:offer_duplicate", args=[kept.pk])}"' in page_of(mine)
    answer = mine.get(target, follow=True)
    assert answer.redirect_chain == [(reverse("offers:recruiter_offer", args=[refused.pk]), 302)]
    assert "a été refusée" in answer.text


@pytest.mark.parametrize("hours, is_told", [(0, False), (25, True)])
def test_that_nobody_opened_an_offer_is_told_from_its_second_day_on(mine, access, hours, is_told):
    offer = OfferFactory(access=access)
    Offer.objects.filter(pk=offer.pk).update(published_at=timezone.now() - timedelta(hours=hours))
    text = page_of(mine, "recruiter_offer", offer.pk)
    assert ("Personne ne l’a ouverte ces derniers jours" in text) is is_told


@pytest.mark.parametrize("name", ["space", "contact_edit", "establishments"])
def test_pages_of_the_space_are_kept_by_no_cache_and_listed_by_no_engine(mine, access, name):
    answer = mine.get(reverse(f"offers:{name}"))
    assert "no-store" in answer["Cache-Control"]
    assert '<meta name="robots" content="noindex">' in answer.text


def test_support_reads_the_space_as_anyone_without_an_access(client):
    client.force_login(StaffFactory(), backend="django.contrib.auth.backends.ModelBackend")
    assert "Vous n’avez pas encore d’établissement" in page_of(client)
