"""The tests: as production where behaviour shows, on this copy's own services."""

from typing import Any, cast

from labonnealternance.settings.local import *  # noqa: F403
from labonnealternance.settings.local import DATABASES, TEMPLATES

# An unknown variable in a template is a fault that no page shows: here it fails.
cast(dict[str, Any], TEMPLATES[0]["OPTIONS"])["string_if_invalid"] = "⟪variable inconnue: %s⟫"

# What a crash of the server would lose is no test's matter: no commit waits for the disk.
cast(dict[str, Any], DATABASES["default"]["OPTIONS"])["options"] += " -c synchronous_commit=off"

# The real hasher spends a quarter of a second per sign-in on purpose.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

# Counts of the offers' readers are written when a test asks for it (``offers.actions.counts.write``).
OFFER_COUNTS_DELAY = None

# Outside services are silent but in the tests that play them.
COMPANY_REGISTRY_URL = OPCO_SERVICE_URL = ""
