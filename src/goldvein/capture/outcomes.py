"""What can become of a reported use: closed lists, so that the counters add up.

received = stored + duplicate + rejected(reason); stored = captured + denied(reason) + none(reason) + failed(reason).
"""

from dataclasses import dataclass, field
from typing import Final, Literal

from goldvein import errors

REJECTED: Final = (
    "not_authenticated",
    "missing_scope",
    "bad_signature",
    "too_many_requests",
    "too_large",
    "invalid",
    "unknown_skill",
    "event_conflict",
    "store_unavailable",
    "internal_error",
    "no_skill",
    "not_a_use",
)
NONE: Final = ("no_snippets", "oversize_snippet", "quota")
FAILED: Final = ("sanitizer_failed", "text_too_long", "internal_error")

CaptureOutcome = Literal["captured", "denied", "none", "failed"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Capture:
    """What became of the capture of one stored use."""

    outcome: CaptureOutcome
    reason: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """What became of one reported use. `findings` counts what the sanitizer removed, by type of its own."""

    usage_event_id: str
    outcome: Literal["stored", "duplicate"]
    capture: Capture
    findings: dict[str, int] = field(default_factory=dict)


_REASON_OF_ERROR: dict[type[errors.GoldveinError], str] = {
    errors.NotAuthenticated: "not_authenticated",
    errors.MissingScope: "missing_scope",
    errors.BadSignature: "bad_signature",
    errors.TooManyRequests: "too_many_requests",
    errors.TooLarge: "too_large",
    errors.InvalidInput: "invalid",
    errors.NotFound: "unknown_skill",
    errors.EventConflict: "event_conflict",
    errors.StoreUnavailable: "store_unavailable",
}


def rejection_of(error: Exception) -> str:
    """Under which reason a refused event is counted."""
    return next((_REASON_OF_ERROR[kind] for kind in type(error).__mro__ if kind in _REASON_OF_ERROR), "internal_error")
