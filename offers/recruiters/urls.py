"""The recruiters' addresses, under /recruteur/: the way in, the offers, the space."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
