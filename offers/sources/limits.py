"""How far an answer counts."""

# A total stops here, and so do the pages.
LONGEST_TOTAL = 100
# Read beyond what is needed, since some may be hidden: this many, and a small share.
ROOM_FOR_HIDDEN = 10
# Entries in the disc up to which all of them are read, for the page and the total at once.
FEW_ENTRIES = 1_000


def enough(counted: int) -> int:
    """Candidates that tell whether there are ``counted``, were a few of them hidden."""
    return counted + counted // 20 + ROOM_FOR_HIDDEN
