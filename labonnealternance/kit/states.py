"""A state is a column, a table of moves and a journal: what the models that have one share."""

from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils.text import capfirst


class ForbiddenMove(Exception):
    """The table of moves of a model does not lead from its status to the one asked for."""


class WithStatus(models.Model):
    """A row with a ``status``, the ``MOVES`` that it allows, and a ``journal`` of the moves made."""

    # Status → those that it leads to.
    MOVES: ClassVar[dict[Any, set]]
    status: Any
    journal: Any

    class Meta:
        abstract = True

    def check_move(self, to: Any) -> None:
        """Raises ``ForbiddenMove`` where ``status`` does not lead to ``to``."""
        statuses = type(to)
        if to not in self.MOVES[statuses(self.status)]:
            name = f"{capfirst(str(self._meta.verbose_name))} {self.pk}"
            raise ForbiddenMove(
                f"{name} : « {statuses(self.status).label} » ne peut pas devenir « {statuses(to).label} »."
            )

    def _pass_to(self, to: Any, *, by: Any, at: datetime, reason: str = "", **line: Any) -> None:
        """Writes the journal and sets ``status``, without saving. Raises ``ForbiddenMove``."""
        self.check_move(to)
        self.journal.create(from_status=self.status, to_status=to, by=by, at=at, reason=reason, **line)
        self.status = to


class Move(models.Model):
    """One line of a journal: who, when, why. ``from_status`` and ``to_status`` come with the model's own choices."""

    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="auteur",
    )
    at = models.DateTimeField("le")
    reason = models.TextField("raison", blank=True)

    class Meta:
        abstract = True
        verbose_name = "passage d’un état à l’autre"
        verbose_name_plural = "passages d’un état à l’autre"
