"""The queue as an advisor reads it: tabs, order, filters, search, pages, the next file."""

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from offers.enums import AccessOrigin
from opco.actions import answers, cases, clock, queue
from opco.actions.desks import Desk
from opco.actions.queue import WITHOUT_OPCO, Filters
from opco.enums import DecisionStatus, Tab
from opco.models import TAKING, Decision
from tests import factories
from tests.opco.desk import (
    AT,
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    TICK,
    ask,
    certify,
    decided,
    make_desk,
    make_file,
    make_opco,
    pass_on,
    refuse,
    seated,
)

pytestmark = pytest.mark.django_db
URL = "/opco/"


def tab_of(desk, tab, **filters):
    return list(queue.rows_of(tab=tab, desk=desk, filters=Filters(**filters), at=AT))


def answered(access, *, at):
    from uuid import uuid4

    question = Decision.objects.filter(access=access, kind="ask").latest("pk")
    answers.answer(token=answers.token_of(question), text="Gérante.", key=uuid4(), at=at)


# ── Tabs ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_files_to_treat_come_oldest_first(desk):
    files = [make_file(at=AT - n * DAY) for n in (1, 3, 2)]
    assert tab_of(desk, Tab.TO_TREAT) == [files[1], files[2], files[0]]


def test_an_answer_brings_the_file_back_on_top(desk):
    old, asked = make_file(at=AT - 5 * DAY), make_file()
    decided(ask, desk, asked)
    assert tab_of(desk, Tab.TO_TREAT) == [old]
    assert tab_of(desk, Tab.ASKED) == [asked]
    answered(asked, at=AT + HOUR)
    assert tab_of(desk, Tab.TO_TREAT) == [asked, old]
    assert tab_of(desk, Tab.ASKED) == []


@pytest.mark.parametrize(
    "act, tab", [(certify, Tab.CERTIFIED), (refuse, Tab.REFUSED), (ask, Tab.ASKED), (pass_on, Tab.PASSED_ON)]
)
def test_a_file_stands_where_its_decision_brings_it_from_the_first_second_and_is_counted_once(desk, act, tab):
    decided_about, other = make_file(), make_file()
    act(desk, decided_about)
    for at in (AT + SECOND, AT + TICK):
        clock.apply_due(at=at)
        counts = queue.counts(desk=desk, filters=Filters(), at=at)
        assert counts == dict.fromkeys(Tab, 0) | {Tab.TO_TREAT: 1, tab: 1}
        assert tab_of(desk, Tab.TO_TREAT) == [other]


def test_the_counts_are_those_of_the_lists_in_every_state(desk):
    for act in (certify, refuse, ask, pass_on):
        for at in (AT, AT + HOUR):
            act(desk, make_file(), at=at)
    clock.apply_due(at=AT + TICK)
    for _ in range(3):
        make_file()
    counts = queue.counts(desk=desk, filters=Filters(), at=AT)
    assert counts == {tab: len(tab_of(desk, tab)) for tab in Tab if tab != Tab.PASSED_ON} | {
        Tab.PASSED_ON: queue.passed_on(desk=desk, filters=Filters(), at=AT).count()
    }
    assert sum(counts.values()) == 11


def test_what_the_service_granted_by_itself_is_among_the_certified(desk):
    granted = factories.AccessFactory(establishment__opco=desk.opco)
    assert tab_of(desk, Tab.CERTIFIED) == [granted]


@pytest.mark.parametrize("tab", [tab for tab in Tab if tab != Tab.PASSED_ON])
def test_a_page_has_the_files_of_the_list_in_its_order_what_is_within_its_minute_beside_the_rest(desk, tab):
    act = {Tab.ASKED: ask, Tab.CERTIFIED: certify, Tab.REFUSED: refuse}.get(tab)
    for n in range(3):
        access = make_file()
        if act:
            decided(act, desk, access, at=AT - (9 - n) * MINUTE)
    for n in range(2):
        access = make_file()
        if act:
            act(desk, access, at=AT - n * SECOND)
        else:
            decided(ask, desk, access, at=AT - HOUR)
            answered(access, at=AT - n * MINUTE)
    whole = [file.pk for file in tab_of(desk, tab)]
    paged = [
        file.pk for start in range(0, 6, 2)
        for file in queue.page_of(tab=tab, desk=desk, filters=Filters(), at=AT, start=start, stop=start + 2)
    ]  # fmt: skip
    assert paged == whole
    assert len(whole) == 5
    if tab in {Tab.CERTIFIED, Tab.REFUSED}:
        made = Decision.objects.in_bulk(field_name="id").values()
        assert whole == [each.access_id for each in sorted(made, key=lambda each: each.made_at, reverse=True)]


def test_the_files_decided_last_are_read_by_their_index(desk):
    for _ in range(3):
        decided(certify, desk, make_file())
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; ANALYZE offers_access")
        _, decided_before = queue._in_order(Tab.CERTIFIED, queue.files_of(desk))
        sql, parameters = decided_before[:25].query.sql_with_params()
        cursor.execute(f"EXPLAIN {sql}", parameters)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "access_decided" in plan
    assert "Sort" not in plan


# ── Filters and search ───────────────────────────────────────────────────────────────────────────────────────────────


def test_filters_departement_waiting_since_origin_offers_waiting(desk):
    paris = factories.CommuneFactory(
        code="75056", name="Paris", departement=factories.DepartementFactory(code="75", name="Paris")
    )
    old = make_file(at=AT - 10 * DAY, origin=AccessOrigin.SPACE)
    with_offers = make_file(offers=2)
    there = make_file(establishment__commune=paris)
    assert tab_of(desk, Tab.TO_TREAT, departement="75") == [there]
    assert tab_of(desk, Tab.TO_TREAT, departement="57") == [old, with_offers]
    assert tab_of(desk, Tab.TO_TREAT, days=11) == [old]
    assert tab_of(desk, Tab.TO_TREAT, days=1) == [old, with_offers, there]
    assert tab_of(desk, Tab.TO_TREAT, origin=AccessOrigin.SPACE) == [old]
    assert tab_of(desk, Tab.TO_TREAT, offers="avec") == [with_offers]
    assert tab_of(desk, Tab.TO_TREAT, offers="sans") == [old, there]
    assert [each.offers_count for each in tab_of(desk, Tab.TO_TREAT)] == [0, 2, 0]


def test_an_advisor_is_not_narrowed_by_an_opco_nor_support_widened_by_none(desk):
    mine, theirs, nobodys = make_file(), make_file(make_opco(2)), make_file(establishment__opco=None)
    support = Desk(factories.StaffFactory(), None)
    assert tab_of(desk, Tab.TO_TREAT, opco="opco-2") == [mine]
    assert tab_of(support, Tab.TO_TREAT) == [mine, theirs, nobodys]
    assert tab_of(support, Tab.TO_TREAT, opco="opco-2") == [theirs]
    assert tab_of(support, Tab.TO_TREAT, opco=WITHOUT_OPCO) == [nobodys]


def test_support_narrows_to_the_establishments_to_verify_an_advisor_does_not(desk):
    verified, to_verify = make_file(), make_file(establishment__to_verify_since=AT - DAY)
    support = Desk(factories.StaffFactory(), None)
    assert tab_of(support, Tab.TO_TREAT, to_verify=True) == [to_verify]
    assert tab_of(support, Tab.TO_TREAT) == tab_of(desk, Tab.TO_TREAT, to_verify=True) == [verified, to_verify]
    page = seated(support.user).get(f"{URL}?etablissement=a-verifier").content.decode()
    assert page.count("Établissement à vérifier") == page.count('class="file ') == 1
    page = seated(desk.user).get(f"{URL}?etablissement=a-verifier").content.decode()
    assert page.count('class="file ') == 2
    assert 'name="etablissement"' not in page


@pytest.mark.parametrize(
    "text",
    [
        "fournil", "Fournil de l'Étoile", "etoile fournil", "étoi", "LE FOURNIL", "gasté", "hélène", "Œuvre",
        "helene.gaste", "gaste@boulange", "helene.gaste@boulange-exemple.fr", "SIRET", "spaced", "SIREN",
    ],
)  # fmt: skip
def test_search_by_name_siret_and_e_mail(desk, text):
    found = make_file(
        establishment__siret=factories.make_siret(77),
        establishment__name="LE FOURNIL DE L'ÉTOILE",
        establishment__legal_name="SARL L'ŒUVRE",
        user__first_name="Hélène",
        user__last_name="Gasté",
        user__email="helene.gaste@boulange-exemple.fr",
    )
    siret = found.establishment.siret
    make_file(establishment__siret=factories.make_siret(88))
    asked = {"SIRET": siret, "SIREN": siret[:9], "spaced": f" {siret[:3]} {siret[3:6]} {siret[6:9]} {siret[9:]} "}
    assert tab_of(desk, Tab.TO_TREAT, text=asked.get(text, text)) == [found]


@pytest.mark.parametrize("text", ["fournils", "ournil", "%", "_", "!!!", "\\", "gaste@autre", "🥖", "999", "fournil x"])
def test_search_finds_nothing_else(desk, text):
    make_file(establishment__siret=factories.make_siret(77), establishment__name="LE FOURNIL", user__last_name="Gasté")
    assert tab_of(desk, Tab.TO_TREAT, text=text) == []


def test_a_file_passed_on_is_found_by_its_establishment_only(desk):
    access = make_file(establishment__name="LE FOURNIL", user__email="helene@exemple.fr")
    decided(pass_on, desk, access, make_opco(2))

    def found(text):
        return queue.passed_on(desk=desk, filters=Filters(text=text), at=AT).count()

    assert (found("fournil"), found(access.establishment.siret), found("helene")) == (1, 1, 0)


# ── The next file ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_next_file_follows_in_the_list_then_the_list_begins_again(desk):
    files = [make_file(at=AT - n * DAY) for n in (9, 7, 5, 3)]

    def following(access=None, **filters):
        return queue.next_file(desk=desk, after=access and access.pk, filters=Filters(**filters), at=AT)

    assert following() == files[0].pk
    assert following(files[1]) == files[2].pk
    assert following(files[3]) == files[0].pk
    assert following(files[0], days=6) == files[1].pk
    assert following(files[3], text="introuvable") is None
    certify(desk, files[2])
    assert following(files[1]) == files[3].pk
    cases.take(desk=make_desk(desk.opco), access_id=files[3].pk, at=AT)
    assert following(files[1]) == files[0].pk
    assert queue.next_file(desk=desk, after=files[1].pk, filters=Filters(), at=AT + TAKING) == files[3].pk


def test_the_next_file_of_the_last_one_is_none(desk):
    access = make_file()
    assert queue.next_file(desk=desk, after=access.pk, filters=Filters(), at=AT) is None


def test_files_asked_for_at_the_same_moment_are_each_opened_once(desk):
    files = [make_file() for _ in range(4)]
    seen, after = [], None
    for _ in files:
        after = queue.next_file(desk=desk, after=after, filters=Filters(), at=AT)
        seen.append(after)
    assert seen == [each.pk for each in files]


# ── The page ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def client(desk):
    with time_machine.travel(AT, tick=False):
        yield seated(desk.user)


def queries(client, path):
    with CaptureQueriesContext(connection) as asked:
        assert client.get(path).status_code == 200
    return len(asked)


@pytest.mark.parametrize("tab", Tab)
def test_the_list_asks_the_same_number_of_queries_with_one_file_and_with_thirty(client, desk, tab):
    act = {
        Tab.ASKED: ask, Tab.CERTIFIED: certify, Tab.REFUSED: refuse, Tab.PASSED_ON: pass_on,
    }.get(tab)  # fmt: skip

    def one_more(n):
        access = make_file(user__email=f"{tab}{n}@exemple.fr", offers=n % 3)
        if act:
            act(desk, access, at=AT - MINUTE)

    one_more(0)
    clock.apply_due(at=AT)
    with_one = queries(client, f"{URL}?onglet={tab.value}")
    for n in range(1, 30):
        one_more(n)
    clock.apply_due(at=AT)
    cases.take(desk=make_desk(desk.opco), access_id=make_file().pk, at=AT)
    assert queries(client, f"{URL}?onglet={tab.value}") == with_one
    assert with_one <= 11


def test_a_page_holds_twenty_five_files_and_leads_to_the_others(client, desk):
    for n in range(30):
        make_file(at=AT - n * DAY, establishment__name=f"BOULANGERIE {n:02d}")
    first, second = client.get(URL).content.decode(), client.get(f"{URL}?page=2").content.decode()
    assert first.count('class="file ') == 25
    assert second.count('class="file ') == 5
    assert "BOULANGERIE 29" in first
    assert "BOULANGERIE 00" in second
    assert 'href="?page=2"' in first


def test_the_address_holds_what_the_list_is_narrowed_to_from_page_to_page_and_to_the_files(client, desk):
    for n in range(30):
        make_file(at=AT - n * DAY, offers=1)
    page = client.get(f"{URL}?offres=avec&depuis=1&q=boulangerie").content.decode()
    assert 'href="?q=boulangerie&amp;depuis=1&amp;offres=avec&amp;page=2"' in page
    assert f"{reverse('opco:next')}?q=boulangerie&amp;depuis=1&amp;offres=avec" in page
    assert '?q=boulangerie&amp;depuis=1&amp;offres=avec">BOULANGERIE' in page
    assert "onglet=certifies&amp;q=boulangerie&amp;depuis=1&amp;offres=avec" in page


def test_counts_stand_on_the_tabs_and_follow_the_search(client, desk):
    make_file(establishment__name="FOURNIL")
    for _ in range(3):
        make_file(establishment__name="MOULIN")
    decided(certify, desk, make_file(establishment__name="FOURNIL"), at=AT - HOUR)
    tabs = client.get(URL).context["tabs"]
    assert [tab["count"] for tab in tabs] == ["4", "0", "1", "0", "0"]
    tabs = client.get(f"{URL}?q=fournil").context["tabs"]
    assert [tab["count"] for tab in tabs] == ["1", "0", "1", "0", "0"]


@pytest.mark.parametrize(
    "query",
    [
        "onglet=autre", "page=0", "page=-1", "page=abc", "page=99999999999999999999", "depuis=2", "depuis=abc",
        "departement=999", "origine=x", "offres=x", "opco=x", "q=" + "a" * 10_000, "q=%E2%80%AE", "q=%0A", "q=%25",
        "q=<script>alert(1)</script>", "q=" + "%C3%A9+" * 90,
    ],
)  # fmt: skip
def test_no_question_asked_of_the_list_is_a_fault(client, desk, query):
    make_file()
    answer = client.get(f"{URL}?{query}")
    assert answer.status_code == 200
    assert "<script>alert(1)" not in answer.content.decode()


def test_a_search_that_can_t_be_read_says_why_beside_its_field_and_keeps_what_was_typed(client):
    page = client.get(f"{URL}?q=" + "a" * 300).content.decode()
    assert "Cherchez avec 200 caractères au plus." in page
    assert 'aria-describedby="id_q_error"' in page
    assert "a" * 300 in page


def test_an_empty_queue_says_so_and_next_leads_back_to_it(client, desk):
    assert "Tout est traité" in client.get(URL).content.decode()
    answer = client.get(reverse("opco:next"), follow=True)
    assert answer.redirect_chain == [(URL, 302)]
    assert "plus de dossier à traiter" in answer.content.decode()


@pytest.mark.parametrize("after", ["x", "-1", "9" * 18, "9" * 40, "٣", ""])
def test_next_after_what_is_no_file_is_the_first_one(client, desk, after):
    access = make_file()
    answer = client.get(reverse("opco:next"), {"apres": after})
    assert (answer.status_code, answer.url) == (302, reverse("opco:case", args=[access.pk]))


def test_a_line_tells_who_waits_since_when_how_many_offers_and_who_is_on_it(client, desk):
    access = make_file(
        at=AT - 4 * DAY, offers=2, user__first_name="Léa", user__last_name="Exemple", user__email="lea@gmail.com"
    )
    cases.take(desk=make_desk(desk.opco, first_name="Bruno", last_name="Second"), access_id=access.pk, at=AT)
    page = client.get(URL).content.decode()
    for told in (
        "Léa Exemple", "lea@gmail.com", "Messagerie personnelle", "Depuis 5 jours", "Demande du 18 novembre 2026",
        "2 offres en attente ou en ligne", "Pris par Bruno Second à 9 h 30",
    ):  # fmt: skip
        assert told in page, told


def test_the_account_leads_an_advisor_to_the_queue_and_a_recruiter_not(client, desk):
    assert 'href="/opco/"' not in seated(factories.UserFactory()).get("/compte/").content.decode()
    from labonnealternance.accounts.actions import give_role
    from labonnealternance.accounts.enums import Role

    give_role(user=desk.user, role=Role.ADVISOR)
    assert 'href="/opco/"' in client.get("/compte/").content.decode()


def test_the_queue_is_kept_by_no_cache(client, desk):
    access = make_file()
    for path in (URL, reverse("opco:case", args=[access.pk])):
        assert "no-store" in client.get(path)["Cache-Control"]


def test_a_dropped_decision_brings_the_file_back_to_treat(desk):
    access = make_file()
    certify(desk, access).settle(to=DecisionStatus.DROPPED, by=None, at=AT)
    assert tab_of(desk, Tab.TO_TREAT) == [access]


def test_the_badge_of_a_line_says_what_its_list_does_not(client, desk):
    make_file()
    answered_, held = make_file(), make_file()
    decided(ask, desk, answered_, at=AT - HOUR)
    answered(answered_, at=AT - MINUTE)
    certify(desk, held, at=AT)

    def badges(tab):
        page = client.get(URL, {"onglet": tab.value})
        return [line.standing and line.standing.label for line in page.context["lines"]]

    assert badges(Tab.TO_TREAT) == ["Réponse reçue", None]
    assert badges(Tab.CERTIFIED) == ["Certifié par Anne Conseil à 9 h 30"]
