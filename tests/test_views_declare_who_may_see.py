"""Signing in is asked by default; what is public is written here, each with why."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.models import AnonymousUser
from django.urls import URLPattern, URLResolver, get_resolver

PUBLIC = {
    # Candidates come without an account.
    "offers:home": "the search starts here",
    "offers:search": "results are for everyone",
    "offers:establishment": "an establishment to contact",
    "offers:offer": "an offer to read",
    "offers:offer_apply": "how to apply to an offer",
    "offers:suggest_jobs": "helps to type a job",
    "offers:suggest_places": "helps to type a place",
    # An establishment leaves, or asks to be shown, without any account.
    "unsubscribe:home": "what may be asked",
    "unsubscribe:ask": "asks for a link to the known address",
    "unsubscribe:sent": "says where the link is",
    "unsubscribe:ask_support": "asks support, with a document",
    "unsubscribe:to_confirm": "says where the link is",
    "unsubscribe:act": "the link is what proves who reads it",
    "unsubscribe:confirm": "the link is what proves where to answer",
    "unsubscribe:by_mail": "the link of a mail to an establishment",
    "unsubscribe:ask_by_mail": "the same, for one thing",
    # Anyone says what is wrong.
    "unsubscribe:report": "reports an establishment",
    "unsubscribe:report_offer": "reports an offer",
    "unsubscribe:report_sent": "says that it was received",
    # Recruiters come with a SIRET, before any account.
    "offers:register": "the way in of a recruiter",
    "offers:register_contact": "who is there",
    "offers:register_offer": "the first offer, of the session that registered",
    "offers:register_done": "where the link is, told to the session that registered",
    "offers:suggest_establishments": "helps to find one's establishment",
    "offers:suggest_titles": "helps to type a job title",
    "offers:job_sheet": "what a job title means, from the public nomenclature",
    # Recruiters act from their e-mails without signing in.
    "offers:offer_act": "a signed link for one act on one offer",
    "opco:answer": "a signed link by which a recruiter answers an advisor",
    # What the law and visitors expect of a public service.
    "offers:how_it_works": "explains the service",
    "offers:algorithm": "an obligation: what the score is made of, and what it is worth",
    "offers:accessibility": "an obligation",
    "offers:legal_notice": "an obligation",
    "offers:personal_data": "an obligation",
    "offers:cookies": "an obligation",
    "offers:site_map": "an obligation of accessibility",
    "offers:contact": "whom to write to",
    # Read by browsers and search engines.
    "offers:sitemap": "read by search engines",
    "offers:sitemap_of_pages": "read by search engines",
    "offers:sitemap_of_offers": "read by search engines",
    "offers:robots": "read by search engines",
    "offers:manifest": "read by browsers",
    "offers:favicon": "read by browsers",
    "security_txt": "read by who found a weakness",
    # One signs in before being signed in.
    "accounts:sign_in": "asks for a link",
    "accounts:link_sent": "says where the link is",
    "accounts:use_link": "the link is what lets in",
    "accounts:renew_link": "the link expired before it let in",
    "accounts:use_address_link": "opened from the mailbox of the new address, on any device",
    "accounts:sign_out": "a session that has ended already is no error",
    "admin:login": "support's form, with its second factor",
    # Routed only where e-mails stay on this machine.
    "mail:mailbox": "the development mailbox",
    "mail:mailbox_mail": "the development mailbox",
    "mail:mailbox_html": "the development mailbox",
}


def views(resolver: URLResolver, namespace: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            inside = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from views(pattern, inside)
        else:
            yield f"{namespace}{pattern.name or pattern.pattern}", pattern


ALL = list(views(get_resolver()))


def test_the_public_views_are_those_listed_here_and_no_other():
    public = {name for name, pattern in ALL if not getattr(pattern.callback, "login_required", True)}
    assert public == set(PUBLIC)


def test_every_view_has_a_name_and_no_two_share_one():
    names = [name for name, pattern in ALL if pattern.name]
    # Django's own catch-all of the back-office has none, and its shortcuts share theirs.
    assert [name for name, pattern in ALL if not pattern.name and not name.startswith("admin:")] == []
    ours = [name for name in names if not name.startswith("admin:")]
    assert len(ours) == len(set(ours))


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name, pattern",
    [(name, pattern) for name, pattern in ALL if getattr(pattern.callback, "login_required", True)],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_every_other_view_sends_a_stranger_to_a_sign_in_page(rf, name, pattern):
    request = rf.get("/quelque/part/")
    request.user = AnonymousUser()
    answer = LoginRequiredMiddleware(lambda request: None).process_view(request, pattern.callback, (), {})
    assert answer.status_code == 302
    door = "/admin/login/" if name.startswith("admin:") else "/compte/connexion/"
    assert answer.url == f"{door}?next=/quelque/part/"
