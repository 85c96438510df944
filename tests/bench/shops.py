"""Names of establishments to look for, whose words are about as frequent as on French signs. None is a real one."""

import itertools
from collections.abc import Iterator

import numpy as np
from django.db import connection

from companies.models import Commune

TRADES = """
    BOULANGERIE COIFFURE GARAGE PHARMACIE RESTAURANT BOUCHERIE PIZZERIA TABAC CAFE BAR HOTEL AUTO ECOLE AMBULANCES TAXI
    PLOMBERIE MENUISERIE MACONNERIE PEINTURE ELECTRICITE CARRELAGE COUVERTURE CHARPENTE TRANSPORTS IMMOBILIER ASSURANCES
    CABINET BATIMENT CONSTRUCTION RENOVATION SERVICES CONSEIL NETTOYAGE SECURITE INFORMATIQUE OPTIQUE FLEURS PRESSING
    INSTITUT BEAUTE ESTHETIQUE FERME DOMAINE CHATEAU EARL GAEC VIGNOBLE CAVE PATISSERIE CHOCOLATERIE EPICERIE PRIMEUR
    POISSONNERIE TRAITEUR BRASSERIE CREPERIE SNACK AMENAGEMENT PAYSAGE JARDIN ESPACES MECANIQUE CARROSSERIE SERRURERIE
    CHAUFFAGE CLIMATISATION ISOLATION PLATRERIE DEMENAGEMENT LOGISTIQUE AGENCE COMMUNICATION IMPRIMERIE EDITIONS
    PRODUCTION STUDIO PHOTO ATELIER CREATION DECORATION AMEUBLEMENT MEUBLES LITERIE BIJOUTERIE HORLOGERIE LIBRAIRIE
    PAPETERIE JOUETS VETEMENTS CHAUSSURES SPORT CYCLES MOTO CAMPING GITE LOCATION CLINIQUE LABORATOIRE NOTAIRE AVOCATS
    EXPERTISE COMPTABLE ASSOCIATION CENTRE MAISON CLUB COMITE COMMUNE MAIRIE CRECHE RESIDENCE
""".split()  # noqa: SIM905
FORMS = ["SARL", "SAS", "EURL", "SASU", "SA", "SCI", "SOCIETE", "ETABLISSEMENTS", "ENTREPRISE", "GROUPE"]
LINKS = ["DE LA", "DU", "DES", "DE L'", "DE", "ET", "LE", "LA", "LES", "AUX", "CHEZ"]
ENDS = """
    GARE MARCHE PLACE CENTRE EGLISE PORT PONT MOULIN VALLEE FORET PLAGE MAIRIE PARC LAC COLLINE SOLEIL TEMPS GOURMANDS
    DELICES SAVEURS EPIS FOURNIL ARTISAN AVENIR FRANCE EUROPE OUEST SUD NORD EST CENTRALE MODERNE NOUVELLE ROYALE
""".split()  # noqa: SIM905
ACCENTED = {"CAFE": "CAFÉ", "ELECTRICITE": "ÉLECTRICITÉ", "SOCIETE": "Société", "EGLISE": "ÉGLISE", "HOTEL": "HÔTEL"}
BEGINNINGS = """
    BAR BEN BER BO CAR CHA CLE COR DAR DE DU FA FER GA GAU GI GRAN GUI HE JA LA LE LEM LO MAR MAU MI MO NA NOR PA PE PI
    RO ROU SA SI SOU TA THI VA VI
""".split()  # noqa: SIM905
ENDINGS = """
    TIN NARD DET RAND MET LIER GNON VEL SON TEL RON CHER VIER MONT DEL REAU NET QUIN BERT LAN ZET RY
""".split()  # noqa: SIM905


def _tail(count: int, power: float = 1.0) -> np.ndarray:
    weights = 1 / (np.arange(count) + 5.0) ** power
    return weights / weights.sum()


def names(count: int) -> Iterator[str]:
    """The same ``count`` names each time."""
    draw = np.random.default_rng(3)
    surnames = np.array(["".join(p) for p in (*itertools.product(BEGINNINGS, ENDINGS),
                                              *itertools.product(BEGINNINGS, BEGINNINGS, ENDINGS))])  # fmt: skip
    draw.shuffle(surnames)
    trades = draw.choice(TRADES, count, p=_tail(len(TRADES)))
    people = draw.choice(surnames, count, p=_tail(len(surnames), 0.8))
    first = draw.choice(surnames, count)
    forms = draw.choice(FORMS, count, p=_tail(len(FORMS)))
    links = draw.choice(LINKS, count)
    ends = draw.choice(ENDS, count, p=_tail(len(ENDS)))
    letters = draw.integers(65, 91, (count, 3))
    kinds = draw.choice(8, count, p=[0.25, 0.2, 0.15, 0.12, 0.13, 0.07, 0.04, 0.04])
    accents = draw.random(count) < 0.03
    for n in range(count):
        trade, person, form, end = trades[n], people[n], forms[n], ends[n]
        initials = "".join(map(chr, letters[n]))
        name = (
            f"{trade} {links[n]} {end}", f"{trade} {person}", f"{form} {person}", f"{form} {trade} {person}",
            f"{first[n]} {person}", f"{initials} {trade}", f"L'{end} {links[n]} {person}", f"{form} {initials}",
        )[kinds[n]]  # fmt: skip
        yield " ".join(ACCENTED.get(word, word) for word in name.split()) if accents[n] else name


def load(count: int) -> None:
    """Writes ``count`` establishments in the communes that are there, by population; one in thirty is closed."""
    towns = list(Commune.objects.filter(population__gt=0).values_list("code", "population", "postcodes"))
    sizes = np.array([population for _, population, _ in towns], float)
    where = np.random.default_rng(5).choice(len(towns), count, p=sizes / sizes.sum())
    columns = (
        "siret, name, legal_name, headcount_band, address_complement, address, postcode, commune_id, is_headquarters,"
        " is_employer, is_diffusible, closed_on"
    )
    with connection.cursor() as cursor:
        with cursor.copy(f"COPY companies_establishment ({columns}) FROM STDIN") as copy:
            for n, name in enumerate(names(count)):
                code, _, postcodes = towns[where[n]]
                siret, address = f"000{n // 10:06d}{n % 10:05d}", f"{n % 200} RUE DE LA GARE"
                closed_on = None if n % 30 else "2025-01-01"
                postcode = (postcodes or [""])[0]
                copy.write_row(
                    (siret, name, name, "11", "", address, postcode, code, False, True, n % 40 != 0, closed_on)
                )
        cursor.execute("VACUUM ANALYZE companies_establishment")
