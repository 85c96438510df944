"""Why is this establishment shown, or not? The same answer as the querysets', condition by condition, at a moment."""

import datetime as dt
import re
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from companies.actions import hiring_potentials, visibility
from companies.actions.why_shown import why_shown
from companies.enums import Channel, DecisionKind, DecisionOrigin, DecisionReason
from companies.models import Contact, ContactCorrection, Establishment, Explanation, VisibilityDecision
from labonnealternance.accounts.enums import Role
from labonnealternance.kit.models import Reading
from tests.companies.potentials import make_release, put_online
from tests.factories import (
    ContactCorrectionFactory,
    ContactFactory,
    EstablishmentFactory,
    NafFactory,
    RomeFactory,
    StaffFactory,
    UserFactory,
    VisibilityDecisionFactory,
    make_siren,
    make_siret,
)
from tests.office import enter

PARIS = ZoneInfo("Europe/Paris")
AT = dt.datetime(2026, 3, 10, 12, 0, tzinfo=PARIS)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


def ask(siret, at=AT, now=None):
    return why_shown(siret=siret, at=at, now=now or at)


def at_odds(answer):
    """The conditions that do not hold."""
    return [each.name for each in answer.conditions if not each.holds]


@pytest.fixture
def baker(db):
    return RomeFactory(code="D1102", label="Boulangerie")


@pytest.fixture
def shop(baker):
    """Listed by hand for one job, hence shown."""
    shop = EstablishmentFactory(siret=make_siret(1), name="LE FOURNIL EXEMPLE")
    VisibilityDecisionFactory(
        value=shop.siret, kind=DecisionKind.LISTED, rome_codes=[baker.code], starts_at=AT - DAY,
        reason=DecisionReason.REQUESTED_LISTING,
    )  # fmt: skip
    return shop


FINE = {"closed_on": None, "is_diffusible": True, "is_employer": True, "latitude": 49.1}
# What no decision changes is tried with two of them, the rest with all.
FACTS = [
    ({}, slice(None)),
    ({"is_employer": False}, slice(None)),
    ({"closed_on": AT.date() + DAY}, slice(2)),
    ({"closed_on": AT.date()}, slice(2)),
    ({"is_diffusible": False}, slice(2)),
    ({"latitude": None}, slice(2)),
    ({"is_employer": False, "latitude": None}, slice(2)),
]
# (kind, scope, starts, ends, revoked), hours from the moment; None: never.
DECISIONS = [
    [],
    [("listed", "siret", -1, None, None)],
    [("delisted", "siret", -1, None, None)],
    [("delisted", "siren", -1, None, None)],
    [("paused", "email", -1, 1, None)],
    [("delisted", "siret", -2, -1, None), ("delisted", "siret", 1, None, None)],
    [("delisted", "siret", -2, None, -1)],
    [("delisted", "former email", -1, None, None)],
    [("paused", "siret", -1, 0, None)],
    [("listed", "siret", -1, None, None), ("paused", "siren", -1, 1, None)],
    [("listed", "siret", -2, None, -1)],
    [("channel_hidden", "siret", -1, None, None)],
]


def test_over_the_product_of_facts_and_decisions_it_says_what_the_querysets_say(baker):
    naf, cases = NafFactory(), []
    product = [(facts, decisions) for facts, tried in FACTS for decisions in DECISIONS[tried]]
    for n, (facts, decisions) in enumerate(product, start=1):
        cases.append((make_siret(n), n, decisions, FINE | facts))
    Establishment.objects.bulk_create(
        Establishment(siret=siret, naf=naf, name="Essai", longitude=told["latitude"] and 6.1, **told)
        for siret, _, _, told in cases
    )
    Contact.objects.bulk_create(
        Contact(siret=siret, email=f"ancien{n}@exemple.fr", source="essai", imported_at=AT) for siret, n, _, _ in cases
    )
    ContactCorrection.objects.bulk_create(
        ContactCorrection(
            siret=siret, channel=Channel.EMAIL, value=f"neuf{n}@exemple.fr", origin="support", reason="essai",
            decided_at=AT - DAY,
        )
        for siret, n, _, _ in cases
    )  # fmt: skip

    def value(siret, n, scope):
        reach = {"siret": siret, "siren": siret[:9], "email": f"neuf{n}@exemple.fr"}
        return reach.get(scope, f"ancien{n}@exemple.fr")

    def moment(hours):
        return None if hours is None else AT + hours * HOUR

    VisibilityDecision.objects.bulk_create(
        VisibilityDecision(
            kind=kind, scope=scope.removeprefix("former "), value=value(siret, n, scope),
            rome_codes=["D1102"] if kind == "listed" else [], starts_at=moment(starts), ends_at=moment(ends),
            revoked_at=moment(revoked), revocation_reason="essai" if revoked else "", reason="other", origin="support",
            decided_at=moment(starts),
        )
        for siret, n, decisions, _ in cases
        for kind, scope, starts, ends, revoked in decisions
    )  # fmt: skip
    listed = set(Establishment.objects.listed(AT).values_list("siret", flat=True))
    showable = set(Establishment.objects.showable(AT).values_list("siret", flat=True))
    answers = {siret: ask(siret) for siret, *_ in cases}
    assert {siret for siret, answer in answers.items() if answer.is_listed} == listed
    assert {siret for siret, answer in answers.items() if answer.is_showable} == showable
    assert 0 < len(listed) < len(showable) < len(cases)
    # Shown or not, the sentence says the same as the conditions.
    for answer in answers.values():
        assert answer.verdict.startswith("Affiché pour ") == answer.is_shown
        assert answer.is_shown == (at_odds(answer) == [])


class TestVerdict:
    def test_one_that_is_shown_is_shown_for_its_jobs(self, shop, baker):
        cook = RomeFactory(code="G1602", label="Cuisine")
        put_online([(shop, cook.code, 0.9)], at=AT - HOUR)
        answer = ask(shop.siret)
        assert answer.verdict == "Affiché pour « Cuisine » et « Boulangerie »."
        assert [(job.rome.code, job.is_asked_for) for job in answer.jobs] == [("G1602", False), ("D1102", True)]

    def test_each_reason_is_told_and_joined_in_french(self, db, support):
        shop = EstablishmentFactory(
            siret=make_siret(1), closed_on=dt.date(2026, 2, 1), is_diffusible=False, is_employer=False, latitude=None,
            longitude=None,
        )  # fmt: skip
        visibility.delist(
            scope="siren", value=make_siren(1), by=support, at=AT - HOUR, reason="no_apprentices", origin="support"
        )
        visibility.pause(
            scope="siret", value=shop.siret, by=None, at=AT - HOUR, reason="other", origin="form",
            ends_on=dt.date(2026, 4, 1),
        )  # fmt: skip
        answer = ask(shop.siret)
        assert answer.verdict.startswith(
            "Non affiché, parce qu’il est fermé depuis le 1er février 2026, qu’il s’est opposé à la diffusion de ses"
            " données, qu’une décision le "
        )
        assert "une décision le met en pause jusqu’au 1er avril 2026" in answer.verdict
        assert "qu’une décision le retire avec toute son entreprise" in answer.verdict
        assert answer.verdict.endswith(
            ", que son adresse n’est pas située sur la carte, qu’il n’emploie personne et qu’aucun métier ne lui est"
            " attribué."
        )
        hidden = next(each for each in answer.conditions if each.name == "Aucune décision ne le cache")
        assert f"Retiré avec toute son entreprise, par {support} : ne recrute pas en alternance." in hidden.fact
        assert hidden.since == "10 mars 2026 à 11 h 00"

    def test_one_without_a_job_is_not_shown(self, db):
        assert ask(EstablishmentFactory().siret).verdict == "Non affiché, parce qu’aucun métier ne lui est attribué."

    def test_a_siret_that_is_not_imported_gets_an_answer_too(self, db):
        visibility.delist(
            scope="siret", value=make_siret(9), by=None, at=AT - HOUR, reason="other", origin=DecisionOrigin.FORM
        )
        answer = ask(make_siret(9))
        assert answer.verdict == "Non affiché, parce qu’il n’est pas dans nos tables et qu’une décision le retire."
        assert [each.stands for each in answer.decisions] == [True]
        assert (answer.is_listed, answer.establishment) == (False, None)

    def test_hidden_channels_and_other_facts_change_nothing_and_are_told(self, shop):
        ContactFactory(siret=shop.siret, email="chef@exemple.fr", phone="+33199000018")
        visibility.hide_channel(
            scope="siret", value=shop.siret, channel=Channel.PHONE, by=None, at=AT - HOUR, reason="other", origin="form"
        )
        Establishment.objects.filter(pk=shop.pk).update(to_verify_since=AT, refusal="teaching")
        answer = ask(shop.siret)
        assert answer.is_shown
        assert [(each.name, each.holds) for each in answer.others] == [
            ("On peut lui écrire", True),
            ("Son téléphone est montré", False),
            ("Le registre l’a vérifié", False),
            ("Ses recruteurs déposent des offres", False),
        ]

    def test_its_place_is_told_in_words(self, shop):
        cook, seller = RomeFactory(code="G1602"), RomeFactory(code="D1106")
        other = EstablishmentFactory(siret=make_siret(2))
        put_online([(shop, cook.code, 2.4), (shop, seller.code, 0.8), (other, cook.code, 0.4)], at=AT - HOUR)
        silent = [job.rank for job in ask(shop.siret).jobs]
        assert set(silent) == {"après tous les autres : aucun moyen de le joindre"}
        ContactFactory(siret=shop.siret)
        assert [job.rank for job in ask(shop.siret).jobs] == [
            "2,40 contrats attendus en six mois : 2,0 fois le poids moyen dans le tirage de chaque jour",
            "0,80 contrat attendu en six mois : 0,7 fois le poids moyen dans le tirage de chaque jour",
            "poids moyen : référencé sans score",
        ]


class TestPast:
    NOW = AT + 10 * DAY

    def test_a_decision_revoked_since_stood_then(self, shop):
        decision = visibility.delist(
            scope="siret", value=shop.siret, by=None, at=AT - HOUR, reason="other", origin="form"
        )
        then = set(Establishment.objects.listed(AT).values_list("siret", flat=True))
        visibility.revoke(decision_id=decision.pk, by=None, at=AT + DAY, reason="erreur")
        past, before, since = ask(shop.siret, AT, self.NOW), ask(shop.siret, AT - 2 * HOUR, self.NOW), ask(
            shop.siret, AT + 2 * DAY, self.NOW
        )  # fmt: skip
        assert past.is_listed == (shop.siret in then) is False
        assert past.decisions[0].state == "en vigueur, sans fin ; annulée depuis, le 11 mars 2026 à 12 h 00"
        assert before.is_shown
        assert since.is_shown
        assert any(each.state == "annulée le 11 mars 2026 à 12 h 00 : erreur" for each in since.decisions)
        assert past.remarks[0].startswith("Les décisions et les corrections de contact sont celles de ce moment.")
        assert ask(shop.siret, self.NOW, self.NOW).remarks == []
        assert "Depuis ce moment, 1 autre décision à son sujet a été prise." in before.remarks

    def test_the_address_is_the_one_of_then(self, shop):
        ContactCorrectionFactory(siret=shop.siret, value="avant@exemple.fr", decided_at=AT - DAY)
        ContactCorrectionFactory(siret=shop.siret, value="apres@exemple.fr", decided_at=AT + DAY)
        visibility.delist(scope="email", value="avant@exemple.fr", by=None, at=AT - HOUR, reason="other", origin="form")
        assert not ask(shop.siret, AT, self.NOW).is_listed
        assert ask(shop.siret, self.NOW, self.NOW).is_listed

    def test_a_pause_ends_by_itself(self, shop):
        visibility.pause(
            scope="siret", value=shop.siret, by=None, at=AT, reason="other", origin="form", ends_on=AT.date()
        )
        midnight = dt.datetime(2026, 3, 11, tzinfo=PARIS)
        assert not ask(shop.siret, midnight - dt.timedelta(seconds=1), AT).is_shown
        answer = ask(shop.siret, midnight, AT)
        assert answer.is_shown
        assert answer.remarks == ["C’est ce qui aura lieu si rien n’est décidé ni importé d’ici là."]

    def test_the_jobs_are_those_of_the_release_that_was_online(self, baker):
        shop, other = EstablishmentFactory(siret=make_siret(1)), EstablishmentFactory(siret=make_siret(2))
        first = put_online([(shop, baker.code, 0.5)], at=AT)
        second = make_release([(other, baker.code, 0.5)], at=AT + DAY)
        hiring_potentials.publish(release_id=second.pk, by=None, at=AT + DAY)
        told = [ask(shop.siret, at, self.NOW).is_shown for at in (AT - HOUR, AT + HOUR, AT + 2 * DAY)]
        assert told == [False, True, False]
        type(first).objects.filter(pk=first.pk).update(dropped_at=AT + 5 * DAY)
        answer = ask(shop.siret, AT + HOUR, self.NOW)
        assert answer.is_listed
        assert not answer.is_shown
        told = f"Affichable, sans qu’on sache pour quels métiers : la livraison {first.pk} n’est plus gardée."
        assert answer.verdict == told


WHY = "/admin/pourquoi/"


class TestPage:
    def get(self, client, **asked):
        answer = client.get(WHY, asked)
        assert answer.status_code == 200
        return re.sub(r"\s+", " ", unescape(answer.text))

    def test_one_screen_says_why_for_now_and_for_a_moment(self, office, shop, support):
        visibility.delist(
            scope="siret", value=shop.siret, by=support, at=timezone.now() - HOUR, reason="other", origin="support"
        )
        text = self.get(office, siret="000 000 018 00010")
        assert "Non affiché, parce qu’une décision le retire." in text
        assert reverse("admin:companies_establishment_change", args=[shop.pk]) in text
        past = self.get(office, siret=shop.siret, le="2026-03-10T14:00")
        assert "Affiché pour « Boulangerie »." in past
        assert "LE FOURNIL EXEMPLE, SIRET 000 000 018 00010, le 10 mars 2026 à 14 h 00" in past
        assert "Les faits du registre et les contacts importés sont ceux d’aujourd’hui" in past
        assert "variable inconnue" not in text + past
        assert Reading.objects.filter(by=support, object_key=str(shop.pk)).count() == 2

    def test_the_reasons_of_the_score_are_told_with_its_jobs(self, office, shop):
        cook = RomeFactory(code="G1602")
        release = put_online([(shop, cook.code, 0.9)])
        assert "Calcul en cours : rechargez la page dans une minute." in self.get(office, siret=shop.siret)
        kept = {cook.code: [["job", 0.4, {"share": 0.25}]]}
        Explanation.objects.filter(release=release).update(reasons=kept, answered_at=timezone.now())
        assert "25 % des embauches de l’activité" in self.get(office, siret=shop.siret)

    def test_it_is_reached_from_the_home_of_the_back_office(self, office):
        assert f'href="{WHY}"' in office.get("/admin/").text

    @pytest.mark.parametrize(
        ("asked", "why"),
        [
            ({"siret": ""}, "Ce champ est obligatoire."),
            ({"siret": "123"}, "Un SIRET a 14 chiffres : vous en avez donné 3."),
            ({"siret": "\x01"}, "caractère"),
            ({"siret": make_siret(1), "le": "hier"}, "date et une heure valides"),
            ({"siret": make_siret(1), "le": "0001-01-01T00:00"}, "trop lointain"),
            ({"siret": make_siret(1), "le": "9999-12-31T23:59"}, "trop lointain"),
            ({"siret": make_siret(1), "le": "2026-03-29T02:30"}, "fuseau horaire"),
        ],
        ids=["empty", "short", "nul", "no-date", "first", "last", "no-such-hour"],
    )
    def test_what_is_asked_wrong_is_told(self, office, asked, why):
        assert why in self.get(office, **asked)

    def test_as_many_queries_for_one_that_was_never_spoken_of_as_for_one_with_a_history(self, office, shop, baker):
        EstablishmentFactory(siret=make_siret(2))
        put_online([(shop, baker.code, 0.5)])

        def queries(siret):
            self.get(office, siret=siret)
            with CaptureQueriesContext(connection) as done:
                self.get(office, siret=siret)
            return len(done)

        quiet = queries(make_siret(2))
        for n in range(5):
            VisibilityDecisionFactory(
                value=shop.siret,
                starts_at=AT - (n + 2) * DAY,
                ends_at=AT - (n + 2) * DAY + HOUR,
                decided_by=UserFactory(),
            )
        assert queries(shop.siret) <= quiet

    def test_who_may_not_read_decisions_reads_no_answer(self, client, shop):
        asked = {"siret": shop.siret}
        recruiter, advisor = UserFactory(email_confirmed_at=timezone.now()), UserFactory()
        advisor.groups.add(Group.objects.get_or_create(name=Role.ADVISOR.value)[0])
        for person in (None, recruiter, advisor):
            if person:
                client.force_login(person, "django.contrib.auth.backends.ModelBackend")
            assert client.get(WHY, asked).url.startswith("/admin/login/")
        enter(client, StaffFactory(group="Science"))
        assert client.get(WHY, asked).status_code == 403
        assert f'href="{WHY}"' not in client.get("/admin/").text

    def test_who_only_reads_reads_the_answer(self, client, shop):
        enter(client, StaffFactory(group="Support lecture"))
        assert client.get(WHY, {"siret": shop.siret}).status_code == 200
        assert client.post(WHY, {"siret": shop.siret}).status_code == 405
