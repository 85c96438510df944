"""Support's queues: what establishments ask for, what visitors report; and what an establishment's page says of it."""

from unsubscribe.admin import panels, report, request, waiting

__all__ = ["panels", "report", "request", "waiting"]
