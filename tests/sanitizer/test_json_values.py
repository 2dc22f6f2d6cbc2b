import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldvein.sanitizer import SanitizerFailed, sanitize_json, sanitize_text

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


@pytest.mark.parametrize(
    ("value", "cleaned"),
    [
        ({"pin": 739201, "cvv": "482"}, {"pin": "[REDACTED:pin]", "cvv": "[REDACTED:card_security_code]"}),
        ({"phone": 491701234567}, {"phone": "[REDACTED:phone]"}),
        ({"password": 123456, "port": 123456}, {"password": "[REDACTED:password]", "port": 123456}),
        ({"passwords": ["hunter22", "zebra99x"]}, {"passwords": ["[REDACTED:password_1]", "[REDACTED:password_2]"]}),
        ({"api_keys": [RANDOM], "names": [1]}, {"api_keys": ["[REDACTED:secret]"], "names": [1]}),
        (4242424242424242, "[REDACTED:card]"),
        ("mail a@one.example.org", "mail [REDACTED:email]"),
        (True, True),
        ([], []),
    ],
)
def test_leaves_are_judged_by_their_key(value: object, cleaned: object) -> None:
    assert sanitize_json(value)[0] == cleaned


@pytest.mark.parametrize(
    "value",
    [
        {"password": ["This field is required.", "too_short"], "token": ["invalid"]},
        {"pin": 17, "gpio_pin": 4, "max_tokens": 4096, "cvv_length": 3},
        {"secret": True, "password": None, "token": {}},
    ],
)
def test_messages_and_settings_under_such_keys_stay(value: object) -> None:
    assert sanitize_json(value) == (value, ())


def test_a_key_that_is_personal_data_is_replaced_and_two_of_them_stay_two() -> None:
    cleaned, _ = sanitize_json({"a@one.example.org": 1, "b@two.example.org": 2})
    assert cleaned == {"[REDACTED:email_1]": 1, "[REDACTED:email_2]": 2}


def test_places_of_findings_are_in_the_written_value() -> None:
    _, (card,) = sanitize_json(4242424242424242)
    assert (card.start, card.end) == (0, 16)


@pytest.mark.parametrize("value", [float("nan"), [float("inf")], {1: "a", "1": "b"}, {"a": {None: 1}}])
def test_what_only_python_calls_json_is_refused(value: object) -> None:
    with pytest.raises(SanitizerFailed):
        sanitize_json(value)


def nested(depth: int) -> object:
    value: object = "mail a@one.example.org"
    for _ in range(depth):
        value = [value]
    return value


def test_depth_is_no_way_around_it() -> None:
    assert "one.example" not in str(sanitize_json(nested(400))[0])
    with pytest.raises(SanitizerFailed) as caught:
        sanitize_json(nested(100_000))
    assert caught.value.__context__ is None


def test_text_with_a_key_twice_keeps_both_values_apart() -> None:
    text = '{"a": "a@one.example.org", "a": "b@two.example.org"}'
    assert sanitize_text(text) == '{"a": "[REDACTED:email_1]", "a": "[REDACTED:email_2]"}'
