"""INSEE's classes: bands of headcount, the five sizes that hiring is published by, sections of activity."""

# Band → (fewest, most) employees; "NN" (unknown) and "00" (none on 31 December) have no useful bounds.
BAND_BOUNDS: dict[str, tuple[int, int]] = {
    "00": (0, 0),
    "01": (1, 2),
    "02": (3, 5),
    "03": (6, 9),
    "11": (10, 19),
    "12": (20, 49),
    "21": (50, 99),
    "22": (100, 199),
    "31": (200, 249),
    "32": (250, 499),
    "41": (500, 999),
    "42": (1000, 1999),
    "51": (2000, 4999),
    "52": (5000, 9999),
    "53": (10000, 20000),
}

SIZES = ("1–9", "10–19", "20–49", "50–249", "250+")
UNKNOWN_SIZE = "inconnu"


def size_of(band: str) -> str:
    """The published size of a band; ``inconnu`` where the registry does not say."""
    if band not in BAND_BOUNDS or band == "00":
        return UNKNOWN_SIZE
    fewest = BAND_BOUNDS[band][0]
    return SIZES[(fewest >= 10) + (fewest >= 20) + (fewest >= 50) + (fewest >= 250)]


# NAF division → section (NAF rev. 2).
_SECTION_BOUNDS = (
    (3, "A"), (9, "B"), (33, "C"), (35, "D"), (39, "E"), (43, "F"), (47, "G"), (53, "H"), (56, "I"), (63, "J"),
    (66, "K"), (68, "L"), (75, "M"), (82, "N"), (84, "O"), (85, "P"), (88, "Q"), (93, "R"), (96, "S"), (98, "T"),
    (99, "U"),
)  # fmt: skip


def section_of(naf_code: str) -> str:
    """The section (A…U) of a NAF code."""
    division = int(naf_code[:2])
    return next(section for last, section in _SECTION_BOUNDS if division <= last)
