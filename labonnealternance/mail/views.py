"""The development mailbox: what a real transport would have carried away, to be read in a browser or by a script."""

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp, csp_update
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin

from labonnealternance.mail import mailbox


@method_decorator([login_not_required, never_cache], name="dispatch")
class _MailboxView(View):
    """Anyone may read, since nothing real is there; where e-mails really leave, there is no such page."""

    http_method_names = ["get", "head", "options"]

    def dispatch(self, request, *args, **kwargs):
        if not mailbox.is_open():
            raise Http404
        return super().dispatch(request, *args, **kwargs)

    def mail(self, name):
        found = mailbox.open_mail(name)
        if found is None:
            raise Http404
        return found


class MailList(_MailboxView):
    """The newest mails. ``?to=`` keeps one address's, ``?format=json`` answers a script, texts and links included."""

    def get(self, request):
        address = request.GET.get("to", "").strip()[:254]
        mails = mailbox.kept(to=address)
        if request.GET.get("format") == "json":
            return JsonResponse({"messages": [_as_json(mail) for mail in mails]})
        return render(request, "mail/mailbox.html", {"mails": mails, "address": address})


class MailDetail(_MailboxView):
    """One mail: headers, text, links, and its HTML in a frame. ``?format=json`` too."""

    @method_decorator(csp_update({"frame-src": [SELF]}))
    def get(self, request, name):
        mail = self.mail(name)
        if request.GET.get("format") == "json":
            return JsonResponse(_as_json(mail))
        return render(request, "mail/mailbox_mail.html", {"mail": mail})


class MailHtml(_MailboxView):
    """The HTML of one mail, alone: its inline styles show, nothing in it runs nor loads, its links open outside."""

    @method_decorator(xframe_options_sameorigin)
    @method_decorator(
        csp(
            {
                "default-src": [NONE],
                "style-src": [UNSAFE_INLINE],
                "img-src": ["data:"],
                "frame-ancestors": [SELF],
                "base-uri": [NONE],
                "form-action": [NONE],
                "sandbox": ["allow-popups", "allow-popups-to-escape-sandbox"],
            }
        )
    )
    def get(self, request, name):
        return HttpResponse(self.mail(name).html.replace("<head>", '<head><base target="_blank">', 1))


def _as_json(mail):
    return {
        "name": mail.name,
        "received_at": mail.received_at,
        "from": mail.sender,
        "to": mail.recipient,
        "subject": mail.subject,
        "message_id": mail.message_id,
        "headers": dict(mail.headers),
        "text": mail.text,
        "html": mail.html,
        "links": mail.links,
    }
