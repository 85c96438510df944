"""Who answers for a command."""

from django.core.management.base import CommandError

from labonnealternance.accounts.models import User


def member_of_support(email: str) -> User:
    """The active member of support whose address is ``email``; raises ``CommandError``."""
    person = User.objects.filter(email=email.strip().lower(), is_staff=True, is_active=True).first()
    if person is None:
        raise CommandError(f"{email} n’est pas l’adresse d’un membre actif du support.")
    return person
