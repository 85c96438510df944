"""The addresses of the OPCO's queue, under /opco/."""

from django.urls import path

from opco.views import answers, batches, case, decisions, exports, figures, queue

app_name = "opco"
urlpatterns = [
    path("", queue.queue, name="queue"),
    path("suivant/", queue.next_case, name="next"),
    path("export/", exports.export, name="export"),
    path("chiffres/", figures.page, name="figures"),
    path("dossiers/<int:access_id>/", case.case, name="case"),
    path("dossiers/<int:access_id>/prendre/", case.take, name="take"),
    path("dossiers/<int:access_id>/rendre/", case.release, name="release"),
    path("dossiers/<int:access_id>/note/", case.note, name="note"),
    path("dossiers/<int:access_id>/certifier/", decisions.certify, name="certify"),
    path("dossiers/<int:access_id>/refuser/", decisions.refuse, name="refuse"),
    path("dossiers/<int:access_id>/transmettre/", decisions.pass_on, name="pass_on"),
    path("dossiers/<int:access_id>/demander/", decisions.ask, name="ask"),
    path("decisions/<int:decision_id>/annuler/", decisions.undo, name="undo"),
    path("lots/", batches.groups, name="batches"),
    path("lots/certifier/", batches.certify, name="batch_certify"),
    path("lots/<uuid:batch>/annuler/", batches.undo, name="batch_undo"),
    # What follows is a secret, which logs mask.
    path("reponse/lien/<str:token>/", answers.answer, name="answer"),
]
