"""Counts of findings by type, as they are kept beside an example: never where or what."""

from collections import Counter
from collections.abc import Iterable

from goldvein.sanitizer import Sanitized


def count_findings(texts: Iterable[Sanitized]) -> dict[str, int]:
    """How often each type was found over the texts of one example."""
    return dict(Counter(finding.type for text in texts for finding in text.findings))


def added(before: dict[str, int], new: dict[str, int]) -> dict[str, int]:
    """Add counts by type."""
    return {kind: before.get(kind, 0) + new.get(kind, 0) for kind in {**before, **new}}
