"""The registry of companies and the OPCO service, played by a real HTTP server of this machine.

    with FakeRegistry() as registry:
        settings.COMPANY_REGISTRY_URL = registry.url
        registry.add(make_siret(1), activite_principale="10.71C")
        registry.mode = "hanging"

``tests/companies/test_outside_services.py`` asks the same questions of the real services where their addresses are
given, so that what is played here stays true.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from companies.clients import opco_service, registry
from companies.clients.json_service import JsonService

#: What the other side may do instead of answering.
FAILURES = (
    "hanging", "dripping headers", "dripping body", "html", "429", "500", "503", "404", "reset", "half json",
    "cut short", "not an object", "huge", "deep", "redirected", "binary",
)  # fmt: skip


class FakeService:
    """``mode`` is "ok", "slow" or one of ``FAILURES``, with " once" behind it where all is well again after the first
    answer; ``asked``: what was asked, in order.
    """

    service: JsonService

    def __init__(self) -> None:
        self.mode = "ok"
        self.asked: list[str] = []
        self.retry_after = "7"
        self._over = threading.Event()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                address = urlsplit(self.path)
                fake.asked.append(self.path)
                try:
                    fake._answer(self, address.path, {name: v[0] for name, v in parse_qs(address.query).items()})
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def log_message(self, *arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        self.service.circuit.succeeded()
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self.service.circuit.succeeded()

    def answer(self, path: str, query: dict[str, str]) -> Any:
        """What is answered when all is well, as JSON will write it."""
        raise NotImplementedError

    def _answer(self, request: BaseHTTPRequestHandler, path: str, query: dict[str, str]) -> None:
        mode, once, _ = self.mode.partition(" once")
        if once:
            self.mode = "ok"
        if mode == "slow":
            self._over.wait(0.5)
        body = json.dumps(self.answer(path, query)).encode()
        if mode == "hanging":
            self._over.wait(30)
        elif mode == "dripping headers":
            self._drip(request, b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 500)
        elif mode == "dripping body":
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body) + 500}\r\n\r\n"
            request.wfile.write(head.encode())
            self._drip(request, b" " * 500 + body)
        elif mode == "reset":
            request.connection.close()
        elif mode == "html":
            self._send(request, 200, b"<!doctype html><title>Maintenance</title><p>Revenez plus tard.", "text/html")
        elif mode in {"429", "500", "503", "404"}:
            told = {"Retry-After": self.retry_after} if mode in {"429", "503"} and self.retry_after else {}
            self._send(request, int(mode), b'{"erreur": "plus tard"}', **told)
        elif mode == "half json":
            self._send(request, 200, body[: len(body) // 2])
        elif mode == "cut short":
            self._send(request, 200, body[: len(body) // 2], announced=len(body))
        elif mode == "not an object":
            self._send(request, 200, b'["results"]')
        elif mode == "huge":
            self._send(request, 200, b'{"results": "' + b"x" * 3_000_000 + b'"}')
        elif mode == "deep":
            self._send(request, 200, b"[" * 200_000)
        elif mode == "binary":
            self._send(request, 200, b"\xff\xfe\x00\x01")
        elif mode == "redirected":
            self._send(request, 302, b"", Location=f"{self.url}/ailleurs")
        else:
            self._send(request, 200, body)

    def _drip(self, request: BaseHTTPRequestHandler, data: bytes) -> None:
        for n in range(len(data)):
            if self._over.wait(0.05):
                return
            request.wfile.write(data[n : n + 1])
            request.wfile.flush()

    def _send(
        self,
        request: BaseHTTPRequestHandler,
        status: int,
        body: bytes,
        content_type: str = "application/json",
        announced: int | None = None,
        **headers: str,
    ) -> None:
        request.send_response(status)
        request.send_header("Content-Type", content_type)
        request.send_header("Content-Length", str(len(body) if announced is None else announced))
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)


class FakeRegistry(FakeService):
    """Knows what ``add`` gave it; every other SIRET is unknown. Bakeries of Metz, unless told otherwise."""

    service = registry.service

    def __init__(self) -> None:
        super().__init__()
        self.companies: dict[str, dict[str, Any]] = {}

    def add(self, siret: str, *, company: dict[str, Any] | None = None, **place: Any) -> dict[str, Any]:
        """Adds an establishment; ``company`` and ``place`` are fields that replace the usual ones."""
        told = {
            "siret": siret, "activite_principale": "10.71C", "etat_administratif": "A",
            "adresse": "1 PLACE D'ARMES 57000 METZ", "code_postal": "57000", "commune": "57463",
            "libelle_commune": "METZ", "latitude": "49.119", "longitude": "6.176", "date_creation": "2015-03-02",
            "date_fermeture": None, "tranche_effectif_salarie": "11", "caractere_employeur": "O", "est_siege": True,
            "liste_enseignes": None, "nom_commercial": None, "liste_idcc": None,
            "statut_diffusion_etablissement": "O",
        }  # fmt: skip
        told |= place
        self.companies[siret] = {
            "siren": siret[:9], "nom_complet": "FOURNIL EXEMPLE (FE)", "nom_raison_sociale": "FOURNIL EXEMPLE",
            "etat_administratif": "A", "statut_diffusion": "O", "activite_principale": told["activite_principale"],
            "date_fermeture": None, "siege": dict(told), "matching_etablissements": [told],
            "complements": {"liste_idcc": None},
        } | (company or {})  # fmt: skip
        return self.companies[siret]

    def add_closed(self, siret: str, on: str | None = "2025-06-30") -> None:
        self.add(siret, etat_administratif="F", date_fermeture=on)

    def add_not_diffusible(self, siret: str) -> None:
        """As the service hides one: nothing but its numbers and its place of activity."""
        mask = "[NON-DIFFUSIBLE]"
        self.add(
            siret, company={"statut_diffusion": "P", "nom_complet": mask, "nom_raison_sociale": mask},
            statut_diffusion_etablissement="P", adresse=mask, code_postal=mask, nom_commercial=mask,
        )  # fmt: skip

    def answer(self, path: str, query: dict[str, str]) -> Any:
        assert path == "/search"
        found = self.companies.get(query["q"])
        return {"results": [found] if found else [], "total_results": 1 if found else 0, "page": 1, "per_page": 10}


class FakeOpcoService(FakeService):
    """``names``: the OPCO of each SIRET, "MULTIPLE" for several."""

    service = opco_service.service

    def __init__(self) -> None:
        super().__init__()
        self.names: dict[str, str] = {}

    def answer(self, path: str, query: dict[str, str]) -> Any:
        assert path == "/api"
        name = self.names.get(query["siret"])
        if name is None or name == "MULTIPLE":
            return {"searchStatus": "MULTIPLE_OPCO" if name else "NOT_FOUND", "siret": query["siret"]}
        return {
            "searchStatus": "OK",
            "siret": query["siret"],
            "opcoName": name,
            "opcoSiren": "",
            "idcc": None,
            "url": "",
        }
