"""The error pages: in French, with their status, and without the database."""

from urllib.parse import urlencode

import pytest
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404
from django.test import Client, RequestFactory, override_settings
from django.urls import path

from labonnealternance import urls
from labonnealternance.kit import errors

FAULTS = {
    "introuvable": Http404,
    "interdit": PermissionDenied,
    "casse": RuntimeError,
    "base": OperationalError,
    "connexion": InterfaceError,
}


def view(request, kind):
    if kind == "disparu":
        return errors.gone(request)
    if kind == "enveloppe":
        try:
            raise OperationalError("la base")
        except OperationalError as fault:
            raise ValueError from fault
    raise FAULTS[kind]("les dessous de l’affaire")


view.login_required = False

urlpatterns = [path("<str:kind>/essai/", view), *urls.urlpatterns]
handler400, handler403 = urls.handler400, urls.handler403
handler404, handler500 = urls.handler404, urls.handler500


@pytest.mark.parametrize(
    "kind, status, words",
    [
        ("introuvable", 404, "Page non trouvée"),
        ("interdit", 403, "Accès"),
        ("disparu", 410, ""),
        ("casse", 500, "Erreur inattendue"),
        ("base", 503, "momentanément indisponible"),
        ("connexion", 503, "momentanément indisponible"),
        ("enveloppe", 503, "momentanément indisponible"),
    ],
)
@override_settings(ROOT_URLCONF=__name__)
def test_each_fault_has_its_page_and_none_reads_a_table(kind, status, words):
    """Without the ``django_db`` mark, a query would fail the test."""
    answer = Client(raise_request_exception=False).get(f"/{kind}/essai/")
    assert answer.status_code == status
    assert words in answer.text
    assert f"Erreur {status}" in answer.text
    assert '<html lang="fr"' in answer.text
    assert "les dessous" not in answer.text
    assert "variable inconnue" not in answer.text


@pytest.mark.parametrize("path", ["/compte/%00/", "/compte/connexion/?next=a%00", "/%00"])
def test_a_nul_in_an_address_is_refused_before_any_table_is_read(path):
    answer = Client().get(path)
    assert answer.status_code == 400
    assert "Erreur 400" in answer.text


def test_a_nul_in_a_cookie_is_refused():
    answer = Client(headers={"cookie": 'session="aaaaaaaaaaaaaaaa\\000"'}).get("/compte/connexion/")
    assert answer.status_code == 400


@pytest.mark.parametrize("sent", [{"email": "x" * 3_000_000}, {f"f{n}": "x" for n in range(1_500)}])
def test_what_is_too_large_for_a_form_is_refused_and_says_so(sent):
    answer = Client().post("/compte/connexion/", urlencode(sent), content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 413
    assert "Envoi trop volumineux" in answer.text


def test_a_refused_form_says_to_send_it_again():
    answer = errors.csrf_failure(RequestFactory().post("/"))
    assert answer.status_code == 403
    assert "rechargez-la" in answer.text
