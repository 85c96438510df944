"""Where the demo's e-mails are read, unless EMAIL_URL sends them elsewhere."""

from django.conf import settings
from django.urls import reverse


def pages():
    return {"mailbox": reverse("mail:mailbox")} if settings.EMAIL_URL.startswith("mailbox:") else {}
