"""A network between goldvein and PostgreSQL that breaks at the worst moment: when a commit is on its way."""

import contextlib
import socket
import threading
import time
from typing import Literal

Loses = Literal["", "commit", "answer"]
_BYTES = 65_536
_COMMIT = b"COMMIT\x00"


class Proxy:
    """Forwards connections to a PostgreSQL socket; armed, it cuts one of them at the next commit, once.

    `loses` the commit: the server never sees it. Loses the answer: the server commits and nobody is told.
    """

    def __init__(self, socket_folder: str) -> None:
        self._upstream = f"{socket_folder}/.s.PGSQL.5432"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._loses: Loses = ""
        self._silent_seconds = 0.0
        self._away_until = 0.0
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def arm(self, loses: Loses, *, silent_seconds: float, away_seconds: float) -> None:
        """Cut at the next commit, after a silence; afterwards refuse new connections for a while."""
        self._silent_seconds, self._away_seconds = silent_seconds, away_seconds
        self._loses = loses

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if time.monotonic() < self._away_until:
                    client.close()
                    continue
                server = socket.socket(socket.AF_UNIX)
                try:
                    server.connect(self._upstream)
                except OSError:
                    client.close()
                    continue
                self._open += [client, server]
                threading.Thread(target=self._forward, args=(client, server), daemon=True).start()
                threading.Thread(target=self._return, args=(server, client), daemon=True).start()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(_BYTES):
                if self._loses and _COMMIT in data:
                    self._cut(client, server, data)
                    break
                server.sendall(data)
        _end(client, server)

    def _cut(self, client: socket.socket, server: socket.socket, data: bytes) -> None:
        loses, self._loses = self._loses, ""
        self.cuts += 1
        self._away_until = time.monotonic() + self._silent_seconds + self._away_seconds
        if loses == "answer":
            client.shutdown(socket.SHUT_WR)  # first, so that no answer can pass
            server.sendall(data)
            time.sleep(0.05)  # the server reads it before it sees the end
        time.sleep(self._silent_seconds)

    def _return(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(_BYTES):
                client.sendall(data)
        _end(client, server)

    def close(self) -> None:
        """Cut everything."""
        self._listener.close()
        _end(*self._open)


def _end(*ends: socket.socket) -> None:
    for end in ends:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
