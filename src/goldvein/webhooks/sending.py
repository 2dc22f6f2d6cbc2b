"""Calling somebody else's computer: an address that was checked, no redirects, an end to every wait."""

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from typing import Final

from goldvein.webhooks.addresses import Place, is_public

CONNECT_SECONDS: Final = 5.0
WHOLE_SECONDS: Final = 15.0  # also for an answer that comes one byte at a time
READ_BYTES: Final = 1_024


class NotSent(Exception):
    """The message did not arrive; `code` says why, in a word of ours."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def resolve(place: Place, *, allow_private: bool) -> str:
    """The address to call. Raises NotSent when there is none, or when any of them is not public.

    The caller connects to this very address: a name that is asked for again could answer otherwise.
    """
    try:
        found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotSent("no_address") from error
    addresses = [str(entry[4][0]) for entry in found]
    if not allow_private and not all(is_public(address) for address in addresses):
        raise NotSent("private_address")
    return addresses[0]


def post(place: Place, address: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Send a POST request to the address; returns the status of the answer, of which nothing is kept."""
    connection = _connection(place, address)
    timer = threading.Timer(WHOLE_SECONDS, _cut, (connection,))
    timer.daemon = True
    timer.start()
    try:
        connection.request("POST", place.path, body=body, headers=dict(headers))
        answer = connection.getresponse()
        answer.read(READ_BYTES)
    except (OSError, http.client.HTTPException) as error:
        raise NotSent(_reason(error)) from error
    finally:
        timer.cancel()
        connection.close()
    return answer.status


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return "tls_failed"
    if isinstance(error, TimeoutError):
        return "timed_out"
    return "connection_failed"


def _cut(connection: http.client.HTTPConnection) -> None:
    """End an answer that does not come to its end; the reader then gets an error."""
    with contextlib.suppress(OSError):
        if connection.sock is not None:
            connection.sock.shutdown(socket.SHUT_RDWR)


def _connection(place: Place, address: str) -> http.client.HTTPConnection:
    """A connection to the address, under the host's name."""
    if place.scheme == "https":
        return _PinnedTls(place, address)
    return _Pinned(place, address)


class _Pinned(http.client.HTTPConnection):
    def __init__(self, place: Place, address: str) -> None:
        super().__init__(place.host, place.port, timeout=CONNECT_SECONDS)
        self._address = address

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), timeout=CONNECT_SECONDS)


class _PinnedTls(_Pinned):
    default_port = 443

    def connect(self) -> None:
        super().connect()
        self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)
