"""Who may open and press what in the back-office: a table written by hand, against every page that the site has.

A page without a line here fails by its name. Each is asked at its own door, which is ten times quicker than through all
that a request meets; a few are asked both ways. Nothing is drawn: what pages show is told by other tests.
"""

from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.contrib.contenttypes.models import ContentType
from django.contrib.messages.storage.cookie import CookieStorage
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404
from django.template.backends.django import Template
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, resolve, reverse
from django.utils import timezone

from labonnealternance.accounts.models import User
from labonnealternance.accounts.sessions import SessionStore
from labonnealternance.settings.groups import MODERATION, READER, SCIENCE, SUPPORT
from opco.models import Advisor
from tests import factories
from tests.office import enter
from tests.test_consistency import ROWS

# One worker makes the rows, once.
pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("permissions")]

SUPERUSER = "Superutilisateur"
LETTERS = {"S": SUPPORT, "L": READER, "M": MODERATION, "C": SCIENCE}
STAFF = [*LETTERS.values(), SUPERUSER]
# None of them comes in.
OUTSIDE = ["Anonyme", "Recruteur", "Conseiller OPCO", "Support sans second facteur"]

# Of each model, who sees its list, its pages and their history; superusers always do. Nobody deletes a row.
READS = {
    "accounts_user": "SLM",
    "accounts_secondfactor": "",
    "accounts_visit": "",
    "kit_reading": "",
    "mail_message": "SLM",
    "mail_suppression": "SLM",
    "companies_establishment": "SLMC",
    "companies_visibilitydecision": "SLM",
    "companies_contactcorrection": "SLM",
    "companies_batch": "SL",
    "companies_release": "SLC",
    "companies_establishmentimport": "SLMC",
    "companies_referenceimport": "SLMC",
    "companies_rome": "SLMC",
    "companies_romeappellation": "SLMC",
    "companies_naf": "SLMC",
    "companies_idcc": "SLMC",
    "companies_opco": "SLMC",
    "companies_commune": "SLMC",
    "companies_formercommune": "SLMC",
    "companies_departement": "SLMC",
    "companies_region": "SLMC",
    "offers_access": "SLM",
    "offers_offer": "SLM",
    "offers_registration": "SLM",
    "scoring_run": "SLC",
    "opco_advisor": "SLM",
    "opco_export": "SL",
    "unsubscribe_request": "SLM",
    "unsubscribe_report": "SLM",
}
# Who makes one by a form; where a model is not named, nobody does.
ADDS = {"companies_visibilitydecision": "S", "companies_batch": "S", "mail_suppression": "S", "opco_advisor": "S"}
# Who presses each button: the same for the page that asks and for what it does.
BUTTONS = {
    "accounts_user_visit": "S",
    "accounts_user_set_group": "",
    "accounts_user_deactivate": "S",
    "accounts_user_reactivate": "S",
    "accounts_secondfactor_remove": "",
    "mail_message_resend": "S",
    "mail_suppression_lift": "S",
    "companies_establishment_delist": "S",
    "companies_establishment_pause": "S",
    "companies_establishment_hide_channel": "S",
    "companies_establishment_list_establishment": "S",
    "companies_establishment_correct_contact": "S",
    "companies_establishment_change_opco": "S",
    "companies_establishment_verify": "S",
    "companies_establishment_remark": "S",
    "companies_establishment_remove_remark": "S",
    "companies_visibilitydecision_revoke": "S",
    "companies_batch_undo": "S",
    "companies_release_publish": "SC",
    "companies_release_rollback": "SC",
    "scoring_run_publish": "SC",
    "scoring_run_roll_back": "SC",
    "offers_access_grant": "SM",
    "offers_access_deny": "SM",
    "offers_offer_moderate": "SM",
    "offers_offer_prolong": "SM",
    "offers_offer_close": "SM",
    "opco_advisor_deactivate": "S",
    "unsubscribe_request_take": "S",
    "unsubscribe_request_give_back": "S",
    "unsubscribe_request_document": "S",
    "unsubscribe_request_treat": "S",
    "unsubscribe_request_refuse": "S",
    "unsubscribe_report_take": "SM",
    "unsubscribe_report_give_back": "SM",
    "unsubscribe_report_treat": "SM",
    "unsubscribe_report_dismiss": "SM",
}
# What is done to chosen rows of a list.
ACTIONS = {"mail.Message": {"resend_chosen": "S"}}
ALL = "SLMC"
# The other pages: who reads them, who posts to them; None where nobody does.
PAGES = {
    "index": (ALL, ALL),
    "password_change": (ALL, ALL),
    "password_change_done": (ALL, None),
    "jsi18n": (ALL, None),
    "coherence": ("SLC", "SC"),
    "companies_why_shown": ("SLM", None),
    "personal_data": ("S", "S"),
}
# The same for whoever came in, by what it answers.
FOR_ALL_STAFF = {
    "autocomplete": "refused",
    "view_on_site": "nothing",
    "(?P<url>.*)$": "nothing",
    "<path:object_id>/": "in",
}
# Anybody may open these.
OPEN = {"login", "logout"}
# A page of an app is there for who reads one of its models.
SECTIONS = {
    "accounts": "SLM", "kit": "", "mail": "SLM", "companies": "SLMC", "scoring": "SLC", "offers": "SLM", "opco": "SLM",
    "unsubscribe": "SLM",
}  # fmt: skip


def pages(resolver: URLResolver, inside: bool = False) -> Iterator[tuple[str, URLPattern]]:
    """The name (or the pattern, without one) of each page of the back-office."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from pages(pattern, inside or pattern.namespace == "admin")
        elif inside:
            yield pattern.name or str(pattern.pattern), pattern


NAMES = dict(pages(get_resolver()))
MODELS = {f"{model._meta.app_label}_{model._meta.model_name}": model for model in admin.site._registry}
STANDARD = ("changelist", "change", "history", "add", "delete")


def known() -> set[str]:
    return {
        *(f"{model}_{page}" for model in READS for page in STANDARD),
        *BUTTONS, *PAGES, *FOR_ALL_STAFF, *OPEN, "app_list", "autocomplete",
    }  # fmt: skip


def test_every_page_of_the_back_office_has_its_line_here_and_no_line_outlives_its_page():
    assert set(NAMES) == known()
    assert set(MODELS) == set(READS)


def expected(name: str, role: str, method: str) -> str:
    """What the table says that ``role`` gets: "in", "refused" (403), "nothing" (404) or "sign-in"."""
    if role in OUTSIDE:
        return "sign-in"
    letter = next((letter for letter, group in LETTERS.items() if group == role), None)

    def may(letters: str | None) -> str:
        if letters is None:
            return "405"
        return "in" if letter is None or letter in letters else "refused"

    if name == "autocomplete":
        # Nothing is searched there.
        return "405" if method == "POST" else "refused"
    if name in FOR_ALL_STAFF:
        return FOR_ALL_STAFF[name]
    if name in BUTTONS:
        return may(BUTTONS[name])
    if name in PAGES:
        return may(PAGES[name][method == "POST"])
    model, _, page = name.rpartition("_")
    if page == "delete":
        return "refused"
    if page == "add":
        return may(ADDS[model]) if model in ADDS else "refused"
    # Nothing is typed into a row.
    if page == "change" and method == "POST":
        return "refused"
    return may(READS[model])


def outcome(answer) -> str:
    if answer.status_code == 302 and answer.url.startswith("/admin/login/"):
        return "sign-in"
    if answer.status_code in {403, 404}:
        return {403: "refused", 404: "nothing"}[answer.status_code]
    return "in" if answer.status_code in {200, 302} else str(answer.status_code)


class Office:
    """The rows, and everyone at the door."""

    def __init__(self):
        self.rows = {name: ROWS[model](1) for name, model in MODELS.items()}
        self.people = {
            role: factories.StaffFactory(is_superuser=True) if role == SUPERUSER else factories.StaffFactory(group=role)
            for role in STAFF
        }
        self.clients = {role: enter(Client(), person) for role, person in self.people.items()}
        advisor = factories.UserFactory()
        Advisor.objects.create(user=advisor, opco=factories.OpcoFactory(), created_at=timezone.now())
        outsiders = {
            "Recruteur": factories.AccessFactory().user,
            "Conseiller OPCO": advisor,
            "Support sans second facteur": factories.StaffFactory(),
        }
        self.clients |= {role: enter(Client(), person, second_factor=False) for role, person in outsiders.items()}
        self.clients["Anonyme"] = Client()
        self.people |= {**outsiders, "Anonyme": AnonymousUser()}
        for role, person in self.people.items():
            person.is_verified = lambda given=role in STAFF: given

    def address(self, name: str) -> str:
        if name == "(?P<url>.*)$":
            return "/admin/rien/ici/"
        if name == "<path:object_id>/":
            return f"/admin/offers/offer/{self.rows['offers_offer'].pk}/"
        if name == "view_on_site":
            offer = self.rows["offers_offer"]
            return reverse("admin:view_on_site", args=[ContentType.objects.get_for_model(offer).pk, offer.pk])
        if "object_id" not in NAMES[name].pattern.converters:
            return reverse(f"admin:{name}")
        model = next(model for model in self.rows if name.startswith(f"{model}_"))
        return reverse(f"admin:{name}", args=[self.rows[model].pk])


@pytest.fixture(scope="module")
def office(django_db_setup, django_db_blocker):
    """Made once; nothing is kept of what a request does."""

    with django_db_blocker.unblock(), transaction.atomic(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(Template, "render", lambda template, context=None, request=None: "")
        yield Office()
        transaction.set_rollback(True)


def ask(client: Client, method: str, address: str) -> str:
    """Through all that a request meets."""
    with transaction.atomic():
        answer = client.generic(method, address)
        transaction.set_rollback(True)
    return outcome(answer)


def knock(person: User, method: str, address: str) -> str:
    """At the page's own door."""
    request = RequestFactory().generic(method, address)
    request.user, request.session, request.visit = person, SessionStore(), None
    request._messages = CookieStorage(request)
    request._dont_enforce_csrf_checks = True
    request.resolver_match = page = resolve(address)
    try:
        with transaction.atomic():
            answer = page.func(request, *page.args, **page.kwargs)
            transaction.set_rollback(True)
    except PermissionDenied:
        return "refused"
    except Http404:
        return "nothing"
    return outcome(answer)


@pytest.mark.parametrize("role", [*OUTSIDE, *STAFF])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_page_is_opened_or_refused_as_the_table_says(office, role, method):
    names = sorted(set(NAMES) - OPEN - {"app_list"})
    wanted = {name: expected(name, role, method) for name in names}
    found = {name: knock(office.people[role], method, office.address(name)) for name in names}
    assert {name: found[name] for name in names if found[name] != wanted[name]} == {}


@pytest.mark.parametrize("role", [*OUTSIDE, *STAFF])
def test_the_whole_way_in_says_the_same_as_the_page_s_own_door(office, role):
    for name in ("index", "opco_export_changelist", "offers_offer_change", "offers_offer_moderate", "coherence"):
        assert ask(office.clients[role], "GET", office.address(name)) == expected(name, role, "GET"), name


@pytest.mark.parametrize("role", STAFF)
def test_a_section_is_there_for_who_reads_something_of_it(office, role):
    letter = next((letter for letter, group in LETTERS.items() if group == role), None)
    found = {app: knock(office.people[role], "GET", reverse("admin:app_list", args=[app])) for app in SECTIONS}
    assert found == {
        app: "in" if letter is None or letter in letters else "nothing" for app, letters in SECTIONS.items()
    }


@pytest.mark.parametrize("role", STAFF)
def test_what_is_done_to_chosen_rows_is_offered_to_who_may(office, role, rf):
    request = rf.get("/")
    request.user = office.people[role]
    letter = next((letter for letter, group in LETTERS.items() if group == role), None)
    for model, shown in admin.site._registry.items():
        lines = ACTIONS.get(model._meta.label, {})
        offered = {name for name, letters in lines.items() if letter is None or letter in letters}
        assert set(shown.get_actions(request)) == offered, model


@pytest.mark.parametrize("role", STAFF)
def test_the_queue_of_the_opco_is_for_staff_who_may_judge(office, role):
    may = role in {SUPPORT, MODERATION, SUPERUSER}
    assert (office.clients[role].get(reverse("opco:queue")).status_code == 200) == may
    with transaction.atomic():
        index = office.clients[role].get("/admin/").context_data["app_list"]
        transaction.set_rollback(True)
    entries = {entry["name"] for section in index for entry in section["models"]}
    assert ("File des recruteurs à valider" in entries) == may
