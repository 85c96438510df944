"""The page of the checks: what each said last, since when it fails, examples to open, and a button to look again."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from labonnealternance.accounts.models import User
from labonnealternance.consistency import actions
from labonnealternance.consistency.enums import Outcome
from labonnealternance.consistency.models import Result, Run
from labonnealternance.kit.todo import waits

SHOWN_RUNS = 20


@waits("Contrôles des données en défaut", rank=50, permission="consistency.view_run")
def failing(*, at):
    """Of the last run."""
    last = Run.objects.finished().order_by("-finished_at", "-pk").values("pk")[:1]
    return Result.objects.filter(run=last).exclude(outcome=Outcome.HOLDS), reverse("admin:coherence")


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """Reads for who may see the runs; POST asks for one, for who may add one."""
    if not request.user.has_perm("consistency.view_run"):
        raise PermissionDenied
    may_ask = request.user.has_perm("consistency.add_run")
    if request.method == "POST":
        if not may_ask:
            raise PermissionDenied
        assert isinstance(request.user, User)
        actions.ask(by=request.user, at=timezone.now())
        messages.success(
            request, "Les contrôles passent dans la minute : rechargez cette page pour lire ce qu’ils disent."
        )
        return HttpResponseRedirect(request.path)
    last = Run.objects.finished().select_related("asked_by").order_by("-finished_at", "-pk").first()
    results = list(last.results.order_by("pk")) if last else []
    failed = Count("results", filter=~Q(results__outcome=Outcome.HOLDS))
    runs = Run.objects.finished().select_related("asked_by").annotate(failed=failed).order_by("-finished_at", "-pk")
    return TemplateResponse(
        request,
        "admin/coherence.html",
        {
            **admin.site.each_context(request),
            "title": "Cohérence des données",
            "last": last,
            "failing": sorted((each for each in results if not each.holds), key=lambda each: each.failing_since),
            "holding": [each for each in results if each.holds],
            "waiting": Run.objects.waiting().order_by("pk").first(),
            "runs": runs[:SHOWN_RUNS],
            "may_ask": may_ask,
        },
    )
