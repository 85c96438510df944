"""What the outbox holds about a person."""

from django.db.models import Q

from labonnealternance.kit.personal_registry import Kind
from labonnealternance.mail.actions.retention import ERASURE_TOLD
from labonnealternance.mail.models import Message, Suppression


def _messages(subject):
    return Message.objects.filter(Q(recipient=subject.address) | Q(reply_to=subject.address)).exclude(kind=ERASURE_TOLD)


KINDS = [
    Kind(
        name="E-mails envoyés",
        covers=["mail.Message", "mail.JournalLine"],
        rows=_messages,
        shown=[
            "recipient",
            "reply_to",
            "subject",
            "status",
            "created_at",
            "sent_at",
            ("Texte", lambda message: "(lien personnel)" if message.confidential else message.text_body),
        ],
        fate="Supprimés avec leur journal ; ceux qui attendaient ne partent pas.",
        erase=lambda rows, subject, by, at: rows.delete(),
    ),
    Kind(
        name="Adresse écartée des envois",
        covers=["mail.Suppression"],
        rows=lambda subject: Suppression.objects.in_force().filter(address=subject.address),
        shown=["address", "reason", "source", "comment", "at"],
        fate="Gardée : c’est elle qui empêche de réécrire à cette adresse.",
    ),
    Kind(
        name="Adresse autrefois écartée des envois",
        covers=["mail.Suppression"],
        rows=lambda subject: Suppression.objects.filter(address=subject.address, lifted_at__isnull=False),
        shown=["address", "reason", "source", "comment", "at", "lifted_at", "lift_reason"],
        fate="Supprimée.",
        erase=lambda rows, subject, by, at: rows.delete(),
    ),
]
