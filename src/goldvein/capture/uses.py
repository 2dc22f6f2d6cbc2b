"""A reported use on its way to the store."""

from datetime import datetime

import msgspec

from goldvein.capture.formats import CapturedUse
from goldvein.capture.outcomes import Capture
from goldvein.identity.actor import Reporter
from goldvein.sanitizer import Sanitized


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One use as it arrived, with who reported it and through which door."""

    reporter: Reporter
    use: CapturedUse
    door: str
    received_at: datetime
    opted_out: bool = False

    def __repr__(self) -> str:
        """Leave everything out that came from outside."""
        return "Report(...)"


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A use as the writer takes it: under an id of ours, its texts sanitized, or why there are none."""

    report: Report
    usage_event_id: str
    event_hashes: tuple[bytes, ...]
    texts: tuple[Sanitized, Sanitized] | None
    otherwise: Capture
    names_reporter: bool = True

    def __repr__(self) -> str:
        """Leave everything out that came from outside."""
        return "Prepared(...)"
