"""Support sees a recruiter's space as the recruiter does: read-only, short, journalled, and from no other side."""

import datetime as dt

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.models import Group
from django.http import HttpResponse
from django.shortcuts import render
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from labonnealternance.accounts import actions, visits
from labonnealternance.accounts.enums import Role
from labonnealternance.accounts.models import MOST_PAGES, Session, User, Visit
from labonnealternance.accounts.visiting import forget, remember
from offers.actions import counts
from offers.enums import AccessStatus, OfferStatus
from offers.models import Offer, OfferDay
from tests.factories import AccessFactory, OfferFactory, StaffFactory, UserFactory
from tests.office import enter

pytestmark = pytest.mark.django_db

SPACE = "/recruteur/"
LEAVE = "/compte/visite/quitter/"
BANNER = "en lecture seule,"
NOTHING_DONE = "Rien n’a été fait"


@pytest.fixture
def recruiter():
    user = UserFactory(first_name="Rachida", last_name="Recrute", last_login=timezone.now())
    actions.give_role(user=user, role=Role.RECRUITER)
    return user


@pytest.fixture
def offer(recruiter):
    access = AccessFactory(user=recruiter, status=AccessStatus.GRANTED)
    return OfferFactory(access=access, status=OfferStatus.ACTIVE)


def button(user):
    return reverse("admin:accounts_user_visit", args=[user.pk])


def begin(client, user, *, reason="Elle ne voit pas son offre"):
    return client.post(button(user), {"reason": reason})


@pytest.fixture
def visiting(office, recruiter):
    assert begin(office, recruiter).url == SPACE
    return office


def test_the_agent_sees_the_space_as_the_recruiter_does_with_a_banner_on_every_page(visiting, offer, recruiter):
    addresses = [SPACE, f"/recruteur/offres/{offer.pk}/", "/compte/", "/", "/contact/", "/nulle/part/"]
    for address in addresses:
        page = visiting.get(address)
        assert BANNER in page.text, address
        assert "Rachida Recrute" in page.text
        assert 'action="/compte/visite/quitter/"' in page.text
        assert "no-store" in page["Cache-Control"]
    assert "Bonjour Rachida" in visiting.get("/compte/").text
    assert page.status_code == 404


def test_leaving_gives_the_support_session_back_as_it_was(visiting, recruiter, support):
    before = dict(visiting.session)
    key = visiting.session.session_key
    answer = visiting.post(LEAVE)
    assert answer.url == reverse("admin:accounts_user_change", args=[recruiter.pk])
    assert visiting.get(answer.url).status_code == 200
    assert (visiting.session.session_key, dict(visiting.session)) == (key, before)
    assert BANNER not in visiting.get("/compte/").text
    visit = Visit.objects.get()
    assert visit.ended_at is not None
    visiting.post(LEAVE)
    assert Visit.objects.get().ended_at == visit.ended_at


def test_it_is_written_who_saw_whom_why_from_when_to_when_and_which_pages_without_their_questions(
    visiting, recruiter, support, offer
):
    visiting.get(f"{SPACE}?etat=secret@exemple.fr")
    visiting.post(f"/recruteur/offres/{offer.pk}/prolonger/")
    visiting.get("/admin/")
    visiting.post(LEAVE)
    visit = Visit.objects.get()
    assert (visit.by, visit.user, visit.reason) == (support, recruiter, "Elle ne voit pas son offre")
    assert visit.began_at < visit.ended_at < visit.ends_at == visit.began_at + dt.timedelta(minutes=30)
    assert [page.split(" ", 1)[1] for page in visit.pages] == [
        "GET /recruteur/",
        f"POST /recruteur/offres/{offer.pk}/prolonger/ (refusé)",
        "GET /admin/ (refusé)",
    ]


def test_the_journal_of_pages_is_bounded(visiting):
    Visit.objects.update(pages=["x"] * (MOST_PAGES - 1))
    for _ in range(3):
        visiting.get("/compte/")
    assert len(Visit.objects.get().pages) == MOST_PAGES


UNSAFE = [
    ("offers:space", []),
    ("offers:establishments", []),
    ("offers:contact_edit", []),
    ("offers:offer_new", []),
    ("offers:recruiter_offer", ["offer"]),
    ("offers:offer_edit", ["offer"]),
    ("offers:offer_duplicate", ["offer"]),
    ("offers:offer_prolong", ["offer"]),
    ("offers:offer_close", ["offer"]),
    ("offers:offer_print", ["offer"]),
    ("offers:confirm_registration", ["offer"]),
    ("offers:register", []),
    ("offers:register_contact", []),
    ("offers:register_offer", []),
    ("offers:register_done", []),
    ("offers:suggest_titles", []),
    ("offers:suggest_establishments", []),
    ("offers:job_sheet", []),
    ("offers:offer_act", ["jeton"]),
    ("offers:offer_apply", ["offer"]),
    ("unsubscribe:ask", ["leave"]),
    ("accounts:home", []),
    ("accounts:sign_out", []),
    ("accounts:sign_in", []),
    ("accounts:use_link", ["jeton"]),
    ("accounts:renew_link", ["jeton"]),
    ("accounts:change_address", []),
    ("accounts:cancel_address_change", []),
    ("accounts:use_address_link", ["jeton"]),
    ("accounts:close_other_sessions", []),
    ("accounts:close_session", ["offer"]),
    ("admin:index", []),
    ("admin:logout", []),
]


@pytest.mark.parametrize("name, arguments", UNSAFE, ids=[name for name, _ in UNSAFE])
def test_every_method_that_acts_is_refused_with_a_sentence(visiting, offer, recruiter, name, arguments):
    address = reverse(name, args=[offer.pk if argument == "offer" else argument for argument in arguments])
    before = User.objects.get(pk=recruiter.pk).__dict__, Offer.objects.get().__dict__
    for method in ("post", "put", "patch", "delete"):
        page = getattr(visiting, method)(address)
        assert page.status_code == 403, method
        assert NOTHING_DONE in page.text
        assert BANNER in page.text
    after = User.objects.get(pk=recruiter.pk).__dict__, Offer.objects.get().__dict__
    assert [{**each, "_state": None} for each in before] == [{**each, "_state": None} for each in after]
    # The agent's own session is where it was.
    assert Session.objects.count() == 1


def test_every_address_of_the_recruiter_s_space_is_tried():
    from labonnealternance.accounts.urls import urlpatterns as accounts
    from offers.recruiters.urls import urlpatterns as recruiters

    names = {f"offers:{each.name}" for each in recruiters} | {f"accounts:{each.name}" for each in accounts}
    assert names - {name for name, _ in UNSAFE} == {"accounts:link_sent", "accounts:leave_visit"}


@pytest.mark.parametrize(
    "address",
    [
        "/admin/", "/admin/accounts/user/", "/admin/login/", "/compte/adresse/", "/compte/connexion/",
        "/compte/connexion/envoye/", "/compte/lien/jeton/", "/compte/adresse/lien/jeton/",
    ],
)  # fmt: skip
def test_sign_in_links_the_address_and_the_back_office_are_out_of_reach(visiting, address):
    page = visiting.get(address)
    assert page.status_code == 403
    assert NOTHING_DONE in page.text


def test_reading_writes_nothing_of_the_recruiter_s(visiting, offer, recruiter, settings):
    settings.OFFER_COUNTS_DELAY = None
    browser = {"HTTP_USER_AGENT": "Mozilla/5.0 Firefox/130.0"}
    for address in (
        SPACE, "/recruteur/etablissements/", "/recruteur/coordonnees/", f"/recruteur/offres/{offer.pk}/",
        f"/recruteur/offres/{offer.pk}/modifier/", f"/recruteur/offres/{offer.pk}/cloturer/",
        f"/recruteur/offres/{offer.pk}/dupliquer/", f"/recruteur/offres/{offer.pk}/imprimer/",
        "/recruteur/offres/nouvelle/", f"/offre/{offer.pk}/", "/recruteur/inscription/",
        "/recruteur/suggestions/metiers/?q=vente",
    ):  # fmt: skip
        assert visiting.get(address, **browser).status_code in {200, 302}, address
    counts.write()
    assert not OfferDay.objects.exists()
    assert User.objects.get(pk=recruiter.pk).last_login == recruiter.last_login


def test_a_page_that_writes_as_it_is_read_is_refused(visiting, offer, monkeypatch):
    from labonnealternance.accounts import views

    monkeypatch.setattr(views.actions, "waiting_address", lambda **_: Offer.objects.update(job_label="Écrit"))
    page = visiting.get("/compte/")
    assert (page.status_code, NOTHING_DONE in page.text) == (403, True)
    assert Offer.objects.get().job_label != "Écrit"


def test_the_recruiter_has_no_session_more(visiting, recruiter):
    visiting.get("/compte/")
    assert not Session.objects.filter(user=recruiter).exists()
    own = Client()
    own.force_login(recruiter, backend="django.contrib.auth.backends.ModelBackend")
    assert own.get("/compte/").text.count("Fermer cette session") == 1
    # Seen from the visit, they are the recruiter's own, and no more.
    assert [each.user for each in visiting.get("/compte/").context["sessions"]] == [recruiter]


def test_the_pages_of_the_visit_read_nothing_of_the_agent_s_session(visiting, monkeypatch):
    from labonnealternance.accounts import views

    read = []

    def seen(request, *arguments):
        read.append((request.session.session_key, dict(request.session.items()), request.user.is_verified()))
        return render(request, *arguments)

    monkeypatch.setattr(views, "render", seen)
    visiting.get("/compte/")
    assert read == [(None, {}, False)]


def test_it_lasts_half_an_hour_at_most_and_then_says_so_once(visiting, offer):
    with time_machine.travel(timezone.now() + dt.timedelta(minutes=31), tick=False):
        page = visiting.post(f"/recruteur/offres/{offer.pk}/prolonger/")
        assert page.status_code == 403
        assert "Votre visite de cet espace est terminée" in page.text
        assert settings.VISIT_COOKIE_NAME not in {name for name, cookie in visiting.cookies.items() if cookie.value}
        assert visiting.get("/admin/").status_code == 200
    visit = Visit.objects.get()
    assert visit.ended_at == visit.ends_at


def shut(recruiter, support):
    actions.deactivate(user_id=recruiter.pk, by=StaffFactory())


def make_advisor(recruiter, support):
    actions.give_role(user=recruiter, role=Role.ADVISOR)


def take_recruiter(recruiter, support):
    actions.take_role(user=recruiter, role=Role.RECRUITER)


def end_elsewhere(recruiter, support):
    visits.end(visit=Visit.objects.get(), at=timezone.now())


def take_group(recruiter, support):
    support.groups.set(Group.objects.filter(name="Support lecture"))


def take_support(recruiter, support):
    User.objects.filter(pk=support.pk).update(is_staff=False)


def shut_support(recruiter, support):
    actions.deactivate(user_id=support.pk, by=StaffFactory(is_superuser=True))


def take_second_factor(recruiter, support):
    actions.remove_second_factor(user_id=support.pk, by=support)


def close_support_session(recruiter, support):
    support.sessions.all().delete()


@pytest.mark.parametrize(
    "what",
    [
        shut, make_advisor, take_recruiter, end_elsewhere, take_group, take_support, shut_support,
        take_second_factor, close_support_session,
    ],
    ids=lambda what: what.__name__,
)  # fmt: skip
def test_what_takes_the_right_away_ends_it_at_once(visiting, recruiter, support, offer, what):
    what(recruiter, support)
    page = visiting.get(f"/recruteur/offres/{offer.pk}/")
    assert page.status_code in {302, 403, 404}
    assert BANNER not in page.text
    assert str(offer.pk) not in page.text.replace(f"/recruteur/offres/{offer.pk}/", "")
    assert not visiting.cookies[settings.VISIT_COOKIE_NAME].value


def test_an_agent_without_the_permission_has_no_button_and_opens_nothing(client, recruiter):
    reader = StaffFactory(group="Support lecture")
    office = enter(client, reader)
    assert "Voir son espace" not in office.get(reverse("admin:accounts_user_change", args=[recruiter.pk])).text
    assert begin(office, recruiter).status_code == 403
    with pytest.raises(visits.NotVisited):
        visits.begin(user_id=recruiter.pk, by=reader, reason="Essai", at=timezone.now())
    assert not Visit.objects.exists()


def nobody():
    return UserFactory()


def advisor_too():
    user = UserFactory()
    user.groups.add(*[Group.objects.get_or_create(name=role.value)[0] for role in (Role.RECRUITER, Role.ADVISOR)])
    return user


def staff():
    user = StaffFactory()
    user.groups.add(Group.objects.get_or_create(name=Role.RECRUITER.value)[0])
    return user


def closed():
    user = UserFactory(is_active=False)
    user.groups.add(Group.objects.get_or_create(name=Role.RECRUITER.value)[0])
    return user


@pytest.mark.parametrize("person", [nobody, advisor_too, staff, closed], ids=lambda person: person.__name__)
def test_only_recruiters_are_visited(office, person):
    user = person()
    assert "Voir son espace" not in office.get(reverse("admin:accounts_user_change", args=[user.pk])).text
    begin(office, user)
    assert not Visit.objects.exists()
    assert settings.VISIT_COOKIE_NAME not in office.cookies


def test_a_reason_is_asked(office, recruiter):
    assert begin(office, recruiter, reason=" ").status_code == 200
    assert not Visit.objects.exists()


def test_within_a_visit_no_other_begins(visiting, recruiter):
    other = UserFactory()
    actions.give_role(user=other, role=Role.RECRUITER)
    assert begin(visiting, other).status_code == 403
    assert Visit.objects.get().user == recruiter


def test_one_agent_has_one_visit_at_a_time(office, recruiter, support):
    first, _ = visits.begin(user_id=recruiter.pk, by=support, reason="Essai", at=timezone.now())
    visits.begin(user_id=recruiter.pk, by=support, reason="Essai", at=timezone.now())
    first.refresh_from_db()
    assert first.ended_at is not None


def test_the_secret_opens_nothing_beside_another_session(visiting, recruiter, offer):
    secret = visiting.cookies[settings.VISIT_COOKIE_NAME].value
    assert not Visit.objects.filter(digest=secret).exists()

    stranger, other_agent, same_person = Client(), Client(), Client()
    enter(other_agent, StaffFactory())
    same_person.force_login(recruiter, backend="django.contrib.auth.backends.ModelBackend")
    for client in (stranger, other_agent, same_person):
        client.cookies[settings.VISIT_COOKIE_NAME] = secret
        page = client.get(SPACE)
        assert BANNER not in page.text
        assert not client.cookies[settings.VISIT_COOKIE_NAME].value
    assert stranger.get(SPACE).status_code == 302
    # The recruiter stays who they are, and acts.
    assert same_person.get(SPACE).status_code == 200


def test_an_agent_without_second_factor_in_their_session_sees_nothing(visiting, support, recruiter):
    client = Client()
    enter(client, support, second_factor=False)
    client.cookies[settings.VISIT_COOKIE_NAME] = visiting.cookies[settings.VISIT_COOKIE_NAME].value
    assert BANNER not in client.get(SPACE).text


def test_a_forged_secret_opens_nothing(office, recruiter):
    office.cookies[settings.VISIT_COOKIE_NAME] = "x" * 43
    page = office.get("/compte/")
    assert BANNER not in page.text
    assert not office.cookies[settings.VISIT_COOKIE_NAME].value


def test_a_recruiter_does_not_begin_one(client, recruiter):
    client.force_login(recruiter, backend="django.contrib.auth.backends.ModelBackend")
    assert begin(client, UserFactory()).url.startswith("/admin/login/")
    with pytest.raises(visits.NotVisited):
        visits.begin(user_id=UserFactory().pk, by=recruiter, reason="Essai", at=timezone.now())


def test_leaving_asks_for_the_form_s_token(visiting):
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = visiting.cookies
    assert strict.post(LEAVE).status_code == 403
    assert Visit.objects.get().ended_at is None


def test_the_secret_goes_as_it_came_where_the_site_is_secure(settings):
    settings.VISIT_COOKIE_NAME, settings.SESSION_COOKIE_SECURE = "__Host-visit", True
    held, gone = HttpResponse(), HttpResponse()
    remember(held, "secret")
    forget(gone)
    for response in (held, gone):
        cookie = response.cookies["__Host-visit"]
        assert (cookie["secure"], cookie["path"], cookie["samesite"], cookie["domain"]) == (True, "/", "Lax", "")
    assert held.cookies["__Host-visit"]["httponly"] and held.cookies["__Host-visit"]["max-age"] == 1800


def test_the_journal_of_visits_is_read_by_superusers_only(office, visiting, client):
    visiting.post(LEAVE)
    assert office.get(reverse("admin:accounts_visit_changelist")).status_code == 403
    chief = enter(Client(), StaffFactory(is_superuser=True))
    page = chief.get(reverse("admin:accounts_visit_change", args=[Visit.objects.get().pk]))
    assert "Elle ne voit pas son offre" in page.text
