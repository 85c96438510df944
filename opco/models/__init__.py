"""Tables of the OPCO's queue."""

from opco.models.advisor import Advisor
from opco.models.case import LONGEST_TEXT, TAKING, Answer, Case, Note
from opco.models.decision import HOLD, KINDS, Decision
from opco.models.trace import Export, Reminder, Told

__all__ = [
    "HOLD",
    "KINDS",
    "LONGEST_TEXT",
    "TAKING",
    "Advisor",
    "Answer",
    "Case",
    "Decision",
    "Export",
    "Note",
    "Reminder",
    "Told",
]
