"""A process that does not outlive the one that started it, however that one ends."""

import ctypes
import signal
import sys

PR_SET_PDEATHSIG = 1


def end_with_parent(by: signal.Signals = signal.SIGTERM) -> None:
    """This process, and the program that it becomes, gets ``by`` when its parent dies, even of SIGKILL.

    Linux only; elsewhere nothing is changed.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, by)
