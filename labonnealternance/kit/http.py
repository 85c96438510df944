"""What comes in by HTTP: whose request it is, and texts without traps."""

import ipaddress
import unicodedata

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from labonnealternance.kit.contacts import LONGEST_ADDRESS, is_a_machine

# Signs that turn the reading order of what follows them: they disguise a text as another.
_TURNS_READING_ORDER = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def client_ip(request: HttpRequest) -> str:
    """The address of who asks, as the ``PROXY_COUNT`` proxies in front of the service tell it.

    Each proxy adds on the right of X-Forwarded-For the address that it was called from; what stands further left was
    written by the visitor. Without a usable value: the address of the connection, "" on a Unix socket.
    """
    forwarded = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    count = settings.PROXY_COUNT
    told = forwarded[-count] if 0 < count <= len(forwarded) else ""
    for candidate in (told, request.META.get("REMOTE_ADDR", "")):
        try:
            return str(ipaddress.ip_address(candidate))
        except ValueError:
            continue
    return ""


def network_of(ip: str) -> str:
    """What one subscriber holds: an IPv4 address, or the /64 network of an IPv6 one; "" for ""."""
    if not ip:
        return ""
    address = ipaddress.ip_address(ip)
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


# Kinds of signs that show nothing by themselves: controls, formats, spaces, marks that stand on another sign.
_SHOWS_NOTHING = frozenset({"Cc", "Cf", "Cs", "Cn", "Zs", "Zl", "Zp", "Mn", "Me"})
# More marks than this on one sign spill over the lines around it.
MOST_MARKS = 4


def refuse_control_characters(value: str, *, allowed: str = "") -> None:
    """Raises ``ValidationError`` where ``value`` holds a sign that no keyboard types (NUL, escape, turned order), where
    nothing of it can be seen, and where marks are piled on one sign.
    """
    marks = 0
    is_seen = not value.strip()
    for sign in value:
        kind = unicodedata.category(sign)
        marks = marks + 1 if kind in {"Mn", "Me"} else 0
        is_seen = is_seen or kind not in _SHOWS_NOTHING
        is_refused = sign not in allowed and (kind in {"Cc", "Cs"} or sign in _TURNS_READING_ORDER)
        if is_refused or marks > MOST_MARKS:
            raise _invisible()
    if not is_seen:
        raise _invisible()


def _invisible() -> ValidationError:
    return ValidationError(
        "Ce texte contient un caractère invisible qui n’est pas accepté : tapez-le de nouveau.",
        code="control_character",
    )


def has_control_characters(value: str, *, allowed: str = "") -> bool:
    """Whether ``refuse_control_characters`` refuses ``value``."""
    try:
        refuse_control_characters(value, allowed=allowed)
    except ValidationError:
        return True
    return False


def refuse_control_characters_but_lines(value: str) -> None:
    """The same, for a text of several lines."""
    refuse_control_characters(value, allowed="\n\r\t")


class LineField(forms.CharField):
    """One line of at most ``max_length`` characters, which must be given."""

    def __init__(self, *, max_length: int, **options):
        super().__init__(max_length=max_length, **options)
        self.validators.append(refuse_control_characters)


class ParagraphsField(forms.CharField):
    """A text of several lines, at most ``max_length`` characters, which must be given.

    An end of line is one character, as the browser's own count has it: it sends two.
    """

    widget = forms.Textarea

    def __init__(self, *, max_length: int, **options):
        super().__init__(max_length=max_length, **options)
        self.validators.append(refuse_control_characters_but_lines)

    def to_python(self, value):
        return super().to_python(value.replace("\r\n", "\n") if isinstance(value, str) else value)


class AddressField(forms.EmailField):
    """An e-mail address, in lower case, of at most ``LONGEST_ADDRESS`` characters."""

    default_error_messages = {
        "invalid": "Cette adresse e-mail n’est pas valable : elle s’écrit comme prenom.nom@exemple.fr.",
        "required": "Indiquez une adresse e-mail.",
    }

    def __init__(self, **options):
        super().__init__(max_length=LONGEST_ADDRESS, **options)
        self.error_messages["invalid"] = self.default_error_messages["invalid"]
        self.validators.append(refuse_control_characters)

    def clean(self, value):
        address = super().clean(value).lower()
        if is_a_machine(address):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return address
