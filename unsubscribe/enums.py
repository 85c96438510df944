"""Closed lists of what establishments ask for."""

from django.db import models

from companies.enums import Channel, DecisionReason, DecisionScope


class Outcome(models.TextChoices):
    """What an establishment asks for."""

    LEAVE = "leave", "Ne plus apparaître"
    PAUSE = "pause", "Faire une pause"
    HIDE = "hide", "Masquer un moyen de contact"
    CORRECT = "correct", "Corriger une coordonnée"
    BE_LISTED = "be_listed", "Être référencé"


class Status(models.TextChoices):
    """How far a request went."""

    ASKED = "asked", "À confirmer par e-mail"
    CONFIRMED = "confirmed", "À traiter"
    DONE = "done", "Faite"
    REFUSED = "refused", "Refusée"
    EXPIRED = "expired", "Jamais confirmée"


class Proof(models.TextChoices):
    """What shows that the request comes from the establishment."""

    MAILBOX = "mailbox", "Lien envoyé à l’adresse connue"
    DOCUMENT = "document", "Justificatif examiné par le support"


class ReportKind(models.TextChoices):
    """What a visitor tells of an establishment."""

    CONTACT = "contact", "Coordonnées erronées"
    CLOSED = "closed", "Entreprise fermée"
    SCHOOL = "school", "École qui se fait passer pour un employeur"
    OTHER = "other", "Autre problème"


class ReportStatus(models.TextChoices):
    """What became of a report."""

    TO_TREAT = "to_treat", "À traiter"
    TREATED = "treated", "Traité"
    DISMISSED = "dismissed", "Écarté"


# The same words as the decisions that follow.
SUBJECTS = [DecisionScope.SIRET, DecisionScope.EMAIL]
REASONS = [reason for reason in DecisionReason if reason != DecisionReason.REQUESTED_LISTING]
CHANNELS = [Channel.EMAIL, Channel.PHONE, Channel.APPLICATIONS]
