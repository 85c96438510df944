"""Closed lists of the market."""

from django.db import models


class AccessStatus(models.TextChoices):
    """Whether a person may act for an establishment."""

    AWAITING = "awaiting", "En attente"
    GRANTED = "granted", "Accordé"
    DENIED = "denied", "Refusé"


class AccessOrigin(models.TextChoices):
    """The door through which an access was asked for."""

    REGISTRATION = "registration", "Inscription"
    SPACE = "space", "Espace recruteur"
    SUPPORT = "support", "Support"


class OfferStatus(models.TextChoices):
    """The life of an offer."""

    AWAITING = "awaiting", "En attente"
    ACTIVE = "active", "Publiée"
    FILLED = "filled", "Pourvue"
    CANCELLED = "cancelled", "Annulée"
    EXPIRED = "expired", "Expirée"


class OfferEventKind(models.TextChoices):
    """What happened to an offer."""

    DEPOSITED = "deposited", "Déposée"
    CONFIRMED = "confirmed", "Confirmée par e-mail"
    PUBLISHED = "published", "Publiée"
    EDITED = "edited", "Modifiée"
    PROLONGED = "prolonged", "Prolongée"
    CLOSED = "closed", "Close"
    OUTCOME = "outcome", "Issue donnée"


class Door(models.TextChoices):
    """Where an act came from."""

    SPACE = "space", "Espace recruteur"
    MAIL_LINK = "mail_link", "Lien d’un e-mail"
    SUPPORT = "support", "Support"
    OPCO = "opco", "OPCO"
    CLOCK = "clock", "Automatique"


class ContractType(models.TextChoices):
    APPRENTICESHIP = "apprenticeship", "Apprentissage"
    PROFESSIONALISATION = "professionalisation", "Professionnalisation"


class Level(models.TextChoices):
    """The diploma aimed at, by its European level; an empty value is "indifferent"."""

    LEVEL_3 = "3", "CAP, BEP et équivalents (niveau 3)"
    LEVEL_4 = "4", "Bac et équivalents (niveau 4)"
    LEVEL_5 = "5", "BTS, DEUST et équivalents (niveau 5)"
    LEVEL_6 = "6", "Licence, BUT et équivalents (niveau 6)"
    LEVEL_7 = "7", "Master, ingénieur et équivalents (niveau 7)"


class Outcome(models.TextChoices):
    """What became of an offer, said by the recruiter."""

    FILLED_HERE = "filled_here", "Pourvue grâce à La bonne alternance"
    FILLED_ELSEWHERE = "filled_elsewhere", "Pourvue par un autre moyen"
    CANCELLED = "cancelled", "Annulée"


class FilledThrough(models.TextChoices):
    """The other means by which an offer was filled."""

    CFA = "cfa", "Un centre de formation (CFA) ou une école"
    FRANCE_TRAVAIL = "france_travail", "France Travail ou une mission locale"
    JOB_BOARD = "job_board", "Un autre site d’offres"
    NETWORK = "network", "Une connaissance, un salarié, une candidature spontanée"
    OTHER = "other", "Autre"


class CancelReason(models.TextChoices):
    """Why an offer is withdrawn."""

    NO_LONGER_HIRING = "no_longer_hiring", "Je ne recrute plus"
    NO_SUITED_APPLICATION = "no_suited_application", "Aucune candidature ne convenait"
    TOO_EARLY = "too_early", "Je recruterai plus tard"
    MISTAKE = "mistake", "L’offre a été déposée par erreur"
    ACCESS_DENIED = "access_denied", "Le droit d’agir pour l’établissement a été refusé"
    ESTABLISHMENT_CLOSED = "establishment_closed", "L’établissement est fermé"
    MODERATED = "moderated", "Retirée par le support"
    OTHER = "other", "Autre"


# What a recruiter may choose; the others are said by the service.
RECRUITER_CANCEL_REASONS = [
    CancelReason.NO_LONGER_HIRING,
    CancelReason.NO_SUITED_APPLICATION,
    CancelReason.TOO_EARLY,
    CancelReason.MISTAKE,
    CancelReason.OTHER,
]


class ReminderKind(models.TextChoices):
    """The e-mails of an offer's end, each sent once for each last day."""

    WEEK = "week", "Sept jours avant"
    DAY = "day", "La veille"
    EXPIRED = "expired", "À l’expiration"
