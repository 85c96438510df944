"""An advisor at their desk."""

import pytest

from opco.actions.desks import Desk
from tests.opco.desk import make_desk


@pytest.fixture
def desk(db) -> Desk:
    """Anne Conseil's, of OPCO 1."""
    return make_desk()
