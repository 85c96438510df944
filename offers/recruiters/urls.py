"""The recruiters' addresses, under /recruteur/: the way in, the offers, the space."""

from django.urls import path

from offers.recruiters import acts, offer_form, registration, space

urlpatterns = [
    path("inscription/", registration.register, name="register"),
    path("inscription/contact/", registration.register_contact, name="register_contact"),
    path("inscription/offre/", registration.register_offer, name="register_offer"),
    path("inscription/merci/", registration.register_done, name="register_done"),
    path("suggestions/etablissements/", registration.suggest_establishments, name="suggest_establishments"),
    path("suggestions/metiers/", offer_form.suggest_titles, name="suggest_titles"),
    path("fiche-metier/", offer_form.job_sheet, name="job_sheet"),
    path("offres/nouvelle/", offer_form.offer_new, name="offer_new"),
    path("offres/<uuid:offer_id>/modifier/", offer_form.offer_edit, name="offer_edit"),
    path("offres/<uuid:offer_id>/dupliquer/", offer_form.offer_duplicate, name="offer_duplicate"),
    path("", space.space, name="space"),
    path("etablissements/", space.establishments, name="establishments"),
    path("coordonnees/", space.contact, name="contact_edit"),
    path("inscription/<uuid:registration_id>/confirmer/", space.confirm_registration, name="confirm_registration"),
    path("offres/<uuid:offer_id>/", space.offer, name="recruiter_offer"),
    path("offres/<uuid:offer_id>/prolonger/", space.offer_prolong, name="offer_prolong"),
    path("offres/<uuid:offer_id>/cloturer/", space.offer_close, name="offer_close"),
    path("offres/<uuid:offer_id>/imprimer/", space.offer_print, name="offer_print"),
    # What follows is a secret, which logs mask.
    path("action/<str:token>/", acts.offer_act, name="offer_act"),
]
