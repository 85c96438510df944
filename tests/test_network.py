"""The tests reach no outside host, and this proves that the guard works."""

import socket

import pytest

from tests.conftest import OutsideNetworkUsed


def test_an_outside_host_cannot_be_reached_from_a_test():
    with pytest.raises(OutsideNetworkUsed), socket.socket() as outside:
        outside.connect(("192.0.2.1", 80))
