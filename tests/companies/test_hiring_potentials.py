"""Releases: written aside, published at once, put back at once."""

import pytest

from companies.models import HiringPotential
from tests.companies.potentials import BAKER, COOK, make_establishment, make_jobs, put_online

pytestmark = pytest.mark.django_db


def test_a_release_is_written_then_online():
    make_jobs()
    bakery = make_establishment()
    release = put_online([(bakery, BAKER, 1.5), (bakery, COOK, 0.5)])
    assert release.status == "current"
    assert HiringPotential.objects.filter(release=release).count() == 2
