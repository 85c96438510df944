"""The OPCO of an establishment: told by a register, a branch, the recruiter or a person whose work it is.

Each change leaves a line in the journal (``OpcoAssignment``). What a surer source told is never undone by another one;
what an advisor certified is changed by an advisor or by support only.
"""

import datetime as dt

from django.db import transaction

from companies.clients import opco_service
from companies.clients.opco_service import OpcoServiceDown
from companies.enums import OpcoOrigin
from companies.models import Establishment, Idcc, Opco

# Whose work it is.
_PEOPLE = {OpcoOrigin.ADVISOR, OpcoOrigin.SUPPORT}
_SURENESS = {
    OpcoOrigin.RECRUITER: 0,
    OpcoOrigin.IDCC: 1,
    OpcoOrigin.SERVICE: 2,
    OpcoOrigin.ADVISOR: 3,
    OpcoOrigin.SUPPORT: 3,
}


class RefusedOpco(ValueError):
    """The OPCO can't be changed so; the message says why, in French."""


def find(*, siret: str, idcc_id: str | None) -> tuple[Opco | None, OpcoOrigin]:
    """The OPCO that the public service tells, else the one of the branch, and who told it. Writes nothing."""
    try:
        told = opco_service.find_opco(siret)
    except OpcoServiceDown:
        told = None
    if told:
        return told, OpcoOrigin.SERVICE
    branch = Idcc.objects.select_related("opco").filter(code=idcc_id).first() if idcc_id else None
    return (branch.opco if branch else None), OpcoOrigin.IDCC


def resolve(*, establishment: Establishment, at: dt.datetime) -> Opco | None:
    """Asks for the OPCO of ``establishment``, keeps what is told, and returns the one that stands.

    Waits for the service a few seconds at most: not to be called in a transaction.
    """
    if establishment.opco_is_certified:
        return establishment.opco
    opco, origin = find(siret=establishment.siret, idcc_id=establishment.idcc_id)
    if opco is None:
        return establishment.opco
    try:
        stands = assign(establishment_id=establishment.pk, opco=opco, origin=origin, by=None, at=at)
    except RefusedOpco:
        # Certified while the service was asked.
        stands = Establishment.objects.select_related("opco").get(pk=establishment.pk).opco
    establishment.opco = stands
    return stands


@transaction.atomic
def assign(
    *, establishment_id: int, opco: Opco | None, origin: str, by, at: dt.datetime, reason: str = ""
) -> Opco | None:
    """Says which OPCO an establishment has, and returns the one that stands after it.

    ``origin`` is an ``OpcoOrigin``, ``by`` a user or None. A recruiter is heard where nobody told one; a source less
    sure than the one that told the present OPCO changes nothing. Raises ``RefusedOpco`` for a certified one, unless an
    advisor or support changes it.
    """
    source = OpcoOrigin(origin)
    establishment = _locked(establishment_id)
    if establishment.opco_is_certified and source not in _PEOPLE:
        raise RefusedOpco("L’OPCO de cet établissement est certifié : seul un conseiller ou le support le change.")
    last = establishment.opco_journal.order_by("-at", "-pk").first()
    known = _SURENESS[OpcoOrigin(last.origin)] if last else -1
    is_less_sure = _SURENESS[source] < known
    is_heard_already = establishment.opco_id is not None and source == OpcoOrigin.RECRUITER
    tells_nothing_new = opco == establishment.opco and _SURENESS[source] <= known
    if is_less_sure or is_heard_already or tells_nothing_new:
        return establishment.opco
    _write(establishment, opco=opco, source=source, by=by, at=at, reason=reason)
    return opco


@transaction.atomic
def certify(*, establishment_id: int, opco: Opco, by, at: dt.datetime, origin: str, reason: str = "") -> None:
    """Freezes the OPCO of an establishment, on the word of an advisor or of support. Twice is no error."""
    source = OpcoOrigin(origin)
    if source not in _PEOPLE:
        raise RefusedOpco("Seul un conseiller ou le support certifie un OPCO.")
    establishment = _locked(establishment_id)
    if establishment.opco_is_certified and establishment.opco == opco:
        return
    establishment.opco_is_certified = True
    _write(establishment, opco=opco, source=source, by=by, at=at, reason=reason or "Certifié")


def _locked(establishment_id: int) -> Establishment:
    # Without a join: the row waited for is read again once locked, what is joined to it is not.
    return Establishment.objects.select_for_update(no_key=True).get(pk=establishment_id)


def _write(establishment, *, opco, source, by, at, reason) -> None:
    establishment.opco = opco
    establishment.save(update_fields=["opco", "opco_is_certified"])
    establishment.opco_journal.create(opco=opco, origin=source, by=by, at=at, reason=reason.strip())
