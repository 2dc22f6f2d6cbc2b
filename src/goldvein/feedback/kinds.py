"""The five kinds of feedback, their closed lists, and the moves between the states of a suggestion."""

from typing import Final

VOTES: Final = ("thumbs_up", "thumbs_down")
WRITTEN: Final = ("suggestion", "bug_report")
TRAINING_EXAMPLE: Final = "training_example"

CATEGORIES: Final = ("output_quality", "missing_feature", "error", "performance", "other")
SEVERITIES: Final = ("nice_to_have", "important", "critical")

WRITTEN_STATUSES: Final = ("pending", "accepted", "dismissed", "implemented")
EXAMPLE_STATUSES: Final = ("pending", "approved", "rejected", "quarantined", "withdrawn", "expired")
SOURCES: Final = ("web", "api", "usage_capture")
VERDICTS: Final = ("good", "bad", "unsure")

MIN_QUALITY: Final = 1
MAX_QUALITY: Final = 10

WRITTEN_MOVES: Final[dict[str, frozenset[str]]] = {
    "pending": frozenset({"accepted", "dismissed"}),
    "accepted": frozenset({"implemented", "dismissed"}),
    "dismissed": frozenset({"pending"}),
    "implemented": frozenset(),
}


def percent_positive(up: int, down: int) -> int | None:
    """The share of thumbs up among all votes, in whole percent; None without a vote."""
    votes = up + down
    return None if votes == 0 else round(100 * up / votes)
