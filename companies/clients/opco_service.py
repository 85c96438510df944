"""The public service that tells the OPCO of an establishment (``OPCO_SERVICE_URL``)."""

import logging
import re

from django.conf import settings

from companies.clients.json_service import Changed, Fields, JsonService, NoAnswer
from companies.models import Opco
from labonnealternance.kit.text import search_key

# Short: it is asked while someone waits, after the registry, and there are other ways to know an OPCO.
service = JsonService("The OPCO service", seconds=3)

logger = logging.getLogger(__name__)


class OpcoServiceDown(Exception):
    """The service did not answer, or answered something else."""


def find_opco(siret: str) -> Opco | None:
    """The OPCO of ``siret``; None where the service knows none, or several. Raises ``OpcoServiceDown``."""
    if not settings.OPCO_SERVICE_URL:
        raise OpcoServiceDown("no address is set")
    try:
        answer = Fields(service.get(f"{settings.OPCO_SERVICE_URL}/api", siret=siret), where="answer")
        status = answer.one_of("searchStatus", {"OK", "NOT_FOUND", "MULTIPLE_OPCO"})
        name = answer.text("opcoName", needed=status == "OK")
    except NoAnswer as failure:
        raise OpcoServiceDown(str(failure)) from None
    except Changed as change:
        service.warn(f"not what was expected at {change}")
        raise OpcoServiceDown(str(change)) from None
    return _known(name) if status == "OK" else None


def _known(name: str) -> Opco | None:
    """Our OPCO of that name: as the service or people write it, in whatever case, with or without accents."""
    asked = _ways_to_write(name)
    for opco in Opco.objects.order_by("code"):
        if asked & (_ways_to_write(opco.api_label) | _ways_to_write(opco.name) | {_key(opco.code)}):
            return opco
    logger.warning("The OPCO service names an OPCO that is not known here: %s", name)
    return None


def _ways_to_write(name: str) -> set[str]:
    """``AKTO / Opco entreprises et salariés…`` and ``Uniformation, l'Opco…``, whole or by their first words."""
    return {_key(part) for part in (name, re.split(r"/|,", name)[0]) if _key(part)}


def _key(text: str) -> str:
    """What is the same in ``OPCO 2i``, ``Opco2i`` and ``OPCO Mobilité(s)``."""
    words = [word for word in search_key(text).split() if word not in {"l", "la", "le", "opco"}]
    return "".join(word.removesuffix("s") for word in words).removeprefix("opco")
