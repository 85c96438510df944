"""The addresses of accounts, under /compte/. What follows ``lien/`` is a secret, which logs mask."""

from django.urls import path

from labonnealternance.accounts import views

app_name = "accounts"
urlpatterns = [
    path("", views.home, name="home"),
    path("connexion/", views.sign_in, name="sign_in"),
    path("connexion/envoye/", views.link_sent, name="link_sent"),
    path("lien/<str:token>/", views.use_link, name="use_link"),
    path("lien/<str:token>/renouveler/", views.renew_link, name="renew_link"),
    path("deconnexion/", views.sign_out, name="sign_out"),
    path("sessions/fermer/", views.close_other_sessions, name="close_other_sessions"),
    path("sessions/<uuid:handle>/fermer/", views.close_session, name="close_session"),
    path("visite/quitter/", views.leave_visit, name="leave_visit"),
    path("adresse/", views.change_address, name="change_address"),
    path("adresse/annuler/", views.cancel_address_change, name="cancel_address_change"),
    path("adresse/lien/<str:token>/", views.use_address_link, name="use_address_link"),
]
