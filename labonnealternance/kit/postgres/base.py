"""Django's PostgreSQL, whose connections wait no longer than ``answer_within`` seconds (of ``OPTIONS``) for an answer.

``statement_timeout`` is the server's: one that is frozen (its disk hangs, its machine is suspended) does not keep it,
and the kernel answers in its place, so that no limit of the network notices.
"""

from django.db.backends.postgresql import base
from psycopg import Connection, OperationalError
from psycopg.pq import TransactionStatus


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params):
        answer_within = conn_params.pop("answer_within", None)
        connection = super().get_new_connection(conn_params)
        if answer_within:
            _bound(connection, answer_within)
        return connection


def _bound(connection: Connection, seconds: float) -> None:
    wait = connection.wait

    def bounded(gen, interval=0.1, timeout=None):
        try:
            return wait(gen, interval, timeout or seconds)
        except OperationalError:
            # Nothing is asked any more of a connection whose answer may still come.
            if connection.pgconn.transaction_status == TransactionStatus.ACTIVE:
                connection.pgconn.finish()
            raise

    connection.wait = bounded  # type: ignore[method-assign]
