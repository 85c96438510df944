"""What one does with e-mails: write one, send those that wait, leave an address alone, forget in time.

Another app needs ``write`` alone, and ``write_many`` for a batch: ``from labonnealternance.mail import actions as
mail`` then ``mail.write(…)``.
"""

from labonnealternance.mail.actions.outbox import (
    Letter,
    NothingToResend,
    as_read,
    deliver,
    deliver_due,
    resend,
    write,
    write_many,
)
from labonnealternance.mail.actions.retention import Erased, erase_old
from labonnealternance.mail.actions.suppressions import ReasonMissing, lift, suppress

__all__ = [
    "Erased",
    "Letter",
    "NothingToResend",
    "ReasonMissing",
    "as_read",
    "deliver",
    "deliver_due",
    "erase_old",
    "lift",
    "resend",
    "suppress",
    "write",
    "write_many",
]
