"""Which URLs a webhook may have, and which addresses behind them may be called. Pure: names are resolved elsewhere.

Whoever may name a URL could else have the server ask what only the server can reach: its own machine, its network, the
metadata service of a cloud.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final
from urllib.parse import urlsplit

from goldvein.sanitizer import sanitize_text

MAX_URL_CHARS: Final = 500
_NAT64: Final = 0x64FF9B << 96  # 64:ff9b::/96, behind which an IPv4 address is called


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A URL in its parts."""

    scheme: str
    host: str
    port: int
    path: str


def read_url(url: str, *, allow_http: bool) -> Place | str:
    """The URL in its parts; or what is wrong with it, in words that do not repeat it."""
    if len(url) > MAX_URL_CHARS or not url.isascii() or any(character <= " " for character in url):
        return f"1 to {MAX_URL_CHARS} characters of ASCII without blanks"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "not a URL"
    schemes = ("https", "http") if allow_http else ("https",)
    if parts.scheme not in schemes or not parts.hostname or port == 0:
        return f"{' or '.join(f'{scheme}://' for scheme in schemes)} and a host"
    if parts.username is not None or parts.password is not None or parts.fragment:
        return "without user, password and fragment"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if sanitize_text(path) != path:
        return "holds what looks like a secret; messages are signed, so it needs none"
    return Place(
        scheme=parts.scheme,
        host=parts.hostname,
        port=port or (443 if parts.scheme == "https" else 80),
        path=path,
    )


def is_public(address: str) -> bool:
    """Whether anybody on the internet could call this address too; also through the forms that hide an IPv4 one."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return not any(inner.is_multicast or inner.is_reserved or not inner.is_global for inner in _hidden(found))


def _hidden(found: IPv4Address | IPv6Address) -> list[IPv4Address | IPv6Address]:
    if isinstance(found, IPv4Address):
        return [found]
    if found.ipv4_mapped is not None:
        return [found.ipv4_mapped]
    if int(found) >> 32 == _NAT64 >> 32:
        return [IPv4Address(int(found) & 0xFFFFFFFF)]
    inner: list[IPv4Address | IPv6Address] = [found]
    if found.sixtofour is not None:
        inner.append(found.sixtofour)
    if found.teredo is not None:
        inner.extend(found.teredo)
    return inner
