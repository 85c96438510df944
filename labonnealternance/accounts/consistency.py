"""What must hold of people, of support first."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef
from django.utils.text import capfirst

from labonnealternance.accounts import groups, visits
from labonnealternance.accounts.actions import USED_LINKS_KEPT
from labonnealternance.accounts.models import AddressChange, SecondFactor, Session, SignInLink, User, Visit
from labonnealternance.kit import readings
from labonnealternance.kit.consistency import Check, bounded
from labonnealternance.kit.models import Counter, Reading

# The nightly task passes each night: these are the turns that it may miss.
MISSED_NIGHTS = timedelta(days=2)


def without_second_factor(at: datetime):
    codes = SecondFactor.objects.filter(user=OuterRef("pk"), confirmed=True)
    return User.objects.filter(~Exists(codes), is_staff=True, is_active=True).order_by("pk")


def without_group(at: datetime):
    staff = User.objects.filter(is_staff=True, is_active=True, is_superuser=False)
    return staff.exclude(groups__name__in=groups.names()).order_by("pk")


def groups_differ(at: datetime):
    return (str(change) for change in groups.changes())


def kept_too_long(at: datetime):
    end = at - MISSED_NIGHTS
    return bounded(
        SignInLink.objects.over(end - USED_LINKS_KEPT).order_by("expires_at"),
        AddressChange.objects.filter(expires_at__lte=end).order_by("expires_at"),
        Session.objects.over(end).order_by("expire_date"),
        Counter.objects.filter(ends_at__lte=end).order_by("ends_at"),
        User.objects.inactive(end).order_by("pk"),
        Visit.objects.filter(began_at__lt=end - visits.KEPT).order_by("began_at"),
        Reading.objects.filter(at__lt=end - readings.KEPT).order_by("at"),
    )


def _kind(row) -> str:
    """The key of a session opens it: rows that have no page are told by their kind alone."""
    kind = capfirst(str(row._meta.verbose_name))
    return f"{kind} {row.pk}" if isinstance(row, User) else kind


CHECKS = [
    Check(
        "accounts.without_second_factor",
        "Chaque compte du support actif a un second facteur.",
        without_second_factor,
        "Il ne peut pas entrer : « manage.py create_support_account --renew » lui en donne un ; sinon désactivez-le.",
    ),
    Check(
        "accounts.without_group",
        "Chaque compte du support actif est dans un groupe.",
        without_group,
        "Il ne voit rien : un administrateur lui donne un groupe depuis sa fiche, ou le désactive.",
    ),
    Check(
        "accounts.groups_differ",
        "Les groupes du support ont les droits que dit le code, et personne n’en a d’autres.",
        groups_differ,
        "« manage.py sync_groups » les remet comme ils doivent être.",
        label=str,
    ),
    Check(
        "accounts.kept_too_long",
        "Ce qui est terminé est effacé, et une personne sans activité depuis deux ans anonymisée.",
        kept_too_long,
        "La tâche de la nuit n’est pas passée : « manage.py purge_accounts » la rattrape.",
        label=_kind,
    ),
]
