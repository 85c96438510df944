"""Months as whole numbers (``year * 12 + month - 1``): differences of months are subtractions."""

from datetime import date


def index(day: date) -> int:
    """The month of ``day``."""
    return day.year * 12 + day.month - 1


def first_day(month: int) -> date:
    """The first day of a month."""
    return date(month // 12, month % 12 + 1, 1)


def text(month: int) -> str:
    """``2026-09``."""
    return f"{month // 12:04d}-{month % 12 + 1:02d}"


def window_text(month: int, length: int = 6) -> str:
    """``2026-03 → 2026-08``, both ends included."""
    return f"{text(month)} → {text(month + length - 1)}"
