"""What a known contact proves of who writes."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from companies.actions.contacts import (
    TrainingCentre,
    is_free_mail,
    known_contact,
    known_domains,
    sirets_of,
    training_centre_of,
)
from companies.enums import FREE_MAIL
from companies.models import Contact, Establishment
from tests.factories import (
    ContactCorrectionFactory,
    ContactFactory,
    EstablishmentFactory,
    NafFactory,
    make_siren,
    make_siret,
)

SIRET = make_siret(1)


@pytest.mark.django_db
class TestKnownContact:
    def test_the_imported_one(self):
        ContactFactory(siret=SIRET, email="chef@exemple.fr")
        assert known_contact(siret=SIRET) == "chef@exemple.fr"

    def test_none(self):
        ContactFactory(siret=SIRET, email="")
        assert known_contact(siret=SIRET) == known_contact(siret=make_siret(2)) == ""

    def test_the_latest_correction_wins_and_an_empty_one_erases(self):
        ContactFactory(siret=SIRET, email="chef@exemple.fr")
        at = timezone.now()
        ContactCorrectionFactory(siret=SIRET, value="bureau@exemple.fr", decided_at=at)
        ContactCorrectionFactory(siret=SIRET, value="ancien@exemple.fr", decided_at=at - timezone.timedelta(days=1))
        ContactCorrectionFactory(siret=SIRET, channel="phone", value="+33199000018", decided_at=at)
        assert known_contact(siret=SIRET) == "bureau@exemple.fr"
        ContactCorrectionFactory(siret=SIRET, value="", decided_at=at + timezone.timedelta(minutes=1))
        assert known_contact(siret=SIRET) == ""

    def test_it_is_what_the_pages_of_support_show(self):
        EstablishmentFactory(siret=SIRET)
        ContactFactory(siret=SIRET, email="chef@exemple.fr")
        ContactCorrectionFactory(siret=SIRET, value="bureau@exemple.fr")
        shown = Establishment.objects.with_effective_contact().get(siret=SIRET)
        assert known_contact(siret=SIRET) == shown.effective_email


@pytest.mark.django_db
class TestKnownDomains:
    def test_those_of_the_same_company_without_free_mail(self):
        ContactFactory(siret=make_siret(1), email="chef@fournil.example")
        ContactFactory(siret=make_siret(1, branch=2), email="autre@pains.example")
        ContactFactory(siret=make_siret(1, branch=3), email="chef.exemple@gmail.com")
        ContactFactory(siret=make_siret(1, branch=4), email="")
        ContactFactory(siret=make_siret(2), email="chef@voisin.example")
        assert known_domains(siren=make_siren(1)) == {"fournil.example", "pains.example"}

    def test_a_corrected_address_counts_in_place_of_the_imported_one(self):
        ContactFactory(siret=SIRET, email="chef@ancien.example")
        ContactCorrectionFactory(siret=SIRET, value="chef@nouveau.example")
        ContactCorrectionFactory(siret=make_siret(1, branch=2), value="chef@seul.example")
        ContactFactory(siret=make_siret(1, branch=3), email="chef@efface.example")
        ContactCorrectionFactory(siret=make_siret(1, branch=3), value="")
        assert known_domains(siren=make_siren(1)) == {"nouveau.example", "seul.example"}

    def test_none(self):
        assert known_domains(siren=make_siren(1)) == set()

    def test_it_costs_two_queries_however_large_the_company(self):
        for branch in range(1, 40):
            ContactFactory(siret=make_siret(1, branch=branch))
        with CaptureQueriesContext(connection) as seen:
            known_domains(siren=make_siren(1))
        assert len(seen) == 2


class TestFreeMail:
    @pytest.mark.parametrize(
        "domain",
        ["gmail.com", "Gmail.COM", " orange.fr ", "wanadoo.fr", "free.fr", "laposte.net", "hotmail.fr", "outlook.com",
         "yahoo.fr", "icloud.com", "sfr.fr", "proton.me", "gmail.com."],
    )  # fmt: skip
    def test_anybody_may_have_an_address_there(self, domain):
        assert is_free_mail(domain)

    @pytest.mark.parametrize("domain", ["exemple.fr", "gmail.com.exemple.fr", "mongmail.com", "", "orange.com", "fr"])
    def test_not_everybody_may_have_one_here(self, domain):
        assert not is_free_mail(domain)

    def test_the_list_is_written_as_it_is_compared(self):
        assert len(FREE_MAIL) > 80
        assert all(domain == domain.strip().lower() and "." in domain for domain in FREE_MAIL)


@pytest.mark.django_db
class TestSiretsBehindAnAddress:
    def test_those_whose_known_address_it_is_imported_or_not(self):
        for n in (1, 2, 3):
            ContactFactory(siret=make_siret(n), email="siege@exemple.fr")
        ContactFactory(siret=make_siret(4), email="autre@exemple.fr")
        EstablishmentFactory(siret=make_siret(1))
        now = timezone.now()
        # One that has another address now, one whose address was erased, one that was given this one.
        ContactCorrectionFactory(siret=make_siret(2), value="bureau@exemple.fr", decided_at=now)
        ContactCorrectionFactory(siret=make_siret(3), value="", decided_at=now)
        ContactCorrectionFactory(siret=make_siret(4), value="siege@exemple.fr", decided_at=now)
        ContactCorrectionFactory(siret=make_siret(5), value="siege@exemple.fr", decided_at=now)
        ContactCorrectionFactory(siret=make_siret(5), value="autre@exemple.fr", decided_at=now + timezone.timedelta(1))
        found = sirets_of(email="siege@exemple.fr", limit=10)
        assert found == [make_siret(1), make_siret(4)]
        assert all(known_contact(siret=siret) == "siege@exemple.fr" for siret in found)
        assert sirets_of(email="siege@exemple.fr", limit=1) == [make_siret(1)]

    def test_none_behind_no_address(self):
        ContactFactory(siret=SIRET, email="")
        assert sirets_of(email="", limit=10) == []


@pytest.mark.django_db
class TestTrainingCentre:
    @pytest.fixture(autouse=True)
    def school(self):
        EstablishmentFactory(siret=SIRET, name="CFA DES PAINS", naf=NafFactory(code="8532Z", label="Enseignement"))
        ContactFactory(siret=SIRET, email="accueil@cfa.example")

    @pytest.mark.parametrize(
        ("email", "is_contact"),
        [("accueil@cfa.example", True), ("lea@cfa.example", False), ("lea@autre.example", None), ("", None)],
    )
    def test_the_one_whose_contact_has_the_address_or_its_domain(self, email, is_contact):
        expected = None if is_contact is None else TrainingCentre(SIRET, "CFA DES PAINS", is_contact)
        assert training_centre_of(email=email) == expected

    def test_who_does_not_teach_is_none(self):
        EstablishmentFactory(siret=make_siret(2))
        ContactFactory(siret=make_siret(2), email="chef@fournil.example")
        ContactFactory(siret=make_siret(3), email="chef@inconnu.example")
        for email in ("chef@fournil.example", "chef@inconnu.example"):
            assert training_centre_of(email=email) is None

    def test_a_free_mail_points_to_the_one_whose_contact_it_is_alone(self):
        Contact.objects.update(email="cfa.pains@gmail.com")
        assert training_centre_of(email="cfa.pains@gmail.com") == TrainingCentre(SIRET, "CFA DES PAINS", True)
        assert training_centre_of(email="lea@gmail.com") is None

    def test_a_correction_is_what_is_known(self):
        at = timezone.now()
        ContactCorrectionFactory(siret=SIRET, value="bureau@nouveau.example", decided_at=at)
        assert training_centre_of(email="accueil@cfa.example") is None
        assert training_centre_of(email="bureau@nouveau.example").is_contact
        assert not training_centre_of(email="lea@nouveau.example").is_contact
        ContactCorrectionFactory(siret=SIRET, value="", decided_at=at + timezone.timedelta(minutes=1))
        assert training_centre_of(email="bureau@nouveau.example") is None

    def test_a_company_that_also_teaches_is_not_told_to_itself(self):
        assert training_centre_of(email="lea@cfa.example", besides=make_siren(1)) is None
        assert training_centre_of(email="lea@cfa.example", besides=make_siren(2))

    def test_the_address_itself_is_told_before_its_domain_and_the_queries_do_not_grow(self):
        for n in range(2, 12):
            EstablishmentFactory(siret=make_siret(n), naf=NafFactory(code="8532Z"))
            ContactFactory(siret=make_siret(n), email=f"{n}@cfa.example")
        with CaptureQueriesContext(connection) as asked:
            assert training_centre_of(email="7@cfa.example").siret == make_siret(7)
        assert len(asked) == 3
