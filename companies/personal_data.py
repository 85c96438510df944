"""What is held of a person as the contact of establishments."""

from django.db.models import F, Value
from django.db.models.functions import Replace

from companies.actions import visibility
from companies.enums import Channel, DecisionOrigin, DecisionScope
from companies.models import Contact, ContactCorrection, Remark, VisibilityDecision
from labonnealternance.kit.personal_registry import Kind, Subject

WHY = "Coordonnée effacée à la demande de la personne"
ERASED = "(effacé)"


def _erase_contacts(rows, subject: Subject, by, at) -> None:
    """An empty correction holds against the next import; one that a person gave since stays."""
    sirets = set(rows.values_list("siret", flat=True))
    corrected = ContactCorrection.objects.filter(siret__in=sirets, channel=Channel.EMAIL)
    visibility.correct_contacts(
        sirets=sorted(sirets - set(corrected.values_list("siret", flat=True))),
        channel=Channel.EMAIL,
        value="",
        by=by,
        at=at,
        reason=WHY,
        origin=DecisionOrigin.SUPPORT,
    )
    rows.update(email="")


KINDS = [
    Kind(
        name="Corrections de contact",
        covers=["companies.ContactCorrection"],
        rows=lambda subject: ContactCorrection.objects.filter(channel=Channel.EMAIL, value=subject.address),
        shown=["siret", "channel", "value", "origin", "reason", "decided_at"],
        fate="Effacées : l’établissement n’a plus d’adresse connue, même après un import.",
        # An empty value stands for "no contact": what is imported does not come back in its place.
        erase=lambda rows, subject, by, at: rows.update(value="", reason=WHY),
    ),
    Kind(
        name="Contacts d’établissements",
        covers=["companies.Contact"],
        rows=lambda subject: Contact.objects.filter(email=subject.address),
        shown=["siret", "email", "phone", "source", "imported_at"],
        fate="Adresse effacée ; une correction vide empêche le prochain import de s’en servir. Le téléphone, celui de "
        "l’établissement, reste.",
        erase=_erase_contacts,
    ),
    Kind(
        name="Décisions de visibilité par adresse",
        covers=["companies.VisibilityDecision", "companies.Batch"],
        rows=lambda subject: VisibilityDecision.objects.filter(scope=DecisionScope.EMAIL, value=subject.address),
        shown=[
            "kind",
            "value",
            "channel",
            "starts_at",
            "ends_at",
            "reason",
            "comment",
            "decided_at",
            "revoked_at",
            "revocation_reason",
        ],
        fate="Gardées : sans l’adresse, les établissements retirés reviendraient. C’est la preuve d’une opposition "
        "(RGPD, article 17, paragraphe 3, point b).",
    ),
    Kind(
        name="Remarques du support",
        covers=["companies.Remark"],
        rows=lambda subject: Remark.objects.filter(text__icontains=subject.address),
        shown=["siret", "text", "at"],
        fate="L’adresse y est remplacée ; le reste du texte se relit à la main.",
        erase=lambda rows, subject, by, at: rows.update(text=Replace(F("text"), Value(subject.address), Value(ERASED))),
    ),
]
