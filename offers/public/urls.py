"""What a candidate sees, and the pages that every public service has."""

from django.urls import path, re_path

from offers.public import algorithm, information, offers, views

urlpatterns = [
    path("", views.home, name="home"),
    path("recherche/", views.search, name="search"),
    re_path(r"^etablissement/(?P<siret>[0-9]{14})/$", views.establishment, name="establishment"),
    path("offre/<uuid:offer_id>/", offers.offer, name="offer"),
    path("offre/<uuid:offer_id>/postuler/", offers.offer_apply, name="offer_apply"),
    path("suggestions/metiers/", views.suggest_jobs, name="suggest_jobs"),
    path("suggestions/lieux/", views.suggest_places, name="suggest_places"),
    path("comment-ca-marche/", information.page, {"name": "how_it_works"}, name="how_it_works"),
    path("algorithme/", algorithm.algorithm, name="algorithm"),
    path("accessibilite/", information.page, {"name": "accessibility"}, name="accessibility"),
    path("mentions-legales/", information.page, {"name": "legal_notice"}, name="legal_notice"),
    path("donnees-personnelles/", information.page, {"name": "personal_data"}, name="personal_data"),
    path("cookies/", information.page, {"name": "cookies"}, name="cookies"),
    path("plan-du-site/", information.page, {"name": "site_map"}, name="site_map"),
    path("contact/", information.page, {"name": "contact"}, name="contact"),
    path("sitemap.xml", information.sitemap, name="sitemap"),
    path("sitemap-pages.xml", information.sitemap_of_pages, name="sitemap_of_pages"),
    re_path(
        r"^sitemap-offres-(?P<last_day>[0-9]{4}-[0-9]{2}-[0-9]{2})\.xml$",
        information.sitemap_of_offers,
        name="sitemap_of_offers",
    ),
    path("robots.txt", information.robots, name="robots"),
    path("manifest.webmanifest", information.manifest, name="manifest"),
    path("favicon.ico", information.favicon, name="favicon"),
]
