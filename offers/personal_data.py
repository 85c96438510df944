"""What is held of a recruiter: what they asked for, deposited and were answered."""

from labonnealternance.kit.personal_registry import Kind, Subject, of_user
from offers.actions import offers
from offers.enums import AccessStatus, CancelReason, Door, Outcome
from offers.models import Access, AccessMove, Offer, OfferEvent, Registration

WHY = "Données effacées à la demande de la personne"


def _establishment(row) -> str:
    return f"{row.establishment.display_name} ({row.establishment.siret})"


def _close_offers(rows, subject: Subject, by, at) -> None:
    """Those that are read, or wait to be, are withdrawn first; then what the person wrote in them is emptied."""
    for offer in Offer.objects.live().filter(pk__in=rows.values("pk")).order_by("pk"):
        offers.close(
            offer_id=offer.pk,
            outcome=Outcome.CANCELLED,
            cancel_reason=CancelReason.OTHER,
            by=by,
            at=at,
            via=Door.SUPPORT,
        )
    rows.update(presentation="", questions=[], outcome_comment="", shows_phone=False)


def _end_accesses(rows, subject: Subject, by, at) -> None:
    """Nobody is left to judge, nor to act."""
    for access in rows.exclude(status=AccessStatus.DENIED).select_for_update(of=("self",), no_key=True).order_by("pk"):
        access.move(to=AccessStatus.DENIED, by=by, at=at, reason=WHY)


KINDS = [
    # First: whoever deposits an offer waits behind the access, and is then refused.
    Kind(
        name="Accès à des établissements",
        covers=["offers.Access"],
        rows=of_user(Access, "user"),
        shown=[("Établissement", _establishment), "status", "origin", "asked_at", "confirmed_at", "decided_at"],
        fate="Refermés, et gardés sans la personne : les offres et les décisions les désignent.",
        erase=_end_accesses,
    ),
    Kind(
        name="Offres déposées",
        covers=["offers.Offer"],
        rows=of_user(Offer, "access__user"),
        shown=[
            ("Établissement", _establishment),
            "job_label",
            "custom_title",
            "presentation",
            "questions",
            "status",
            "created_at",
            "published_at",
            "expires_on",
            "closed_at",
            "outcome",
            "outcome_comment",
        ],
        fate="Celles qui sont en ligne ou en attente sont closes tout de suite ; ce que la personne y a écrit est "
        "effacé. L’offre reste, sans elle.",
        erase=_close_offers,
    ),
    Kind(
        name="Journal des offres",
        covers=["offers.OfferEvent"],
        rows=of_user(OfferEvent, "offer__access__user"),
        shown=[("Offre", lambda event: str(event.offer_id)), "kind", "via", "at", "reason"],
        fate="Gardé : il dit ce qu’est devenue une offre ; son auteur y est anonyme.",
    ),
    Kind(
        name="Inscriptions",
        covers=["offers.Registration"],
        rows=of_user(Registration, "access__user"),
        shown=["first_name", "last_name", "phone", "created_at", "link_sent_at", "confirmed_at"],
        fate="Supprimées.",
        erase=lambda rows, subject, by, at: rows.delete(),
    ),
    Kind(
        name="Décisions sur ces accès",
        covers=["offers.AccessMove"],
        rows=of_user(AccessMove, "access__user"),
        shown=["from_status", "to_status", "at", "reason"],
        fate="Gardées, sans leurs textes.",
        erase=lambda rows, subject, by, at: rows.exclude(reason=WHY).update(reason=""),
    ),
]
