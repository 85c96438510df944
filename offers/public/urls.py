"""What a candidate sees."""

from django.urls import path

from offers.public import views

urlpatterns = [
    path("", views.home, name="home"),
]
