"""Django's sessions in the database, whose rows also tell whose they are, since when and from where.

``SESSION_ENGINE``, and the middleware that tells the store who asks.
"""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions import middleware
from django.contrib.sessions.backends import db
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from labonnealternance.accounts.devices import device_name, shortened
from labonnealternance.accounts.models import Session
from labonnealternance.kit.http import client_ip

# A row is not written at each page that its person reads.
SEEN_EVERY = timedelta(minutes=10)


class SessionStore(db.SessionStore):
    """Reads a session by one query, as Django's does."""

    # Told by the middleware.
    network = device = ""
    _row: Session | None = None

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def load(self) -> dict[str, Any]:
        self._row = Session.objects.open(timezone.now()).filter(pk=self.session_key).first()
        if self._row is None:
            self._session_key = None
            return {}
        return self.decode(self._row.session_data)

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """The row to write: the one that was read, or a new one when the session changes its key."""
        key, now = self.session_key, timezone.now()
        assert key, "the session is given a key before it is written"
        if self._row is None or self._row.pk != key:
            self._row = Session(session_key=key, created_at=now)
        row = self._row
        row.session_data, row.expire_date = self.encode(data), self.get_expiry_date()
        row.user_id = int(data[SESSION_KEY]) if SESSION_KEY in data else None
        row.last_seen_at, row.network, row.device = now, self.network, self.device
        return row

    def note_seen(self, *, at: datetime) -> None:
        """Writes that the person is still there, once in ten minutes; a session that was closed meanwhile stays so."""
        row = self._row
        if row and row.user_id and row.pk == self.session_key and row.last_seen_at <= at - SEEN_EVERY:
            Session.objects.filter(pk=row.pk).update(last_seen_at=at, network=self.network, device=self.device)


class SessionMiddleware(middleware.SessionMiddleware):
    """Django's, that also tells the store where the request comes from."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        assert isinstance(request.session, SessionStore)
        request.session.network = shortened(client_ip(request))
        request.session.device = device_name(request.headers.get("User-Agent", ""))

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        response = super().process_response(request, response)
        if isinstance(request.session, SessionStore) and response.status_code < 500:
            request.session.note_seen(at=timezone.now())
        return response
