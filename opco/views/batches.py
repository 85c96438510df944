"""Files certified in one go: what is common to them is shown first, and each file that will be certified."""

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from companies.actions import contacts
from labonnealternance.kit.text import counted
from opco.actions import batches
from opco.actions.batches import UnknownDomain
from opco.actions.desks import Desk
from opco.views.desk import REFUSALS, at_desk, frame
from opco.views.queue import line_of

LONGEST_DOMAIN = 254


@require_safe
@at_desk
def groups(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The domains of people certified already that several files to treat share."""
    at = timezone.now()
    context = {**frame(desk, section="batches", at=at), "groups": batches.groups(desk=desk, at=at)}
    return render(request, "opco/batches.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@at_desk
def certify(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Shows every file of a domain; POST certifies those that are ticked."""
    at = timezone.now()
    if request.method == "POST":
        return _certify(request, desk)
    domain = request.GET.get("domaine", "")[:LONGEST_DOMAIN]
    try:
        files = batches.files_to_certify(desk=desk, domain=domain, at=at)
    except UnknownDomain as refusal:
        messages.error(request, str(refusal))
        return redirect("opco:batches")
    context = {
        **frame(desk, section="batches", at=at),
        "domain": domain,
        "lines": [(each.pk, line_of(each, kept={}, desk=desk, at=at)) for each in files],
        "centre": contacts.training_centre_of(email=f"@{domain}"),
        "certified": batches.certified_with(desk=desk, domain=domain),
        "batch": uuid.uuid4(),
        "most": batches.MOST_FILES,
    }
    return render(request, "opco/batch.html", context)


def _certify(request: HttpRequest, desk: Desk) -> HttpResponse:
    chosen = [int(name) for name in request.POST.getlist("dossier") if name.isdecimal() and len(name) < 19]
    try:
        batch = uuid.UUID(request.POST.get("lot", ""))
    except ValueError:
        batch = uuid.uuid4()
    try:
        done = batches.certify_all(
            desk=desk,
            domain=request.POST.get("domaine", "")[:LONGEST_DOMAIN],
            access_ids=chosen,
            batch=batch,
            at=timezone.now(),
        )
    except UnknownDomain as refusal:
        messages.error(request, str(refusal))
        return redirect("opco:batches")
    for access, sentence in done.refused:
        messages.warning(request, f"{access.establishment.display_name} : {sentence}")
    if not done.made and not done.refused:
        messages.info(request, "Aucun dossier n’était coché : rien n’est décidé.")
    return redirect("opco:batches")


@require_POST
@at_desk
def undo(request: HttpRequest, desk: Desk, *, batch: uuid.UUID) -> HttpResponse:
    """As if none of the batch had been decided."""
    try:
        undone = batches.undo_batch(desk=desk, batch=batch, at=timezone.now())
    except REFUSALS as refusal:
        messages.error(request, str(refusal))
    else:
        what = counted(undone, "décision annulée", "décisions annulées")
        messages.success(request, f"{what} : personne n’en a été prévenu.")
    return redirect(reverse("opco:batches"))
