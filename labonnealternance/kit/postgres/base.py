"""Django's PostgreSQL, whose connections wait no longer than ``answer_within`` seconds (of ``OPTIONS``) for an answer.

``statement_timeout`` is the server's: one that is frozen (its disk hangs, its machine is suspended) does not keep it,
and the kernel answers in its place, so that no limit of the network notices.
"""

from typing import Any

import psycopg
from django.db.backends.postgresql import base


class Connection(psycopg.Connection[Any]):
    answer_within: float | None = None

    def wait(self, gen, interval=0.1, timeout=None):
        try:
            return super().wait(gen, interval, timeout or self.answer_within)
        except psycopg.errors._WaitTimeout:  # an OperationalError
            # Nothing is asked any more of a connection whose answer may still come.
            self.pgconn.finish()
            raise


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params):
        answer_within = conn_params.pop("answer_within", None)
        self.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        connection = Connection.connect(**conn_params)
        connection.answer_within = answer_within
        return connection
