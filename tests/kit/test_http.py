"""Whose request it is, and texts without traps."""

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.test import RequestFactory

from labonnealternance.kit.contacts import NotAnAddress, clean_email
from labonnealternance.kit.http import AddressField, LineField, ParagraphsField, client_ip, network_of


@pytest.mark.parametrize(
    "proxies, forwarded, remote, expected",
    [
        (0, "198.51.100.9", "192.0.2.1", "192.0.2.1"),
        (1, "198.51.100.9", "192.0.2.1", "198.51.100.9"),
        (1, "10.0.0.1, 198.51.100.9", "192.0.2.1", "198.51.100.9"),
        (2, "10.0.0.1, 198.51.100.9, 192.0.2.2", "192.0.2.1", "198.51.100.9"),
        (2, "198.51.100.9", "192.0.2.1", "192.0.2.1"),
        (1, "", "192.0.2.1", "192.0.2.1"),
        (1, "x' OR 1=1", "192.0.2.1", "192.0.2.1"),
        (1, "2001:DB8::1", "192.0.2.1", "2001:db8::1"),
        (1, "", "", ""),
    ],
)
def test_the_visitor_is_the_one_that_the_nearest_proxies_tell(settings, proxies, forwarded, remote, expected):
    settings.PROXY_COUNT = proxies
    request = RequestFactory().get("/", headers={"x-forwarded-for": forwarded}, REMOTE_ADDR=remote)
    assert client_ip(request) == expected


@pytest.mark.parametrize(
    "ip, network",
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", ""),
    ],
)
def test_a_subscriber_is_counted_once_however_many_addresses_they_hold(ip, network):
    assert network_of(ip) == network


class Form(forms.Form):
    line = LineField(max_length=10, required=False)
    paragraphs = ParagraphsField(max_length=20, required=False)
    email = AddressField(required=False)


@pytest.mark.parametrize(
    "typed",
    [
        {"line": "a\0b"},
        {"line": "a\x1b[31m"},
        {"line": "a\tb"},
        {"line": "a\nb"},
        {"line": "a\u202eb"},
        {"line": "a\ud800"},
        {"line": "a" * 11},
        {"paragraphs": "a\0b"},
        {"paragraphs": "a\x07b"},
        {"paragraphs": "a" * 21},
        {"email": "a" * 250 + "@exemple.fr"},
        {"email": "a\r\nb@exemple.fr"},
    ],
)
def test_what_no_keyboard_types_is_an_error_of_the_field(typed):
    assert set(Form(typed).errors) == set(typed)


@pytest.mark.parametrize(
    "typed, kept",
    [
        ({"line": "  Élodie-Ÿ’œ "}, {"line": "Élodie-Ÿ’œ"}),
        ({"paragraphs": "un\r\ndeux\ttrois"}, {"paragraphs": "un\ndeux\ttrois"}),
        ({"email": " Prenom.NOM@Exemple.FR "}, {"email": "prenom.nom@exemple.fr"}),
        ({"line": "👩‍🍳"}, {"line": "👩‍🍳"}),
    ],
)
def test_what_people_type_is_kept(typed, kept):
    form = Form(typed)
    assert form.is_valid(), form.errors
    assert {name: form.cleaned_data[name] for name in kept} == kept


@pytest.mark.parametrize(
    "text",
    ["\u200b\u200b\u200b", "\u200d", "\ufe0f", "\u00ad \u2060", "e" + "\u0301" * 5, "\u0301" * 100, "Bonjour\u202e"],
)
def test_a_text_that_nobody_sees_or_that_spills_over_its_lines_is_refused(text):
    with pytest.raises(ValidationError, match="invisible"):
        LineField(max_length=150).clean(text)


@pytest.mark.parametrize(
    "text",
    [
        "Léo",
        "Le\u0301o",
        "👩\u200d🍳 Cuisinière",
        "☎\ufe0f",
        "مرحبا",
        "Nguyễn",
        "नमस्ते",
        "co\u00adopérative",
        "a\u200bb",
    ],
)
def test_emoji_accents_and_other_scripts_are_texts(text):
    assert LineField(max_length=150).clean(text) == text


@pytest.mark.parametrize("address", ["a@[127.0.0.1]", "a@[IPv6:::1]"])
def test_the_number_of_a_machine_is_nobody_s_address(address):
    with pytest.raises(ValidationError):
        AddressField().clean(address)
    with pytest.raises(NotAnAddress):
        clean_email(address)
