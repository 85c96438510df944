"""Where a recruiter answers an advisor: by the link of an e-mail, without signing in."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from companies.models import spaced_siret
from labonnealternance.kit.views import secret_page
from offers.enums import AccessStatus
from opco.actions import answers
from opco.actions.answers import BadLink, LinkExpired, RefusedAnswer
from opco.forms import AnswerForm


@login_not_required
@secret_page
@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: HttpRequest, *, token: str) -> HttpResponse:
    """The question, what was answered already, and where to answer; or how things stand."""
    at = timezone.now()
    try:
        question = answers.question_of(token=token, at=at)
    except BadLink:
        return render(request, "opco/answer_link.html", {"is_old": False}, status=404)
    except LinkExpired:
        return render(request, "opco/answer_link.html", {"is_old": True}, status=410)
    form = AnswerForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            answers.answer(token=token, at=at, **form.cleaned_data)
        except RefusedAnswer as refusal:
            form.add_error(None, str(refusal))
        else:
            return redirect(f"{request.path}?merci")
    context = {
        "question": question,
        "establishment": question.access.establishment,
        "siret": spaced_siret(question.access.establishment.siret),
        "answers": question.answers.order_by("at", "pk"),
        "form": form,
        "is_over": question.access.status != AccessStatus.AWAITING,
        "is_done": "merci" in request.GET and not form.is_bound,
    }
    return render(request, "opco/answer.html", context)
