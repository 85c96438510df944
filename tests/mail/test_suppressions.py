"""Addresses that nothing is sent to."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from labonnealternance.mail.actions import ReasonMissing, lift, suppress
from labonnealternance.mail.enums import SuppressionReason, SuppressionSource
from labonnealternance.mail.models import Suppression
from tests.factories import UserFactory
from tests.mail.conftest import AT

pytestmark = pytest.mark.django_db


def bounced(address="zoe@exemple.fr", **given):
    values = {"reason": SuppressionReason.BOUNCE, "source": SuppressionSource.PROVIDER, "by": None, "at": AT}
    return suppress(address=address, **{**values, **given})


def test_an_address_is_suppressed_once_whatever_its_case():
    assert bounced(" Zoe@Exemple.fr ").pk == bounced("zoe@exemple.fr", reason=SuppressionReason.COMPLAINT).pk
    assert Suppression.objects.get().reason == SuppressionReason.BOUNCE


def test_lifting_keeps_who_when_and_why():
    first, support = bounced(), UserFactory()
    lifted = lift(address="ZOE@exemple.fr", by=support, at=AT + timedelta(days=1), reason=" Boîte rouverte ")
    assert lifted.pk == first.pk
    first.refresh_from_db()
    assert (first.lifted_at, first.lifted_by, first.lift_reason) == (
        AT + timedelta(days=1), support, "Boîte rouverte",
    )  # fmt: skip
    assert not Suppression.objects.in_force().exists()
    assert bounced().pk != first.pk
    assert Suppression.objects.count() == 2


def test_lifting_an_address_that_nothing_holds_does_nothing():
    assert lift(address="zoe@exemple.fr", by=None, at=AT, reason="Rien") is None


@pytest.mark.parametrize("reason", ["", "   "])
def test_lifting_asks_for_a_reason(reason):
    bounced()
    with pytest.raises(ReasonMissing):
        lift(address="zoe@exemple.fr", by=None, at=AT, reason=reason)
    assert Suppression.objects.in_force().exists()


def test_the_database_holds_one_suppression_in_force_per_address():
    bounced()
    with pytest.raises(IntegrityError), transaction.atomic():
        Suppression.objects.create(
            address="zoe@exemple.fr", reason=SuppressionReason.OTHER, source=SuppressionSource.SUPPORT, at=AT
        )


@pytest.mark.django_db(transaction=True)
def test_two_notices_at_the_same_moment_make_one_suppression():
    def notice(_):
        try:
            return bounced().pk
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(notice, range(8)))) == 1
