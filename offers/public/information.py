"""The pages and the files that every public service has: none reads a table, but the lists for search engines."""

import datetime
import uuid

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db.models.functions import Greatest
from django.http import Http404, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from offers.models import Offer
from offers.public import algorithm
from offers.public.views import fresh

# More than that is no valid file.
MOST_IN_A_SITEMAP = 50_000
_ANY_OFFER = uuid.UUID(int=0)

# In the order of the site map.
TITLES = {
    "how_it_works": "Comment ça marche",
    "contact": "Contact",
    "accessibility": "Déclaration d’accessibilité",
    "legal_notice": "Mentions légales",
    "personal_data": "Données personnelles",
    "cookies": "Cookies",
    "site_map": "Plan du site",
}
# These, and those that read figures.
LISTED = {**TITLES, "algorithm": algorithm.TITLE}


@login_not_required
@require_safe
def page(request, *, name):
    """A page of text; ``name`` is both its URL name and its template."""
    if name not in TITLES:
        raise Http404
    context = {
        "title": TITLES[name],
        "contact_email": settings.CONTACT_EMAIL,
        "hosted_by": settings.HOSTED_BY,
        "session_cookie": settings.SESSION_COOKIE_NAME,
        "csrf_cookie": settings.CSRF_COOKIE_NAME,
        "pages": [{"label": label, "url": reverse(f"offers:{page}")} for page, label in LISTED.items()],
    }
    return render(request, f"offers/public/information/{name}.html", context)


@login_not_required
@require_safe
@fresh
def sitemap(request):
    """What search engines may list, in files: one of pages, one of the offers of each last day."""
    last_days = Offer.objects.active(timezone.now()).values_list("expires_on", flat=True)
    paths = [
        reverse("offers:sitemap_of_pages"),
        *(reverse("offers:sitemap_of_offers", args=[day]) for day in last_days.distinct().order_by("expires_on")),
    ]
    return _xml("sitemapindex", "".join(f"<sitemap>{_location(path)}</sitemap>" for path in paths))


@login_not_required
@require_safe
@cache_control(public=True, max_age=24 * 3600)
def sitemap_of_pages(request):
    """The pages that search engines may list, by their public address."""
    paths = [reverse(f"offers:{name}") for name in ("home", "register", *LISTED)]
    return _xml("urlset", "".join(f"<url>{_location(path)}</url>" for path in paths))


@login_not_required
@require_safe
@fresh
def sitemap_of_offers(request, *, last_day):
    """The public offers whose last day is ``last_day``; 404 where there is none, since an empty list is not valid."""
    try:
        day = datetime.date.fromisoformat(last_day)
    except ValueError:
        raise Http404 from None
    found = Offer.objects.public(timezone.now()).filter(expires_on=day).order_by("id")
    rows = found.values_list("id", Greatest("edited_at", "published_at"))[:MOST_IN_A_SITEMAP]
    # Reversed once: for a thousand offers it would cost more than the query.
    path = reverse("offers:offer", args=[_ANY_OFFER])
    urls = [
        f"<url>{_location(path.replace(str(_ANY_OFFER), str(offer_id)))}"
        f"<lastmod>{timezone.localdate(changed_at)}</lastmod></url>"
        for offer_id, changed_at in rows
    ]
    if not urls:
        raise Http404
    return _xml("urlset", "".join(urls))


def _location(path):
    return f"<loc>{escape(settings.SITE_URL + path)}</loc>"


def _xml(root, content):
    document = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{content}</{root}>\n'
    )
    return HttpResponse(document, content_type="application/xml; charset=utf-8")


@login_not_required
@require_safe
@cache_control(public=True, max_age=24 * 3600)
def robots(request):
    """What robots are asked to leave alone: searches without end, and what needs an account."""
    closed = [reverse("offers:search"), "/suggestions/", "/compte/", "/admin/"]
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in closed)]
    lines += ["", f"Sitemap: {settings.SITE_URL}{reverse('offers:sitemap')}", ""]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")


@login_not_required
@require_safe
@cache_control(public=True, max_age=24 * 3600)
def manifest(request):
    """The web application manifest; here and not in a static file, since it names files by their hash."""
    icons = [
        {"src": static(f"lba/img/icon-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png"}
        for size in (192, 512)
    ]
    document = {
        "name": settings.SITE_NAME,
        "short_name": "Alternance",
        "lang": "fr",
        "start_url": "/",
        "display": "browser",
        "theme_color": "#000091",
        "background_color": "#ffffff",
        "icons": icons,
    }
    return JsonResponse(document, content_type="application/manifest+json")


@login_not_required
@require_safe
@cache_control(public=True, max_age=24 * 3600)
def favicon(request):
    """For the robots and readers that ask for it without having read a page."""
    return HttpResponseRedirect(static("lba/img/favicon-32.png"))
