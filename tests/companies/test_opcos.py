"""The OPCO of an establishment: who tells it, who is believed, and the journal that says so."""

import datetime as dt
import threading

import pytest
from django.db import connection

from companies.actions import opcos
from companies.actions.opcos import RefusedOpco, assign, certify, resolve
from companies.enums import OpcoOrigin
from companies.models import Establishment, OpcoAssignment
from tests.factories import EstablishmentFactory, IdccFactory, OpcoFactory, UserFactory, make_siret

pytestmark = pytest.mark.django_db

AT = dt.datetime(2026, 11, 21, 11, tzinfo=dt.UTC)
SIRET = make_siret(1)


@pytest.fixture
def ep():
    return OpcoFactory()


@pytest.fixture
def akto():
    return OpcoFactory(code="akto", name="AKTO", api_label="AKTO / Opco entreprises et salariés")


@pytest.fixture
def shop():
    return EstablishmentFactory(siret=SIRET)


def tell(shop, opco, origin, *, by=None, at=AT, **options):
    return assign(establishment_id=shop.pk, opco=opco, origin=origin, by=by, at=at, **options)


def journal(shop):
    return list(shop.opco_journal.order_by("pk").values_list("opco_id", "origin"))


def now(shop):
    return Establishment.objects.get(pk=shop.pk).opco


class TestResolve:
    def test_the_service_comes_first(self, opco_service, shop, ep, akto):
        Establishment.objects.filter(pk=shop.pk).update(idcc=IdccFactory(opco=ep))
        opco_service.names[SIRET] = "AKTO"
        assert resolve(establishment=Establishment.objects.get(pk=shop.pk), at=AT) == akto
        assert journal(shop) == [("akto", "service")]

    @pytest.mark.parametrize("mode", ["ok", "500", "html"])
    def test_then_the_branch(self, opco_service, impatient, shop, ep, mode):
        Establishment.objects.filter(pk=shop.pk).update(idcc=IdccFactory(opco=ep))
        opco_service.mode = mode
        assert resolve(establishment=Establishment.objects.get(pk=shop.pk), at=AT) == ep
        assert journal(shop) == [("opco-ep", "idcc")]

    def test_else_none_and_no_line(self, opco_service, shop):
        assert resolve(establishment=shop, at=AT) is None
        assert journal(shop) == []

    def test_twice_is_one_line(self, opco_service, shop, ep):
        opco_service.names[SIRET] = ep.name
        resolve(establishment=shop, at=AT)
        assert resolve(establishment=Establishment.objects.get(pk=shop.pk), at=AT) == ep
        assert journal(shop) == [("opco-ep", "service")]

    def test_an_opco_that_is_certified_is_not_asked(self, opco_service, shop, ep, akto):
        certify(establishment_id=shop.pk, opco=ep, by=UserFactory(), at=AT, origin=OpcoOrigin.ADVISOR)
        opco_service.names[SIRET] = "AKTO"
        assert resolve(establishment=Establishment.objects.get(pk=shop.pk), at=AT) == ep
        assert opco_service.asked == []
        # The one who asks does not know yet that it was certified.
        assert resolve(establishment=shop, at=AT) == ep

    def test_silence_leaves_what_stands(self, opco_service, impatient, shop, ep):
        tell(shop, ep, OpcoOrigin.RECRUITER)
        opco_service.mode = "500"
        assert resolve(establishment=Establishment.objects.get(pk=shop.pk), at=AT) == ep


class TestAssign:
    @pytest.mark.parametrize(
        "first, then, is_heard",
        [
            ("recruiter", "idcc", True),
            ("recruiter", "service", True),
            ("recruiter", "recruiter", False),
            ("idcc", "recruiter", False),
            ("idcc", "idcc", True),
            ("service", "recruiter", False),
            ("service", "idcc", False),
            ("service", "service", True),
            ("service", "advisor", True),
            ("advisor", "recruiter", False),
            ("advisor", "service", False),
            ("advisor", "support", True),
            ("support", "service", False),
            ("support", "advisor", True),
        ],
    )
    def test_a_less_sure_source_undoes_nothing(self, shop, ep, akto, first, then, is_heard):
        tell(shop, ep, first)
        assert tell(shop, akto, then, at=AT + dt.timedelta(days=1)) == (akto if is_heard else ep)
        assert now(shop) == (akto if is_heard else ep)
        assert journal(shop) == [("opco-ep", first), *([("akto", then)] if is_heard else [])]

    def test_a_surer_source_that_says_the_same_is_noted(self, shop, ep):
        tell(shop, ep, OpcoOrigin.RECRUITER)
        tell(shop, ep, OpcoOrigin.SERVICE)
        tell(shop, ep, OpcoOrigin.IDCC)
        assert journal(shop) == [("opco-ep", "recruiter"), ("opco-ep", "service")]

    def test_an_advisor_may_say_that_it_is_none_and_no_register_puts_it_back(self, opco_service, shop, ep):
        opco_service.names[SIRET] = ep.name
        resolve(establishment=shop, at=AT)
        tell(shop, None, OpcoOrigin.ADVISOR, by=UserFactory(), reason="Pas de mon champ")
        assert now(shop) is None
        assert resolve(establishment=Establishment.objects.get(pk=shop.pk), at=AT) is None
        assert tell(shop, ep, OpcoOrigin.RECRUITER) is None
        assert tell(shop, ep, OpcoOrigin.SUPPORT) == ep

    def test_the_journal_says_who_when_and_why(self, shop, ep, support):
        tell(shop, ep, OpcoOrigin.SUPPORT, by=support, reason="  Appel du 3 ")
        line = OpcoAssignment.objects.get()
        assert (line.opco, line.by, line.at, line.reason) == (ep, support, AT, "Appel du 3")

    def test_an_origin_that_is_none_is_refused(self, shop, ep):
        with pytest.raises(ValueError, match="voisin"):
            tell(shop, ep, "voisin")


class TestCertified:
    @pytest.fixture
    def certified(self, shop, ep):
        certify(establishment_id=shop.pk, opco=ep, by=UserFactory(), at=AT, origin=OpcoOrigin.ADVISOR)
        return shop

    @pytest.mark.parametrize("origin", ["recruiter", "idcc", "service"])
    def test_it_is_changed_by_no_register_nor_recruiter(self, certified, ep, akto, origin):
        with pytest.raises(RefusedOpco, match="certifié"):
            tell(certified, akto, origin)
        assert now(certified) == ep

    @pytest.mark.parametrize("origin", ["advisor", "support"])
    def test_it_is_changed_by_an_advisor_or_support_and_stays_certified(self, certified, akto, origin):
        assert tell(certified, akto, origin, by=UserFactory(), reason="Erreur") == akto
        assert Establishment.objects.get(pk=certified.pk).opco_is_certified

    @pytest.mark.parametrize("origin", ["recruiter", "idcc", "service"])
    def test_nobody_else_certifies(self, shop, ep, origin):
        with pytest.raises(RefusedOpco):
            certify(establishment_id=shop.pk, opco=ep, by=None, at=AT, origin=origin)
        assert not Establishment.objects.get(pk=shop.pk).opco_is_certified

    def test_twice_is_one_line(self, certified, ep):
        certify(establishment_id=certified.pk, opco=ep, by=UserFactory(), at=AT, origin=OpcoOrigin.SUPPORT)
        assert journal(certified) == [("opco-ep", "advisor")]


@pytest.mark.django_db(transaction=True)
def test_several_at_the_same_moment_make_one_line():
    shop, ep = EstablishmentFactory(siret=SIRET), OpcoFactory()
    faults = []

    def assign_it():
        try:
            opcos.assign(establishment_id=shop.pk, opco=ep, origin=OpcoOrigin.SERVICE, by=None, at=AT)
        except Exception as fault:
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=assign_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert journal(shop) == [("opco-ep", "service")]
