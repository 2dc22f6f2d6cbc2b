"""`goldvein serve` with a writer that stores nothing and answers at once: the most that the server around it can do.

It authenticates, limits, decodes, asks for the consents and sanitizes as the real one does. It exists only here: no
setting of a server leads to it.
"""

from goldvein.capture import service
from goldvein.capture.outcomes import Capture, Recorded
from goldvein.cli import store
from goldvein.db.ids import new_id
from goldvein.db.session import Database
from goldvein.identity.server_key import ServerKey


def answer_at_once(
    _database: Database, _server_key: ServerKey, _report: service.Report, prepared: service._Prepared
) -> Recorded:
    """What the writer would answer for an event that is new."""
    capture = prepared.otherwise if prepared.texts is None else Capture(outcome="captured")
    return Recorded(usage_event_id=new_id(), outcome="stored", capture=capture)


def main() -> None:
    """Serve."""
    service._commit = answer_at_once  # noqa: SLF001 (there is no setting for this, and there shall be none)
    store.serve(host=None, port=None)


if __name__ == "__main__":
    main()
