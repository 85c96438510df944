"""Telephone numbers as people read them."""

import phonenumbers
import pytest

from labonnealternance.kit.contacts import shown_phone


@pytest.mark.parametrize("first", range(10))
def test_a_french_number_is_written_as_the_library_writes_it(first):
    for rest in ("00000018", "12345678", "99000999", "87654321"):
        number = f"+33{first}{rest}"
        written = phonenumbers.format_number(phonenumbers.parse(number, "FR"), phonenumbers.PhoneNumberFormat.NATIONAL)
        assert shown_phone(number) == written


def test_a_foreign_number_is_international_and_what_is_no_number_is_left():
    assert shown_phone("+33199000018") == "01 99 00 00 18"
    assert shown_phone("+3225550123").startswith("+32 ")
    assert shown_phone("") == ""
    assert shown_phone("standard") == "standard"
