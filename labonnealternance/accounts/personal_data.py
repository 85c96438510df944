"""What accounts hold about a person."""

from axes.models import AccessAttempt
from django.contrib.admin.models import LogEntry
from django.db.models import F, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Replace

from labonnealternance.accounts import actions
from labonnealternance.accounts.models import AddressChange, Session, SignInLink, User, Visit
from labonnealternance.kit.models import Reading
from labonnealternance.kit.personal_registry import Kind, Subject, of_user

ERASED = "(effacé)"


def _users(subject: Subject) -> QuerySet[User]:
    return User.objects.filter(pk=subject.user.pk) if subject.user else User.objects.none()


def _readings(subject: Subject) -> QuerySet[Reading]:
    if subject.user is None:
        return Reading.objects.none()
    return Reading.objects.filter(model=User._meta.label_lower, object_key=str(subject.user.pk))


def _erase_accounts(rows, subject, by, at) -> None:
    for user in rows:
        actions.anonymise(user=user, at=at)


# Those of the account last: the other rows are found by it.
KINDS = [
    Kind(
        name="Liens de connexion",
        covers=["accounts.SignInLink"],
        rows=lambda subject: SignInLink.objects.filter(Q(user=subject.user) | Q(address=subject.address)),
        shown=["address", "next_path", "subject", "created_at", "expires_at", "used_at"],
        fate="Supprimés : ils ne marchent plus.",
        erase=lambda rows, subject, by, at: rows.delete(),
    ),
    Kind(
        name="Changements d’adresse demandés",
        covers=["accounts.AddressChange"],
        rows=lambda subject: AddressChange.objects.filter(Q(user=subject.user) | Q(address=subject.address)),
        shown=["address", "created_at", "expires_at"],
        fate="Supprimés : leur lien ne marche plus.",
        erase=lambda rows, subject, by, at: rows.delete(),
    ),
    Kind(
        name="Sessions ouvertes",
        covers=["accounts.Session"],
        rows=of_user(Session, "user"),
        shown=["created_at", "last_seen_at", "network", "device"],
        fate="Fermées tout de suite et supprimées.",
        erase=lambda rows, subject, by, at: rows.delete(),
    ),
    Kind(
        name="Échecs de connexion",
        covers=["axes.AccessAttempt", "axes.AccessAttemptExpiration"],
        rows=lambda subject: AccessAttempt.objects.filter(username=subject.address),
        shown=[("Adresse", lambda failure: failure.username), ("Le", lambda failure: failure.attempt_time)],
        fate="Supprimés.",
        erase=lambda rows, subject, by, at: rows.delete(),
    ),
    Kind(
        name="Visites de l’espace par le support",
        covers=["accounts.Visit"],
        rows=of_user(Visit, "user"),
        shown=["reason", "began_at", "ended_at", "pages"],
        fate="Gardées un an : elles disent ce que le support a vu. La raison, texte libre, est effacée.",
        erase=lambda rows, subject, by, at: rows.update(reason=ERASED),
    ),
    Kind(
        name="Consultations de la fiche par le support",
        covers=["kit.Reading"],
        rows=_readings,
        shown=["at", "screen"],
        fate="Gardées un an : elles disent ce que le support a lu, et ne nomment personne d’autre que lui.",
    ),
    Kind(
        name="Journal du support",
        covers=["admin.LogEntry"],
        rows=lambda subject: LogEntry.objects.filter(
            Q(object_repr__icontains=subject.address) | Q(change_message__icontains=subject.address)
        ),
        shown=[
            ("Objet", lambda entry: entry.object_repr),
            ("Geste", lambda entry: entry.get_change_message()),
            ("Le", lambda entry: entry.action_time),
        ],
        fate="L’adresse y est remplacée ; ce qui a été fait, par qui et quand, reste.",
        erase=lambda rows, subject, by, at: rows.update(
            object_repr=Replace(F("object_repr"), Value(subject.address), Value(ERASED)),
            change_message=Replace(Cast("change_message", TextField()), Value(subject.address), Value(ERASED)),
        ),
    ),
    Kind(
        name="Compte",
        covers=["accounts.User"],
        rows=_users,
        shown=[
            "email",
            "email_confirmed_at",
            "first_name",
            "last_name",
            "phone",
            "is_active",
            "joined_at",
            "last_login",
            ("Rôles", lambda user: [role.label for role in user.roles]),
        ],
        fate="Anonymisé : la ligne reste, sans nom ni adresse, parce que les journaux la désignent. Une personne qui "
        "revient repart de zéro.",
        erase=_erase_accounts,
    ),
]
