"""Where the demo's e-mails are read."""

from django.urls import reverse


def pages():
    return {"mailbox": reverse("mail:mailbox")}
