"""The pages and files that every public service has."""

import json
import re

import pytest
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.urls import reverse

from labonnealternance.kit.context_processors import site
from offers.public.information import LISTED, TITLES

PAGES = ["offers:home", "offers:register", *(f"offers:{name}" for name in TITLES)]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_reads_no_table_sets_no_cookie_and_has_one_title(client, name):
    # Without the mark of the database: a query would fail.
    response = client.get(reverse(name))
    assert response.status_code == 200
    assert client.head(reverse(name)).status_code == 200
    assert not response.cookies
    html = response.content.decode()
    assert html.count("<h1") == 1
    assert '<html lang="fr"' in html
    assert "variable inconnue" not in html


@pytest.mark.parametrize("name", PAGES)
def test_a_page_holds_nothing_that_the_policy_would_refuse(client, name):
    html = client.get(reverse(name)).content.decode()
    assert not re.search(r"<[^>]+\s(style|on\w+)=", html)
    assert not re.search(r"<script(?![^>]*\ssrc=)[^>]*>", html)
    assert "<style" not in html
    assert not re.search(r'<(?:script|link|img)[^>]+(?:src|href)="(?:https?:)?//(?!testserver)', html.split("<body")[1])


def test_a_page_that_reads_is_not_written_to(client):
    assert client.post(reverse("offers:home")).status_code == 405


@pytest.mark.django_db
def test_every_link_of_the_site_leads_somewhere(client):
    waiting, seen = [reverse("offers:home")], set()
    while waiting:
        path = waiting.pop()
        if path in seen or path.startswith(("/compte/", "/static/", "/suggestions/")):
            continue
        seen.add(path)
        response = client.get(path)
        assert response.status_code == 200, path
        if response["Content-Type"].startswith("text/html"):
            html = response.content.decode()
            waiting += [link.split("#")[0].split("?")[0] for link in re.findall(r'(?:href|action)="(/[^"]*)"', html)]
    assert {reverse(name) for name in (*PAGES, "offers:algorithm")} <= seen


def test_the_map_of_the_site_has_all_that_the_header_and_the_footer_lead_to(client, settings):
    listed = re.search(r"<main.*</main>", client.get(reverse("offers:site_map")).text, re.DOTALL)[0]
    led_to = {entry["url"] for place in ("header", "footer", "leave") for entry in settings.NAVIGATION[place]}
    assert [name for name in led_to if f'href="{reverse(name)}"' not in listed] == []


def test_every_anchor_exists_on_its_page(client):
    for name in PAGES:
        html = client.get(reverse(name)).content.decode()
        for path, anchor in re.findall(r'href="(/[^"#?]*)?#([^"]+)"', html):
            target = client.get(path).content.decode() if path else html
            assert f'id="{anchor}"' in target, f"{name}: {path}#{anchor}"


def test_the_list_of_pages_for_search_engines_is_whole(client, settings):
    addresses = set(re.findall(r"<url><loc>([^<&]+)</loc></url>", client.get("/sitemap-pages.xml").content.decode()))
    names = ["offers:home", "offers:register", *(f"offers:{name}" for name in LISTED)]
    assert addresses == {settings.SITE_URL + reverse(name) for name in names}


def test_robots_are_told_what_to_leave_and_where_the_map_is(client, settings):
    text = client.get("/robots.txt").content.decode()
    assert "Disallow: /recherche/" in text
    assert f"Sitemap: {settings.SITE_URL}/sitemap.xml" in text
    assert "Disallow: /etablissement/" not in text


def test_the_manifest_names_icons_that_exist(client):
    response = client.get("/manifest.webmanifest")
    assert response["Content-Type"] == "application/manifest+json"
    for icon in json.loads(response.content)["icons"]:
        assert finders.find(icon["src"].removeprefix("/static/"))
    assert finders.find(client.get("/favicon.ico")["Location"].removeprefix("/static/"))


@pytest.mark.parametrize("template", ["400", "403", "403_csrf", "404", "410", "413", "500", "503"])
def test_an_error_page_stands_without_database_nor_context(template):
    for context in ({}, site(None)):
        html = render_to_string(f"{template}.html", context)
        assert "variable inconnue" not in html
        assert html.count("<h1") == 1
        assert f"Erreur {template[:3]}" in html
        assert 'href="/"' in html


def test_the_cookies_page_names_the_real_cookies(client, settings):
    html = client.get(reverse("offers:cookies")).content.decode()
    assert settings.SESSION_COOKIE_NAME in html
    assert settings.CSRF_COOKIE_NAME in html


def test_the_social_card_is_named_by_its_public_address(client, settings):
    html = client.get(reverse("offers:home")).content.decode()
    assert f'property="og:image" content="{settings.SITE_URL}/static/lba/img/social-card.png"' in html
