"""What one does with e-mails: write one, send those that wait, leave an address alone, forget in time.

``from labonnealternance.mail.actions import write`` is all that another app needs.
"""

from labonnealternance.mail.actions.outbox import deliver, deliver_due, resend, write
from labonnealternance.mail.actions.retention import erase_old
from labonnealternance.mail.actions.suppressions import lift, suppress

__all__ = ["deliver", "deliver_due", "erase_old", "lift", "resend", "suppress", "write"]
