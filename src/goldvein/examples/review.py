"""Who may move a training example where, as one pure table. docs/concepts.md shows the same."""

from typing import Final

DECISIONS: Final = ("approve", "reject", "quarantine", "reopen")

MOVES: Final[dict[str, dict[str, str]]] = {
    "pending": {"approve": "approved", "reject": "rejected", "quarantine": "quarantined"},
    "approved": {"quarantine": "quarantined", "reopen": "pending"},
    "rejected": {"reopen": "pending"},
    "quarantined": {"approve": "approved", "reject": "rejected", "reopen": "pending"},
    "withdrawn": {},
    "expired": {},
}
"""Status -> decision of the author -> next status. A withdrawn or expired example has no text and no way back."""


def next_status(status: str, decision: str) -> str | None:
    """Where a decision leads; None when it cannot be taken in this status."""
    return MOVES[status].get(decision)


def target(*, expected_output: str | None, example_output: str | None, output_verdict: str | None) -> str | None:
    """Which text is the answer: the expected one, else the captured one if the reviewer found it good, else none.

    A row without a target may be evaluated with an assertion, never trained on.
    """
    if expected_output:
        return expected_output
    return example_output if output_verdict == "good" else None
