"""From the second of the decision, no answer holds a delisted establishment, whatever runs at the same time.

    READS=3000 python -m pytest -s tests/test_delisted_is_gone.py

reads that many answers at least (some hundreds without it) and prints its figures.
"""

import csv
import os
import threading
import time
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from companies.actions import batches, hiring_potentials, visibility, visibility_links
from companies.actions.batches import Order
from companies.actions.contacts import known_contact
from companies.enums import BatchKind, DecisionOrigin, DecisionReason, DecisionScope
from companies.models import Establishment, Naf
from offers.enums import OfferStatus
from tests import factories
from tests.companies import stock
from tests.offers import public_town
from unsubscribe.actions import requests
from unsubscribe.actions.requests import Wish
from unsubscribe.enums import Outcome

SEARCH = "/recherche/?romes=D1102&lieu=Metz&code=57463&rayon=10"
LEAST_READS = int(os.environ.get("READS", "0"))
DECISIONS = 16
SUGGESTIONS = "/recruteur/suggestions/etablissements/?q="
# Of names that imports change while they are read, the words that stay.
NAMES = ("FOURNIL", "BOULANGERIE DU PONT")
# What the page of a mail's link says of who is shown, and only of them.
WHY = "Pourquoi votre établissement est-il proposé"


def stock_of(town, path: Path) -> Path:
    """A stock file that holds the town as it is, each time with another name for all."""
    lines = [
        {**stock.LINE, "siret": each.siret, "siren": each.siret[:9], "nic": each.siret[9:],
         "enseigne1Etablissement": f"FOURNIL {time.monotonic_ns()}"}
        for each in town
    ]  # fmt: skip
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, stock.stock_columns(), extrasaction="ignore")
        writer.writeheader()
        writer.writerows(lines)
    return path


@pytest.mark.django_db(transaction=True)
def test_no_later_answer_holds_it_while_imports_scores_and_the_order_of_the_day_run(tmp_path):
    town = public_town.build_town(bakeries=24)
    Naf.objects.get_or_create(code="1071C", defaults={"label": "Boulangerie et boulangerie-pâtisserie"})
    offers = {
        each.siret: factories.OfferFactory(access__establishment=each, access__user=recruiter)
        for recruiter in [factories.UserFactory()]
        for each in town
    }
    closed = factories.OfferFactory(access=offers[town[-1].siret].access, status=OfferStatus.FILLED)
    # What is like an offer that is over, the map for search engines, what is suggested to who types a name.
    lists = (
        f"/offre/{closed.pk}/", f"/sitemap-offres-{closed.expires_on}.xml",
        *(SUGGESTIONS + name.lower() for name in NAMES),
    )  # fmt: skip
    by_mail = {
        each.siret: visibility_links.make(siret=each.siret, email=known_contact(siret=each.siret)) for each in town
    }
    gone: dict[str, float] = {}
    stop, faults, read, turns = threading.Event(), [], [], []

    def in_a_thread(work):
        def run():
            try:
                while not stop.is_set():
                    work()
            except Exception as fault:
                faults.append(fault)
            finally:
                connection.close()

        return threading.Thread(target=run)

    def look():
        client = Client()
        for path in (SEARCH, SEARCH + "&page=2", SEARCH + "&page=3", SEARCH + "&tri=distance", *lists):
            asked, known = time.monotonic(), dict(gone)
            text = client.get(path).text
            faults.extend(
                (path, siret)
                for siret, since in known.items()
                if since < asked and (siret in text or str(offers[siret].pk) in text)
            )
            read.append(len(known))
        for siret in list(gone)[-2:]:
            number = offers[siret].pk
            answers = {
                f"/etablissement/{siret}/": 410, f"/offre/{number}/": 410, f"/offre/{number}/postuler/": 410,
                f"/signaler/offre/{number}/": 404,
            }  # fmt: skip
            faults.extend(page for page, code in answers.items() if client.get(page).status_code != code)
            # Pages that answer, and say nothing of it.
            silent = {
                SUGGESTIONS + siret: [siret], f"/signaler/etablissement/{siret}/": NAMES, by_mail[siret]: [WHY, *NAMES],
            }  # fmt: skip
            for page, words in silent.items():
                answer = client.get(page)
                faults.extend((page, word) for word in words if answer.status_code != 200 or word in answer.text)
            read.extend([len(gone)] * (len(answers) + len(silent)))

    def score():
        public_town.put_online([(each, public_town.BAKER) for each in town])
        hiring_potentials.renew_order(at=timezone.now())
        turns.append("score")

    def bring():
        call_command("import_establishments", str(stock_of(town, tmp_path / "stock.csv")), "--partial", verbosity=0)
        turns.append("import")

    def support_hides_its_company(each):
        visibility.delist(
            scope=DecisionScope.SIREN, value=each.siret[:9],
            by=None, at=timezone.now(), reason=DecisionReason.OTHER, origin=DecisionOrigin.SUPPORT,
        )  # fmt: skip

    def it_leaves_by_the_link_of_a_mail(each):
        address, leaves = known_contact(siret=each.siret), Wish(Outcome.LEAVE, reason=DecisionReason.NO_APPRENTICES)
        token = requests.ask_by_mail(siret=each.siret, email=address, wish=leaves, ip="", at=timezone.now())
        requests.act(token=token, sirets=[each.siret], all_of_them=False, at=timezone.now())

    def support_takes_it_out_with_a_list(each):
        order = Order(kind=BatchKind.DELISTED, text=each.siret, reason=DecisionReason.OTHER)
        seen = batches.preview(order=order, at=timezone.now()).seen
        batches.apply(order=order, seen=seen, by=agent, at=timezone.now())

    agent = factories.StaffFactory()
    ways = [it_leaves_by_the_link_of_a_mail, support_hides_its_company, support_takes_it_out_with_a_list]
    threads = [in_a_thread(work) for work in (look, look, score, bring)]
    for thread in threads:
        thread.start()
    try:
        for number, each in enumerate(town[:DECISIONS]):
            ways[number % len(ways)](each)
            gone[each.siret] = time.monotonic()
            time.sleep(0.15)
            while not faults and len(read) < LEAST_READS * len(gone) // DECISIONS:
                time.sleep(0.05)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    print(f"\n{len(read)} reads, {len(gone)} decisions, {len(turns)} imports and releases: {len(faults)} leaks")
    assert faults == []
    assert {"score", "import"} == set(turns)
    assert any(read)
    assert "8 offres et 8 entreprises" in Client().get(SEARCH).text
    left = {str(offers[each.siret].pk) for each in town[DECISIONS:]}
    assert left == {pk for pk in (str(offer.pk) for offer in offers.values()) if pk in Client().get(lists[1]).text}
    assert Establishment.objects.listed(timezone.now()).count() == 8
