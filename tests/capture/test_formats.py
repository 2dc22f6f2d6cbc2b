import json
import traceback
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from goldvein.capture.formats import (
    MAX_COUNT,
    MAX_SNIPPET_BYTES,
    TRACK_RULES,
    CapturedUse,
    _Track,
    read_track,
)
from goldvein.errors import InvalidField

RECEIVED_AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
OLDEST = RECEIVED_AT - timedelta(days=90)
LEAST = {"skill_id": "release-notes", "tool_name": "Bash", "ts": "2026-03-01T11:59:58Z"}
CANARY = "xq7vCanaryw2k"


def body(**changes: object) -> bytes:
    return json.dumps({name: value for name, value in (LEAST | changes).items() if value is not ...}).encode()


def spliced(field: str, raw_value: bytes) -> bytes:
    """Give a field a value that no encoder would write."""
    return body(**{field: "@@"}).replace(b'"@@"', raw_value)


def read(raw: bytes) -> CapturedUse:
    return read_track(raw, received_at=RECEIVED_AT, oldest=OLDEST)


def refusal(raw: bytes) -> InvalidField:
    with pytest.raises(InvalidField) as caught:
        read(raw)
    return caught.value


def test_it_reads_the_least_a_client_may_send() -> None:
    use = read(body())
    expected = CapturedUse(
        skill="release-notes",
        tool_name="Bash",
        occurred_at=datetime(2026, 3, 1, 11, 59, 58, tzinfo=UTC),
    )
    assert msgspec.structs.asdict(use) == msgspec.structs.asdict(expected)


def test_it_reads_every_field() -> None:
    sent = {
        "skill_id": "0195a1f0-7c1e-7000-8000-0123456789ab",
        "tool_name": "mcp__tickets__lookup_ticket",
        "ts": "2026-03-01T12:59:58.25+01:00",
        "event_id": "toolu_01Ab",
        "hook_event": "PostToolUse",
        "session_id": "f0b6a111-2a50-4f0f-9dff-ff933b66fecd",
        "skill_digest": "sha256:" + "0a" * 32,
        "user_id": "bob@acme.example",
        "tool_input_snippet": "Zoë asks 日本 🙂",
        "tool_output_snippet": "answer\n",
        "model_name": "anthropic/claude-sonnet-4-5@20250929",
        "input_tokens": 0,
        "output_tokens": MAX_COUNT,
        "latency_ms": 42,
    }
    use = msgspec.structs.asdict(read(json.dumps(sent).encode()))
    assert use.pop("skill") == sent.pop("skill_id")
    assert use.pop("occurred_at") == datetime(2026, 3, 1, 11, 59, 58, 250_000, tzinfo=UTC)
    del sent["ts"]
    assert use == sent | {"replaced_nuls": 0, "dropped_oversize": False}


def test_the_time_is_in_utc_whatever_the_offset() -> None:
    assert read(body(ts="2026-03-01T06:00:00-05:30")).occurred_at.tzinfo is UTC


def test_unknown_fields_are_ignored() -> None:
    use = read(body(colour="red", nested={"skill_id": 1}, big=10**100))
    assert use.skill == "release-notes"


def test_null_is_the_same_as_absent() -> None:
    optional = [name for name in TRACK_RULES if name not in LEAST]
    assert len(optional) == 11
    use = read(body(**dict.fromkeys(optional)))
    assert msgspec.structs.asdict(use) == msgspec.structs.asdict(read(body()))


@pytest.mark.parametrize("field", list(LEAST))
@pytest.mark.parametrize("value", [None, ...])
def test_it_refuses_a_missing_required_field(field: str, value: object) -> None:
    error = refusal(body(**{field: value}))
    assert error.field == field
    assert error.reason.startswith("required; ")


@pytest.mark.parametrize("field", list(TRACK_RULES))
@pytest.mark.parametrize("value", [["a"], {"a": 1}, True, 1.0, 1.5, -1, 1e300])
def test_it_refuses_a_wrong_type_and_names_the_field(field: str, value: object) -> None:
    assert refusal(body(**{field: value})).field == field


@pytest.mark.parametrize("field", ["input_tokens", "output_tokens", "latency_ms"])
@pytest.mark.parametrize(
    "raw_value",
    [b"1.0", b"1e3", b"-1", b"-0.0", b"true", b'"7"', b"%d" % (MAX_COUNT + 1), b"9" * 30, b"9" * 5000],
)
def test_defect_20_a_count_is_an_integer_within_limits(field: str, raw_value: bytes) -> None:
    error = refusal(spliced(field, raw_value))
    assert (error.field, error.reason) == (field, "a JSON integer 0..2^53")


@pytest.mark.parametrize("raw_value", [b"NaN", b"Infinity", b"-Infinity", b"01", b"+1", b"0x1", b"1_0"])
def test_it_refuses_numbers_that_json_does_not_have(raw_value: bytes) -> None:
    assert refusal(spliced("input_tokens", raw_value)).field == "body"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("skill_id", "plugin:release-notes"),
        ("skill_id", "s" * 200),
        ("tool_name", "my-server/tool.name"),
        ("tool_name", "t" * 200),
        ("event_id", "claude-code:f0b6a111-2a50:toolu_01Ab"),
        ("event_id", "q1w2+e3/r4=="),
        ("hook_event", "PostToolUse"),
        ("model_name", "us.anthropic.claude-3:0"),
        ("model_name", "claude-opus-4-6[1m]"),
        ("model_name", "ft:gpt-4o-mini:acme::8aB"),
        ("model_name", "m" * 100),
        ("user_id", "bob+work@acme.example"),
    ],
)
def test_it_accepts_the_names_that_real_clients_send(field: str, value: str) -> None:
    use = read(body(**{field: value}))
    assert value == (use.skill if field == "skill_id" else getattr(use, field))


NAMED_FIELDS = ["skill_id", "tool_name", "event_id", "hook_event", "session_id", "user_id", "model_name"]


@pytest.mark.parametrize("field", NAMED_FIELDS)
@pytest.mark.parametrize(
    "value",
    [
        "two words",
        "line\n",
        "\n",
        "tab\t",
        "nul\0",
        "Zoë",
        "٣",
        "<b>",
        "a;b",
        "a'b",
        'a"b',
        "${x}",
        "a\\b",
        "a" * 201,
    ],
)
def test_names_have_a_closed_alphabet(field: str, value: str) -> None:
    error = refusal(body(**{field: value}))
    assert error.field == field
    assert "characters of A-Za-z0-9" in error.reason


@pytest.mark.parametrize("field", NAMED_FIELDS[:-1])
def test_a_name_is_never_empty(field: str) -> None:
    assert refusal(body(**{field: ""})).field == field


def test_an_empty_model_name_is_no_model() -> None:
    assert read(body(model_name="")).model_name is None


def test_a_model_name_ends_at_100_characters() -> None:
    assert refusal(body(model_name="m" * 101)).reason.startswith("0..100 characters")


@pytest.mark.parametrize("sent", ["AB" * 32, "ab" * 32, "sha256:" + "Ab" * 32])
def test_a_digest_is_normalised(sent: str) -> None:
    assert read(body(skill_digest=sent)).skill_digest == "sha256:" + "ab" * 32


@pytest.mark.parametrize("sent", ["", "ab" * 31, "ab" * 33, "zz" * 32, "md5:" + "ab" * 32, "sha256:", "ab" * 32 + "\n"])
def test_it_refuses_what_is_no_digest(sent: str) -> None:
    assert refusal(body(skill_digest=sent)).field == "skill_digest"


@pytest.mark.parametrize(
    "ts",
    [
        "1",
        "",
        "now",
        "Feb 30 2026",
        "2026-02-30",
        "2026-02-30T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-03-01",
        "2026-03-01T10:00:00",
        "2026-03-01 10:00:00Z",
        "2026-03-01T10:00Z",
        "2026-03-01T24:00:00Z",
        "2026-03-01T10:00:60Z",
        "2026-03-01T10:00:00+24:00",
        "2026-03-01T10:00:00+0100",
        "2026-03-01T10:00:00Z\n",
        "2026-W09-7T10:00:00Z",
        "٢٠٢٦-03-01T10:00:00Z",
        "0000-01-01T00:00:00Z",
    ],
)
def test_defect_18_impossible_dates_are_refused(ts: str) -> None:
    error = refusal(body(ts=ts))
    assert (error.field, error.reason) == ("ts", TRACK_RULES["ts"])


@pytest.mark.parametrize(
    "ts",
    [
        "2026-03-01t10:00:00z",
        "2026-03-01T10:00:00.123456789Z",
        "2026-03-01T10:00:00-00:00",
        "2026-03-01T23:59:00+14:00",
    ],
)
def test_it_accepts_the_spellings_of_rfc_3339(ts: str) -> None:
    assert read(body(ts=ts)).occurred_at.date().isoformat() == "2026-03-01"


def test_a_time_may_be_a_day_ahead_and_no_more() -> None:
    limit = RECEIVED_AT + timedelta(hours=24)
    assert read(body(ts=limit.isoformat())).occurred_at == limit
    error = refusal(body(ts=(limit + timedelta(microseconds=1)).isoformat()))
    assert (error.field, error.reason) == ("ts", "more than 24 hours in the future")


def test_a_time_before_retention_is_refused() -> None:
    assert read(body(ts=OLDEST.isoformat())).occurred_at == OLDEST
    error = refusal(body(ts=(OLDEST - timedelta(microseconds=1)).isoformat()))
    assert (error.field, error.reason) == ("ts", f"before {OLDEST:%Y-%m-%d}, where the retention of events begins")


@pytest.mark.parametrize("ts", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_time_that_has_no_utc_is_refused(ts: str) -> None:
    assert refusal(body(ts=ts)).field == "ts"


@pytest.mark.parametrize("field", ["tool_input_snippet", "tool_output_snippet"])
def test_a_snippet_is_limited_in_bytes_of_utf_8(field: str) -> None:
    assert getattr(read(body(**{field: "é" * (MAX_SNIPPET_BYTES // 2)})), field) == "é" * 32768
    error = refusal(body(**{field: "é" * (MAX_SNIPPET_BYTES // 2) + "a"}))
    assert (error.field, error.reason) == (field, "text of at most 65536 bytes of UTF-8")


def test_defect_19_a_nul_in_a_snippet_becomes_visible_and_is_counted() -> None:
    use = read(body(tool_input_snippet="a\0b\0", tool_output_snippet="\0"))
    assert (use.tool_input_snippet, use.tool_output_snippet) == ("a␀b␀", "␀")
    assert use.replaced_nuls == 3


def test_an_empty_snippet_stays_an_empty_snippet() -> None:
    use = read(body(tool_input_snippet=""))
    assert (use.tool_input_snippet, use.tool_output_snippet) == ("", None)


@pytest.mark.parametrize(
    "raw_value",
    [
        b'"\\ud800"',
        b'"\\udc00"',
        b'"\\ud800\\ud800"',
        b'"ok \\ud83dx"',
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b'"\xc0\xaf"',
    ],
)
@pytest.mark.parametrize("field", ["tool_input_snippet", "tool_name", "ts"])
def test_defect_19_text_that_is_not_unicode_is_refused_by_name(field: str, raw_value: bytes) -> None:
    error = refusal(spliced(field, raw_value))
    assert (error.field, error.reason) == (field, "not valid Unicode text")


def test_a_whole_surrogate_pair_is_text() -> None:
    assert read(spliced("tool_input_snippet", b'"\\ud83d\\ude42"')).tool_input_snippet == "🙂"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" ",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"7",
        b"not json",
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b'["ts", "\xff"]',
        b'"ts \xff"',
        b'{"ts": "\xff", "ignored": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"ignored":"\xff"}',
        b'{"ignored":"\\ud800"}',
        b'{"\xff":1}',
        body() + b"x",
        body().decode().encode("utf-16"),
        body()[:-1],
    ],
)
def test_it_refuses_what_is_no_json_object_in_utf_8(raw: bytes) -> None:
    error = refusal(raw)
    assert error.field == "body"
    assert error.reason.startswith("a JSON object")


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
@pytest.mark.parametrize("field", ["ignored", "tool_input_snippet"])
def test_100_000_levels_are_a_clean_refusal(field: str, opening: bytes, closing: bytes) -> None:
    deep = spliced(field, opening * 100_000 + b"1" + closing * 100_000)
    assert refusal(deep).field in {"body", field}
    assert refusal(opening * 100_000).field == "body"


def test_every_field_has_a_rule_to_name() -> None:
    assert tuple(TRACK_RULES) == _Track.__struct_fields__


def test_the_last_of_two_equal_keys_counts() -> None:
    assert read(body()[:-1] + b', "tool_name": "Read"}').tool_name == "Read"


@pytest.mark.parametrize(
    "raw",
    [
        *(body(**{name: f"{CANARY} \0 {CANARY}" * 4000}) for name in TRACK_RULES),
        *(spliced(name, b'"%s\xff"' % CANARY.encode()) for name in TRACK_RULES),
        *(spliced(name, b'"%s\\ud800"' % CANARY.encode()) for name in TRACK_RULES),
        *(body(**{name: [{CANARY: CANARY}]}) for name in TRACK_RULES),
        CANARY.encode(),
        b'{"%s": tru}' % CANARY.encode(),
    ],
)
def test_a_refusal_never_repeats_what_was_sent(raw: bytes) -> None:
    error = refusal(raw)
    assert CANARY not in "".join(traceback.format_exception(error))
    assert CANARY not in repr((error.message, error.details))
    # Error reporters follow these even where a traceback hides them; a decoder's error holds the whole body.
    assert error.__context__ is None
    assert error.__cause__ is None


def test_a_use_does_not_show_its_text() -> None:
    use = read(body(tool_input_snippet=CANARY, session_id=CANARY))
    assert use.tool_input_snippet == CANARY
    assert CANARY not in f"{use!r} {use!s} {[use]}"


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=6,
)


@given(st.binary())
@example(b"\x00")
def test_any_bytes_are_refused_cleanly(raw: bytes) -> None:
    refusal(raw)


@given(st.dictionaries(st.sampled_from(list(TRACK_RULES)), JSON_VALUES))
def test_any_json_is_read_or_refused_cleanly(changes: dict[str, object]) -> None:
    raw = json.dumps(LEAST | changes).encode()
    try:
        use = read(raw)
    except InvalidField as error:
        assert error.field == "body" or error.field in changes  # noqa: PT017
    else:
        text = f"{use.tool_input_snippet}{use.tool_output_snippet}"
        assert "\0" not in text
        assert text.encode()
        assert OLDEST <= use.occurred_at <= RECEIVED_AT + timedelta(hours=24)
