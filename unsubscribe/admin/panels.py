"""What was asked by an establishment, and reported about it, on its page of the back-office."""

from urllib.parse import urlencode

from django.urls import reverse
from django.utils.html import format_html

from companies.actions import contacts
from labonnealternance.kit.admin import author, moment
from labonnealternance.kit.panels import MOST_ADDRESSES, MOST_LINES, Panel, addresses, panel
from unsubscribe.models import Report, Request


@panel("establishment", rank=10, permission="unsubscribe.view_request")
def requests(*, key, at):
    """By its SIRET, or by its address."""
    known = [value for value in (key, contacts.known_contact(siret=key)) if value]
    rows = Request.objects.filter(value__in=known).select_related("taken_by").order_by("-asked_at", "-pk")
    return Panel(
        "Demandes de l’établissement",
        ["Demande", "État", "Preuve", "Demandée le", "Réglée le", "Suivie par"],
        (
            (
                format_html(
                    '<a href="{}">{}</a>',
                    reverse("admin:unsubscribe_request_change", args=[each.pk]),
                    each.get_outcome_display(),
                ),
                each.get_status_display(),
                each.get_proof_display(),
                moment(each.asked_at),
                moment(each.settled_at) or "—",
                author(each.taken_by),
            )
            for each in rows[:MOST_LINES]
        ),
        none="Aucune.",
        more=_all_of("request", key, etat="toutes"),
    )


@panel("establishment", rank=20, permission="unsubscribe.view_report")
def reports(*, key, at):
    rows = Report.objects.filter(siret=key).select_related("taken_by").order_by("-reported_at", "-id")
    return Panel(
        "Signalements",
        ["Signalement", "État", "Précisions", "Le", "Suivi par"],
        (
            (
                format_html(
                    '<a href="{}">{}</a>',
                    reverse("admin:unsubscribe_report_change", args=[each.pk]),
                    each.get_kind_display(),
                ),
                each.get_status_display(),
                each.details[:200] or "—",
                moment(each.reported_at),
                author(each.taken_by),
            )
            for each in rows[:MOST_LINES]
        ),
        more=_all_of("report", key, etat="tous"),
    )


@addresses("establishment")
def askers(*, key):
    """Where those who asked about its SIRET are written to."""
    known = Request.objects.filter(value=key).order_by("-asked_at")
    return known.values_list("address", flat=True)[:MOST_ADDRESSES]


def _all_of(model: str, siret: str, *, etat: str) -> str:
    return f"{reverse(f'admin:unsubscribe_{model}_changelist')}?{urlencode({'q': siret, 'etat': etat})}"
