"""An advisor's morning in a real browser: twenty files and every decision, two advisors at once, by keyboard, axe."""

import csv
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.urls import reverse
from django.utils import timezone

from labonnealternance.mail.models import Message
from offers.enums import AccessStatus, OfferStatus
from offers.models import Access, Offer
from opco.actions import answers, clock, decisions
from opco.actions.desks import Desk
from opco.enums import DecisionKind, DecisionStatus, RefusalReason
from opco.models import HOLD, Decision
from tests.browser.conftest import NARROW, OF_COLOURS, WIDE, violations
from tests.browser.test_recruiter_space import look, signed_in
from tests.factories import CommuneFactory, ContactFactory
from tests.opco.desk import certify, make_advisor, make_file, make_opco, refuse

pytestmark = pytest.mark.django_db(transaction=True)

FILES = 20


def a_minute_later() -> int:
    """The clock's turn, once the minute of every decision is over."""
    return clock.apply_due(at=timezone.now() + HOLD + timedelta(seconds=1))


def file(n: int, *, days: int = 1, **facts) -> Access:
    """The ``n``-th file of the morning: the higher, the younger."""
    asked_at = timezone.now() - timedelta(days=days, minutes=FILES - n)
    # Eighteen companies have an address of their own, two people write from a personal one.
    email = f"personne{n}@{'gmail.com' if n % 10 == 3 else f'fournil{n}.exemple.fr'}"
    told = {
        "establishment__name": f"FOURNIL {n:02d}", "user__email": email, "user__first_name": "Camille",
        "user__last_name": f"Numéro{n:02d}", "user__phone": "+33199000018", "asked_at": asked_at,
    }  # fmt: skip
    return make_file(**{**told, **facts})


@pytest.fixture
def town():
    """Anne and Bruno of OPCO 1, another OPCO, and twenty files; three share the domain of someone certified."""
    opco, other = make_opco(), make_opco(2)
    anne = make_advisor(opco, email="anne@exemple.fr", first_name="Anne", last_name="Conseil")
    bruno = make_advisor(opco, email="bruno@exemple.fr", first_name="Bruno", last_name="Collègue")
    known = file(99, days=200, user__email="chef@maison.exemple.fr", establishment__name="MAISON MÈRE")
    certify(Desk(anne.user, opco), known, at=timezone.now() - timedelta(days=199))
    clock.apply_due(at=timezone.now() - timedelta(days=198))
    Message.objects.all().delete()
    files = [file(n, offers=n % 2) for n in range(1, FILES - 2)]
    files += [
        file(n, user__email=f"boutique{n}@maison.exemple.fr", establishment__name=f"MAISON BOUTIQUE {n}")
        for n in range(FILES - 2, FILES + 1)
    ]
    return {"anne": anne, "bruno": bruno, "opco": opco, "other": other, "files": files}


@pytest.fixture
def at_desk(visit, live_server):
    """``with at_desk(advisor, path) as page``."""
    return lambda advisor, path="/opco/", **options: visit(
        path, storage_state=signed_in(advisor.user, live_server), **options
    )


def press_access_key(page, letter: str) -> None:
    """Alt and ``letter``, as a keyboard sends them: Playwright's own names no letter where Alt is down."""
    key = {"modifiers": 1, "key": letter, "code": f"Key{letter.upper()}", "windowsVirtualKeyCode": ord(letter.upper())}
    session = page.context.new_cdp_session(page)
    session.send("Input.dispatchKeyEvent", {**key, "type": "keyDown", "text": letter, "unmodifiedText": letter})
    session.send("Input.dispatchKeyEvent", {**key, "type": "keyUp"})
    session.detach()


def heading(page) -> str:
    return page.locator("h1").inner_text()


def statuses() -> dict[str, int]:
    found = Access.objects.exclude(establishment__name="MAISON MÈRE").values_list("status", flat=True)
    return {status: list(found).count(status) for status in AccessStatus.values}


# ── A morning ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_morning_of_twenty_files_with_every_decision(town, at_desk):
    with at_desk(town["anne"]) as page:
        assert "À traiter 20" in " ".join(
            page.get_by_role("navigation", name="États des dossiers").inner_text().split()
        )
        look(page, "morning-1-queue")
        # Three that share a known domain, in one go, read first.
        page.get_by_role("link", name="Certifier par lot").click()
        page.get_by_role("link", name="@maison.exemple.fr").click()
        assert page.get_by_role("checkbox").count() == 3
        look(page, "morning-2-batch")
        page.get_by_role("button", name="Certifier les dossiers cochés").click()
        assert "3 dossiers" in page.get_by_label("Vos décisions de la dernière minute").inner_text()

        page.get_by_role("link", name="Dossiers", exact=True).click()
        page.get_by_role("link", name="Ouvrir le premier dossier").click()
        for n in range(1, FILES - 2):
            assert heading(page) == f"FOURNIL {n:02d}", "after each decision the next file opens"
            if n in {3, 13}:
                page.get_by_label("Motif du refus").select_option(label=RefusalReason.LINK_NOT_PROVEN.label)
                page.get_by_role("button", name="Refuser…").click()
                preview = page.get_by_role("region", name="L’e-mail que la personne recevra")
                assert decisions.PROPOSED[RefusalReason.LINK_NOT_PROVEN] in preview.inner_text()
                if n == 3:
                    page.get_by_label(re.compile("Ce que l’e-mail dit")).fill(
                        "Écrivez-nous depuis une adresse du fournil."
                    )
                    page.get_by_role("button", name="Revoir l’e-mail").click()
                    assert "depuis une adresse du fournil." in preview.inner_text()
                    look(page, "morning-3-refuse")
                page.get_by_role("button", name="Refuser", exact=True).click()
            elif n == 5:
                page.get_by_role("link", name=re.compile("transmettre")).click()
                page.get_by_label("Transmettre à").select_option(label="OPCO 2")
                look(page, "morning-4-pass-on")
                page.get_by_role("button", name="Transmettre").click()
            elif n == 6:
                page.get_by_role("link", name=re.compile("transmettre")).click()
                page.get_by_label("Transmettre à").select_option(value="support")
                page.get_by_role("button", name="Transmettre").click()
            elif n == 7:
                page.get_by_role("link", name=re.compile("Demander des informations")).click()
                look(page, "morning-5-ask")
                page.get_by_role("button", name="Envoyer la question").click()
            elif n == 8:
                # Kept for the afternoon, with a word for colleagues.
                page.get_by_role("button", name="Prendre le dossier").click()
                page.get_by_label(re.compile("Note pour vos collègues")).fill("J’appelle le standard cet après-midi.")
                page.get_by_role("button", name="Ajouter la note").click()
                assert "J’appelle le standard" in page.locator(".history").inner_text()
                look(page, "morning-6-taken")
                page.get_by_role("link", name=re.compile("Passer au dossier suivant")).click()
            elif n == 9:
                page.get_by_role("button", name="Certifier").click()
                # A slip: undone, the file opens again.
                page.get_by_role("button", name=re.compile("Annuler.*FOURNIL 09")).click()
                assert heading(page) == "FOURNIL 09"
                assert "personne n’en a été prévenu" in page.locator("main").inner_text()
                page.get_by_role("button", name="Certifier").click()
            else:
                page.get_by_role("button", name="Certifier").click()
        # All are seen: what is left is the one that was kept.
        assert heading(page) == "FOURNIL 08"
        assert not Message.objects.exists(), "nothing leaves within the minute"
        assert statuses() == {"awaiting": 20, "granted": 0, "denied": 0}
        page.goto("/opco/")
        look(page, "morning-7-held")

        assert a_minute_later() == 19
        page.reload()
        tabs = " ".join(page.get_by_role("navigation", name="États des dossiers").inner_text().split())
        assert tabs == "À traiter 1 En attente d’une réponse 1 Certifiés 15 Refusés 2 Transmis 2"
        page.get_by_role("link", name="Chiffres").click()
        assert page.get_by_role("img").count() >= 2
        look(page, "morning-8-figures")
    assert statuses() == {"awaiting": 4, "granted": 14, "denied": 2}
    kinds = list(Message.objects.values_list("kind", flat=True))
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "access_granted": 14, "access_denied": 2, "information_asked": 1,
    } | ({"offer_published": kinds.count("offer_published")} if "offer_published" in kinds else {})  # fmt: skip
    refused = Message.objects.get(kind="access_denied", recipient="personne3@gmail.com")
    assert "depuis une adresse du fournil." in refused.text_body
    cancelled = Offer.objects.filter(access__status=AccessStatus.DENIED)
    assert cancelled.count() == 2
    assert set(cancelled.values_list("status", flat=True)) == {OfferStatus.CANCELLED}
    passed = {each.access.establishment.name: each.access.establishment.opco_id for each in Decision.objects.filter(
        kind=DecisionKind.PASS_ON
    ).select_related("access__establishment")}  # fmt: skip
    assert passed == {"FOURNIL 05": "opco-2", "FOURNIL 06": None}


def test_the_recruiter_answers_and_the_file_comes_back_first(town, at_desk, visit):
    asked = town["files"][6]
    desk = Desk(town["anne"].user, town["opco"])
    question = decisions.ask(
        desk=desk,
        access_id=asked.pk,
        text="Quelle est votre fonction ?",
        seen=decisions.version_of(asked),
        at=timezone.now(),
    )
    a_minute_later()
    link = re.search(r"https?://\S+(/opco/reponse/lien/\S+)", Message.objects.get().text_body)
    assert link
    with visit(link[1]) as page:
        assert "Quelle est votre fonction ?" in page.locator("main").inner_text()
        page.get_by_label(re.compile("Votre réponse")).fill("Je suis la gérante <b>du fournil</b>.")
        page.get_by_role("button", name=re.compile("[Ee]nvoyer|Répondre")).click()
        page.wait_for_url("**?merci")
        look(page, "answer-sent")
    question.refresh_from_db()
    with at_desk(town["anne"]) as page:
        assert page.locator(".file").first.inner_text().startswith("FOURNIL 07")
        page.get_by_role("link", name="Ouvrir le premier dossier").click()
        assert heading(page) == "FOURNIL 07"
        assert "Je suis la gérante <b>du fournil</b>." in page.locator(".history").inner_text()


# ── Two advisors at once ─────────────────────────────────────────────────────────────────────────────────────────────


def test_two_advisors_on_one_file_the_second_is_told_who_and_when_and_one_email_leaves(town, at_desk):
    first = town["files"][0]
    path = reverse("opco:case", args=[first.pk])
    with at_desk(town["anne"], path) as anne, at_desk(town["bruno"], path) as bruno:
        bruno.get_by_role("button", name="Certifier").click()
        assert heading(bruno) == "FOURNIL 02"
        # Her page still shows the buttons.
        anne.get_by_role("button", name="Certifier").click()
        assert heading(anne) == "FOURNIL 01"
        said = anne.locator("main").inner_text()
        assert re.search(r"Décision déjà prise par Bruno Collègue à \d{1,2} h \d\d : certifié\.", said), said
        look(anne, "second-advisor")
    assert Decision.objects.filter(access=first).count() == 1
    a_minute_later()
    assert a_minute_later() == 0
    assert Message.objects.filter(kind="access_granted").count() == 1


def test_a_file_that_a_colleague_took_is_read_and_passed_over_until_it_is_taken_back(town, at_desk):
    path = reverse("opco:case", args=[town["files"][0].pk])
    with at_desk(town["bruno"], path) as bruno, at_desk(town["anne"]) as anne:
        bruno.get_by_role("button", name="Prendre le dossier").click()
        anne.get_by_role("link", name="Ouvrir le premier dossier").click()
        assert heading(anne) == "FOURNIL 02", "what a colleague is on is passed over"
        anne.goto(path)
        assert "Pris par Bruno Collègue" in anne.locator("main").inner_text()
        assert anne.get_by_role("button", name="Certifier").count() == 0
        anne.get_by_role("button", name="Reprendre le dossier").click()
        anne.get_by_role("button", name="Certifier").click()
        bruno.get_by_role("button", name="Certifier").click()
        assert "Décision déjà prise par Anne Conseil" in bruno.locator("main").inner_text()


# ── Keyboard, file ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_files_are_decided_and_undone_by_keys_and_every_act_is_reached_by_tab(town, at_desk):
    with at_desk(town["anne"]) as page:
        press_access_key(page, "s")
        page.wait_for_url("**/opco/dossiers/**")
        press_access_key(page, "c")
        page.get_by_role("heading", name="FOURNIL 02", level=1).wait_for()
        press_access_key(page, "z")
        page.get_by_role("heading", name="FOURNIL 01", level=1).wait_for()
        reached: list[str] = []
        for _ in range(60):
            page.keyboard.press("Tab")
            reached.append(
                page.evaluate("document.activeElement.innerText || document.activeElement.name || ''").strip()
            )
        wanted = [
            "Certifier",
            "Refuser…",
            "Demander des informations…",
            "Prendre le dossier",
            "Passer au dossier suivant",
        ]
        assert [each for each in wanted if each not in reached] == []
        order = [reached.index(each) for each in wanted]
        assert order == sorted(order)
    assert list(Decision.objects.values_list("status", flat=True).order_by("-pk")[:1]) == [DecisionStatus.UNDONE]


def test_the_list_is_taken_out_as_a_file_narrowed_as_it_stands(town, at_desk):
    with at_desk(town["anne"], "/opco/?q=maison") as page:
        with page.expect_download() as waited:
            page.get_by_role("button", name="Exporter cette liste (CSV)").click()
        download = waited.value
        assert re.fullmatch(r"recruteurs-a-traiter-\d{4}-\d\d-\d\d\.csv", download.suggested_filename)
        text = Path(download.path()).read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(text.splitlines(), delimiter=";"))
    assert [row["Établissement"] for row in rows] == [f"MAISON BOUTIQUE {n}" for n in range(FILES - 2, FILES + 1)]


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_a_fast_morning_s_decisions_are_folded_the_latest_stays_in_sight_and_all_are_undone_by_keys(
    town, at_desk, width
):
    desk = Desk(town["anne"].user, town["opco"])
    for n, access in enumerate(town["files"][:15]):
        certify(desk, access, at=timezone.now() - timedelta(seconds=15 - n))
    with at_desk(town["anne"], width=width) as page:
        held = page.get_by_label("Vos décisions de la dernière minute")
        look(page, f"held-folded-{width}")
        assert held.bounding_box()["height"] < 200, "the list stays in sight"
        assert held.get_by_role("button").count() == 1
        assert held.get_by_role("button", name=re.compile("Annuler.*FOURNIL 15")).is_visible()
        held.locator("summary").focus()
        page.keyboard.press("Enter")
        look(page, f"held-open-{width}")
        assert held.get_by_role("button").count() == 15
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="FOURNIL 14", level=1).wait_for()
    assert Decision.objects.filter(status=DecisionStatus.UNDONE).get().access == town["files"][13]


# ── Every page ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def pages(town):
    """Each page of the queue, in the states that change it."""
    desk, now = Desk(town["anne"].user, town["opco"]), timezone.now()
    shop = CommuneFactory(code="69001", name="Saint-Germain-au-Mont-d'Or-sur-Saône")
    long = file(
        0, days=12, offers=3, establishment__name="SOCIÉTÉ COOPÉRATIVE OUVRIÈRE DE PRODUCTION " + "X" * 60,
        establishment__commune=shop, user__email=f"{'tres.longue.adresse' * 3}@maison.exemple.fr",
        establishment__to_verify_since=now,
    )  # fmt: skip
    ContactFactory(siret=long.establishment.siret, email="contact@autre.exemple.fr")
    make_file(establishment=long.establishment, user__email="collegue@gmail.com", asked_at=now)
    taken, held, refused, asked = town["files"][:4]
    decisions.refuse(
        desk=desk, access_id=refused.pk, reason=RefusalReason.OTHER, text="Un motif.", at=now - timedelta(days=40),
        seen=decisions.version_of(refused),
    )  # fmt: skip
    question = decisions.ask(
        desk=desk,
        access_id=asked.pk,
        text="Qui êtes-vous ?",
        seen=decisions.version_of(asked),
        at=now - timedelta(days=2),
    )
    clock.apply_due(at=now)
    refuse(Desk(town["bruno"].user, town["opco"]), held, at=now)
    decisions.pass_on(
        desk=desk, access_id=taken.pk, to_opco=town["other"], text="", seen=decisions.version_of(taken), at=now
    )
    return {
        "queue": "/opco/", "queue-narrowed": "/opco/?q=fournil&offres=avec", "queue-nothing": "/opco/?q=zzzz",
        "certified": "/opco/?onglet=certifies", "refused": "/opco/?onglet=refuses", "passed": "/opco/?onglet=transmis",
        "asked": "/opco/?onglet=attente-reponse", "figures": "/opco/chiffres/", "batches": "/opco/lots/",
        "batch": "/opco/lots/certifier/?domaine=maison.exemple.fr",
        **{
            f"case-{name}": reverse("opco:case", args=[each.pk])
            for name, each in {"long": long, "held": held, "refused": refused, "asked": asked}.items()
        },
        "refuse": reverse("opco:refuse", args=[long.pk]) + "?reason=link_not_proven",
        "pass-on": reverse("opco:pass_on", args=[long.pk]),
        "ask": reverse("opco:ask", args=[long.pk]),
        "answer": reverse("opco:answer", args=[answers.token_of(question)]),
    }  # fmt: skip


@pytest.mark.parametrize(("width", "theme"), [(NARROW, "light"), (WIDE, "light"), (WIDE, "dark")])
def test_no_page_has_an_axe_violation_or_scrolls_sideways(town, pages, at_desk, width, theme):
    faults: dict[str, object] = {}
    # axe is a script of ours in the page: the policy would refuse it.
    with at_desk(town["anne"], width=width, color_scheme=theme, bypass_csp=True) as page:
        for name, path in pages.items():
            answer = page.goto(path)
            assert answer.status == 200, name
            # What fades in is judged once it is there.
            page.wait_for_timeout(100)
            look(page, f"{name}-{width}-{theme}")
            if page.evaluate("document.documentElement.scrollWidth") > width:
                faults[f"{name}: sideways"] = page.evaluate("document.documentElement.scrollWidth")
            if found := violations(page, OF_COLOURS if theme == "dark" else None):
                faults[name] = found
    assert faults == {}


def test_the_first_button_is_read_against_its_own_ground(town, at_desk):
    with at_desk(town["anne"], reverse("opco:case", args=[town["files"][0].pk])) as page:
        button = page.get_by_role("button", name="Certifier")
        # Axe judges no text beside an icon that is drawn before it.
        letters, ground = button.evaluate("b => [getComputedStyle(b).color, getComputedStyle(b).backgroundColor]")
        assert letters != ground
        assert letters == "rgb(245, 245, 254)"


def test_no_page_asks_for_anything_that_the_policy_refuses(town, pages, at_desk):
    with at_desk(town["anne"]) as page:
        for path in pages.values():
            page.goto(path)


def test_a_file_is_decided_without_script(town, at_desk):
    with at_desk(town["anne"], java_script_enabled=False) as page:
        page.get_by_role("link", name="Ouvrir le premier dossier").click()
        page.get_by_role("button", name="Certifier").click()
        assert heading(page) == "FOURNIL 02"
        assert "Personne n’en sera prévenu avant" in page.locator(".held").inner_text()
