"""Hiring potentials, the releases that publish them, and what the search reads of them.

A release is a set of facts that lasts: how many apprenticeship contracts each establishment is expected to sign for
each job. A search edition is what the search reads: the current release with the day's order, rebuilt each night.
Nothing that is about being shown or not is kept here: visibility is applied when an establishment is read.
"""

from django.conf import settings
from django.db import models
from django.db.models import Value

from companies.enums import ReleaseStatus
from companies.models.establishment import Establishment
from companies.models.reference import Rome
from labonnealternance.kit.states import Move, WithStatus


class Release(WithStatus):
    """One computation of the score, from its first row written to its withdrawal."""

    MOVES = {
        ReleaseStatus.WRITING: {ReleaseStatus.READY, ReleaseStatus.ABANDONED},
        ReleaseStatus.READY: {ReleaseStatus.CURRENT, ReleaseStatus.ABANDONED},
        ReleaseStatus.CURRENT: {ReleaseStatus.PREVIOUS, ReleaseStatus.RETIRED},
        ReleaseStatus.PREVIOUS: {ReleaseStatus.CURRENT, ReleaseStatus.RETIRED},
        ReleaseStatus.RETIRED: {ReleaseStatus.CURRENT},
        ReleaseStatus.ABANDONED: set(),
    }

    status = models.CharField("état", max_length=10, choices=ReleaseStatus, default=ReleaseStatus.WRITING)
    origin = models.CharField("origine", max_length=200)
    policy = models.JSONField("règle d’exposition", default=dict)
    summary = models.JSONField("résumé", default=dict)
    # How good it was found to be, as the public reads it (``companies.actions.hiring_potentials.begin_release``).
    measures = models.JSONField("mesures publiées", default=dict, db_default=Value({}, models.JSONField()))
    written_rows = models.PositiveBigIntegerField("lignes reçues", default=0)
    begun_at = models.DateTimeField("commencée le")
    written_at = models.DateTimeField("dernière écriture")
    finished_at = models.DateTimeField("prête le", null=True)
    published_at = models.DateTimeField("mise en ligne le", null=True)
    dropped_at = models.DateTimeField("potentiels supprimés le", null=True)
    # Publishing takes longer than a page may: a person asks, the worker does it within a minute.
    asked_at = models.DateTimeField("mise en ligne demandée le", null=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name="mise en ligne demandée par",
    )
    asked_reason = models.TextField("raison de la mise en ligne", blank=True)

    class Meta:
        verbose_name = "livraison de potentiels"
        verbose_name_plural = "livraisons de potentiels"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(asked_at__isnull=True, asked_by__isnull=True, asked_reason="")
                | models.Q(asked_at__isnull=False, asked_by__isnull=False) & ~models.Q(asked_reason=""),
                name="publication_asked_by_someone_for_a_reason",
                violation_error_message="Une mise en ligne est demandée par une personne, pour une raison.",
            ),
            models.UniqueConstraint(
                fields=["status"],
                condition=models.Q(status=ReleaseStatus.CURRENT),
                name="one_current_release",
                violation_error_message="Une livraison est déjà en ligne.",
            ),
            models.UniqueConstraint(
                fields=["status"],
                condition=models.Q(status=ReleaseStatus.PREVIOUS),
                name="one_previous_release",
                violation_error_message="Une livraison est déjà gardée pour un retour en arrière.",
            ),
        ]
        indexes = [models.Index(fields=["-begun_at"], name="release_latest")]

    def __str__(self):
        return f"Livraison {self.pk}"

    @property
    def writing_table(self) -> str:
        """The table that receives the rows as they come, until the release is finished."""
        return f"companies_releasewriting_{int(self.pk)}"

    @property
    def potentials_table(self) -> str:
        """This release's partition of ``HiringPotential``."""
        return f"companies_hiringpotential_{int(self.pk)}"

    @property
    def is_publishable(self) -> bool:
        """Whether it waits, or was withdrawn and its potentials are still kept."""
        return self.status in {ReleaseStatus.READY, ReleaseStatus.RETIRED} and self.dropped_at is None

    def move(self, *, to, by, at, reason=""):
        """Only writer of ``status``; every move leaves a line in the journal."""
        self._pass_to(to, by=by, at=at, reason=reason)
        if to == ReleaseStatus.CURRENT:
            self.published_at = at
        self.save(update_fields=["status", "published_at"])


class ReleaseMove(Move):
    """One line of a release's journal."""

    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="journal", verbose_name="livraison")
    from_status = models.CharField("de", max_length=10, choices=ReleaseStatus)
    to_status = models.CharField("à", max_length=10, choices=ReleaseStatus)

    def __str__(self):
        return f"{self.release} : {self.get_from_status_display()} → {self.get_to_status_display()}"


class HiringPotential(models.Model):
    """The contracts that an establishment is expected to sign in six months for a job, says a release.

    Only the pairs that the release's policy exposes are here: a row means "high". The table has one partition per
    release, written aside and attached whole. The rows point to establishments and jobs that existed when the release
    was finished, without a constraint of the database: it would be checked row by row at each import.
    """

    pk = models.CompositePrimaryKey("release_id", "establishment_id", "rome_id")
    release = models.ForeignKey(Release, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False)
    establishment = models.ForeignKey(
        Establishment,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="hiring_potentials",
    )
    rome = models.ForeignKey(
        Rome, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="hiring_potentials"
    )
    expected = models.FloatField("contrats attendus en six mois")

    class Meta:
        verbose_name = "potentiel d’embauche"
        verbose_name_plural = "potentiels d’embauche"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(expected__gt=0, expected__lt=float("inf")),
                name="expected_contracts_is_a_number",
                violation_error_message="Le nombre de contrats attendus est plus grand que zéro.",
            )
        ]

    def __str__(self):
        return f"{self.establishment_id} {self.rome_id} : {self.expected:.2f}"


class Explanation(models.Model):
    """Why a release names an establishment: asked for by whoever may read it, answered by the worker, then kept.

    ``reasons``: for each of its jobs, the strongest first, lists of a family of causes, its weight (in the logarithm of
    the expected number) and its facts; ``companies.actions.explanations`` writes and words them. Empty once answered:
    what explains the release was not kept. Goes with the release's potentials, and leans on rows as they do.
    """

    release = models.ForeignKey(
        Release, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="explanations"
    )
    establishment = models.ForeignKey(
        Establishment, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="explanations"
    )
    asked_at = models.DateTimeField("demandée le")
    answered_at = models.DateTimeField("calculée le", null=True)
    reasons = models.JSONField("raisons", default=dict)

    class Meta:
        verbose_name = "explication"
        constraints = [
            models.UniqueConstraint(
                fields=["release", "establishment"],
                name="one_explanation_by_release",
                violation_error_message="Cet établissement a déjà une explication pour cette livraison.",
            ),
        ]
        indexes = [
            models.Index(fields=["asked_at"], name="explanation_awaited", condition=models.Q(answered_at__isnull=True))
        ]

    def __str__(self):
        return f"{self.release}, établissement {self.establishment_id}"


class SearchEdition(models.Model):
    """What the search reads on a day: two tables of its own, built aside, never changed once built.

    ``entries_table``: one row per pair of the release whose establishment has a position.

    - ``rome``: the job; ``establishment_id``;
    - ``lat_band``: ``floor(latitude / LAT_BAND)``, and ``lon``, degrees: where to look in the index;
    - ``x``, ``y``, ``z``: the point on the unit sphere: a distance without trigonometry, exact at any latitude;
    - ``order_key``: the day's order, smallest first (``companies.actions.hiring_potentials``).

    ``cells_table``: ``entries``, the number of rows of each ``(rome, lat_cell, lon_cell)``, cells of ``CELL`` degrees,
    and of each ``rome`` (null cell): how many answers to expect, hence which index to walk. It is a partition, by
    ``edition_id``, of ``ALL_CELLS``: whoever does not know yet which edition is read can ask them all the same.
    """

    LAT_BAND = 0.05
    CELL = 0.25
    # Added to the order key of those that can't be contacted.
    CONTACTLESS = 2**30
    ALL_CELLS = "companies_searchcell"

    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="editions", verbose_name="livraison")
    day = models.DateField("jour")
    begun_at = models.DateTimeField("commencée le")
    built_at = models.DateTimeField("construite le", null=True)
    is_current = models.BooleanField("lue par la recherche", default=False)
    superseded_at = models.DateTimeField("remplacée le", null=True)
    entries = models.PositiveBigIntegerField("lignes", default=0)
    mean_expected = models.FloatField("potentiel moyen", default=1)

    class Meta:
        verbose_name = "édition de la recherche"
        verbose_name_plural = "éditions de la recherche"
        constraints = [
            models.UniqueConstraint(
                fields=["is_current"],
                condition=models.Q(is_current=True),
                name="one_current_edition",
                violation_error_message="Une édition est déjà lue par la recherche.",
            ),
            models.CheckConstraint(
                condition=models.Q(is_current=False) | models.Q(built_at__isnull=False),
                name="current_edition_is_built",
                violation_error_message="Une édition n’est lue qu’une fois construite.",
            ),
        ]

    def __str__(self):
        return f"Édition {self.pk} du {self.day}"

    @property
    def entries_table(self) -> str:
        return f"companies_searchentry_{int(self.pk)}"

    @property
    def cells_table(self) -> str:
        return f"{self.ALL_CELLS}_{int(self.pk)}"

    def order_key_sql(self, *, establishment_id: str, weight: str, is_contactless: str, day: str = "") -> str:
        """The order of the edition's day (or of ``day``) as an SQL expression of others: an integer, smallest first.

        A draw without replacement in which the chance of being next is proportional to ``weight`` (the Gumbel form of
        Efraimidis and Spirakis, "Weighted random sampling with a reservoir", 2006): ``ln(weight) + gumbel``, largest
        first. The draw hangs on the establishment and the day only, so the order is the same all day long. Those that
        can't be contacted come after all others.
        """
        seed = f"({day} - DATE '0001-01-01' + 1)::bigint" if day else str(self.day.toordinal())
        draw = f"((hashint4extended({establishment_id}, {seed}) & {2**52 - 1})::float8 + 0.5) / {2**52}::float8"
        rank = f"-ln(({weight})::float8) + ln(-ln({draw}))"
        return (
            f"(floor((least(greatest({rank}, -32), 31.99) + 32) * {2**24})::integer"
            f" + CASE WHEN {is_contactless} THEN {self.CONTACTLESS} ELSE 0 END)"
        )
