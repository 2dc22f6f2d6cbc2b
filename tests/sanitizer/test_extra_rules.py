"""Rules of a tenant come on top: they find more, and never make the sanitizer find less."""

import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldvein.sanitizer import (
    NO_EXTRA_RULES,
    SANITIZER_VERSION,
    BadExtraRule,
    ExtraRules,
    SanitizerFailed,
    check_rule,
    compile_rules,
    engine,
    sanitize,
    sanitize_many,
    sanitize_text,
    version_with,
)

STAFF = ("staff_number", "EMP-[0-9]{6}")


def rules(*pairs: tuple[str, str]) -> ExtraRules:
    return compile_rules(list(pairs))


def refusal(pattern: str, *, kind: str = "staff_number", example: str = "EMP-123456") -> BadExtraRule:
    with pytest.raises(BadExtraRule) as caught:
        check_rule(kind, pattern, example)
    return caught.value


def test_a_rule_finds_what_the_sanitizer_does_not_know() -> None:
    assert sanitize_text("I am EMP-123456") == "I am EMP-123456"
    found = sanitize("I am EMP-123456", rules(STAFF))
    assert found.text == "I am [REDACTED:staff_number]"
    assert [(f.type, f.start, f.end) for f in found.findings] == [("staff_number", 5, 15)]


def test_the_same_value_has_the_same_number_over_the_texts_of_an_example() -> None:
    found = sanitize_many(["EMP-111111 EMP-222222", "EMP-222222 [REDACTED:staff_number_4]"], rules(STAFF))
    assert [text.text for text in found] == [
        "[REDACTED:staff_number_5] [REDACTED:staff_number_6]",
        "[REDACTED:staff_number_6] [REDACTED:staff_number_4]",
    ]


def test_a_rule_finds_through_invisible_characters() -> None:
    assert sanitize_text("EMP-123\u200b456 left", rules(STAFF)) == "[REDACTED:staff_number] left"


def test_half_a_surrogate_pair_does_not_stop_a_rule() -> None:
    assert sanitize_text("\ud83d EMP-123456", rules(STAFF)) == "\ud83d [REDACTED:staff_number]"


def test_nothing_is_found_in_or_across_a_placeholder_that_is_there() -> None:
    text = "[REDACTED:email_1] EMP-123456 [REDACTED:email_2]"
    wide = rules(("line", "REDACTED:.{1,80}"))
    once = sanitize_text(text, wide)
    assert "[REDACTED:email_1]" in once
    assert "[REDACTED:email_2]" in once
    assert "EMP-123456" not in once
    assert sanitize_text(once, wide) == once


def test_what_the_sanitizer_takes_out_does_not_hide_the_rest_of_a_match() -> None:
    found = sanitize("owner anna@corp.io, desk 7", rules(("owner", "owner .{1,20} desk [0-9]")))
    assert found.text == "[REDACTED:owner]"


def test_what_a_rule_finds_in_the_result_alone_goes_at_once_and_not_the_second_time() -> None:
    rule = rules(("owner", "owner .{1,30} desk [0-9]"))
    once = sanitize_text("owner " + "ghp_" + "aB3dE5fG7hJ9" * 3 + " desk 7", rule)
    assert once == "[REDACTED:owner_1] [REDACTED:github_token] [REDACTED:owner_2]"
    assert sanitize_text(once, rule) == once


def test_a_rule_that_eats_the_name_does_not_save_the_value() -> None:
    assert sanitize_text("password=hunter2x9", rules(("own", "password="))) == "[REDACTED:own][REDACTED:password]"


def test_a_rule_that_swallows_a_secret_does_not_save_it_elsewhere() -> None:
    """A secret is known by its value wherever else it stands, also when a rule made more of it, of another type."""
    secret = "Xk29fjw8" + "Qm2zLp0w"
    text = f"password={secret} and then {secret}"
    assert secret not in sanitize_text(text)
    for kind in ("own", "phone"):
        assert secret not in sanitize_text(text, rules((kind, "password=[A-Za-z0-9]{1,40}")))


def test_the_version_names_the_rules_whatever_their_order() -> None:
    other = ("codename", "(?i)project marigold")
    assert version_with(NO_EXTRA_RULES) == SANITIZER_VERSION
    assert sanitize("x", NO_EXTRA_RULES).version == SANITIZER_VERSION
    assert version_with(rules(STAFF, other)) == version_with(rules(other, STAFF))
    versions = {version_with(rules(STAFF)), version_with(rules(other)), version_with(rules(STAFF, other))}
    assert len(versions) == 3
    assert all(version.startswith(f"{SANITIZER_VERSION}+") and len(version) <= 40 for version in versions)
    assert sanitize("x", rules(STAFF)).version == version_with(rules(STAFF))


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("", "1 to 500"),
        ("x" * 501, "1 to 500"),
        ("a\nb", "invisible"),
        ("a\ud800", "invisible"),
        ("(EMP", "missing )"),
        ("(?=EMP)", "perl operator"),
        (r"(E)\1", "escape sequence"),
        ("EMP-[0-9]+", "upper bound"),
        ("EMP-.*", "upper bound"),
        ("EMP-[0-9]{6,}", "upper bound"),
        (r"[^]+]+", "upper bound"),
        (r"\QEMP-\E+", "upper bound"),
        (r"[[:alpha:]*]*", "upper bound"),
        (".{0,40}", "empty"),
        (r"\b", "empty"),
        ("EMP|", "empty"),
        ("^", "empty"),
        (".", "single character"),
        ("[^E]|EMP", "single character"),
        ("[A-Z]{2}", "placeholder"),
        ("(?i)edacted", "placeholder"),
        ("staff_number", "placeholder"),
        ("_[0-9]{1,3}", "placeholder"),
        (r"\pL{1,900}", "too large"),
        ("(?:[a-z]{1,30}Q){1,33}", "steps"),
    ],
)
def test_a_bad_pattern_is_refused_with_the_reason(pattern: str, reason: str) -> None:
    bad = refusal(pattern)
    assert bad.part == "pattern"
    assert reason in bad.reason
    assert "EMP" not in bad.reason


@pytest.mark.parametrize("pattern", [r"EMP-\+{1,3}", "[*+]{2,4}EMP", r"\QEMP-**+\E", "[^]*+]EMP", "[[:digit:]+]{6}EMP"])
def test_a_sign_that_is_no_repeat_is_none(pattern: str) -> None:
    for example in ("EMP-++", "**EMP", "EMP-**+", "xEMP", "123456EMP"):
        if sanitize_text(example, rules(("x", pattern))) != example:
            check_rule("x", pattern, example)
            return
    pytest.fail("no example matches")


@pytest.mark.parametrize("kind", ["", "Staff", "staff number", "_staff", "staff_", "a" * 41, "staff\n", "stäff", "a1"])
def test_a_type_that_no_placeholder_can_carry_is_refused(kind: str) -> None:
    assert refusal("EMP-[0-9]{6}", kind=kind).part == "type"


@pytest.mark.parametrize("example", ["", "EMP-12345", "x" * 501])
def test_an_example_that_does_not_prove_the_pattern_is_refused(example: str) -> None:
    assert refusal("EMP-[0-9]{6}", example=example).part == "example"


TEXTS = st.lists(
    st.text(max_size=30)
    | st.sampled_from(
        [
            "EMP-123456",
            "anna@corp.io",
            "password=",
            "password=hunter2x9!",
            "password=Xk29fjw8" + "Qm2zLp0w",
            "Xk29fjw8" + "Qm2zLp0w",
            "hunter2x9!",
            "[REDACTED:email_2]",
            " ",
            "\n",
            '"',
            "AKIA" + "Z7" * 8,
        ]
    ),
    max_size=12,
).map("".join)
PATTERNS = st.lists(
    st.sampled_from(
        [
            "EMP-[0-9]{6}",
            "password=",
            "pass",
            "@corp",
            "[a-z]{1,9}=",
            "=.{1,5}",
            "[0-9]{2}",
            "AKIA.{1,4}",
            '"',
            "a",
            ".",
        ]
    ),
    min_size=1,
    max_size=4,
)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 10**9) | st.floats(0, 1e6) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(
    value=st.lists(JSON_VALUES, max_size=4) | st.dictionaries(TEXTS, JSON_VALUES, max_size=4),
    patterns=PATTERNS,
    indent=st.sampled_from([None, 2]),
)
def test_json_stays_json_whatever_the_rules(value: object, patterns: list[str], indent: int | None) -> None:
    extra = rules(*(("own", pattern) for pattern in patterns))
    written = json.dumps(value, indent=indent)
    once = sanitize_text(written, extra)
    json.loads(once)
    assert sanitize_text(once, extra) == once


def test_in_json_a_rule_takes_values_and_leaves_what_joins_them() -> None:
    extra = rules(("staff", "[0-9]{6}"), ("line", "code.{1,9}X[0-9]"))
    assert json.loads(sanitize_text('{"id": 4123456789, "code": "X7", "list": [1, 123456]}', extra)) == {
        "id": "[REDACTED:staff_1]",
        "[REDACTED:line_1]": "[REDACTED:line_2]",
        "list": [1, "[REDACTED:staff_2]"],
    }


def test_a_long_list_of_numbers_stays_json() -> None:
    numbers = json.dumps(list(range(100_000, 100_200)))
    found = json.loads(sanitize_text(numbers, rules(("staff", "[0-9]{6}"))))
    assert found[0] == "[REDACTED:staff_1]"
    assert found[199] == "[REDACTED:staff_200]"


def test_rules_that_take_too_long_let_no_text_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock is asked at every match, so that one rule on one text cannot pass its time by much."""
    ticks = itertools.count()
    monkeypatch.setattr(engine, "thread_time", lambda: next(ticks) / 100)
    text = "EMP-123456 " * 100
    assert sanitize_text(text).startswith("EMP-123456")
    with pytest.raises(SanitizerFailed):
        sanitize_text(text, rules(STAFF))
    assert next(ticks) < 100


def test_a_result_too_long_to_be_read_again_is_a_failure() -> None:
    with pytest.raises(SanitizerFailed):
        sanitize_text("a-" * 20_000, rules(("own_signs", "a")))


@settings(max_examples=150, deadline=None)
@given(text=TEXTS, patterns=PATTERNS)
def test_no_rule_whatever_its_pattern_makes_the_sanitizer_find_less(text: str, patterns: list[str]) -> None:
    extra = rules(*(("own", pattern) for pattern in patterns))
    covered = {place for f in sanitize(text, extra).findings for place in range(f.start, f.end)}
    for finding in sanitize(text).findings:
        assert covered >= set(range(finding.start, finding.end))


@settings(max_examples=150, deadline=None)
@given(text=TEXTS, patterns=PATTERNS)
def test_sanitizing_twice_with_the_same_rules_changes_nothing(text: str, patterns: list[str]) -> None:
    extra = rules(*(("own", pattern) for pattern in patterns))
    once = sanitize_text(text, extra)
    assert sanitize_text(once, extra) == once
