"""The back-office as support enters it, without the form: its tests are those of ``tests/accounts``."""

from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.plugins.otp_totp.models import TOTPDevice


def enter(client, person, *, second_factor=True):
    """Signs ``person`` in on ``client``, with a confirmed device unless told otherwise; returns the client."""
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    if second_factor:
        device = TOTPDevice.objects.create(user=person, name="essai", confirmed=True)
        session = client.session
        session[DEVICE_ID_SESSION_KEY] = device.persistent_id
        session.save()
    return client
