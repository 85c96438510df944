"""The addresses of what establishments ask for, under /desinscription/, and of what visitors report."""

from django.urls import include, path, re_path, register_converter

from unsubscribe.enums import Outcome
from unsubscribe.views import ask, links, report

_WORDS = {
    Outcome.LEAVE: "quitter",
    Outcome.PAUSE: "pause",
    Outcome.HIDE: "masquer",
    Outcome.CORRECT: "corriger",
    Outcome.BE_LISTED: "etre-reference",
}
_OUTCOMES = {word: outcome for outcome, word in _WORDS.items()}


class OutcomeConverter:
    """An outcome by its French word; any other word is no address."""

    regex = "|".join(_OUTCOMES)

    def to_python(self, word: str) -> Outcome:
        return _OUTCOMES[word]

    def to_url(self, outcome: str) -> str:
        return _WORDS[Outcome(outcome)]


register_converter(OutcomeConverter, "outcome")

app_name = "unsubscribe"
_requests = [
    path("", ask.home, name="home"),
    path("demande-envoyee/", ask.sent, name="sent"),
    path("demande-a-confirmer/", ask.to_confirm, name="to_confirm"),
    path("<outcome:outcome>/", ask.ask, name="ask"),
    path("<outcome:outcome>/sans-adresse/", ask.ask_support, name="ask_support"),
    # What follows « lien » is a secret, which logs mask.
    path("lien/<str:token>/", links.act, name="act"),
    path("reponse/lien/<str:token>/", links.confirm, name="confirm"),
    path("courrier/lien/<str:token>/", links.by_mail, name="by_mail"),
    path("courrier/lien/<str:token>/<outcome:outcome>/", links.ask_by_mail, name="ask_by_mail"),
]
urlpatterns = [
    path("desinscription/", include(_requests)),
    re_path(r"^signaler/etablissement/(?P<siret>[0-9]{14})/$", report.report, name="report"),
    path("signaler/offre/<uuid:offer_id>/", report.report_offer, name="report_offer"),
    path("signaler/merci/", report.report_sent, name="report_sent"),
]
