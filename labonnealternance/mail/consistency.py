"""What must hold of e-mails."""

from datetime import datetime, timedelta

from django.db.models import Q

from labonnealternance.kit.consistency import Check, bounded
from labonnealternance.mail.actions.retention import ROW_KEPT, TEXT_KEPT
from labonnealternance.mail.models import Message, Suppression

# The sweeper comes each minute, the nightly task each night: these are the turns that they may miss.
LATE = timedelta(hours=1)
MISSED_NIGHTS = timedelta(days=2)


def stuck(at: datetime):
    return Message.objects.due(at - LATE).order_by("next_attempt_at")


def kept_too_long(at: datetime):
    end = at - MISSED_NIGHTS
    settled = Message.objects.settled()
    return bounded(
        settled.filter(erased_at__isnull=True, created_at__lte=end - TEXT_KEPT).order_by("created_at"),
        settled.filter(created_at__lte=end - ROW_KEPT).order_by("created_at"),
        Suppression.objects.filter(lifted_at__lte=end - ROW_KEPT).order_by("lifted_at"),
    )


def readable_secrets(at: datetime):
    return Message.objects.settled().filter(confidential=True).exclude(Q(text_body="") & Q(html_body=""))


CHECKS = [
    Check(
        "mail.stuck",
        "Un e-mail prêt à partir part dans l’heure.",
        stuck,
        "Le worker est arrêté, ou le serveur d’envoi ne répond pas : prévenez l’équipe technique.",
    ),
    Check(
        "mail.readable_secrets",
        "Un e-mail qui porte un lien personnel perd son texte dès son envoi.",
        readable_secrets,
        "Prévenez l’équipe technique.",
    ),
    Check(
        "mail.kept_too_long",
        "Le texte des e-mails est effacé après 90 jours, leur trace après deux ans.",
        kept_too_long,
        "La tâche de la nuit n’est pas passée : « manage.py erase_old_emails » la rattrape.",
    ),
]
