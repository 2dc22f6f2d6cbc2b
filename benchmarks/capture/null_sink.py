"""`goldvein serve` with a writer that stores nothing and answers at once: the most that the server around it can do.

It authenticates, limits, decodes, asks for the consents, sanitizes and counts as the real one does. It exists only here:
no setting of a server leads to it.
"""

from collections.abc import Sequence

from goldvein.capture import recorder
from goldvein.capture.outcomes import Capture, Recorded
from goldvein.capture.storing import Outcome
from goldvein.capture.uses import Prepared
from goldvein.capture.writer import Place, Writer
from goldvein.cli import store


class NullWriter(Writer):
    """Gives every use the answer of one that is new."""

    async def store(self, uses: Sequence[Prepared], place: Place) -> list[Outcome]:
        """Answer, count, and give the place back."""
        outcomes: list[Outcome] = [
            Recorded(
                usage_event_id=use.usage_event_id,
                outcome="stored",
                capture=use.otherwise if use.texts is None else Capture(outcome="captured"),
            )
            for use in uses
        ]
        self._count(zip(uses, outcomes, strict=True))
        self.release(place)
        return outcomes


def main() -> None:
    """Serve."""
    recorder.Writer = NullWriter
    store.serve(host=None, port=None, workers=None)


if __name__ == "__main__":
    main()
