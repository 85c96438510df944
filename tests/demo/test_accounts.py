"""What a script learns of a running copy."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django_otp.oath import TOTP

from labonnealternance.accounts import demo as people
from labonnealternance.accounts.enums import Role
from labonnealternance.accounts.models import User


@pytest.fixture
def prepared(db, tmp_path, monkeypatch):
    monkeypatch.setattr(people, "state_dir", lambda: tmp_path)
    for step in people.steps():
        assert not step.is_done()
        step.run()
        assert step.is_done()


def told():
    answer = io.StringIO()
    call_command("demo_accounts", json=True, stdout=answer)
    return json.loads(answer.getvalue())


@pytest.mark.usefixtures("prepared")
def test_each_role_is_told_with_a_way_to_sign_in():
    roles = told()["roles"]
    assert set(roles) == {role.value for role in Role} | {"support_reader", "administrator"}
    assert all(facts["email"] and facts["sign_in"].startswith("http") for facts in roles.values())


@pytest.mark.usefixtures("prepared")
def test_the_pages_that_are_told_answer(client):
    addresses = told()
    assert {"home", "search", "sign_in", "admin", "mailbox"} <= set(addresses["pages"])
    for name, address in addresses["pages"].items():
        answer = client.get(address.removeprefix(addresses["base_url"]))
        assert answer.status_code in {200, 302}, name


def test_a_base_without_its_tables_is_told_in_a_sentence(db):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE companies_establishment RENAME TO elsewhere")
    with pytest.raises(CommandError, match="make run"):
        told()


@pytest.mark.usefixtures("prepared")
@pytest.mark.parametrize("role, is_superuser", [("support", False), ("support_reader", False), ("administrator", True)])
def test_support_enters_the_back_office_with_what_is_told(role, is_superuser):
    support = told()["roles"][role]
    assert User.objects.get(email=support["email"]).is_superuser == is_superuser
    client = Client()
    answer = client.post(
        "/admin/login/?next=/admin/",
        {"username": support["email"], "password": support["password"], "otp_token": support["totp_now"]},
    )
    assert answer.status_code == 302, answer.content.decode()
    assert client.get("/admin/").status_code == 200


@pytest.mark.usefixtures("prepared")
def test_the_password_is_drawn_for_each_copy(tmp_path):
    first = told()["roles"]["support"]["password"]
    (tmp_path / "support_password").unlink()
    people._create()
    assert told()["roles"]["support"]["password"] != first
    assert User.objects.filter(email=people.SUPPORT).count() == 1


def test_the_secret_that_is_told_gives_the_code_that_is_told():
    key = b"12345678901234567890"
    assert TOTP(key, t0=0).token() is not None
    assert people._base32(key) == "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
