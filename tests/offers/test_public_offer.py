"""The page of an offer: what it says, how to apply, and that it is gone from the second that it is over or hidden."""

import datetime as dt
import json
import re
import uuid
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from companies.actions import visibility
from companies.enums import Channel, DecisionOrigin, DecisionReason
from companies.models import Establishment, RomeMobility
from offers.actions import counts
from offers.enums import AccessStatus, CancelReason, ContractType, Level, OfferStatus, Outcome
from offers.models import LONGEST_TITLE, Offer, OfferDay
from offers.public.readers import is_a_person
from tests import factories
from tests.offers.public_town import BAKER, COOK, put_online

# No offer has it; always the same, so that both processes of the tests name them alike.
UNKNOWN = uuid.UUID(int=1)

pytestmark = pytest.mark.django_db

PARIS = ZoneInfo("Europe/Paris")
PHONE = {"headers": {"user-agent": "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0"}}
CLOSED = [OfferStatus.FILLED, OfferStatus.CANCELLED, OfferStatus.EXPIRED]
HOSTILE = "</script><script>alert(1)</script><b>&amp;\u2028{{7*7}}{% debug %}\"' 🥐 \u05d0\u05d1"


def address(offer):
    return reverse("offers:offer", args=[offer.pk])


def apply_address(offer):
    return reverse("offers:offer_apply", args=[offer.pk])


def decide(action, establishment, **more):
    return action(
        scope="siret", value=establishment.siret, by=None, at=timezone.now(), reason=DecisionReason.OTHER,
        origin=DecisionOrigin.SUPPORT, **more,
    )  # fmt: skip


def counted(offer):
    counts.write()
    found = Offer.objects.with_counts().get(pk=offer.pk)
    return found.shown, found.opened, found.applied


def posting(response):
    return json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', response.text, re.DOTALL)[1])


@pytest.fixture
def offer():
    user = factories.UserFactory(first_name="Dominique", email="dominique@exemple.fr", phone="+33199000018")
    found = factories.OfferFactory(
        access__user=user,
        access__establishment__name="FOURNIL DES TESTS",
        custom_title="Apprentie ou apprenti boulanger",
        contract_types=[ContractType.APPRENTICESHIP, ContractType.PROFESSIONALISATION],
        level=Level.LEVEL_3,
        duration_months=24,
        positions=2,
        starts_on=dt.date(2030, 1, 1),
        presentation="Un fournil de quartier.\nOuvert depuis 1980.",
        knowledge=["Règles d’hygiène"],
        questions=["Avez-vous le permis ?"],
        published_at=timezone.now(),
    )
    factories.ContactFactory(siret=found.establishment.siret, email="fournil@example.fr", phone="+33199000099")
    return found


# What it says


def test_it_says_the_job_the_establishment_the_contract_and_the_dates(client, offer):
    html = client.get(address(offer)).text
    for expected in (
        "Apprentie ou apprenti boulanger", "Boulanger / Boulangère", "FOURNIL DES TESTS",
        "Boulangerie et boulangerie-pâtisserie", "10 à 19 salariés", "1 PLACE D&#x27;ARMES", "57000 Metz",
        "Apprentissage ou professionnalisation", "CAP, BEP et équivalents (niveau 3)", "24\u00a0mois", "2 postes",
        "1er janvier 2030", "Un fournil de quartier.<br>Ouvert depuis 1980.", "Réalise des produits de boulangerie.",
        "Pétrir une pâte", "Règles d’hygiène", "Voir comment postuler",
    ):  # fmt: skip
        assert expected in html, expected
    assert "variable inconnue" not in html
    assert html.count("<h1") == 1


def test_the_dates_are_those_of_paris(client):
    # 23.30 in Paris on the 30th of November: the 30th day after is the 30th of December.
    at = dt.datetime(2026, 11, 30, 23, 30, tzinfo=PARIS)
    with time_machine.travel(at, tick=False):
        offer = factories.OfferFactory(created_at=at)
        html = client.get(address(offer)).text
    assert "Publiée le 30 novembre 2026, en ligne jusqu’au 30 décembre 2026 inclus." in html


def test_an_indifferent_level_is_said_and_a_start_that_is_over_is_as_soon_as_possible(client):
    offer = factories.OfferFactory(level="", starts_on=timezone.localdate())
    html = client.get(address(offer)).text
    assert "Indifférent" in html
    assert "Dès que possible" in html


def test_the_questions_no_telephone_and_no_address_stand_on_it(client, offer):
    Offer.objects.filter(pk=offer.pk).update(shows_phone=True)
    html = client.get(address(offer)).text
    for private in (
        "Avez-vous le permis", "01 99 00", "+33199", "@exemple.fr", "@example.fr", "Dominique",
        offer.access.user.last_name,
    ):  # fmt: skip
        assert private not in html, private


def test_it_has_its_address_to_share_and_is_open_to_search_engines(client, offer, settings):
    html = client.get(address(offer) + "?metier=Boulanger").text
    public = f"{settings.SITE_URL}/offre/{offer.pk}/"
    assert f'<link rel="canonical" href="{public}">' in html
    assert f'href="{public}">{public}</a>' in html
    assert f'data-copy="{public}"' in html
    assert 'name="robots"' not in html


def test_the_way_back_is_only_offered_to_a_search_of_ours(client, offer):
    assert "Retour aux résultats" not in client.get(address(offer)).text
    assert (
        'href="/recherche/?metier=Boulanger&amp;lieu=Metz"'
        in client.get(address(offer) + "?metier=Boulanger&lieu=Metz").text
    )
    assert "Retour aux résultats" not in client.get(address(offer) + "?metier=" + "a" * 3000).text


def test_its_link_to_others_is_a_search_that_finds_it(client, offer):
    link = re.search(r'href="(/recherche/\?[^"]+)">Voir d’autres offres', client.get(address(offer)).text)[1]
    assert address(offer) in client.get(link.replace("&amp;", "&")).text


@pytest.mark.parametrize("field", ["custom_title", "presentation", "description", "job_label"])
def test_a_hostile_text_stays_a_text(client, offer, field):
    offer.custom_title = "" if field == "job_label" else offer.custom_title
    setattr(offer, field, HOSTILE[:LONGEST_TITLE])
    offer.skills, offer.knowledge = [HOSTILE], [HOSTILE]
    offer.save()
    Establishment.objects.filter(pk=offer.establishment_id).update(name=HOSTILE, address=HOSTILE)
    for response in (client.get(address(offer)), client.post(apply_address(offer))):
        assert response.status_code == 200
        assert "<script>alert" not in response.text
        assert "<b>" not in response.text
        assert ">49" not in response.text
    told = posting(client.get(address(offer)))
    assert told["hiringOrganization"]["name"] == HOSTILE
    assert told["jobLocation"]["address"]["streetAddress"] == HOSTILE
    assert "<script" not in told["description"]
    assert "&lt;/script&gt;" in told["description"]


def test_a_very_long_text_is_shown_whole(client, offer):
    Offer.objects.filter(pk=offer.pk).update(description="mot " * 2_500, presentation="m" * 10_000)
    html = client.get(address(offer)).text
    assert "m" * 10_000 in html


# Who may see it


def test_head_is_answered_nothing_is_kept_and_a_post_is_refused(client, offer):
    response = client.head(address(offer))
    assert response.status_code == 200
    assert {"private", "no-cache"} <= set(response["Cache-Control"].split(", "))
    assert client.post(address(offer)).status_code == 405


@pytest.mark.parametrize("path", [f"/offre/{UNKNOWN}/", f"/offre/{UNKNOWN}/postuler/", "/offre/1/", "/offre//"])
def test_an_unknown_offer_is_not_found(client, path):
    assert client.get(path).status_code == 404
    assert client.post(path).status_code in {404, 405}


@pytest.mark.parametrize("where", [address, apply_address])
def test_awaiting_it_is_not_found_even_by_its_recruiter(client, where):
    offer = factories.OfferFactory(status=OfferStatus.AWAITING, access__status=AccessStatus.AWAITING)
    assert client.get(where(offer)).status_code == 404
    client.force_login(offer.access.user)
    assert client.get(where(offer)).status_code == 404


def test_cancelled_before_it_was_public_it_is_not_found(client):
    offer = factories.OfferFactory(status=OfferStatus.CANCELLED, published_at=None)
    assert client.get(address(offer)).status_code == 404


@pytest.mark.parametrize("where", [address, apply_address])
@pytest.mark.parametrize("status", CLOSED)
def test_closed_it_is_gone(client, offer, status, where):
    Offer.objects.filter(pk=offer.pk).update(status=status, closed_at=timezone.now())
    for method in ("get", "head"):
        response = getattr(client, method)(where(offer))
        assert response.status_code == 410
        assert "no-cache" in response["Cache-Control"]
    html = client.get(where(offer)).text
    assert "Cette offre n’est plus proposée" in html
    assert 'content="noindex"' in html
    assert "FOURNIL DES TESTS" not in html
    assert client.post(apply_address(offer)).status_code == 410


def test_why_it_is_over_is_said_in_general_words(client, offer):
    def said(**state):
        Offer.objects.filter(pk=offer.pk).update(closed_at=timezone.now(), **state)
        return client.get(address(offer)).text.split("<main")[1].split("</main")[0]

    title = offer.custom_title
    filled = said(status=OfferStatus.FILLED, outcome=Outcome.FILLED_ELSEWHERE)
    assert f"«\u00a0{title}\u00a0» a trouvé son alternant" in filled.replace("&nbsp;", "\u00a0")
    expired = said(status=OfferStatus.EXPIRED)
    assert title in expired
    assert "était en ligne jusqu’au" in expired
    # An offer that support took away has a title that nobody should read.
    cancelled = said(status=OfferStatus.CANCELLED, cancel_reason=CancelReason.MODERATED)
    assert title not in cancelled
    assert "et ne l’est plus" in cancelled


@pytest.mark.parametrize(
    "last_day", [dt.date(2026, 3, 29), dt.date(2026, 10, 25), dt.date(2026, 12, 21)], ids=["spring", "autumn", "winter"]
)
def test_it_is_gone_at_the_end_of_its_last_day_in_paris_before_any_task_runs(client, offer, last_day):
    Offer.objects.filter(pk=offer.pk).update(expires_on=last_day)
    midnight = dt.datetime.combine(last_day + dt.timedelta(days=1), dt.time(), tzinfo=PARIS)
    with time_machine.travel(midnight - dt.timedelta(seconds=1), tick=False):
        response = client.get(address(offer))
        assert response.status_code == 200
        end = dt.datetime.fromisoformat(posting(response)["validThrough"])
        assert end.timestamp() == midnight.timestamp() - 1
    with time_machine.travel(midnight, tick=False):
        assert client.get(address(offer)).status_code == 410


def test_delisted_its_establishment_is_named_nowhere_from_that_second(client, offer):
    Offer.objects.filter(pk=offer.pk).update(custom_title="Boulanger au FOURNIL DES TESTS")
    assert client.get(address(offer)).status_code == 200
    decide(visibility.delist, offer.establishment)
    for response in (client.get(address(offer)), client.get(apply_address(offer)), client.post(apply_address(offer))):
        assert response.status_code == 410
        assert "FOURNIL" not in response.text
    # Over as well, its title is still not told: it may hold the establishment's name.
    Offer.objects.filter(pk=offer.pk).update(status=OfferStatus.FILLED, closed_at=timezone.now())
    assert "FOURNIL" not in client.get(address(offer)).text


def test_paused_it_comes_back_by_itself(client, offer):
    decide(visibility.pause, offer.establishment, ends_on=timezone.localdate() + dt.timedelta(days=7))
    assert client.get(address(offer)).status_code == 410
    with time_machine.travel(timezone.now() + dt.timedelta(days=9)):
        assert client.get(address(offer)).status_code == 200


@pytest.mark.parametrize("change", [{"is_diffusible": False}, {"closed_on": dt.date(2020, 1, 1)}])
def test_of_a_closed_or_non_diffusible_establishment_it_is_gone(client, offer, change):
    Establishment.objects.filter(pk=offer.establishment_id).update(**change)
    response = client.get(address(offer))
    assert response.status_code == 410
    assert "FOURNIL" not in response.text


# What is like it


def closed_offer(**more):
    return factories.OfferFactory(status=OfferStatus.FILLED, **more)


def test_gone_it_shows_up_to_five_offers_of_the_same_job_or_near_ones_nearest_first(client):
    gone = closed_offer()
    cook = factories.RomeFactory(code=COOK, label="Cuisinier / Cuisinière")
    RomeMobility.objects.create(rome=gone.rome, target=cook, position=1)
    same = [
        factories.OfferFactory(custom_title=f"Boulanger {n}", access__establishment__latitude=49.1193 + n / 10)
        for n in (3, 1, 2)
    ]
    near_job = factories.OfferFactory(rome=cook, custom_title="Cuisinier d’à côté")
    far = factories.OfferFactory(
        custom_title="Boulanger au loin", access__establishment__latitude=43.3, access__establishment__longitude=5.4
    )
    other = factories.OfferFactory(
        rome=factories.RomeFactory(code="M1805", label="Développeur"), custom_title="Développeur"
    )
    response = client.get(address(gone))
    found = re.findall(r'href="/offre/([0-9a-f-]+)/"', response.text)
    assert found == [str(each.pk) for each in (same[1], same[2], same[0], near_job)]
    assert str(far.pk) not in response.text
    assert str(other.pk) not in response.text
    for n in range(4, 8):
        factories.OfferFactory(custom_title=f"Boulanger {n}", access__establishment__latitude=49.1193 - n / 100)
    assert client.get(address(gone)).text.count('href="/offre/') == 5


def test_what_is_like_it_holds_nothing_hidden_closed_nor_awaiting(client):
    gone = closed_offer()
    hidden = factories.OfferFactory(access__establishment__name="FOURNIL CACHE")
    decide(visibility.delist, hidden.establishment)
    closed_offer(custom_title="Autre offre close")
    factories.OfferFactory(status=OfferStatus.AWAITING, custom_title="Offre en attente")
    html = client.get(address(gone)).text
    assert 'href="/offre/' not in html
    assert "Chercher pour le même métier" in html


def test_without_a_place_nothing_is_like_it_and_the_search_s_form_is_offered(client):
    gone = closed_offer(access__establishment__commune=None, access__establishment__latitude=None,
                        access__establishment__longitude=None)  # fmt: skip
    response = client.get(address(gone))
    assert response.status_code == 410
    assert 'href="/recherche/"' in response.text


# How to apply


def test_a_get_tells_nothing_and_shows_the_button(client, offer):
    for method in ("get", "head"):
        response = getattr(client, method)(apply_address(offer))
        assert response.status_code == 200
        assert "01 99" not in response.text
    html = client.get(apply_address(offer)).text
    assert "Avez-vous le permis" not in html
    assert f'<form method="post" action="{apply_address(offer)}">' in html
    assert counted(offer) == (0, 0, 0)


@pytest.mark.parametrize(
    ("shows_phone", "number", "shown"),
    [
        (True, "+33199000018", "01 99 00 00 18"),
        (True, "", "01 99 00 00 99"),
        (False, "+33199000018", "01 99 00 00 99"),
    ],
    ids=["the recruiter's", "the recruiter has none", "the recruiter does not show it"],
)
def test_the_button_tells_whom_to_call_where_to_go_and_what_to_prepare(client, offer, shows_phone, number, shown):
    Offer.objects.filter(pk=offer.pk).update(shows_phone=shows_phone)
    type(offer.access.user).objects.update(phone=number)
    response = client.post(apply_address(offer), **PHONE)
    assert response.status_code == 200
    assert re.findall(r"01 99 00 00 \d\d", response.text) == [shown]
    assert f'href="tel:+33{shown.replace(" ", "")[1:]}"' in response.text
    for expected in ("1 PLACE D&#x27;ARMES", "57000 Metz", "Votre CV", "Avez-vous le permis ?"):
        assert expected in response.text
    assert "@" not in response.text.split("<main")[1].split("</main")[0]
    assert ("Dominique" in response.text) == shows_phone
    assert "no-store" in response["Cache-Control"]
    assert counted(offer) == (0, 0, 1)


def test_a_hidden_telephone_of_the_establishment_is_not_told(client, offer):
    decide(visibility.hide_channel, offer.establishment, channel=Channel.PHONE)
    response = client.post(apply_address(offer))
    assert "01 99" not in response.text
    assert "ne communique pas de numéro" in response.text


def test_the_button_asks_for_its_token(offer):
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(apply_address(offer)).status_code == 403
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', strict.get(address(offer)).text)[1]
    response = strict.post(apply_address(offer), {"csrfmiddlewaretoken": token})
    assert response.status_code == 200
    assert "01 99 00 00 99" in response.text


def test_one_network_asks_so_many_times_an_hour_and_no_other_pays_for_it(client, offer, monkeypatch):
    from offers.public import offers as views

    monkeypatch.setattr(views, "HOW_TO_APPLY", views.Limit("try", count=2, per=dt.timedelta(hours=1)))
    for _ in range(2):
        assert client.post(apply_address(offer), REMOTE_ADDR="192.0.2.1").status_code == 200
    refused = client.post(apply_address(offer), REMOTE_ADDR="192.0.2.1")
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 3600
    assert "Réessayez dans 60 minutes" in refused.text
    assert "01 99" not in refused.text
    assert client.post(apply_address(offer), REMOTE_ADDR="192.0.2.2").status_code == 200
    with time_machine.travel(timezone.now() + dt.timedelta(hours=1, seconds=1)):
        assert client.post(apply_address(offer), REMOTE_ADDR="192.0.2.1").status_code == 200


# What is counted


def test_an_opening_is_counted_for_people_and_not_for_robots_nor_for_its_recruiter(client, offer):
    client.get(address(offer), **PHONE)
    client.head(address(offer), **PHONE)
    client.get(address(offer), headers={"user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"})
    client.get(address(offer), headers={**PHONE["headers"], "sec-purpose": "prefetch;prerender"})
    client.force_login(offer.access.user)
    client.get(address(offer), **PHONE)
    client.post(apply_address(offer), **PHONE)
    assert counted(offer) == (0, 1, 0)
    client.force_login(factories.UserFactory())
    client.get(address(offer), **PHONE)
    assert counted(offer) == (0, 2, 0)
    assert OfferDay.objects.get().day == timezone.localdate()


@pytest.mark.parametrize(
    ("agent", "is_one"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36", True),
        ("Mozilla/5.0 (Linux; Android 13; CUBOT NOTE 50) AppleWebKit/537.36 Chrome/140.0.0.0 Mobile", True),
        ("", True),
        ("Mozilla/5.0 (compatible; bingbot/2.0)", False),
        ("facebookexternalhit/1.1", False),
        ("WhatsApp/2.23", False),
        ("curl/8.5.0", False),
        ("python-requests/2.32", False),
        ("Slackbot-LinkExpanding 1.0", False),
    ],
)
def test_a_machine_that_says_so_is_no_person(rf, agent, is_one):
    assert is_a_person(rf.get("/", headers={"user-agent": agent})) is is_one


def test_a_gone_offer_counts_nothing(client, offer):
    Offer.objects.filter(pk=offer.pk).update(status=OfferStatus.FILLED, closed_at=timezone.now())
    client.get(address(offer), **PHONE)
    client.post(apply_address(offer), **PHONE)
    assert counted(offer) == (0, 0, 0)


# For search engines


def test_search_engines_read_a_job_posting(client, offer, settings):
    told = posting(client.get(address(offer)))
    assert told["@context"] == "https://schema.org/"
    assert told["@type"] == "JobPosting"
    assert told["title"] == "Apprentie ou apprenti boulanger"
    assert told["datePosted"] == timezone.localdate().isoformat()
    assert told["validThrough"].startswith(f"{offer.expires_on}T23:59:59+0")
    assert told["employmentType"] == ["FULL_TIME", "TEMPORARY"]
    assert told["hiringOrganization"] == {"@type": "Organization", "name": "FOURNIL DES TESTS"}
    assert told["jobLocation"] == {
        "@type": "Place",
        "address": {
            "@type": "PostalAddress", "streetAddress": "1 PLACE D'ARMES", "postalCode": "57000",
            "addressLocality": "Metz", "addressRegion": "Grand Est", "addressCountry": "FR",
        },
        "geo": {"@type": "GeoCoordinates", "latitude": 49.1193, "longitude": 6.1757},
    }  # fmt: skip
    assert told["identifier"] == {"@type": "PropertyValue", "name": "La bonne alternance", "value": str(offer.pk)}
    assert told["url"] == f"{settings.SITE_URL}{address(offer)}"
    assert told["directApply"] is False
    assert told["totalJobOpenings"] == 2
    assert told["jobStartDate"] == "2030-01-01"
    assert told["occupationalCategory"] == f"{BAKER} Boulanger / Boulangère"
    assert told["description"].startswith("<p>Un fournil de quartier.<br>Ouvert depuis 1980.</p><p>Réalise")
    assert "<li>Pétrir une pâte</li>" in told["description"]


def test_a_job_posting_holds_what_is_known_and_nothing_empty(client):
    offer = factories.OfferFactory(
        access__establishment__commune=None,
        access__establishment__latitude=None, access__establishment__longitude=None,
        access__establishment__naf=None, access__establishment__postcode="", access__establishment__address="",
        description="", skills=[],
    )  # fmt: skip
    response = client.get(address(offer))
    told = posting(response)
    assert told["jobLocation"] == {"@type": "Place", "address": {"@type": "PostalAddress", "addressCountry": "FR"}}
    assert "" not in told.values()
    assert "None" not in response.text
    assert "variable inconnue" not in response.text


def test_the_map_of_the_site_lists_the_public_offers_by_last_day(client, offer, settings):
    hidden = factories.OfferFactory(expires_on=offer.expires_on + dt.timedelta(days=1))
    decide(visibility.delist, hidden.establishment)
    awaiting = factories.OfferFactory(status=OfferStatus.AWAITING)
    Offer.objects.filter(pk=offer.pk).update(edited_at=timezone.now())
    index = client.get("/sitemap.xml")
    files = re.findall(r"<sitemap><loc>([^<&]+)</loc></sitemap>", index.text)
    assert files[0] == f"{settings.SITE_URL}/sitemap-pages.xml"
    assert f"{settings.SITE_URL}/sitemap-offres-{offer.expires_on}.xml" in files
    response = client.get(f"/sitemap-offres-{offer.expires_on}.xml")
    assert response.text.count("<url>") == 1
    assert (
        f"<url><loc>{settings.SITE_URL}{address(offer)}</loc><lastmod>{timezone.localdate()}</lastmod></url>"
        in response.text
    )
    for each in (index, response):
        assert each["Content-Type"] == "application/xml; charset=utf-8"
        assert "no-cache" in each["Cache-Control"]
        assert str(hidden.pk) not in each.text
        assert str(awaiting.pk) not in each.text
    assert client.get(f"/sitemap-offres-{hidden.expires_on}.xml").status_code == 404


@pytest.mark.parametrize("day", ["2026-02-30", "0000-00-00", "9999-99-99", "2020-01-01"])
def test_a_day_without_offers_has_no_map(client, day):
    assert client.get(f"/sitemap-offres-{day}.xml").status_code == 404


def test_a_map_is_no_longer_than_allowed(client, monkeypatch):
    from offers.public import information

    monkeypatch.setattr(information, "MOST_IN_A_SITEMAP", 2)
    for _ in range(3):
        last = factories.OfferFactory()
    assert client.get(f"/sitemap-offres-{last.expires_on}.xml").text.count("<url>") == 2


# The establishment's page


def test_the_page_of_the_establishment_names_its_public_offers(client, offer):
    put_online([(offer.establishment, BAKER)])
    closed = factories.OfferFactory(access=offer.access, status=OfferStatus.EXPIRED, custom_title="Offre close")
    other = factories.OfferFactory()
    page = reverse("offers:establishment", args=[offer.establishment.siret])
    html = client.get(page).text
    assert "Ses offres" in html
    assert f'href="{address(offer)}"' in html
    assert str(closed.pk) not in html
    assert str(other.pk) not in html
    Offer.objects.filter(pk=offer.pk).update(status=OfferStatus.FILLED, closed_at=timezone.now())
    assert "Ses offres" not in client.get(page).text


# Its cost


def test_a_page_takes_the_same_few_queries_whatever_surrounds_it(client, offer, django_assert_max_num_queries):
    put_online([(offer.establishment, BAKER)])
    for _ in range(10):
        factories.OfferFactory(access=offer.access)
    with django_assert_max_num_queries(1):
        client.get(address(offer))
    with django_assert_max_num_queries(4):
        client.post(apply_address(offer))
    with django_assert_max_num_queries(1):
        client.get(f"/sitemap-offres-{offer.expires_on}.xml")
    Offer.objects.filter(pk=offer.pk).update(status=OfferStatus.FILLED, closed_at=timezone.now())
    with django_assert_max_num_queries(6):
        client.get(address(offer))
