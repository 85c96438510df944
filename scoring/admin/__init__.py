"""What support sees of the score: each run, its figures and verdicts, and two buttons."""

from scoring.admin.runs import RunAdmin

__all__ = ["RunAdmin"]
