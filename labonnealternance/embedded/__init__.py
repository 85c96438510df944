"""PostgreSQL and a Redis-protocol broker from Python wheels, for a laptop, the demo and the tests.

Used only where ``DATABASE_URL`` / ``REDIS_URL`` are not set; production sets them. Nothing here needs Django, so that
settings can name the sockets without starting anything.
"""

from labonnealternance.embedded.lease import services
from labonnealternance.embedded.state import address_file, state_dir

__all__ = ["address_file", "services", "state_dir"]
