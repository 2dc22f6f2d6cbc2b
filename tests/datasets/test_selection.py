from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from goldvein.datasets.selection import LEFT_OUT, Candidate, Filter, over_caps, reason_to_leave_out, redaction_percent

NOW = datetime(2026, 3, 1, tzinfo=UTC)
EVERY = frozenset({"evaluation", "training", "sharing_outside_tenant"})


def candidate(number: int = 0, **fields: Any) -> Candidate:
    values: dict[str, Any] = {
        "example_id": f"e{number:04}",
        "skill_id": "s",
        "source": "usage_capture",
        "tool_name": "Bash",
        "person_id": "bob",
        "session_id": None,
        "skill_digest": "sha256:1",
        "created_at": NOW,
        "quality_score": 7,
        "example_input": "list the files",
        "example_output": "a.py b.py",
        "expected_output": None,
        "output_verdict": "good",
        "purposes": EVERY,
    }
    return Candidate(**{**values, **fields})


@pytest.mark.parametrize(
    ("fields", "chosen", "purposes", "reason"),
    [
        ({"purposes": frozenset()}, {}, ["evaluation"], "consent_withdrawn"),
        ({"purposes": frozenset({"evaluation"})}, {}, ["training"], "purpose_missing"),
        ({"purposes": frozenset({"evaluation"})}, {}, ["evaluation"], None),
        ({"purposes": frozenset({"evaluation"})}, {}, ["evaluation", "training"], "purpose_missing"),
        ({"purposes": None}, {}, ["sharing_outside_tenant"], None),
        ({"output_verdict": "bad"}, {}, ["training"], "no_target"),
        ({"output_verdict": "bad"}, {}, ["evaluation"], None),
        ({"output_verdict": "bad", "expected_output": "c.py"}, {}, ["training"], None),
        ({}, {"sources": ("web",)}, ["training"], "filter_source"),
        ({}, {"min_quality": 8}, ["training"], "filter_quality"),
        ({"quality_score": None}, {"min_quality": 1}, ["training"], "filter_quality"),
        ({}, {"min_quality": 7}, ["training"], None),
        ({}, {"created_from": NOW + timedelta(seconds=1)}, ["training"], "filter_date"),
        ({}, {"created_from": NOW}, ["training"], None),
        ({}, {"created_before": NOW}, ["training"], "filter_date"),
        ({}, {"skill_versions": ("sha256:2",)}, ["training"], "filter_skill_version"),
        ({"tool_name": None}, {"tools": ("Bash",)}, ["training"], "filter_tool"),
        ({"example_output": "[REDACTED:email_1]"}, {"max_redaction_percent": 30}, ["training"], "filter_redaction"),
        ({}, {"max_redaction_percent": 0}, ["training"], None),
        ({}, {"min_chars": 24}, ["training"], "filter_length"),
        ({}, {"min_chars": 23, "max_chars": 23}, ["training"], None),
        ({}, {"max_chars": 22}, ["training"], "filter_length"),
    ],
)
def test_an_example_is_left_out_for_the_first_reason(
    fields: dict[str, Any], chosen: dict[str, Any], purposes: list[str], reason: str | None
) -> None:
    assert reason_to_leave_out(candidate(**fields), Filter(**chosen), purposes) == reason
    assert reason is None or reason in LEFT_OUT


def test_one_heavy_user_is_not_the_dataset() -> None:
    rows = [candidate(number) for number in range(50)] + [
        candidate(50 + number, person_id="erin") for number in range(3)
    ]

    over = over_caps(rows, Filter(max_per_person=5), seed=1)

    assert len(over) == 45
    assert set(over.values()) == {"cap_person"}
    assert not {"e0050", "e0051", "e0052"} & set(over)


def test_golden_examples_are_of_no_person_and_have_no_such_cap() -> None:
    assert over_caps([candidate(n, person_id=None) for n in range(9)], Filter(max_per_person=1), seed=1) == {}


def test_within_a_cap_the_rows_of_the_version_before_stay_then_the_best() -> None:
    rows = [
        candidate(0, quality_score=10),
        candidate(1, quality_score=9),
        candidate(2, quality_score=1, kept_split="test"),
    ]

    assert over_caps(rows, Filter(max_per_skill_version=2), seed=1) == {"e0001": "cap_skill_version"}


def test_balance_leaves_every_tool_as_many_rows_as_the_rarest_has() -> None:
    tools = ["Bash"] * 7 + ["Edit"] * 2 + ["Read"] * 4 + [None] * 3
    rows = [candidate(number, tool_name=tool) for number, tool in enumerate(tools)]

    over = over_caps(rows, Filter(balance_tools=True), seed=1)

    assert set(over.values()) == {"cap_tool"}
    left = [row.tool_name for row in rows if row.example_id not in over]
    assert sorted(map(str, left)) == ["Bash"] * 2 + ["Edit"] * 2 + ["None"] * 3 + ["Read"] * 2


def test_a_cap_counts_only_what_the_caps_before_it_have_left() -> None:
    rows = [candidate(number, person_id="bob", tool_name="Bash", quality_score=9) for number in range(4)]
    rows.append(candidate(9, person_id="erin", tool_name="Bash", quality_score=1))

    over = over_caps(rows, Filter(max_per_person=1, max_per_tool=2), seed=1)

    assert "e0009" not in over
    assert set(over.values()) == {"cap_person"}


def test_the_share_of_placeholders_is_of_characters() -> None:
    assert redaction_percent("[REDACTED:email]" + "x" * 16) == 50
    assert redaction_percent("") == 0
