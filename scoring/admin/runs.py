"""The pages of the runs: shown, never typed into; what is done goes through the actions."""

from django.contrib import admin
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from companies.actions import hiring_potentials
from companies.enums import ReleaseStatus
from labonnealternance.kit.admin import ReasonForm, ShownAdmin, ShownInline, button
from labonnealternance.kit.states import ForbiddenMove
from scoring.admin import plots
from scoring.models import GateVerdict, Run, RunMove

RANKINGS = {
    "model": "modèle",
    "last_year": "an passé",
    "size_naf": "taille × activité",
    "least_squares": "moindres carrés",
    "oracle": "oracle (simulation)",
}
FIGURES = (
    ("ROC-AUC", "roc_auc"),
    ("PR-AUC", "pr_auc"),
    ("Log-loss", "log_loss"),
    ("Brier", "brier"),
    ("Écart de calibrage", "calibration_error"),
    ("Employeurs captés à 10 %", "capture_employers_10"),
    ("Contrats captés à 10 %", "capture_contracts_10"),
    ("Précision à 10 %", "precision_10"),
    ("Gain à 10 % (lift)", "lift_10"),
)
REFUSALS = (ForbiddenMove, hiring_potentials.NothingToRollBackTo, hiring_potentials.ReasonMissing)


def _number(value: float | None) -> str:
    return "—" if value is None else f"{value:.3f}".replace(".", ",")


class JournalInline(ShownInline):
    model = RunMove
    fields = readonly_fields = ("at", "from_status", "to_status", "by", "reason")
    ordering = ["at", "pk"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("by")


class VerdictInline(ShownInline):
    """National verdicts, and those of the départements that did not pass."""

    model = GateVerdict
    fields = readonly_fields = ("family", "gate", "departement", "passed", "measured", "bound", "sentence")
    ordering = ["departement", "passed", "family", "pk"]

    def get_queryset(self, request):
        verdicts = super().get_queryset(request)
        return verdicts.filter(departement="") | verdicts.filter(passed=False)

    @admin.display(description="Mesure")
    def measured(self, verdict):
        return _number(verdict.measure)

    @admin.display(description="Limite")
    def bound(self, verdict):
        return _number(verdict.limit)


@admin.register(Run)
class RunAdmin(ShownAdmin):
    """Each run: what it read, how good it was, which gates let it through, and whether it is online."""

    is_personal = False
    list_display = ["__str__", "started_at", "status", "online", "history", "auc", "captured"]
    list_filter = ["status"]
    list_select_related = ["release"]
    ordering = ["-started_at"]
    fields = (
        "status", "refusal", "online", "started_at", "finished_at", "started_by", "history", "seed", "windows",
        "exposed", "figures", "plot_calibration", "plot_capture", "sizes", "departements",
    )  # fmt: skip
    readonly_fields = (
        "online", "windows", "exposed", "figures", "plot_calibration", "plot_capture", "sizes", "departements",
    )  # fmt: skip
    inlines = [VerdictInline, JournalInline]
    buttons = ["publish", "roll_back"]

    @admin.display(description="Livraison")
    def online(self, run):
        return f"{run.release} — {run.release.get_status_display()}" if run.release else "—"

    @admin.display(description="AUC")
    def auc(self, run):
        return _number(run.report.get("metrics", {}).get("model", {}).get("roc_auc"))

    @admin.display(description="Employeurs captés à 10 %")
    def captured(self, run):
        return _number(run.report.get("metrics", {}).get("model", {}).get("capture_employers_10"))

    @admin.display(description="Fenêtres")
    def windows(self, run):
        found = run.report.get("windows")
        if not found:
            return "—"
        return (
            f"apprentissage {found['fit']} ; calibrage {found['calibrate']} ; évaluation {found['report']} ;"
            f" score pour {found['target']} ; retard des déclarations : {found['delay_months']} mois"
        )

    @admin.display(description="Exposés")
    def exposed(self, run):
        found = run.report.get("exposed")
        if not found:
            return "—"
        return f"{found['pairs']} couples, {found['establishments']} établissements, {found['jobs']} métiers"

    @admin.display(description="Mesures")
    def figures(self, run):
        metrics = run.report.get("metrics")
        if not metrics:
            return "—"
        names = [name for name in RANKINGS if name in metrics]
        return _table(
            ["", *(RANKINGS[name] for name in names)],
            [[label, *(_number(metrics[name][figure]) for name in names)] for label, figure in FIGURES],
        )

    @admin.display(description="Par taille")
    def sizes(self, run):
        return _groups(run, "size", "taille")

    @admin.display(description="Par département")
    def departements(self, run):
        # A hundred lines, that would push the verdicts out of sight.
        return format_html(
            "<details><summary>Voir le tableau</summary>{}</details>", _groups(run, "departement", "département")
        )

    @admin.display(description="Calibrage")
    def plot_calibration(self, run):
        deciles = run.report.get("calibration")
        return plots.calibration(deciles) if deciles else "—"

    @admin.display(description="Capture")
    def plot_capture(self, run):
        curves = run.report.get("capture")
        return plots.capture({name: curves[name] for name in RANKINGS if name in curves}, RANKINGS) if curves else "—"

    @button(
        "Mettre en ligne",
        form=ReasonForm,
        typed=lambda run: str(run.release),
        warning="Les candidats liront cette livraison, que les contrôles l’aient laissée passer ou non.",
        when=lambda run: run.can_be_published,
        refusals=REFUSALS,
    )
    def publish(self, request, run, answers):
        hiring_potentials.ask_publication(release_id=run.release_id, by=request.user, at=timezone.now(), **answers)
        return "La mise en ligne commence dans la minute ; cette page dira quand elle est faite."

    @button(
        "Remettre la livraison précédente",
        form=ReasonForm,
        typed=lambda run: str(run.release),
        warning="Les candidats reliront tout de suite la livraison précédente ; celle-ci sera retirée.",
        when=lambda run: run.release is not None and run.release.status == ReleaseStatus.CURRENT,
        refusals=REFUSALS,
    )
    def roll_back(self, request, run, answers):
        release = hiring_potentials.rollback(by=request.user, at=timezone.now(), **answers)
        return f"La {str(release).lower()} est de nouveau en ligne."


def _groups(run, name, label):
    found = run.report.get("groups", {}).get(name)
    if not found:
        return "—"
    return _table(
        [label, "établissements", "employeurs", "taux", "annoncé", "AUC", "meilleure référence"],
        [
            [
                group,
                facts["establishments"],
                facts["employers"],
                _number(facts["rate"]),
                _number(facts["mean_probability"]),
                _number(facts.get("roc_auc")),
                _number(facts.get("best_baseline_auc")),
            ]
            for group, facts in found.items()
        ],
    )


def _table(heading, rows):
    return format_html(
        "<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>",
        format_html_join("", '<th scope="col">{}</th>', ((cell,) for cell in heading)),
        format_html_join(
            "",
            '<tr><th scope="row">{}</th>{}</tr>',
            ((row[0], format_html_join("", "<td>{}</td>", ((cell,) for cell in row[1:]))) for row in rows),
        ),
    )
