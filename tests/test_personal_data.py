"""Every column that may hold personal data has a rule that says how long it is kept; a new one without a rule fails.

Columns are found by their type (e-mail address, IP address, free text, JSON, file) and by their name.
"""

import re

import pytest
from django.apps import apps
from django.db import models

from labonnealternance.kit import personal_registry

# Column, or every such column of a model: how long it is kept, and what erases it.
RULES = {
    "accounts.User": "anonymised two years after the last sign-in (accounts.purge); support: kept, it signs journals",
    "accounts.SignInLink": "deleted a day after it expires (accounts.purge)",
    "accounts.AddressChange": "deleted when it is used, or the night after it expires (accounts.purge)",
    "accounts.Session": "deleted when it is closed, or expires, 14 days after its last writing (accounts.purge)",
    "accounts.Visit": "journal of what support saw as a recruiter: deleted after a year (accounts.purge)",
    "kit.Reading": "journal of what staff read, by keys alone: deleted after a year (accounts.purge)",
    "kit.Counter": "a keyed digest, deleted when its window is over (accounts.purge)",
    "axes.AccessAttempt": "deleted a day after the failure (accounts.purge)",
    "axes.AccessAttemptExpiration": "deleted with the attempt",
    "axes.AccessFailureLog": "never written (AXES_ENABLE_ACCESS_FAILURE_LOG is off)",
    "axes.AccessLog": "never written (AXES_DISABLE_ACCESS_LOG)",
    "admin.LogEntry": "journal of support: kept as long as what it tells of",
    "otp_totp.TOTPDevice": "deleted with its owner's account or by a superuser",
    "mail.Message": "text erased at once when confidential, else after 90 days; deleted after 2 years (mail.erase_old)",
    "mail.JournalLine": "kept with its message",
    "mail.Suppression": "kept while in force: it is what keeps the address from being written to",
    "companies.Batch": "journal of decisions: a staff member's name and reasons, kept with the decisions made at once",
    "companies.VisibilityDecision": "kept while it holds: it is the proof of an opposition",
    "companies.ContactCorrection": "kept while the establishment exists; an empty value erases a contact",
    "companies.Contact": "an establishment's own contact: replaced by the next import, hidden or erased on request",
    "companies.Establishment": "public registry (a sole trader's name): follows imports, hidden when not diffusible",
    "companies.LegalUnit": "public registry (a sole trader's name): follows imports, hidden when not diffusible",
    "offers.Access": "a person's right: kept with the person, who is anonymised two years after the last sign-in",
    "offers.AccessMove": "journal of decisions: who decided and why, kept with the access",
    "offers.Registration": "deleted 30 days after it was asked for (offers.clock)",
    "offers.Offer": "what an establishment publishes: kept; who deposited it is named by the access alone",
    "offers.OfferEvent": "journal of an offer: kept with it; the person who acted is anonymised with their account",
    "companies.OpcoAssignment": "journal of an establishment's OPCO: who told it and why, kept with the establishment",
    "companies.ReleaseMove": "journal of publications: a staff member's name and reason, kept with the release",
    "opco.Decision": "what an advisor wrote is erased after two years (opco.erase_old); the decision itself stays",
    "opco.Note": "deleted after two years (opco.erase_old)",
    "opco.Answer": "deleted after two years (opco.erase_old)",
    "unsubscribe.Request": (
        "document erased 30 days after it is treated; unconfirmed: deleted after 30 days; else two years"
        " (unsubscribe.purge)"
    ),
    "unsubscribe.RequestMove": "journal of a request: deleted with it",
    "unsubscribe.Report": "details and address erased after a year; deleted 2 years after its end (unsubscribe.purge)",
    "unsubscribe.ReportMove": "journal of a report: deleted with it",
    "companies.Remark": "support's note on an establishment: kept with it; its text is erased when it is removed",
    "scoring.RunMove": "journal of the score: a staff member's name and reason, kept with the run",
}

# What a person who asks for their data, or for their erasure, is not given by a kind of ``personal_data.py``.
NOT_ASKED = {
    "kit.Counter": "a keyed digest: nobody is found by it",
    "axes.AccessFailureLog": "never written",
    "axes.AccessLog": "never written",
    "otp_totp.TOTPDevice": "support only, whose accounts are shut and not erased",
    "companies.Establishment": "public registry: found by its SIRET, shown as long as the registry does",
    "companies.LegalUnit": "public registry: found by its SIREN, shown as long as the registry does",
    "companies.OpcoAssignment": "who told an OPCO: a member of support, an advisor, or nobody; anonymous with them",
    "companies.ReleaseMove": "written by support about the score",
    "scoring.RunMove": "written by support about the score",
}

# Columns that look personal and are not.
NOT_PERSONAL = {
    "auth.Group.name": "a role",
    "auth.Permission.name": "a right",
    "companies.Commune.name": "a place",
    "companies.Departement.name": "a place",
    "companies.FormerCommune.name": "a place",
    "companies.Region.name": "a place",
    "companies.Opco.name": "an organisation",
    "companies.Idcc.label": "a collective agreement",
    "companies.Rome.definition": "a job's sheet",
    "companies.Rome.access": "a job's sheet",
    "consistency.Result": "rules, and rows named by a SIRET or a number (kit.consistency)",
    "companies.ReferenceImport": "counts and faults of official files",
    "companies.EstablishmentImport": "counts of an import and its file's name",
    "companies.Release": "figures of a release",
    "companies.Explanation": "facts of an establishment: its size, its age, whether it hired",
    "scoring.Run": "figures of a run",
    "scoring.GateVerdict": "figures of a run",
    "dsfr.DsfrConfig": "texts of the site",
    "dsfr.DsfrSocialMedia": "texts of the site",
}

TYPES = (models.EmailField, models.GenericIPAddressField, models.TextField, models.JSONField, models.FileField)
NAMES = re.compile(
    r"(^|_)(e?mail|phone|mobile|tel|name|surname|firstname|lastname|username|address|recipient|reply_to|ip|agent|birth\w*"
    r"|civility|contact|value|comment|message|reason|body|content|text|session|digest|token|cv)(_|$)"
)
TEXTS = (models.CharField, models.TextField, models.JSONField, models.BinaryField)


def may_be_personal(field: models.Field) -> bool:
    if field.choices or isinstance(field, models.ForeignKey):
        return False
    return isinstance(field, TYPES) or (isinstance(field, TEXTS) and bool(NAMES.search(field.name)))


COLUMNS = [
    (model._meta.label, field.name)
    for model in apps.get_models(include_auto_created=True)
    for field in model._meta.concrete_fields
    if not model._meta.proxy and may_be_personal(field)
]


@pytest.mark.parametrize("model, field", COLUMNS)
def test_every_column_that_may_hold_personal_data_has_a_rule(model, field):
    known = {model, f"{model}.{field}"}
    assert known & (set(RULES) | set(NOT_PERSONAL)), (
        f"{model}.{field} looks like personal data: say in tests/test_personal_data.py how long it is kept, "
        "and what erases it, or why it is not personal."
    )


def test_every_personal_column_is_read_out_and_erased_on_request_or_says_why_not():
    """By a kind of its app's ``personal_data.py``, found by a person's address or account; or NOT_ASKED says why."""
    covered = {label for kind in personal_registry.kinds() for label in kind.covers}
    told = covered | set(NOT_ASKED) | set(NOT_PERSONAL)
    assert [(model, field) for model, field in COLUMNS if not {model, f"{model}.{field}"} & told] == []


def test_nothing_is_both_asked_and_not():
    covered = {label for kind in personal_registry.kinds() for label in kind.covers}
    assert covered & set(NOT_ASKED) == set()
    labels = {model._meta.label for model in apps.get_models(include_auto_created=True)}
    assert {label.rpartition(".")[0] if label.count(".") > 1 else label for label in covered | set(NOT_ASKED)} <= labels


def test_each_kind_says_what_becomes_of_its_rows():
    names = [kind.name for kind in personal_registry.kinds()]
    assert len(names) == len(set(names))
    assert all(kind.fate.endswith((".", ")")) and kind.shown for kind in personal_registry.kinds())


def test_no_rule_outlives_its_column():
    labels = {model._meta.label for model in apps.get_models(include_auto_created=True)}
    columns = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.concrete_fields
    }
    assert set(RULES) | set(NOT_PERSONAL) <= labels | columns


def test_the_net_catches_what_it_is_for():
    class Applicant(models.Model):
        first_name = models.CharField(max_length=50)
        phone_number = models.CharField(max_length=20)
        contact_email = models.EmailField()
        seen_from = models.GenericIPAddressField()
        letter = models.TextField()
        cv = models.FileField()
        size = models.IntegerField()
        code = models.CharField(max_length=5)

        class Meta:
            app_label = "essai"
            managed = False

    try:
        caught = {field.name for field in Applicant._meta.concrete_fields if may_be_personal(field)}
    finally:
        del apps.all_models["essai"]
        apps.clear_cache()
    assert caught == {"first_name", "phone_number", "contact_email", "seen_from", "letter", "cv"}
