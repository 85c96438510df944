"""The addresses of the whole site; apps are named here as strings only."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("offers.urls")),
    path("compte/", include("labonnealternance.accounts.urls")),
    path("admin/", admin.site.urls),
]
