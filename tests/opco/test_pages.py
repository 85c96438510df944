"""A file on one page, and each decision through its buttons, without a script."""

import datetime as dt
import re
import uuid

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from companies.enums import OpcoOrigin, Refusal
from companies.models import OpcoAssignment
from labonnealternance.mail.models import Message
from offers.actions import accesses
from offers.enums import AccessStatus, OfferStatus
from opco.actions import answers, cases, clock
from opco.enums import DecisionKind, DecisionStatus, Tab
from opco.models import LONGEST_TEXT, Decision, Note
from tests import factories
from tests.opco.desk import (
    AT,
    DAY,
    HOUR,
    SECOND,
    TICK,
    ask,
    certify,
    decided,
    make_advisor,
    make_desk,
    make_file,
    make_opco,
    refuse,
    seated,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock_of_the_test():
    with time_machine.travel(AT, tick=False) as moved:
        yield moved


@pytest.fixture
def client(desk, clock_of_the_test):
    return seated(desk.user)


def address(access, name="case"):
    return reverse(f"opco:{name}", args=[access.pk])


def read(client, access):
    answer = client.get(address(access))
    assert answer.status_code == 200
    return re.sub(r"[ \n]+", " ", answer.content.decode())


def seen_on(client, access):
    """What the hidden field of the page says."""
    return re.search(r'name="seen" value="([^"]+)"', client.get(address(access)).content.decode())[1]


# ── The file ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_on_one_page(client, desk, settings):
    settings.PUBLIC_REGISTERS = [
        ("Registre d’exemple", "https://registre.exemple.fr/{siret}?u={siren}"),
    ]
    access = make_file(
        offers=1,
        user__first_name="Léa",
        user__last_name="Exemple",
        user__email="lea@boulange-exemple.fr",
        user__phone="+33199000018",
        establishment__siret=factories.make_siret(42),
        establishment__name="LE FOURNIL",
        establishment__idcc=factories.IdccFactory(opco=make_opco(1)),
        establishment__is_headquarters=True,
    )
    siret = access.establishment.siret
    OpcoAssignment.objects.create(
        establishment=access.establishment, opco=make_opco(1), origin=OpcoOrigin.SERVICE, at=AT - DAY
    )
    page = read(client, access)
    for told in (
        "LE FOURNIL", f"{siret[:3]}\xa0{siret[3:6]}\xa0{siret[6:9]}\xa0{siret[9:]}", "1071C Boulangerie", "843 –",
        "10 à 19 salariés", "2 mars 2015", "1 PLACE D&#x27;ARMES, 57000 Metz", "OPCO 1",
        "Léa Exemple", "lea@boulange-exemple.fr", "01 99 00 00 18", "22 novembre 2026, inscription",
        "Rien à comparer",
        "Boulanger / Boulangère", "Pétrir une pâte", "Apprentissage", "12\xa0mois",
        f'href="https://registre.exemple.fr/{siret}?u={siret[:9]}"', "Registre d’exemple – nouvelle fenêtre",
        "Demande faite (inscription)", "Adresse e-mail confirmée",
        "OPCO de l’établissement : OPCO 1 (service public des OPCO)",
    ):  # fmt: skip
        assert told in page, told


@pytest.mark.parametrize(
    "email, contacts, told",
    [
        ("lea@four-exemple.fr", ["lea@four-exemple.fr"], "Adresse connue"),
        ("lea@four-exemple.fr", ["autre@four-exemple.fr"], "Domaine connu"),
        ("lea@gmail.com", ["autre@four-exemple.fr"], "Messagerie personnelle"),
        ("lea@gmail.com", [], "Messagerie personnelle"),
        ("lea@gmail.com", ["autre@gmail.com"], "Messagerie personnelle"),
        ("lea@cfa-exemple.fr", ["autre@four-exemple.fr"], "Autre domaine"),
        ("lea@four-exemple.fr", [], "Rien à comparer"),
    ],
)
def test_how_the_e_mail_compares_with_what_is_known(client, email, contacts, told):
    access = make_file(user__email=email)
    for each in contacts:
        factories.ContactFactory(siret=access.establishment.siret, email=each)
    page = read(client, access)
    titles = re.findall(r'<h3 class="fr-alert__title">([^<]+)</h3>', page)
    assert titles == [told]
    # The address of a contact is nobody's to read but its own domain's.
    assert "autre@" not in page
    if "autre@four-exemple.fr" in contacts and told != "Domaine connu":
        assert "Domaines connus de l’entreprise : @four-exemple.fr" in page


def test_a_domain_certified_for_the_same_company_is_told(client, desk):
    first = make_file(user__email="a@four-exemple.fr", establishment__siret=factories.make_siret(7, branch=1))
    second = make_file(user__email="b@four-exemple.fr", establishment__siret=factories.make_siret(7, branch=2))
    assert "Rien à comparer" in read(client, second)
    decided(certify, desk, first)
    assert "Domaine déjà certifié" in read(client, second)


@pytest.mark.parametrize(
    "email, siren, titles",
    [
        ("accueil@cfa-exemple.fr", 9, ["Adresse d’un CFA", "Rien à comparer"]),
        ("lea@cfa-exemple.fr", 9, ["Domaine d’un CFA", "Rien à comparer"]),
        ("lea@four-exemple.fr", 9, ["Rien à comparer"]),
        ("lea@cfa-exemple.fr", 7, ["Domaine connu"]),
    ],
)
def test_an_address_that_is_a_training_centre_s_is_told_first(client, email, siren, titles):
    """The last case: a company that teaches too is the employer."""
    access = make_file(user__email=email, establishment__siret=factories.make_siret(7, branch=1))
    school = factories.EstablishmentFactory(
        siret=factories.make_siret(siren, branch=2), name="CFA DES PAINS", naf=factories.NafFactory(code="8532Z")
    )
    factories.ContactFactory(siret=school.siret, email="accueil@cfa-exemple.fr")
    page = read(client, access)
    assert re.findall(r'<h3 class="fr-alert__title">([^<]+)</h3>', page) == titles
    assert ("CFA DES PAINS (SIRET" in page) == (len(titles) == 2)


@pytest.mark.parametrize(
    "facts, told",
    [
        ({"establishment__closed_on": dt.date(2026, 11, 1)}, "Établissement fermé depuis le 1er novembre 2026"),
        ({"establishment__refusal": Refusal.TEACHING}, "établissement d’enseignement"),
        ({"establishment__is_diffusible": False}, "s’oppose à la diffusion"),
        ({"establishment__to_verify_since": AT - DAY}, "n’a pas encore répondu"),
        ({"user__is_active": False}, "Le compte de cette personne est fermé"),
    ],
)
def test_what_stands_in_the_way_is_told_first(client, facts, told):
    assert told in read(client, make_file(**facts))


def test_the_page_of_a_file_asks_the_same_number_of_queries_however_much_is_in_it(client, desk):
    bare = make_file(establishment__siret=factories.make_siret(7, branch=1))
    client.get(address(bare))
    with CaptureQueriesContext(connection) as few:
        client.get(address(bare))
    full = make_file(offers=12, establishment__siret=factories.make_siret(8, branch=1))
    for n in range(8):
        make_file(establishment=full.establishment)
        make_file(establishment__siret=factories.make_siret(8, branch=n + 2))
        author = make_desk(desk.opco)
        cases.note(desk=author, access_id=full.pk, text="Note", key=uuid.uuid4(), at=AT)
        decided(ask, author, full, at=AT + n * HOUR, text=f"Question {n}")
        OpcoAssignment.objects.create(
            establishment=full.establishment, opco=make_opco(1), origin=OpcoOrigin.SUPPORT, by=author.user, at=AT
        )
    with CaptureQueriesContext(connection) as many:
        page = client.get(address(full)).content.decode()
    assert len(many) == len(few) <= 26
    assert page.count('class="case__offer"') == 10
    assert page.count("– En attente") + page.count("– À traiter") == 16


def test_what_somebody_wrote_is_shown_as_it_is_and_runs_nothing(client, desk):
    text = '<script>alert(1)</script> & "guillemets" 🥖 \u05d0'
    access = make_file(user__first_name=text[:50], user__last_name="</h1>")
    cases.note(desk=desk, access_id=access.pk, text=text, key=uuid.uuid4(), at=AT)
    decided(ask, desk, access, text=text)
    page = read(client, access)
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;guillemets&quot; 🥖 \u05d0") >= 2


def test_the_history_tells_each_thing_once(client, desk):
    access = make_file()
    undone = refuse(desk, access, at=AT - 5 * HOUR, text="Trop vite.")
    from opco.actions import decisions

    decisions.undo(desk=desk, decision_id=undone.pk, at=AT - 5 * HOUR)
    decided(certify, desk, access, at=AT - 4 * HOUR)
    accesses.deny(access_id=access.pk, by=factories.StaffFactory(first_name="Sam"), at=AT - 3 * HOUR, reason="Fraude")
    happened = [
        (line.what, line.who) for line in client.get(address(access)).context["history"]
    ]  # fmt: skip
    assert happened == [
        ("Accès refusé", "Sam Exemple"),
        ("Certifié", "Anne Conseil"),
        (
            "Refusé : lien avec l’établissement non établi – annulé par Anne Conseil",
            "Anne Conseil",
        ),
        ("Adresse e-mail confirmée", "Camille Exemple"),
        ("Demande faite (inscription)", "Camille Exemple"),
    ]


# ── Decisions by their buttons ───────────────────────────────────────────────────────────────────────────────────────


def test_after_each_decision_the_next_file_opens_with_how_long_it_may_be_undone(client, desk, clock_of_the_test):
    first, second = make_file(at=AT - DAY, establishment__name="PREMIER"), make_file()
    answer = client.post(address(first, "certify"), {"seen": seen_on(client, first)})
    assert (answer.status_code, answer.url) == (302, address(second))
    clock_of_the_test.shift(12)
    page = read(client, second)
    decision = Decision.objects.get()
    assert "<strong>Certifié&nbsp;:</strong> PREMIER" in page
    assert 'data-seconds="48"' in page
    assert "Personne n’en sera prévenu avant 9 h 31 min 00 s" in page
    assert f'action="{reverse("opco:undo", args=[decision.pk])}"' in page
    undone = client.post(reverse("opco:undo", args=[decision.pk]))
    assert (undone.status_code, undone.url) == (302, address(first))
    page = read(client, first)
    assert "La décision est annulée" in page
    assert "PREMIER</p>" not in page
    clock_of_the_test.shift(60)
    assert clock.apply_due(at=timezone.now()) == 0
    assert not Message.objects.exists()


def test_the_list_that_the_person_came_from_is_kept_from_file_to_file(client):
    first, second = (make_file(at=AT - n * DAY, offers=1) for n in (4, 3))
    make_file(at=AT - 2 * DAY)
    query = "?depuis=1&offres=avec"
    answer = client.post(address(first, "certify") + query, {"seen": seen_on(client, first)})
    assert answer.url == address(second) + query
    answer = client.post(address(second, "certify") + query, {"seen": seen_on(client, second)})
    assert answer.url == "/opco/" + query


def test_the_second_advisor_sees_who_decided_and_when_and_stays_on_the_file(client, desk):
    access, other = make_file(), make_file()
    colleague = make_desk(desk.opco, first_name="Bruno", last_name="Second")
    seen = seen_on(client, access)
    certify(colleague, access, at=AT - 5 * (AT - AT))
    answer = client.post(address(access, "certify"), {"seen": seen})
    assert answer.url == address(access)
    page = read(client, access)
    assert "Décision déjà prise par Bruno Second à 9 h 30 : certifié." in page
    assert "Annuler cette décision" in page
    assert 'accesskey="c"' not in page, "nothing is left to decide while it is held"
    assert Decision.objects.get().made_by == colleague.user
    assert 'accesskey="c"' in read(client, other)


def test_refusing_a_reason_makes_an_e_mail_that_is_read_rewritten_and_sent(client, clock_of_the_test):
    access = make_file(offers=1)
    client.post(address(access, "note"), {"text": "x", "key": str(uuid.uuid4())})
    page = client.get(address(access, "refuse"), {"reason": "intermediary"}).content.decode()
    proposed = "Le dépôt d’offres est réservé à l’employeur."
    assert page.count(proposed) == 2, "in the field, and in the e-mail"
    assert "Votre demande de publier des offres pour cet établissement a été refusée." in page
    assert "- Boulanger / Boulangère" in page, "the offers that it cancels"
    said = {"reason": "intermediary", "text": "Invitez plutôt l’employeur.", "seen": seen_on(client, access)}
    page = client.post(address(access, "refuse"), {**said, "apercu": "1"}).content.decode()
    assert page.count("Invitez plutôt l’employeur.") == 2
    assert not Decision.objects.exists()
    client.post(address(access, "refuse"), said)
    clock_of_the_test.shift(61)
    clock.apply_due(at=timezone.now())
    mail = Message.objects.get()
    assert "Motif : Invitez plutôt l’employeur." in mail.text_body
    assert access.offers.get().status == OfferStatus.CANCELLED


def test_the_e_mail_that_was_shown_is_the_one_that_leaves(client, clock_of_the_test):
    refused, asked = make_file(offers=2), make_file()
    page = client.post(
        address(refused, "refuse"), {"reason": "other", "text": "Voici pourquoi.", "apercu": "1", "seen": "x"}
    )
    shown = page.context["preview"]
    client.post(
        address(refused, "refuse"), {"reason": "other", "text": "Voici pourquoi.", "seen": seen_on(client, refused)}
    )
    question = client.get(address(asked, "ask")).context["preview"]
    client.post(
        address(asked, "ask"),
        {"text": client.get(address(asked, "ask")).context["form"]["text"].value(), "seen": seen_on(client, asked)},
    )
    clock_of_the_test.shift(61)
    clock.apply_due(at=timezone.now())
    left = {mail.kind: mail for mail in Message.objects.all()}
    for kind, preview in (("access_denied", shown), ("information_asked", question)):
        mail = left[kind]
        written = f"À : {mail.recipient}\nObjet : {mail.subject}\n\n{mail.text_body}"
        assert re.sub(r"/lien/[^/]+/", "/lien/apercu/", written) == preview


@pytest.mark.parametrize("name", ["refuse", "ask", "pass_on", "certify"])
def test_a_page_that_was_open_while_someone_decided_decides_nothing(client, desk, name):
    access = make_file()
    seen = seen_on(client, access)
    decided(refuse, make_desk(desk.opco), access, at=AT - HOUR)
    body = {"seen": seen, "reason": "other", "text": "Texte", "to": "support"}
    answer = client.post(address(access, name), body)
    assert answer.url == address(access)
    assert Decision.objects.count() == 1
    assert "Décision déjà prise par Anne Conseil à 8 h 30 : refusé." in read(client, access)


def test_passing_on_offers_every_other_opco_and_support(client, desk):
    access, two = make_file(), make_opco(2)
    form = client.get(address(access, "pass_on")).context["form"]
    assert [value for value, _ in form.fields["to"].choices] == ["", two.pk, "support"]
    client.post(address(access, "pass_on"), {"to": two.pk, "text": "", "seen": seen_on(client, access)})
    assert Decision.objects.get().to_opco == two


@pytest.mark.parametrize(
    "name, body, told",
    [
        ("refuse", {"reason": "", "text": "x"}, "Choisissez un motif."),
        ("refuse", {"reason": "autre", "text": "x"}, "Choisissez un motif de la liste."),
        ("refuse", {"reason": "other", "text": ""}, "Dites à la personne pourquoi"),
        ("refuse", {"reason": "other", "text": "a" * 10_000}, f"dépasse {LONGEST_TEXT} caractères"),
        ("refuse", {"reason": "other", "text": "a\0b"}, "Le caractère nul n’est pas autorisé"),
        ("refuse", {"reason": "other", "text": "a\u202eb"}, "caractère invisible"),
        ("ask", {"text": " "}, "Écrivez ce que vous demandez"),
        ("ask", {"text": "a" * 2_001}, f"dépasse {LONGEST_TEXT} caractères"),
        ("pass_on", {"to": ""}, "Choisissez à qui."),
        ("pass_on", {"to": "opco-1"}, "Choisissez dans la liste."),
        ("pass_on", {"to": "<script>"}, "Choisissez dans la liste."),
        ("note", {"text": "", "key": str(uuid.uuid4())}, "Écrivez votre note."),
        ("note", {"text": "x", "key": "abc"}, "Rechargez la page."),
        ("note", {"text": "a" * 2_001, "key": str(uuid.uuid4())}, f"dépasse {LONGEST_TEXT} caractères"),
    ],
)
def test_what_can_t_be_kept_is_told_beside_its_field_and_what_was_typed_stays(client, name, body, told):
    access = make_file()
    page = client.post(address(access, name), {"seen": "awaiting.0", **body})
    assert page.status_code == 200
    said = page.content.decode()
    assert told in said
    assert "aria-describedby=" in said or name == "note"
    if len(body.get("text", "")) in range(1, 3_000) and "\0" not in body["text"]:
        assert body["text"] in said
    assert not Decision.objects.exists()
    assert not Note.objects.exists()


@pytest.mark.parametrize(
    "text", ["🥖 É œ \u05d0 ‏", "a" * LONGEST_TEXT, "<script>alert(1)</script>", "ligne 1\r\nligne 2", "{{ 7|add:7 }}"]
)
def test_every_text_of_a_person_is_taken_and_shown(client, text):
    access = make_file()
    client.post(address(access, "note"), {"text": text, "key": str(uuid.uuid4())})
    client.post(address(access, "ask"), {"text": text, "seen": seen_on(client, access)})
    assert Note.objects.get().text == text.replace("\r\n", "\n")
    clock.apply_due(at=AT + TICK)
    assert Message.objects.count() == 1
    assert "<script>alert" not in read(client, access)


def test_taking_and_taking_over_by_their_buttons(client, desk):
    access = make_file()
    assert "Prendre le dossier" in read(client, access)
    client.post(address(access, "take"))
    assert "Rendre le dossier" in read(client, access)
    colleague = seated(make_advisor(desk.opco).user)
    page = read(colleague, access)
    assert "Pris par Anne Conseil à 9 h 30" in page
    assert "Certifier" not in page.split("Raccourcis clavier")[0].split('id="decider"')[1]
    answer = colleague.post(address(access, "certify"), {"seen": "awaiting.0.0"}, follow=True)
    assert "Dossier pris par Anne Conseil à 9 h 30." in answer.content.decode()
    colleague.post(address(access, "take"), {"instead_of": str(desk.user.pk)})
    assert "Rendre le dossier" in read(colleague, access)
    client.post(address(access, "release"))
    assert "Dossier pris par" in read(client, access)
    colleague.post(address(access, "release"))
    assert "Prendre le dossier" in read(client, access)


def test_a_note_is_added_and_read_by_colleagues(client, desk):
    access = make_file()
    answer = client.post(address(access, "note"), {"text": "À rappeler\nlundi", "key": str(uuid.uuid4())})
    assert answer.url == address(access) + "#notes"
    page = seated(make_advisor(desk.opco).user).get(address(access)).content.decode()
    assert "À rappeler\nlundi" in page


def test_once_the_minute_is_over_undoing_says_that_it_is_too_late(client, desk):
    access = make_file()
    decision = decided(certify, desk, access, at=AT - HOUR)
    answer = client.post(reverse("opco:undo", args=[decision.pk]), follow=True)
    assert "La minute est passée" in answer.content.decode()
    access.refresh_from_db()
    assert access.status == AccessStatus.GRANTED


@pytest.mark.parametrize("status", AccessStatus)
def test_the_buttons_of_a_file_are_those_that_its_state_allows(client, desk, status):
    access = make_file()
    if status == AccessStatus.GRANTED:
        decided(certify, desk, access, at=AT - HOUR)
    elif status == AccessStatus.DENIED:
        decided(refuse, desk, access, at=AT - HOUR)
    page = read(client, access)
    shown = {key for key in "crqtp" if f'accesskey="{key}"' in page}
    assert shown == {
        AccessStatus.AWAITING: set("crqtp"), AccessStatus.GRANTED: {"r"}, AccessStatus.DENIED: {"c"},
    }[status]  # fmt: skip


def test_a_person_does_not_judge_themselves_and_the_page_says_so(client, desk):
    access = make_file(user=desk.user)
    page = read(client, access)
    assert "C’est votre propre demande" in page
    assert 'accesskey="c"' not in page


def test_every_button_that_changes_something_is_a_post_with_its_token(client, desk):
    access = make_file()
    certify(desk, make_file())
    strict = seated(desk.user)
    strict.handler.enforce_csrf_checks = True
    for name in ("certify", "take", "release", "note"):
        assert strict.get(address(access, name)).status_code == 405
        assert strict.post(address(access, name)).status_code == 403
    assert strict.post(reverse("opco:undo", args=[Decision.objects.get().pk])).status_code == 403
    page = client.get(address(access)).content.decode()
    for form in re.findall(r'<form method="post".*?</form>', page, re.DOTALL):
        assert "csrfmiddlewaretoken" in form


def test_no_name_of_a_file_is_a_fault(client):
    for number in (0, 9_223_372_036_854_775_807, 9_223_372_036_854_775_808, 10**30):
        for name in ("case", "certify", "refuse", "take", "note"):
            assert client.post(f"/opco/dossiers/{number}/{'' if name == 'case' else name + '/'}").status_code in {
                404,
                405,
            }
        assert client.get(f"/opco/dossiers/{number}/").status_code == 404
        assert client.post(f"/opco/decisions/{number}/annuler/").status_code == 404


def test_the_tabs_lead_to_what_became_of_the_morning(client, desk):
    for kind, tab in (
        ("certify", Tab.CERTIFIED),
        ("refuse", Tab.REFUSED),
        ("ask", Tab.ASKED),
        ("pass_on", Tab.PASSED_ON),
    ):
        access = make_file(establishment__name=f"ÉTAPE {tab}")
        body = {"seen": seen_on(client, access), "reason": "other", "text": "Texte", "to": "support"}
        client.post(address(access, kind), body)
        page = client.get("/opco/", {"onglet": tab.value}).content.decode()
        assert f"ÉTAPE {tab}" in page
    assert {each.kind for each in Decision.objects.all()} == set(DecisionKind)
    assert {each.status for each in Decision.objects.all()} == {DecisionStatus.HELD}


# ── What came meanwhile ──────────────────────────────────────────────────────────────────────────────────────────────


def test_an_answer_that_the_page_had_not_shown_is_read_before_a_decision(client, desk):
    access = make_file()
    question = decided(ask, desk, access, at=AT - DAY)
    seen = seen_on(client, access)
    answers.answer(token=answers.token_of(question), text="Gérante.", key=uuid.uuid4(), at=AT)
    said = client.post(
        address(access, "refuse"), {"seen": seen, "reason": "no_answer", "text": "Pas de réponse."}, follow=True
    ).content.decode()
    assert "La personne a répondu à 9 h 30 : lisez sa réponse avant de décider." in said
    assert "Gérante." in said
    assert Decision.objects.count() == 1


@pytest.mark.parametrize("name", ["refuse", "ask", "pass_on"])
def test_the_page_of_a_decision_is_not_opened_from_a_page_that_is_behind(client, desk, name):
    """A colleague certified while the file was read: nobody revokes it by the button that refuses a request."""
    access = make_file()
    links = client.get(address(access)).context
    assert f"seen={links['seen']}" in links["addresses"]["ask"]
    assert links["asked_from"]["seen"] == links["seen"]
    assert client.get(address(access, name), {"seen": links["seen"]}).status_code == 200
    decided(certify, make_desk(desk.opco), access, at=AT - HOUR)
    answer = client.get(address(access, name), {"seen": links["seen"], "reason": "other"})
    assert answer.url == address(access)
    assert "Décision déjà prise par Anne Conseil à 8 h 30 : certifié." in read(client, access)


def test_of_many_decisions_of_the_last_minute_the_latest_is_in_sight_and_the_others_are_folded(client, desk):
    for n in range(15):
        certify(desk, make_file(establishment__name=f"FOURNIL {n:02d}"), at=AT - n * SECOND)
    page = read(client, make_file())
    in_sight, _, folded = page.split('class="held fr-')[1].split("</section>")[0].partition("<details>")
    assert in_sight.count('accesskey="z"') == in_sight.count("<form") == 1
    assert "FOURNIL 00" in in_sight
    assert "14 autres décisions de la dernière minute" in folded
    assert folded.count("<form") == 14
    assert "accesskey" not in folded


def test_the_key_of_somebody_else_s_note_keeps_nothing_and_is_no_fault(client, desk):
    access, key = make_file(), uuid.uuid4()
    cases.note(desk=make_desk(desk.opco), access_id=access.pk, text="Note", key=key, at=AT)
    page = client.post(address(access, "note"), {"text": "Autre", "key": str(key)})
    assert page.status_code == 200
    assert "Rechargez la page." in page.content.decode()
    assert Note.objects.get().text == "Note"
