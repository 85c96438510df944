"""Where the demo's e-mails are read, unless EMAIL_URL sends them elsewhere."""

from django.urls import reverse

from labonnealternance.mail import mailbox


def pages():
    return {"mailbox": reverse("mail:mailbox")} if mailbox.is_open() else {}
