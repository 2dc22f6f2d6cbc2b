import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import row

from goldvein.datasets.exports.placeholders import row_with_stand_ins, stand_in, with_stand_ins
from goldvein.datasets.rows import Assertion
from goldvein.sanitizer import sanitize
from goldvein.sanitizer.engine import NAME_TYPES, PERSONAL_TYPES
from goldvein.sanitizer.rules import RULES

TYPES = sorted({rule.type for rule in RULES} | PERSONAL_TYPES | NAME_TYPES | {"extra_rule", "employee_number"})
# Where a placeholder of any type stands, and where one stands that replaced what a name pointed at.
ANYWHERE = (
    "{}",
    "It was {}, not that.",
    "- {}\n- other",
    "| {} |",
    "<td>{}</td>",
    "see ({})",
    "mailto:{}",
    "call {} now",
)
NAMED = (
    '{{"%s": "{}"}}',
    "%s: {}",
    "%s={}",
    "the %s is {}",
)
SECRET_PLACES = (
    "https://user:{}@db.example.com/x",
    "Authorization: Bearer {}",
    "curl -u admin:{} https://example.com",
    "DB_PASSWORD={}",
    'api_key = "{}"',
)


@pytest.mark.parametrize("kind", TYPES)
def test_no_rule_takes_a_stand_in_for_a_real_one(kind: str) -> None:
    name = kind.replace("_", " ")
    places = [*ANYWHERE, *(place % name for place in NAMED), *(place % kind.upper() for place in NAMED)]
    if kind not in PERSONAL_TYPES | NAME_TYPES:
        places += SECRET_PLACES
    for number in (1, 17, 1000, 65535):
        for place in places:
            text = place.format(stand_in(kind, number))
            assert [finding.rule for finding in sanitize(text).findings] == [], text


@given(st.sampled_from(TYPES), st.integers(1, 999_999), st.sampled_from(TYPES), st.integers(1, 999_999))
def test_two_values_never_get_the_same_stand_in(kind: str, number: int, other: str, other_number: int) -> None:
    same = (kind, number) == (other, other_number)
    assert (stand_in(kind, number) == stand_in(other, other_number)) == same


def test_the_same_placeholder_has_one_stand_in_everywhere_in_a_row() -> None:
    changed = row_with_stand_ins(
        row(
            example_input="[REDACTED:email_1] wrote to [REDACTED:email_2] from [REDACTED:ip_address]",
            example_output="Dear [REDACTED:email_2]",
            expected_output="Dear [REDACTED:email_1]",
            answer="Dear [REDACTED:email_1]",
            assertions=(Assertion(kind="contains", value="[REDACTED:email_1]"),),
        )
    )
    assert changed.example_input == "person1@example wrote to person2@example from 192.0.2.1"
    assert (changed.example_output, changed.expected_output) == ("Dear person2@example", "Dear person1@example")
    assert changed.answer == changed.expected_output
    assert changed.assertions[0].value == "person1@example"


def test_a_row_without_placeholders_is_left_alone() -> None:
    one = row(expected_output=None, answer=None)
    assert row_with_stand_ins(one) is one


def test_what_only_looks_like_a_placeholder_stays() -> None:
    text = "[REDACTED:] [REDACTED:Email] [REDACTED:email_1234567] [redacted:email]"
    assert with_stand_ins(text) == text


def test_a_placeholder_without_a_number_is_the_first() -> None:
    assert with_stand_ins("[REDACTED:github_token] [REDACTED:github_token_2]") == (
        "EXAMPLE_GITHUB_TOKEN_1 EXAMPLE_GITHUB_TOKEN_2"
    )


@given(st.text(max_size=40), st.sampled_from(TYPES), st.integers(1, 999_999), st.text(max_size=40))
def test_what_stands_around_a_placeholder_does_not_change(before: str, kind: str, number: int, after: str) -> None:
    assert with_stand_ins(f"{before}[REDACTED:{kind}_{number}]{after}") == before + stand_in(kind, number) + after
