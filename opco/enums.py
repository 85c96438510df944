"""Closed lists of the OPCO's queue."""

from django.db import models


class DecisionKind(models.TextChoices):
    """What an advisor does with a file."""

    CERTIFY = "certify", "Certifié"
    REFUSE = "refuse", "Refusé"
    PASS_ON = "pass_on", "Transmis"
    ASK = "ask", "Informations demandées"


class DecisionStatus(models.TextChoices):
    """A decision is held for a minute; nothing of it is told to anyone before it is applied."""

    HELD = "held", "Annulable"
    APPLIED = "applied", "Appliquée"
    UNDONE = "undone", "Annulée"
    # What it was about changed within the minute.
    DROPPED = "dropped", "Sans effet"


class RefusalReason(models.TextChoices):
    """Why a recruiter is refused."""

    NOT_OF_THE_COMPANY = "not_of_the_company", "N’appartient pas à l’entreprise"
    LINK_NOT_PROVEN = "link_not_proven", "Lien avec l’établissement non établi"
    NO_ANSWER = "no_answer", "N’a pas répondu à nos questions"
    INTERMEDIARY = "intermediary", "Intermédiaire ou centre de formation, et non l’employeur"
    NO_ACTIVITY = "no_activity", "Établissement sans activité"
    UNFIT_OFFER = "unfit_offer", "Offre qui n’est pas une embauche en alternance"
    OTHER = "other", "Autre motif"


class Tab(models.TextChoices):
    """The lists of the queue, as their addresses name them."""

    TO_TREAT = "a-traiter", "À traiter"
    ASKED = "attente-reponse", "En attente d’une réponse"
    CERTIFIED = "certifies", "Certifiés"
    REFUSED = "refuses", "Refusés"
    PASSED_ON = "transmis", "Transmis"
