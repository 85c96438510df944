"""The screenshots of docs/support.md, of a demo copy that runs: none of its people exists.

    PORT=8105 STATE_DIR=/tmp/captures make run          # in another terminal
    STATE_DIR=/tmp/captures make screenshots            # the same STATE_DIR

Each is a page of the back-office as support sees it, made in the order of the document; what a demo has none of (a
request with a document, a report) is added first, once.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "images" / "support"
WIDTH, HEIGHT, SHORTEST = 1040, 900, 300
MOST_BYTES = 80_000


def described() -> dict:
    """Addresses, accounts and codes of the copy that runs on this STATE_DIR."""
    told = subprocess.run(
        [sys.executable, "manage.py", "demo_accounts", "--json"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return json.loads(told.stdout)


def added() -> dict[str, str]:
    """Adds what the demo lacks; returns the keys of what the pages show."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "labonnealternance.settings.local")
    # Playwright's loop runs in this thread later on: everything is read now.
    import django

    django.setup()
    from django.utils import timezone

    from companies.models import Contact, HiringPotential, Release
    from labonnealternance.accounts.models import User
    from labonnealternance.consistency import actions as consistency
    from labonnealternance.consistency.models import Run
    from labonnealternance.mail.models import Message
    from offers.models import Offer
    from tests.factories import ReportFactory, RequestFactory
    from unsubscribe.models import Report, Request

    known = Contact.objects.exclude(email="").values("siret")
    shown = (
        HiringPotential.objects.filter(release__status="current", establishment__siret__in=known)
        .order_by("-expected", "establishment")
        .values_list("establishment__siret", flat=True)
    )
    sirets = list(dict.fromkeys(shown[:60]))[:8]
    asked = Request.objects.filter(address="gerante@exemple.fr").first() or RequestFactory(
        value=sirets[1], address="gerante@exemple.fr", digest="c" * 64, comment="Nous ne prenons plus d’apprentis."
    )
    report = Report.objects.filter(details__startswith="Rideau").first() or ReportFactory(
        siret=sirets[2], details="Rideau baissé depuis l’été, la boîte aux lettres est pleine."
    )
    offer = Offer.objects.filter(status="active").order_by("created_at", "pk").first()
    message = Message.objects.filter(confidential=False).order_by("-created_at", "pk").first()
    release = Release.objects.filter(status="current").first()
    recruiter = User.objects.get(email="recruteur@exemple.fr")
    establishment = HiringPotential.objects.filter(establishment__siret=sirets[0]).values_list("establishment")[0][0]
    assert offer and message and release
    if not Run.objects.finished().exists():
        # The worker that passes them has the time of the other pictures.
        consistency.ask(by=User.objects.get(email="support@exemple.fr"), at=timezone.now())
    return {
        "siret": sirets[0],
        "sirets": "\n".join(sirets[3:7]),
        "establishment": str(establishment),
        "request": str(asked.pk),
        "report": str(report.pk),
        "offer": str(offer.pk),
        "message": str(message.pk),
        "release": str(release.pk),
        "recruiter": str(recruiter.pk),
    }


def sign_in(page: Page, told: dict) -> None:
    support = told["roles"]["support"]
    page.goto("/admin/login/")
    page.get_by_label("Adresse").fill(support["email"])
    page.get_by_label("Mot de passe").fill(support["password"])
    page.get_by_label("Code à 6 chiffres").fill(support["totp_now"])
    page.get_by_role("button", name="Connexion").click()
    page.wait_for_url("**/admin/")


def save(page: Page, name: str) -> None:
    """The top of the page, as much of it as ``MOST_BYTES`` hold."""
    page.wait_for_load_state("load")
    page.evaluate("document.activeElement && document.activeElement.blur(); window.scrollTo(0, 0)")
    # A page of the back-office ends where its content does; one of the site, with its window.
    tall = page.evaluate(
        "(() => { const content = document.querySelector('#content');"
        " return content ? Math.ceil(content.getBoundingClientRect().bottom) : document.body.scrollHeight })()"
    )
    height = max(SHORTEST, min(HEIGHT, tall))
    while True:
        clip = {"x": 0, "y": 0, "width": WIDTH, "height": height}
        picture = page.screenshot(clip=clip, full_page=True, animations="disabled")
        if len(picture) <= MOST_BYTES or height <= SHORTEST:
            break
        height -= 50
    assert len(picture) <= MOST_BYTES, name
    (FOLDER / f"{name}.png").write_bytes(picture)
    print(f"{len(picture) // 1000:>4} ko  {name}")


def button(model: str, key: str, name: str) -> str:
    return f"/admin/{model.replace('.', '/')}/{key}/{name}/"


def pages(facts: dict[str, str]) -> dict[str, Callable[[Page], object]]:
    """Name of a picture → what shows it."""
    establishment, request = facts["establishment"], facts["request"]

    def preview_of_treatment(page: Page) -> None:
        page.goto(button("unsubscribe.request", request, "treat"))
        page.locator(".submit-row input[type=submit]").first.click()

    def many(page: Page) -> None:
        page.goto("/admin/companies/batch/add/?quoi=paused")
        page.locator("textarea[name=listed]").fill(facts["sirets"])
        page.locator("input[name=ends_on]").fill("2027-08-31")
        page.locator("select[name=reason]").select_option(index=1)
        page.get_by_role("button", name="Voir ce que cela fera").click()

    def moderation(page: Page) -> None:
        page.goto(button("offers.offer", facts["offer"], "moderate"))
        page.locator("textarea").first.fill("L’offre demande un paiement au candidat.")
        page.locator(".submit-row input[type=submit]").first.click()

    def erasure(page: Page) -> None:
        page.goto(f"/admin/donnees-personnelles/?personne={facts['recruiter']}")

    def space(page: Page) -> None:
        page.goto(button("accounts.user", facts["recruiter"], "visit"))
        page.locator("textarea").fill("La personne ne trouve pas son offre.")
        page.get_by_role("button", name="Voir son espace").click()
        page.wait_for_url("**/recruteur/")

    def goes(path: str) -> Callable[[Page], object]:
        return lambda page: page.goto(path)

    return {
        "accueil": goes("/admin/"),
        "demandes": goes("/admin/unsubscribe/request/"),
        "demande": goes(f"/admin/unsubscribe/request/{request}/change/"),
        "demande-reponse": preview_of_treatment,
        "etablissement": goes(f"/admin/companies/establishment/{establishment}/change/"),
        "retirer": goes(button("companies.establishment", establishment, "delist")),
        "corriger": goes(button("companies.establishment", establishment, "correct_contact")),
        "referencer": goes(button("companies.establishment", establishment, "list_establishment")),
        "lot": many,
        "pourquoi": goes(f"/admin/pourquoi/?siret={facts['siret']}"),
        "signalement": goes(f"/admin/unsubscribe/report/{facts['report']}/change/"),
        "personne": goes(f"/admin/accounts/user/{facts['recruiter']}/change/"),
        "offre-retiree": moderation,
        "email": goes(f"/admin/mail/message/{facts['message']}/change/"),
        "file": goes("/opco/"),
        "livraison": goes(f"/admin/companies/release/{facts['release']}/change/"),
        "coherence": goes("/admin/coherence/"),
        "donnees": erasure,
        # Last: within it there is no back-office.
        "espace": space,
    }


def main() -> None:
    asked = argparse.ArgumentParser(description="Fait les captures d’écran de docs/support.md.")
    asked.add_argument("--only", nargs="*", help="ces captures seulement")
    only = asked.parse_args().only
    from labonnealternance.embedded import services

    with services():
        told, facts = described(), added()
        FOLDER.mkdir(parents=True, exist_ok=True)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium") or shutil.which("google-chrome"),
                # The browser's own words (a file to choose, a date) are French too.
                args=["--disable-gpu", "--disable-lcd-text", "--font-render-hinting=none", "--lang=fr-FR"],
                env={**os.environ, "LANGUAGE": "fr"},
            )
            context = browser.new_context(
                base_url=told["base_url"],
                viewport={"width": WIDTH, "height": HEIGHT},
                locale="fr-FR",
                color_scheme="light",
                reduced_motion="reduce",
            )
            # The menu on the side is the same everywhere.
            context.add_init_script("localStorage.setItem('django.admin.navSidebarIsOpen', 'false')")
            page = context.new_page()
            sign_in(page, told)
            for name, show in pages(facts).items():
                if only and name not in only:
                    continue
                show(page)
                save(page, name)
            browser.close()


if __name__ == "__main__":
    main()
