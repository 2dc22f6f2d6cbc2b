import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldvein.sanitizer import SanitizerFailed, sanitize_json

RANDOM = "a8F3kd92" + "LLsk2093" + "kdkfQ7"


def shape(value: object) -> object:
    if isinstance(value, dict):
        return [shape(held) for held in value.values()]
    return [shape(held) for held in value] if isinstance(value, list) else None


def test_keys_say_what_their_values_are() -> None:
    value = {"user": "bob", "db": {"password": "two words", "port": 5432}, "keys": [{"api_key": RANDOM}], "ok": True}
    cleaned, findings = sanitize_json(value)
    assert cleaned == {
        "user": "bob",
        "db": {"password": "[REDACTED:password]", "port": 5432},
        "keys": [{"api_key": "[REDACTED:secret]"}],
        "ok": True,
    }
    assert [finding.rule for finding in findings] == ["context_password", "context_secret"]


def test_the_same_value_has_the_same_placeholder_in_all_strings() -> None:
    cleaned, _ = sanitize_json(["a@one.example.org", {"to": "b@two.example.org", "cc": "a@one.example.org"}])
    assert cleaned == ["[REDACTED:email_1]", {"to": "[REDACTED:email_2]", "cc": "[REDACTED:email_1]"}]


def test_a_card_number_becomes_a_string() -> None:
    assert sanitize_json({"n": 4242424242424242})[0] == {"n": "[REDACTED:card]"}


def test_what_is_no_json_value_is_a_failure_without_the_value() -> None:
    with pytest.raises(SanitizerFailed) as caught:
        sanitize_json({"password": object()})
    assert caught.value.__context__ is None


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text(max_size=20)),
        lambda inner: st.one_of(
            st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(["password", "token", "a", "b"]), inner)
        ),
        max_leaves=10,
    )
)
def test_the_shape_of_a_value_stays(value: object) -> None:
    assert shape(sanitize_json(value)[0]) == shape(value)
