"""Who may do what in the back-office: the one table, that ``sync_groups`` writes into the database.

A line is a model and what each group may do with it: ``view`` opens its pages, ``change`` presses its buttons, ``add``
makes one, others are the model's own. What no line gives (who comes in, by which code, who read what): superusers.
"""

SUPPORT = "Support"
READER = "Support lecture"
MODERATION = "Modération"
SCIENCE = "Science"

_COLUMNS = (SUPPORT, READER, MODERATION, SCIENCE)
_TABLE = {
    # Establishments
    "companies.establishment": ("view change", "view", "view", "view"),
    "companies.visibilitydecision": ("view add change", "view", "view", ""),
    "companies.contactcorrection": ("view", "view", "view", ""),
    "companies.batch": ("view change", "view", "", ""),
    "unsubscribe.request": ("view change", "view", "view", ""),
    "unsubscribe.report": ("view change", "view", "view change", ""),
    # Recruiters and offers
    "offers.access": ("view change", "view", "view change", ""),
    "offers.offer": ("view change", "view", "view change", ""),
    "offers.registration": ("view change", "view", "view", ""),
    "opco.advisor": ("view add change", "view", "view", ""),
    "opco.export": ("view", "view", "", ""),
    # E-mails
    "mail.message": ("view resend", "view", "view", ""),
    "mail.suppression": ("view add change", "view", "view", ""),
    # The score
    "companies.release": ("view change", "view", "", "view change"),
    "scoring.run": ("view change", "view", "", "view change"),
    "consistency.run": ("view add", "view", "", "view add"),
    # People
    "accounts.user": ("view change visit export erase", "view", "view", ""),
    # Imports and nomenclatures
    **dict.fromkeys(
        [
            "companies.establishmentimport", "companies.referenceimport", "companies.rome", "companies.romeappellation",
            "companies.naf", "companies.idcc", "companies.opco", "companies.commune", "companies.formercommune",
            "companies.departement", "companies.region",
        ],
        ("view", "view", "view", "view"),
    ),
}  # fmt: skip


def _permissions(column: int) -> frozenset[str]:
    found = set()
    for model, cells in _TABLE.items():
        app, _, name = model.partition(".")
        found |= {f"{app}.{action}_{name}" for action in cells[column].split()}
    return frozenset(found)


# Group → its permissions, « app.action_model ».
STAFF_GROUPS = {name: _permissions(column) for column, name in enumerate(_COLUMNS)}
