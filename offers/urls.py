"""The addresses of the market's doors."""

from django.urls import include, path

app_name = "offers"
urlpatterns = [
    path("", include("offers.public.urls")),
    path("recruteur/", include("offers.recruiters.urls")),
]
