"""The addresses of accounts, under /compte/. What follows ``lien/`` is a secret, which logs mask."""

from django.urls import path

from labonnealternance.accounts import views

app_name = "accounts"
urlpatterns = [
    path("", views.home, name="home"),
    path("connexion/", views.sign_in, name="sign_in"),
    path("connexion/envoye/", views.link_sent, name="link_sent"),
    path("lien/<str:token>/", views.use_link, name="use_link"),
    path("deconnexion/", views.sign_out, name="sign_out"),
]
