"""What is kept of where a session comes from: enough for its person to recognise it, and no more."""

import ipaddress

# The first that is found is the one: browsers and systems name those that they want to be taken for, after their own.
_BROWSERS = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "SamsungBrowser": "Samsung Internet",
    "Firefox": "Firefox",
    "FxiOS": "Firefox",
    "Chrome": "Chrome",
    "Chromium": "Chrome",
    "CriOS": "Chrome",
    "Safari": "Safari",
}
_SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "CrOS": "ChromeOS",
    "Mac OS X": "macOS",
    "Linux": "Linux",
}


def device_name(user_agent: str) -> str:
    """« Firefox sur Windows »: the browser's family and the system, as far as ``user_agent`` tells them."""
    browser = next((name for sign, name in _BROWSERS.items() if sign in user_agent), "")
    system = next((name for sign, name in _SYSTEMS.items() if sign in user_agent), "")
    if not system:
        return browser or "Appareil inconnu"
    return f"{browser or 'Navigateur'} sur {system}"


def shortened(ip: str) -> str:
    """The three first parts of an IP address: « 192.0.2.* », « 2001:db8:12:* »; "" for ""."""
    if not ip:
        return ""
    address = ipaddress.ip_address(ip)
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return ":".join(f"{int(group, 16):x}" for group in address.exploded.split(":")[:3]) + ":*"
        address = address.ipv4_mapped
    return str(address).rpartition(".")[0] + ".*"
