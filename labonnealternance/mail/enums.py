"""Closed lists of the outbox."""

from django.db import models


class MessageStatus(models.TextChoices):
    """How far an e-mail went. A message that is tried again stays queued."""

    QUEUED = "queued", "À envoyer"
    SENT = "sent", "Envoyé"
    FAILED = "failed", "Refusé"
    SUPPRESSED = "suppressed", "Non envoyé (adresse écartée)"


class SuppressionReason(models.TextChoices):
    """Why nothing is sent to an address."""

    BOUNCE = "bounce", "Adresse inexistante ou boîte fermée"
    BLOCK = "block", "Bloquée par le serveur du destinataire"
    COMPLAINT = "complaint", "Signalée comme indésirable"
    REQUEST = "request", "Demande de la personne"
    OTHER = "other", "Autre"


class SuppressionSource(models.TextChoices):
    """The door through which a suppression came."""

    SUPPORT = "support", "Support"
    PROVIDER = "provider", "Retour du fournisseur d’e-mails"
    FORM = "form", "Formulaire"
