"""What waits for support, on the back-office's first page."""

from django.urls import reverse

from labonnealternance.kit.todo import waits
from unsubscribe.models import Report, Request


@waits("Demandes d’établissements", rank=10, permission="unsubscribe.view_request")
def requests(*, at):
    return Request.objects.to_treat(), reverse("admin:unsubscribe_request_changelist")


@waits("Signalements", rank=20, permission="unsubscribe.view_report")
def reports(*, at):
    return Report.objects.to_treat(), reverse("admin:unsubscribe_report_changelist")
