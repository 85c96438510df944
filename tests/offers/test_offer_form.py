"""The form of an offer: a title and a date, the rest as one likes; nothing typed is lost, nobody else's is seen."""

import datetime as dt
import re
import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from companies.models import RomeAppellation
from offers.actions import offers as acts
from offers.enums import AccessStatus, OfferStatus
from offers.models import Offer
from tests import factories
from tests.offers.public_town import BAKER
from tests.offers.recruiter_journey import (
    BAD_TEXTS,
    KNOWLEDGE,
    SKILLS,
    TITLE,
    build_jobs,
    check_page,
    start,
    typed,
    words,
)

pytestmark = pytest.mark.django_db

NEW = "/recruteur/offres/nouvelle/"


@pytest.fixture
def jobs():
    build_jobs()


@pytest.fixture
def recruiter(client, jobs):
    user = factories.UserFactory(email_confirmed_at=timezone.now(), phone="+33199001234")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return user


@pytest.fixture
def access(recruiter):
    shop = factories.EstablishmentFactory(siret=factories.make_siret(1), name="FOURNIL DU PONT")
    return factories.AccessFactory(user=recruiter, establishment=shop)


@pytest.fixture
def offer(access):
    title = RomeAppellation.objects.get(label=TITLE)
    told = acts.OfferFields(
        appellation_ogr=title.ogr, starts_on=start(), custom_title="Apprenti boulanger", level="3", positions=2,
        presentation="Un fournil de quartier, quatre personnes, fermé le lundi.", questions=["Avez-vous le permis ?"],
        skills=SKILLS[:2],
    )  # fmt: skip
    return acts.deposit(access_id=access.pk, fields=told, key=uuid.uuid4(), at=timezone.now(), by=access.user)


def send(client, path=NEW, siret=None, **changes):
    return client.post(path, typed(siret=siret or factories.make_siret(1), **changes))


def ogr_of(label) -> str:
    return str(RomeAppellation.objects.get(label=label).ogr)


def boxes(page, name) -> list[tuple[str, bool]]:
    """The boxes of a page, each with whether it is ticked."""
    found = re.findall(rf'type="checkbox" id="{name}-\d+" name="{name}" value="([^"]+)"( checked)?', page.text)
    return [(label.replace("&#x27;", "'"), bool(checked)) for label, checked in found]


# ── A new offer ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_of_a_granted_access_the_offer_is_published_at_once(client, access):
    answer = send(client)
    offer = Offer.objects.get()
    assert answer.url == f"/recruteur/offres/{offer.pk}/"
    assert offer.status == OfferStatus.ACTIVE
    assert "Votre offre est publiée" in words(client.get(answer.url))


def test_of_an_awaiting_access_it_waits_and_the_person_is_told_so(client, recruiter):
    shop = factories.EstablishmentFactory(siret=factories.make_siret(1))
    factories.AccessFactory(user=recruiter, establishment=shop, status=AccessStatus.AWAITING)
    answer = send(client)
    assert Offer.objects.get().status == OfferStatus.AWAITING
    assert "Votre offre est déposée. Elle paraîtra d’elle-même" in words(client.get(answer.url))


def test_the_same_form_sent_twice_is_one_offer_and_the_same_answer(client, access):
    form = typed(siret=access.establishment.siret)
    assert client.post(NEW, form).url == client.post(NEW, form).url
    assert Offer.objects.count() == 1


def test_without_an_establishment_one_is_led_to_add_it(client, recruiter):
    answer = client.get(NEW, follow=True)
    assert answer.redirect_chain == [("/recruteur/inscription/", 302)]
    assert "Ajoutez d’abord l’établissement qui recrute." in words(answer)


def test_of_several_establishments_one_is_chosen(client, recruiter, access):
    second = factories.EstablishmentFactory(siret=factories.make_siret(2), name="FOURNIL DU PARC")
    factories.AccessFactory(user=recruiter, establishment=second)
    page = client.get(f"{NEW}?siret={second.siret}")
    assert re.search(rf'<option value="{second.siret}" selected>FOURNIL DU PARC', page.text)
    assert re.search(rf'<option value="{access.establishment.siret}">FOURNIL DU PONT', page.text)
    send(client, siret=second.siret)
    assert Offer.objects.get().establishment == second


def test_of_several_establishments_one_that_publishes_at_once_is_proposed_first(client, recruiter, access):
    factories.AccessFactory(
        user=recruiter,
        establishment=factories.EstablishmentFactory(siret=factories.make_siret(2), name="FOURNIL DU PARC"),
        status=AccessStatus.AWAITING,
        asked_at=timezone.now(),
    )
    assert re.search(r'<option value="\d+" selected>FOURNIL DU PONT', client.get(NEW).text)


def test_one_establishment_is_not_asked(client, access):
    assert "<select" not in client.get(NEW).text.split('id="plus"')[0]


@pytest.mark.parametrize("held", ["denied", "unconfirmed", "closed", "another's"])
def test_an_establishment_for_which_one_may_not_publish_is_not_proposed(client, recruiter, access, held):
    other = factories.EstablishmentFactory(siret=factories.make_siret(2), name="FOURNIL DU PARC")
    if held == "another's":
        factories.AccessFactory(establishment=other)
    elif held == "denied":
        factories.AccessFactory(user=recruiter, establishment=other, status=AccessStatus.DENIED)
    elif held == "unconfirmed":
        factories.AccessFactory(
            user=recruiter, establishment=other, status=AccessStatus.AWAITING, confirmed_at=None, decided_at=None
        )
    else:
        other.closed_on = timezone.localdate()
        other.save()
        factories.AccessFactory(user=recruiter, establishment=other)
    assert other.siret not in client.get(f"{NEW}?siret={other.siret}").text
    page = send(client, siret=other.siret, presentation="Ce texte reste, quoi qu’il arrive à la demande.")
    assert "Vous ne pouvez plus publier pour cet établissement" in words(page)
    assert "Ce texte reste" in words(page)
    assert not Offer.objects.exists()


def test_everything_that_may_be_said_is_kept(client, access):
    send(
        client,
        custom_title="Apprenti·e au fournil",
        contract_types=["apprenticeship", "professionalisation"],
        level="5",
        duration_months="24",
        positions="3",
        presentation="Un fournil de quartier,\r\nquatre personnes, fermé le lundi.",
        question_1="Avez-vous le permis ?",
        question_3="Aimez-vous vous lever tôt ?",
        shows_phone="on",
    )
    offer = Offer.objects.get()
    assert (offer.title, offer.job_label) == ("Apprenti·e au fournil", TITLE)
    assert offer.contract_types == ["apprenticeship", "professionalisation"]
    assert (offer.level, offer.duration_months, offer.positions) == ("5", 24, 3)
    assert offer.presentation == "Un fournil de quartier,\nquatre personnes, fermé le lundi."
    assert offer.questions == ["Avez-vous le permis ?", "Aimez-vous vous lever tôt ?"]
    assert offer.shows_phone


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("job", "", "Indiquez le métier recherché."),
        ("job", "zzzzqqq", "Nous ne connaissons pas ce métier"),
        ("job", "b" * 300, "Ce métier est trop long"),
        ("starts_on", "", "Indiquez quand le contrat commence, même à peu près."),
        ("starts_on", "2027-02-30", "Cette date n’existe pas : écrivez-la comme 31/01/2027."),
        ("starts_on", "demain", "Cette date n’existe pas : écrivez-la comme 31/01/2027."),
        ("starts_on", "2020-01-01", "La date de début est passée"),
        ("starts_on", "2099-01-01", "La date de début est dans 2 ans au plus."),
        ("custom_title", "ab", "au moins 3 caractères"),
        ("custom_title", "a" * 151, "au plus 150 caractères"),
        ("custom_title", "Boulanger, voir www.exemple.fr", "ni adresse de site, ni adresse e-mail"),
        ("custom_title", "Écrire à a@exemple.fr", "ni adresse de site, ni adresse e-mail"),
        ("contract_types", [], "Cochez au moins un type de contrat."),
        ("contract_types", ["cdi"], "Choisissez un contrat de la liste."),
        ("level", "9", "Choisissez un diplôme de la liste."),
        ("duration_months", "5", "Indiquez une durée de 6 à 36 mois."),
        ("duration_months", "37", "Indiquez une durée de 6 à 36 mois."),
        ("duration_months", "", "Indiquez une durée de 6 à 36 mois."),
        ("positions", "0", "Indiquez de 1 à 10 postes."),
        ("positions", "11", "Indiquez de 1 à 10 postes."),
        ("positions", "deux", "Indiquez de 1 à 10 postes."),
        ("presentation", "Trop court", "au moins 30 caractères"),
        ("presentation", "a" * 801, "au plus 800 caractères"),
        ("question_2", "a" * 201, "au plus 200 caractères"),
    ],
)
@pytest.mark.parametrize("action", ["publish", "preview"])
def test_what_is_wrong_is_told_beside_its_field_and_everything_typed_is_kept(
    client, access, field, value, sentence, action
):
    told = {"presentation": "Un fournil de quartier, quatre personnes.", "question_1": "Le permis ?", "positions": "4"}
    page = send(client, **{**told, "action": action, field: value})
    assert page.status_code == 200
    assert sentence in words(page)
    assert f'id="id_{field}_error"' in page.text
    assert "<title>Erreur" in page.text
    for name, kept in told.items():
        assert name == field or kept in page.text
    if field not in {"job", "starts_on"}:
        assert re.search(r'<details[^>]* id="plus" open>', page.text), "what is wrong is not folded away"
    assert page.text.count(" autofocus") == (field != "contract_types")
    assert not Offer.objects.exists()


@pytest.mark.parametrize("day", ["%Y-%m-%d", "%d/%m/%Y"])
def test_a_day_is_read_as_browsers_and_people_write_it(client, access, day):
    send(client, starts_on=start().strftime(day))
    assert Offer.objects.get().starts_on == start()


FIELDS = [
    "job", "ogr", "job_choice", "starts_on", "custom_title", "contract_types", "level", "duration_months",
    "positions", "presentation", "question_1", "question_2", "question_3", "shows_phone", "skills", "knowledge",
    "boxes_of", "choices_for", "siret", "deposit_key", "action",
]  # fmt: skip


@pytest.mark.parametrize("field", FIELDS)
def test_whatever_is_typed_in_any_field_there_is_a_page(client, access, field):
    known = {"siret": access.establishment.siret, "boxes_of": ogr_of(TITLE)}
    for kind, text in BAD_TEXTS.items():
        check_page(client.post(NEW, typed(**known | {field: text})), asked=(field, kind))
    for shown in Offer.objects.all():
        check_page(client.get(f"/offre/{shown.pk}/"), asked=(field, shown.title))


@pytest.mark.parametrize("action", ["change", "preview"])
def test_whatever_is_typed_in_all_fields_they_are_shown_again(client, access, action):
    known = {"siret": access.establishment.siret, "boxes_of": ogr_of(TITLE), "action": action}
    for kind, text in BAD_TEXTS.items():
        for left in ({}, {"job": TITLE}, known):
            check_page(
                client.post(NEW, typed(**dict.fromkeys(FIELDS, text) | {"action": action} | left)), asked=(kind, left)
            )


def test_a_person_without_a_phone_can_not_show_it(client, access):
    access.user.phone = ""
    access.user.save()
    page = send(client, shows_phone="on")
    assert "Indiquez d’abord votre téléphone" in words(page)
    assert not Offer.objects.exists()


# ── The title ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("text", [TITLE, "boulangere", "BOULANGER", " boulanger "])
def test_a_title_typed_without_choosing_is_taken_where_it_is_clear(client, access, text):
    send(client, job=text)
    assert Offer.objects.get().job_label == TITLE


def test_a_title_that_may_mean_several_is_chosen_among_them(client, access):
    page = send(client, job="boulangerie", presentation="Un fournil de quartier, quatre personnes.")
    assert "Précisez le métier : choisissez-le dans la liste." in words(page)
    assert "Un fournil de quartier" in words(page)
    choices = re.findall(r'type="radio" id="choix-\d+" name="job_choice" value="(\d+)"', page.text)
    assert ogr_of(TITLE) in choices
    send(client, job="boulangerie", choices_for="boulangerie", job_choice=ogr_of("Cuisinier / Cuisinière"))
    assert Offer.objects.get().job_label == "Cuisinier / Cuisinière"


def test_a_choice_made_for_another_text_is_forgotten(client, access):
    send(client, job="boulanger", choices_for="boulangerie", job_choice=ogr_of("Cuisinier / Cuisinière"))
    assert Offer.objects.get().job_label == TITLE


def test_a_suggestion_that_the_text_no_longer_says_is_forgotten(client, access):
    send(client, job="cuisinier", ogr=ogr_of(TITLE))
    assert Offer.objects.get().job_label == "Cuisinier / Cuisinière"


def test_of_titles_that_read_alike_the_one_that_was_chosen_is_taken(client, access):
    twin = factories.RomeAppellationFactory(rome=factories.RomeFactory(code="G1602"), label=TITLE)
    send(client, job=TITLE, ogr=str(twin.ogr))
    assert Offer.objects.get().rome_id == "G1602"


def test_suggestions_of_titles_carry_their_own_code(client, jobs):
    answer = Client().get("/recruteur/suggestions/metiers/", {"q": "boulang"})
    assert {"label": TITLE, "value": int(ogr_of(TITLE))} in answer.json()["suggestions"]
    assert Client().get("/recruteur/suggestions/metiers/", {"q": "b"}).json() == {"suggestions": []}


# ── What the sheet says ──────────────────────────────────────────────────────────────────────────────────────────────


def test_without_a_script_a_button_shows_the_description_and_keeps_what_is_typed(client, access):
    page = send(client, action="describe", job="boulanger", presentation="Court", starts_on="")
    assert "Réalise des produits de boulangerie." in words(page)
    assert boxes(page, "skills") == [(label, True) for label in SKILLS]
    assert boxes(page, "knowledge") == [(label, True) for label in KNOWLEDGE]
    assert f'name="job" value="{TITLE}"' in page.text
    assert "Court" in page.text
    assert "Erreur" not in words(page)
    assert not Offer.objects.exists()


def test_asked_for_the_description_of_an_unknown_job_the_page_says_so(client, access):
    assert "Nous ne connaissons pas ce métier" in words(send(client, action="describe", job="zzzzqqq"))


def test_the_script_fetches_the_same(client, jobs):
    page = client.get("/recruteur/fiche-metier/", {"job": TITLE, "ogr": ogr_of(TITLE)})
    assert boxes(page, "skills") == [(label, True) for label in SKILLS]
    assert f'name="boxes_of" value="{ogr_of(TITLE)}"' in page.text
    assert "<html" not in page.text
    assert client.get("/recruteur/fiche-metier/", {"job": "boulangerie"}).text.strip() == ""


def test_what_is_unticked_is_left_out(client, access):
    send(client, boxes_of=ogr_of(TITLE), skills=[SKILLS[0]], knowledge=[])
    offer = Offer.objects.get()
    assert (offer.skills, offer.knowledge) == ([SKILLS[0]], [])


def test_boxes_of_another_job_say_nothing_of_this_one(client, access):
    send(client, boxes_of=ogr_of("Cuisinier / Cuisinière"), skills=[SKILLS[0]])
    assert Offer.objects.get().skills == SKILLS


def test_what_the_sheet_does_not_list_is_not_taken(client, access):
    send(client, boxes_of=ogr_of(TITLE), skills=["Vendre des cryptomonnaies", SKILLS[1]])
    assert Offer.objects.get().skills == [SKILLS[1]]


# ── The preview ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_preview_reads_as_the_offer_will_and_saves_nothing(client, access):
    told = {"boxes_of": ogr_of(TITLE), "skills": [SKILLS[0]], "custom_title": "Apprenti boulanger", "positions": "2"}
    page = words(send(client, action="preview", **told))
    for line in ("Aperçu", "Apprenti boulanger", f"Métier : {TITLE}", "FOURNIL DU PONT", SKILLS[0], "2 postes"):
        assert line in page
    assert SKILLS[1] not in page
    assert "Voir comment postuler" not in page
    assert not Offer.objects.exists()


def hidden(page) -> dict[str, list[str]]:
    """What the form of a preview carries."""
    form = page.text.split('<form method="post" class="fr-callout')[1].split("</form>")[0]
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form):
        found.setdefault(name, []).append(value.replace("&#x27;", "'").replace("&amp;", "&"))
    return found


def test_from_the_preview_the_same_offer_is_published_or_changed(client, access):
    form = typed(
        siret=access.establishment.siret, action="preview", boxes_of=ogr_of(TITLE), skills=SKILLS[1:],
        question_1="L'oven & vous ?", contract_types=["apprenticeship", "professionalisation"],
    )  # fmt: skip
    carried = hidden(client.post(NEW, form))
    changed = client.post(NEW, {**carried, "action": "change"})
    assert boxes(changed, "skills") == [(SKILLS[0], False), (SKILLS[1], True), (SKILLS[2], True)]
    assert 'value="L&#x27;oven &amp; vous ?"' in changed.text
    assert f'name="deposit_key" value="{form["deposit_key"]}"' in changed.text
    client.post(NEW, {**carried, "action": "publish"})
    offer = Offer.objects.get()
    assert str(offer.deposit_key) == form["deposit_key"]
    assert (offer.skills, offer.knowledge) == (SKILLS[1:], [])
    assert offer.questions == ["L'oven & vous ?"]
    assert len(offer.contract_types) == 2


# ── A change ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_offer_is_changed_from_what_it_says(client, offer):
    path = f"/recruteur/offres/{offer.pk}/modifier/"
    page = client.get(path)
    assert 'value="Apprenti boulanger"' in page.text
    assert f'value="{TITLE}"' in page.text
    assert f'value="{start().isoformat()}"' in page.text
    assert "Un fournil de quartier" in page.text
    assert 'value="Avez-vous le permis ?"' in page.text
    assert boxes(page, "skills") == [(SKILLS[0], True), (SKILLS[1], True), (SKILLS[2], False)]
    assert "Erreur" not in words(page)
    answer = send(client, path, custom_title="Boulanger du matin", boxes_of=ogr_of(TITLE), skills=SKILLS)
    assert answer.url == f"/recruteur/offres/{offer.pk}/"
    assert "Votre offre est modifiée." in words(client.get(answer.url))
    offer.refresh_from_db()
    assert (offer.title, offer.skills) == ("Boulanger du matin", SKILLS)
    assert Offer.objects.count() == 1


def test_an_edition_without_the_boxes_unticks_and_ticks_nothing(client, offer):
    send(client, f"/recruteur/offres/{offer.pk}/modifier/")
    offer.refresh_from_db()
    assert offer.skills == SKILLS[:2]


def test_what_is_wrong_in_an_edition_changes_nothing(client, offer):
    page = send(client, f"/recruteur/offres/{offer.pk}/modifier/", custom_title="a@exemple.fr")
    assert "ni adresse e-mail" in words(page)
    offer.refresh_from_db()
    assert offer.title == "Apprenti boulanger"


def test_a_start_that_has_passed_since_stands_in_an_edition(client, offer):
    Offer.objects.update(starts_on=timezone.localdate() - dt.timedelta(days=1))
    offer.refresh_from_db()
    path = f"/recruteur/offres/{offer.pk}/modifier/"
    assert send(client, path, starts_on=offer.starts_on.isoformat()).status_code == 302


@pytest.mark.parametrize("change", ["gone", "renamed"])
def test_an_offer_whose_title_left_the_nomenclature_is_changed_and_keeps_its_job(client, offer, change):
    titles = RomeAppellation.objects.filter(pk=offer.appellation_id)
    if change == "gone":
        titles.delete()
    else:
        titles.update(label="Artisan boulanger", search_key="artisan boulanger", masculine_key="artisan boulanger")
    path = f"/recruteur/offres/{offer.pk}/modifier/"
    page = client.get(path)
    assert f'name="job" value="{TITLE}"' in page.text
    assert boxes(page, "skills") == [(SKILLS[0], True), (SKILLS[1], True), (SKILLS[2], False)]
    marker = re.search(r'name="boxes_of" value="(\w+)"', page.text)[1]
    assert send(client, path, boxes_of=marker, skills=[SKILLS[2]], positions="5").status_code == 302
    offer.refresh_from_db()
    assert (offer.job_label, offer.rome_id, offer.positions, offer.skills) == (TITLE, BAKER, 5, [SKILLS[2]])


def test_the_preview_of_an_edition_is_offered_too(client, offer):
    page = send(client, f"/recruteur/offres/{offer.pk}/modifier/", action="preview", custom_title="Du matin")
    assert "Du matin" in words(page)
    assert "Enregistrer" in words(page)
    offer.refresh_from_db()
    assert offer.title == "Apprenti boulanger"


@pytest.mark.parametrize("status", [OfferStatus.FILLED, OfferStatus.CANCELLED, OfferStatus.EXPIRED, "over"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_closed_offer_is_not_changed_and_may_be_copied(client, access, status, method):
    if status == "over":
        offer = factories.OfferFactory(access=access, expires_on=timezone.localdate() - dt.timedelta(days=1))
    else:
        offer = factories.OfferFactory(access=access, status=status)
    answer = getattr(client, method)(f"/recruteur/offres/{offer.pk}/modifier/", typed(), follow=True)
    assert "Cette offre est close : dupliquez-la pour recruter de nouveau." in words(answer)


# ── A copy ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_copy_begins_as_the_offer_and_is_another_one(client, offer):
    path = f"/recruteur/offres/{offer.pk}/dupliquer/"
    page = client.get(path)
    assert 'value="Apprenti boulanger"' in page.text
    assert str(offer.deposit_key) not in page.text
    assert boxes(page, "skills") == [(SKILLS[0], True), (SKILLS[1], True), (SKILLS[2], False)]
    answer = send(client, path, custom_title="Apprenti boulanger")
    copy = Offer.objects.exclude(pk=offer.pk).get()
    assert answer.url == f"/recruteur/offres/{copy.pk}/"
    assert (copy.title, copy.skills, copy.status) == ("Apprenti boulanger", SKILLS[:2], OfferStatus.ACTIVE)


def test_the_start_of_a_copy_is_asked_where_it_has_passed(client, offer):
    Offer.objects.update(starts_on=timezone.localdate() - dt.timedelta(days=1))
    page = client.get(f"/recruteur/offres/{offer.pk}/dupliquer/")
    assert 'name="starts_on" value' not in page.text


def test_an_expired_offer_is_copied(client, access):
    offer = factories.OfferFactory(access=access, status=OfferStatus.EXPIRED)
    assert client.get(f"/recruteur/offres/{offer.pk}/dupliquer/").status_code == 200


# ── Whose ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("act", ["modifier", "dupliquer"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_another_recruiter_s_offer_is_not_there(client, access, act, method):
    other = factories.OfferFactory()
    answer = getattr(client, method)(f"/recruteur/offres/{other.pk}/{act}/", typed())
    assert answer.status_code == 404
    other.refresh_from_db()
    assert Offer.objects.count() == 1
    assert other.edited_at is None


@pytest.mark.parametrize("path", [NEW, "/recruteur/offres/{}/modifier/", "/recruteur/offres/{}/dupliquer/"])
def test_a_stranger_signs_in_first(path):
    path = path.format(uuid.uuid4())
    assert Client().get(path).url == f"/compte/connexion/?next={path}"


# ── What it costs ────────────────────────────────────────────────────────────────────────────────────────────────────


def _queries(act) -> int:
    """The statements of ``act`` but those that begin and end a transaction."""
    with CaptureQueriesContext(connection) as queries:
        answer = act()
    assert answer.status_code in {200, 302}
    return len([query for query in queries if "SAVEPOINT" not in query["sql"]])


@pytest.mark.parametrize("status", [AccessStatus.GRANTED, AccessStatus.AWAITING])
@pytest.mark.parametrize("is_chosen", [True, False])
def test_a_deposit_takes_a_constant_number_of_queries_fifteen_at_most(client, recruiter, status, is_chosen):
    shop = factories.EstablishmentFactory(siret=factories.make_siret(1))
    factories.AccessFactory(user=recruiter, establishment=shop, status=status)
    chosen = {"ogr": ogr_of(TITLE)} if is_chosen else {}
    alone = _queries(lambda: send(client, **chosen))
    for _ in range(20):
        factories.OfferFactory(access=factories.AccessFactory(user=recruiter))
        factories.RomeAppellationFactory(rome=factories.RomeFactory(code=BAKER))
    again = _queries(lambda: send(client, **chosen))
    assert alone == again <= 15


def test_the_form_takes_as_many_queries_for_one_establishment_as_for_thirty(client, recruiter, access):
    alone = _queries(lambda: client.get(NEW))
    for _ in range(29):
        factories.AccessFactory(user=recruiter)
    assert alone == _queries(lambda: client.get(NEW))
