"""Errors told to a Sentry-compatible address, without what they say of a person."""

from typing import Any

import sentry_sdk

from labonnealternance.kit.logging import mask_everything

# What an event may tell of a request; the rest (cookies, form, headers, IP address) is left out.
KEPT_OF_A_REQUEST = {"method", "url"}


def scrub(event: Any, hint: Any) -> Any:
    """``event`` without person, form, cookie nor variables of the stack, and with every text masked; None: not told."""
    # What a visitor sent and was refused (a wrong host, a form of a million fields) is no error of ours.
    if (event.get("logger") or "").startswith("django.security"):
        return None
    event.pop("user", None)
    event.pop("server_name", None)
    request = event.get("request")
    if request:
        event["request"] = {name: value for name, value in request.items() if name in KEPT_OF_A_REQUEST}
    return mask_everything(event)


def scrub_breadcrumb(crumb: Any, hint: Any) -> Any:
    """Queries carry values, and addresses carry links: both are masked."""
    return mask_everything(crumb)


def start(*, dsn: str, release: str | None = None, transport: Any = None) -> None:
    """Begins to tell errors to ``dsn``."""
    sentry_sdk.init(
        dsn=dsn,
        release=release,
        transport=transport,
        # What `send_default_pii=False` said before the library named its parts, and more.
        data_collection={
            "user_info": False,
            "cookies": {"mode": "off"},
            "http_headers": {"request": {"mode": "off"}},
            "url_query_params": {"mode": "off"},
            "http_bodies": [],
            "database_query_data": False,
            "stack_frame_variables": False,
        },
        traces_sample_rate=0.0,
        before_send=scrub,
        before_breadcrumb=scrub_breadcrumb,
    )
