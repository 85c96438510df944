"""The registry of companies and the OPCO service: what they say when all is well, and what they are when it is not."""

import _socket
import datetime as dt
import os
import socket
import ssl
import subprocess
import threading
import time
from http.server import ThreadingHTTPServer
from wsgiref.handlers import format_date_time

import pytest

from companies.clients import json_service
from companies.clients.json_service import Circuit, NoAnswer
from companies.clients.opco_service import OpcoServiceDown, find_opco
from companies.clients.registry import (
    NotInRegistry,
    RegistryDown,
    RegistryEstablishment,
    UnreadableAnswer,
    find_establishment,
)
from companies.models import Opco
from tests.companies.fake_registry import FAILURES, FakeRegistry
from tests.factories import OpcoFactory, make_siret

SIRET = make_siret(1)
# A public body that has been at the same place for long.
POST_OFFICE = "35600000000048"


# ── The same questions to the one that is played and to the real one ─────────────────────────────────────────────────


@pytest.fixture
def real(monkeypatch, settings):
    """Lets the tests out to the service whose address a variable gives."""

    def allow(name):
        address = os.environ.get(name)
        if not address:
            pytest.skip(f"no real service here ({name})")
        monkeypatch.setattr(socket.socket, "connect", _socket.socket.connect)
        setattr(settings, name, address.rstrip("/"))

    return allow


@pytest.fixture(params=["played", "real"])
def any_registry(request, real):
    if request.param == "real":
        return real("COMPANY_REGISTRY_URL")
    name = {"nom_complet": "LA POSTE", "nom_raison_sociale": "LA POSTE"}
    request.getfixturevalue("registry").add(
        POST_OFFICE, company=name, activite_principale="53.10Z", adresse="9 RUE D'EXEMPLE 75015 PARIS",
        code_postal="75015", commune="75115",
    )  # fmt: skip


@pytest.fixture(params=["played", "real"])
def any_opco_service(request, real):
    if request.param == "real":
        return real("OPCO_SERVICE_URL")
    request.getfixturevalue("opco_service").names[POST_OFFICE] = "Uniformation, l'Opco de la Cohésion sociale"


class TestContract:
    def test_an_open_establishment_is_described(self, any_registry):
        found = find_establishment(POST_OFFICE)
        assert found.siret == POST_OFFICE
        assert found.legal_name == "LA POSTE"
        assert (found.is_closed, found.closed_on, found.is_diffusible) == (False, None, True)
        assert len(found.naf) == 5
        assert "." not in found.naf
        assert len(found.postcode) == len(found.commune) == 5
        assert found.address
        assert found.postcode not in found.address
        assert 41 < found.latitude < 52

    def test_a_siret_that_nobody_has_is_not_in_the_registry(self, any_registry):
        with pytest.raises(NotInRegistry):
            find_establishment(make_siret(99_999))


@pytest.mark.django_db
class TestContractOfTheOpcoService:
    def test_an_answer_names_one_of_ours_or_none(self, any_opco_service):
        OpcoFactory(code="uniformation", name="Uniformation")
        assert find_opco(POST_OFFICE) in {None, Opco.objects.get()}

    def test_a_siret_that_nobody_has_has_no_opco(self, any_opco_service):
        assert find_opco(make_siret(99_999)) is None


# ── The registry ─────────────────────────────────────────────────────────────────────────────────────────────────────


class TestRegistry:
    def test_every_field_is_read(self, registry):
        registry.add(SIRET, liste_enseignes=["", "CHEZ EXEMPLE"], liste_idcc=["843", "1979"])
        assert find_establishment(SIRET) == RegistryEstablishment(
            siret=SIRET, name="CHEZ EXEMPLE", legal_name="FOURNIL EXEMPLE", naf="1071C", headcount_band="11",
            created_on=dt.date(2015, 3, 2), is_closed=False, closed_on=None, address="1 PLACE D'ARMES",
            postcode="57000", commune="57463", latitude=49.119, longitude=6.176, is_headquarters=True,
            is_employer=True, is_diffusible=True, idccs=("0843", "1979"),
        )  # fmt: skip

    def test_an_establishment_that_is_not_its_company_s_seat_is_found(self, registry):
        told = registry.add(SIRET)
        told["siege"] = told["siege"] | {"siret": make_siret(1, branch=2), "code_postal": "75001"}
        assert find_establishment(SIRET).postcode == "57000"
        told["matching_etablissements"] = []
        with pytest.raises(NotInRegistry):
            find_establishment(SIRET)

    def test_a_seat_that_is_told_only_as_such_is_found(self, registry):
        registry.add(SIRET, est_siege=True)["matching_etablissements"] = []
        assert find_establishment(SIRET).is_headquarters

    def test_a_closed_one_is_told_closed_with_its_day(self, registry):
        registry.add_closed(SIRET)
        found = find_establishment(SIRET)
        assert (found.is_closed, found.closed_on) == (True, dt.date(2025, 6, 30))

    def test_an_establishment_of_a_company_that_ended_is_closed(self, registry):
        registry.add(SIRET, company={"etat_administratif": "C", "date_fermeture": "2024-12-31"})
        assert find_establishment(SIRET).closed_on == dt.date(2024, 12, 31)

    def test_of_one_that_is_not_diffusible_nothing_else_is_kept(self, registry):
        registry.add_not_diffusible(SIRET)
        found = find_establishment(SIRET)
        assert not found.is_diffusible
        assert (found.name, found.legal_name, found.address, found.postcode) == ("", "", "", "")
        assert (found.latitude, found.longitude) == (None, None)

    @pytest.mark.parametrize(
        "field, told, name, read",
        [
            ("activite_principale", None, "naf", ""),
            ("activite_principale", "52.1B", "naf", ""),
            ("latitude", "ailleurs", "latitude", None),
            ("latitude", "1e999", "latitude", None),
            ("latitude", "91", "latitude", None),
            ("latitude", 49.5, "latitude", 49.5),
            ("tranche_effectif_salarie", "ZZ", "headcount_band", "NN"),
            ("tranche_effectif_salarie", None, "headcount_band", "NN"),
            ("date_creation", "0000-00-00", "created_on", None),
            ("date_creation", "2015-03-02T00:00:00", "created_on", dt.date(2015, 3, 2)),
            ("nom_commercial", "LE \x00PAIN\u0007\nD'OR\ud800", "name", "LE PAIN D'OR"),
            ("nom_commercial", "É" * 999, "name", "É" * 200),
            ("liste_idcc", [None, "", "16"], "idccs", ("0016",)),
            ("caractere_employeur", "N", "is_employer", False),
            ("adresse", None, "address", ""),
        ],
    )
    def test_what_is_odd_in_a_field_is_left_out(self, registry, field, told, name, read):
        registry.add(SIRET, **{field: told})
        assert getattr(find_establishment(SIRET), name) == read

    @pytest.mark.parametrize(
        "fields",
        [
            {"etat_administratif": "X"},
            {"etat_administratif": None},
            {"statut_diffusion_etablissement": "?"},
            {"activite_principale": 1071},
            {"adresse": ["1 PLACE D'ARMES"]},
            {"liste_enseignes": "CHEZ EXEMPLE"},
            {"liste_enseignes": [1]},
            {"est_siege": "oui"},
            {"company": {"etat_administratif": True}},
            {"company": {"matching_etablissements": {}}},
            {"company": {"matching_etablissements": [None]}},
            {"company": {"siege": []}},
        ],
    )
    def test_a_changed_schema_is_no_answer(self, registry, fields):
        registry.add(SIRET, **fields)
        with pytest.raises(UnreadableAnswer):
            find_establishment(SIRET)

    @pytest.mark.parametrize("name", ["etat_administratif", "statut_diffusion_etablissement", "commune", "code_postal"])
    def test_a_field_that_is_needed_and_gone_is_a_changed_schema(self, registry, name):
        told = registry.add(SIRET)
        del told["matching_etablissements"][0][name]
        with pytest.raises(UnreadableAnswer):
            find_establishment(SIRET)

    def test_without_an_address_it_is_down(self, settings):
        settings.COMPANY_REGISTRY_URL = ""
        with pytest.raises(RegistryDown):
            find_establishment(SIRET)


# ── When it is not well ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("mode", FAILURES)
def test_no_failure_is_told_as_a_siret_that_does_not_exist(registry, impatient, mode):
    registry.add(SIRET)
    registry.mode = mode
    begun = time.monotonic()
    with pytest.raises(RegistryDown) as down:
        find_establishment(SIRET)
    assert not isinstance(down.value, NotInRegistry)
    assert time.monotonic() - begun < 5


def test_nobody_waits_for_it_more_than_five_seconds(registry):
    registry.mode = "dripping headers"
    begun = time.monotonic()
    with pytest.raises(RegistryDown):
        find_establishment(SIRET)
    assert 4.5 < time.monotonic() - begun < 10


def test_a_slow_one_is_waited_for(registry):
    registry.add(SIRET)
    registry.mode = "slow"
    assert find_establishment(SIRET).siret == SIRET


def test_a_quick_failure_is_tried_again_once(registry):
    registry.add(SIRET)
    registry.mode = "500 once"
    assert find_establishment(SIRET).siret == SIRET
    assert len(registry.asked) == 2
    registry.mode = "500"
    with pytest.raises(RegistryDown):
        find_establishment(SIRET)
    assert len(registry.asked) == 4


@pytest.mark.parametrize("mode", ["hanging", "429", "html", "404"])
def test_nothing_else_is_tried_again(request, registry, mode):
    registry.mode = mode
    if mode == "hanging":
        request.getfixturevalue("impatient")
    with pytest.raises(RegistryDown):
        find_establishment(SIRET)
    assert len(registry.asked) == 1


def test_a_port_where_nobody_listens_is_down(settings, impatient):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        settings.COMPANY_REGISTRY_URL = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with FakeRegistry(), pytest.raises(RegistryDown):
            find_establishment(SIRET)


class TestWaiting:
    def test_the_time_that_it_asks_for_is_kept(self, registry):
        registry.mode, registry.retry_after = "429", "7"
        with pytest.raises(RegistryDown) as down:
            find_establishment(SIRET)
        assert down.value.retry_after == 7

    def test_it_may_be_a_date(self, registry):
        registry.mode, registry.retry_after = "429", format_date_time(time.time() + 30)
        with pytest.raises(RegistryDown) as down:
            find_establishment(SIRET)
        assert 25 < down.value.retry_after <= 30

    @pytest.mark.parametrize("odd", ["", "plus tard", "-5", "9" * 40, "0", "1e3"])
    def test_what_is_neither_says_nothing(self, registry, odd):
        registry.mode, registry.retry_after = "429", odd
        with pytest.raises(RegistryDown) as down:
            find_establishment(SIRET)
        assert down.value.retry_after is None

    def test_it_is_not_asked_meanwhile(self, registry, monkeypatch):
        registry.add(SIRET)
        registry.mode, registry.retry_after = "429", "60"
        with pytest.raises(RegistryDown):
            find_establishment(SIRET)
        registry.mode = "ok"
        with pytest.raises(RegistryDown) as down:
            find_establishment(SIRET)
        assert 30 < down.value.retry_after <= 60
        assert len(registry.asked) == 1
        now = time.monotonic
        monkeypatch.setattr(json_service.time, "monotonic", lambda: now() + 61)
        assert find_establishment(SIRET).siret == SIRET


class TestCircuit:
    def test_after_three_failures_in_a_row_it_is_left_alone(self, registry):
        registry.mode = "html"
        for _ in range(3):
            with pytest.raises(RegistryDown):
                find_establishment(SIRET)
        begun = time.monotonic()
        for _ in range(50):
            with pytest.raises(RegistryDown):
                find_establishment(SIRET)
        assert time.monotonic() - begun < 2
        assert len(registry.asked) == 3

    def test_a_failure_after_a_success_is_the_first_of_its_row(self, registry):
        registry.add(SIRET)
        for mode in ("html", "html", "ok", "html", "html", "ok"):
            registry.mode = mode
            if mode == "ok":
                find_establishment(SIRET)
            else:
                with pytest.raises(RegistryDown):
                    find_establishment(SIRET)
        assert len(registry.asked) == 6

    def test_after_half_a_minute_one_call_sees_whether_it_is_back(self, monkeypatch):
        now = [100.0]
        monkeypatch.setattr(json_service.time, "monotonic", lambda: now[0])
        circuit = Circuit()
        for _ in range(3):
            circuit.enter()
            circuit.failed(retry_after=None)
        with pytest.raises(NoAnswer):
            circuit.enter()
        now[0] += 31
        circuit.enter()
        with pytest.raises(NoAnswer) as refused:
            circuit.enter()
        assert refused.value.retry_after == 30
        circuit.succeeded()
        circuit.enter()
        circuit.enter()

    def test_one_answer_that_is_odd_is_not_the_whole_service(self, registry):
        registry.add(SIRET, etat_administratif="X")
        registry.add(make_siret(2))
        for _ in range(5):
            with pytest.raises(UnreadableAnswer):
                find_establishment(SIRET)
        assert find_establishment(make_siret(2)).siret == make_siret(2)

    def test_calls_left_behind_do_not_pile_up(self, registry, monkeypatch):
        monkeypatch.setattr(FakeRegistry.service, "seconds", 0.1)
        monkeypatch.setattr(json_service, "MOST_FAILURES", 1000)
        registry.mode = "dripping headers"
        threads = threading.active_count()
        for _ in range(20):
            with pytest.raises(RegistryDown):
                find_establishment(SIRET)
        # One of the client and one of the server for each.
        assert threading.active_count() - threads <= 2 * json_service.MOST_CALLS
        assert len(registry.asked) <= json_service.MOST_CALLS


def test_the_log_names_neither_the_establishment_nor_the_address(registry, impatient, caplog):
    registry.mode = "500"
    with pytest.raises(RegistryDown):
        find_establishment(SIRET)
    assert "The registry of companies" in caplog.text
    assert SIRET not in caplog.text
    assert "127.0.0.1" not in caplog.text


# ── Redirections ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "target",
    ["http://registre.example/b", "https://ailleurs.example/b", "https://registre.example:8443/b", "ftp://x/", "//x"],
)
def test_a_redirection_elsewhere_is_not_followed(target):
    with pytest.raises(NoAnswer):
        json_service._followed("https://registre.example/a", target)


def test_a_redirection_from_http_is_not_followed(registry):
    registry.mode = "redirected"
    with pytest.raises(RegistryDown):
        find_establishment(SIRET)
    assert len(registry.asked) == 1


def test_a_redirection_to_the_same_host_is_followed_over_https(tmp_path, settings, monkeypatch):
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", tmp_path / "key", "-out", tmp_path / "certificate"],
        capture_output=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "certificate"))
    with FakeRegistry() as fake:
        secured = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        secured.load_cert_chain(tmp_path / "certificate", tmp_path / "key")
        server: ThreadingHTTPServer = fake._server
        server.socket = secured.wrap_socket(server.socket, server_side=True)
        fake.url = settings.COMPANY_REGISTRY_URL = fake.url.replace("http://127.0.0.1", "https://localhost")
        fake.add(SIRET)
        assert find_establishment(SIRET).siret == SIRET
        fake.mode = "redirected"
        with pytest.raises(RegistryDown):
            # It turns in circles: four times, and no more.
            find_establishment(SIRET)
        assert len(fake.asked) == 1 + 1 + json_service.MOST_REDIRECTIONS
        monkeypatch.delenv("REQUESTS_CA_BUNDLE")
        fake.mode = "ok"
        with pytest.raises(RegistryDown):
            find_establishment(SIRET)


# ── The OPCO service ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
class TestOpcoService:
    @pytest.fixture(autouse=True)
    def opcos(self):
        for code, label in [
            ("AKTO", "AKTO / Opco entreprises et salariés des services à forte intensité de main d'oeuvre"),
            ("EP", "Opco entreprises de proximité"), ("MOBILITE", "Opco Mobilités"), ("OPCO2I", "OPCO 2i"),
            ("OPCOMMERCE", "L'Opcommerce"), ("UNIFORMATION", "Uniformation, l'Opco de la Cohésion sociale"),
        ]:  # fmt: skip
            OpcoFactory(code=code, name=label.split(" / ")[0].split(", ")[0], api_label=label)

    @pytest.mark.parametrize(
        "told, code",
        [
            ("AKTO / Opco entreprises et salariés des services à forte intensité de main d'oeuvre", "AKTO"),
            ("AKTO / OPCO ENTREPRISES ET SALARIES DES SERVICES A FORTE INTENSITE DE MAIN D'ŒUVRE", "AKTO"),
            ("AKTO", "AKTO"),
            ("akto/opco", "AKTO"),
            ("OPCO ENTREPRISES DE PROXIMITE", "EP"),
            ("OPCO EP", "EP"),
            ("Opco Mobilité", "MOBILITE"),
            ("OPCO Mobilités", "MOBILITE"),
            ("Opco2i", "OPCO2I"),
            ("OPCO 2I", "OPCO2I"),
            ("L'OPCOMMERCE", "OPCOMMERCE"),
            ("Opcommerce", "OPCOMMERCE"),
            ("Uniformation", "UNIFORMATION"),
            ("UNIFORMATION, L'OPCO DE LA COHESION SOCIALE", "UNIFORMATION"),
        ],
    )
    def test_a_name_is_known_however_it_is_written(self, opco_service, told, code):
        opco_service.names[SIRET] = told
        assert find_opco(SIRET).code == code

    @pytest.mark.parametrize("told", ["MULTIPLE", "Opco inconnu", "OPCO", "", " / ", "é" * 5000])
    def test_several_or_another_name_is_none(self, opco_service, told):
        opco_service.names[SIRET] = told
        assert find_opco(SIRET) is None

    def test_an_unknown_siret_has_none(self, opco_service):
        assert find_opco(SIRET) is None

    @pytest.mark.parametrize("mode", FAILURES)
    def test_no_failure_is_an_answer(self, opco_service, impatient, mode):
        opco_service.names[SIRET] = "AKTO"
        opco_service.mode = mode
        with pytest.raises(OpcoServiceDown):
            find_opco(SIRET)

    @pytest.mark.parametrize(
        "answer", [{}, {"searchStatus": "?"}, {"searchStatus": "OK"}, {"searchStatus": "OK", "opcoName": 3}]
    )
    def test_a_changed_schema_is_no_answer(self, opco_service, answer):
        opco_service.answer = lambda path, query: answer
        with pytest.raises(OpcoServiceDown):
            find_opco(SIRET)

    def test_it_is_waited_for_three_seconds(self, opco_service):
        opco_service.mode = "hanging"
        begun = time.monotonic()
        with pytest.raises(OpcoServiceDown):
            find_opco(SIRET)
        assert 2.5 < time.monotonic() - begun < 8

    def test_without_an_address_it_is_down(self, settings):
        settings.OPCO_SERVICE_URL = ""
        with pytest.raises(OpcoServiceDown):
            find_opco(SIRET)
