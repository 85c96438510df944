"""The pages and the files that every public service has: none of them reads a table."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

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
        "pages": [{"label": label, "url": reverse(f"offers:{page}")} for page, label in TITLES.items()],
    }
    return render(request, f"offers/public/information/{name}.html", context)


@login_not_required
@require_safe
@cache_control(public=True, max_age=24 * 3600)
def sitemap(request):
    """The pages that search engines may list, by their public address."""
    paths = [reverse("offers:home"), *(reverse(f"offers:{name}") for name in TITLES)]
    urls = "".join(f"<url><loc>{settings.SITE_URL}{path}</loc></url>" for path in paths)
    document = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>\n'
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
