"""Support's manual is true: its pictures are there and light, its links lead somewhere, its buttons exist."""

import re
from pathlib import Path

from django.contrib import admin

MANUAL = Path(__file__).parent.parent / "docs" / "support.md"
TEXT = MANUAL.read_text()
PICTURES = MANUAL.parent / "images" / "support"
MOST_BYTES = 80_000

# Words in bold that structure a task, or belong to a page that is no model's.
STRUCTURE = {
    "Quand.",
    "Les clics.",
    "Ce que la personne reçoit.",
    "Ce que les personnes reçoivent.",
    "Revenir en arrière.",
}
STRUCTURE |= {
    "Ce que vous pouvez dire.",
    "quand",
    "les clics",
    "ce que la personne reçoit",
    "comment revenir en arrière",
}
ELSEWHERE = {
    "Ajouter", "Annuler", "Voir ce que cela fera", "Exporter ses données", "Effacer ses données",
    "Exporter ou effacer ses données", "Quitter cet espace",
}  # fmt: skip


def labels() -> set[str]:
    return {
        getattr(type(shown), name).button.label
        for shown in admin.site._registry.values()
        for name in getattr(shown, "buttons", [])
    }


def test_every_button_that_the_manual_names_exists():
    named = {" ".join(bold.split()) for bold in re.findall(r"\*\*([A-ZÉ][^*]+)\*\*", TEXT)} - STRUCTURE - ELSEWHERE
    sections = {"Établissements", "Recruteurs", "Service", "Données personnelles"}
    unknown = {name for name in named - sections if name not in labels()}
    assert unknown == set()


def test_every_picture_is_shown_and_light():
    shown = set(re.findall(r"\(images/support/([\w-]+\.png)\)", TEXT))
    kept = {picture.name: picture.stat().st_size for picture in PICTURES.iterdir()}
    assert shown == set(kept)
    assert {name for name, size in kept.items() if size > MOST_BYTES} == set()
    assert all(alternative.strip() for alternative in re.findall(r"!\[([^\]]*)\]", TEXT))


def test_every_link_leads_to_a_title():
    titles = {
        re.sub(r"[^\w\s-]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.+)$", TEXT, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) - titles == set()
