"""From a request body to one `CapturedUse`; behind this file nobody knows which door a use came through.

Everything here is pure: bytes and times in, one value or one `InvalidField` out. The text of a `CapturedUse`
is as the client sent it, so it has to be sanitized before it reaches anything that outlives the request.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import msgspec

from goldvein.errors import InvalidField

# Names and ids are not sanitized, so their alphabets are closed: no sentence and no line break fits in.
SKILL_ALPHABET: Final = "A-Za-z0-9._:-"
NAME_ALPHABET: Final = "A-Za-z0-9._:/-"  # mcp__tickets__lookup_ticket, my-server/tool.name
ID_ALPHABET: Final = "A-Za-z0-9._:/=+-"  # toolu_01Ab, UUIDs, base64, claude-code:<session>:<tool use>
MODEL_ALPHABET: Final = "A-Za-z0-9._:/@+[]-"  # anthropic/claude-sonnet-4-5@20250929, claude-opus-4-6[1m]
PERSON_ALPHABET: Final = "A-Za-z0-9._:/=@+-"  # an id or a mail address; it is compared and never stored

MAX_NAME_CHARS: Final = 200
MAX_MODEL_CHARS: Final = 100
MAX_SNIPPET_BYTES: Final = 64 * 1024
MAX_COUNT: Final = 2**53  # the last integer that every JSON client can count up to
MAX_CLOCK_AHEAD: Final = timedelta(hours=24)
MAX_EVENT_BYTES: Final = 256 * 1024
MAX_BATCH_EVENTS: Final = 1_000

NUL_SIGN: Final = "\u2400"  # ␀; PostgreSQL has no NUL in text, and a silent removal could join two words


def closed_pattern(alphabet: str, max_chars: int, *, min_chars: int = 1) -> str:
    """Return the expression for a text of these characters only, with no line break at its end either."""
    escaped = alphabet.replace("[", r"\[").replace("]", r"\]")
    return rf"\A[{escaped}]{{{min_chars},{max_chars}}}\Z"


def closed_rule(alphabet: str, max_chars: int, *, min_chars: int = 1) -> str:
    """Say the same to a person."""
    return f"{min_chars}..{max_chars} characters of {alphabet}"


SKILL_PATTERN: Final = closed_pattern(SKILL_ALPHABET, MAX_NAME_CHARS)
SKILL_RULE: Final = closed_rule(SKILL_ALPHABET, MAX_NAME_CHARS)
NAME_RULE: Final = closed_rule(NAME_ALPHABET, MAX_NAME_CHARS)
ID_RULE: Final = closed_rule(ID_ALPHABET, MAX_NAME_CHARS)
COUNT_RULE: Final = "a JSON integer 0..2^53"
SNIPPET_RULE: Final = f"text of at most {MAX_SNIPPET_BYTES} bytes of UTF-8"

SkillName = Annotated[str, msgspec.Meta(pattern=SKILL_PATTERN)]
Name = Annotated[str, msgspec.Meta(pattern=closed_pattern(NAME_ALPHABET, MAX_NAME_CHARS))]
Id = Annotated[str, msgspec.Meta(pattern=closed_pattern(ID_ALPHABET, MAX_NAME_CHARS))]
Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_COUNT)]

_ModelName = Annotated[str, msgspec.Meta(pattern=closed_pattern(MODEL_ALPHABET, MAX_MODEL_CHARS, min_chars=0))]
_Person = Annotated[str, msgspec.Meta(pattern=closed_pattern(PERSON_ALPHABET, MAX_NAME_CHARS))]
_Digest = Annotated[str, msgspec.Meta(pattern=r"\A(?:sha256:)?[0-9A-Fa-f]{64}\Z")]
_Timestamp = Annotated[
    str,
    msgspec.Meta(
        pattern=r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?"
        r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})\Z"
    ),
]

TRACK_RULES: Final[Mapping[str, str]] = {
    "skill_id": f"required; {SKILL_RULE}",
    "tool_name": f"required; {NAME_RULE}",
    "ts": "required; an existing RFC 3339 date and time with Z or an offset",
    "event_id": ID_RULE,
    "hook_event": NAME_RULE,
    "session_id": ID_RULE,
    "skill_digest": "64 hexadecimal digits, with or without sha256: before them",
    "user_id": closed_rule(PERSON_ALPHABET, MAX_NAME_CHARS),
    "tool_input_snippet": SNIPPET_RULE,
    "tool_output_snippet": SNIPPET_RULE,
    "model_name": closed_rule(MODEL_ALPHABET, MAX_MODEL_CHARS, min_chars=0),
    "input_tokens": COUNT_RULE,
    "output_tokens": COUNT_RULE,
    "latency_ms": COUNT_RULE,
}


class CapturedUse(msgspec.Struct, frozen=True, kw_only=True):
    """One reported use of a skill, checked, its two snippets still raw.

    A snippet is None when the client sent none, and "" when it sent an empty one.
    """

    skill: str | None
    """Id or slug as the client named it; None: the client did not say."""
    tool_name: str
    occurred_at: datetime
    event_id: str | None = None
    hook_event: str | None = None
    session_id: str | None = None
    skill_digest: str | None = None
    user_id: str | None = None
    """The person the payload names; another one than the key's owner is never captured."""
    tool_input_snippet: str | None = None
    tool_output_snippet: str | None = None
    model_name: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    latency_ms: int | None = None
    replaced_nuls: int = 0
    dropped_oversize: bool = False
    """A snippet was over the limit, so both are gone: a cut text could hide the half of a secret."""

    def __repr__(self) -> str:
        """Leave everything out that came from outside: a repr ends up in tracebacks and logs."""
        return "CapturedUse(...)"


class _Track(msgspec.Struct):
    """The body of POST /api/track. What is required may be null here, so that one rule refuses both."""

    skill_id: SkillName | None = None
    tool_name: Name | None = None
    ts: _Timestamp | None = None
    event_id: Id | None = None
    hook_event: Name | None = None
    session_id: Id | None = None
    skill_digest: _Digest | None = None
    user_id: _Person | None = None
    tool_input_snippet: str | None = None
    tool_output_snippet: str | None = None
    model_name: _ModelName | None = None
    input_tokens: Count | None = None
    output_tokens: Count | None = None
    latency_ms: Count | None = None


if TYPE_CHECKING:
    _Events = msgspec.Struct
else:
    # A list of at most so many, as a struct: its decoder stops at the first one more, while a list would first be made
    # in full (8 MiB of `0,` are 4 million objects and 290 MB).
    _Events = msgspec.defstruct(
        "_Events",
        [(f"event_{number}", msgspec.Raw, msgspec.Raw()) for number in range(MAX_BATCH_EVENTS)],
        array_like=True,
        forbid_unknown_fields=True,
    )


class _Batch(msgspec.Struct):
    """The body of POST /api/track/batch; its events are read one by one, so that a bad one fails alone."""

    events: _Events | None = None


_TRACK_DECODER: Final = msgspec.json.Decoder(_Track)
_BATCH_DECODER: Final = msgspec.json.Decoder(_Batch)
BATCH_RULES: Final[Mapping[str, str]] = {"events": f"required; a list of 1 to {MAX_BATCH_EVENTS} events"}
_TOO_MANY_IN_MESSAGE: Final = "Expected `array` of at most length"  # names no place
_PLACE_IN_MESSAGE: Final = re.compile(r"- at `\$\.([a-z_]+)")

Decoded = TypeVar("Decoded")


def read_track(body: bytes, *, received_at: datetime, oldest: datetime) -> CapturedUse:
    """Read one event of POST /api/track (or one element of a batch).

    `oldest` is the start of event retention; `received_at` and `oldest` are aware. Unknown fields are
    ignored. Of a key that comes twice the last value counts, since the decoder cannot see the first; a client
    that must rule out a key added on the way signs its requests, as a signature covers the raw bytes.

    Raises `InvalidField` with the first wrong field and its limit, never with the value.
    """
    sent = decode_object(body, _TRACK_DECODER, TRACK_RULES)
    skill = required(sent.skill_id, "skill_id", TRACK_RULES)
    tool_name = required(sent.tool_name, "tool_name", TRACK_RULES)
    ts = required(sent.ts, "ts", TRACK_RULES)
    for name in ("tool_input_snippet", "tool_output_snippet"):
        if is_oversize(getattr(sent, name)):
            raise InvalidField(field=name, reason=SNIPPET_RULE)
    input_snippet, input_nuls = with_visible_nuls(sent.tool_input_snippet)
    output_snippet, output_nuls = with_visible_nuls(sent.tool_output_snippet)
    return CapturedUse(
        skill=skill,
        tool_name=tool_name,
        occurred_at=_read_timestamp(ts, received_at=received_at, oldest=oldest),
        event_id=sent.event_id,
        hook_event=sent.hook_event,
        session_id=sent.session_id,
        skill_digest=_normal_digest(sent.skill_digest),
        user_id=sent.user_id,
        tool_input_snippet=input_snippet,
        tool_output_snippet=output_snippet,
        model_name=sent.model_name or None,
        input_tokens=sent.input_tokens,
        output_tokens=sent.output_tokens,
        latency_ms=sent.latency_ms,
        replaced_nuls=input_nuls + output_nuls,
    )


def read_batch(body: bytes, received_at: datetime, oldest: datetime) -> list[CapturedUse | InvalidField]:
    """Read the events of POST /api/track/batch: for each, in order, the use or what is wrong with it.

    Raises `InvalidField` when the body as a whole cannot be read, or holds none or too many.
    """
    sent = required(decode_object(body, _BATCH_DECODER, BATCH_RULES).events, "events", BATCH_RULES)
    events = [event for place in msgspec.structs.astuple(sent) if (event := bytes(place))]
    if not events:
        raise InvalidField(field="events", reason=BATCH_RULES["events"])
    return [_read_one(event, received_at, oldest) for event in events]


def _read_one(event: bytes, received_at: datetime, oldest: datetime) -> CapturedUse | InvalidField:
    if len(event) > MAX_EVENT_BYTES:
        return InvalidField(field="body", reason=f"an event of at most {MAX_EVENT_BYTES} bytes")
    try:
        return read_track(event, received_at=received_at, oldest=oldest)
    except InvalidField as error:
        return error.with_traceback(None)  # its frames hold the raw text


def decode_object(body: bytes, decoder: msgspec.json.Decoder[Decoded], rules: Mapping[str, str]) -> Decoded:
    """Decode a JSON object into the decoder's struct; `rules` says for each field what is allowed.

    Raises `InvalidField`, and does so outside of the handlers: a decoder's error that hangs on it as its
    context would carry the body along.
    """
    try:
        body.decode()  # the decoder does not look into the strings it skips
        return decoder.decode(body)
    except RecursionError:
        failure = InvalidField(field="body", reason="nested too deeply")
    except msgspec.ValidationError as error:
        failure = _refused_by_type(str(error), rules)
    except ValueError:
        failure = _refused_as_text(body, rules)
    raise failure


def is_skill_name(text: str) -> bool:
    """Whether a text has the form of a skill's id or slug."""
    return re.fullmatch(SKILL_PATTERN, text) is not None


def required(value: Decoded | None, name: str, rules: Mapping[str, str]) -> Decoded:
    """Return the value; raises `InvalidField` where the client sent none."""
    if value is None:
        raise InvalidField(field=name, reason=rules[name])
    return value


def is_oversize(snippet: str | None) -> bool:
    """Tell whether a snippet is over the limit, which counts bytes of UTF-8."""
    return snippet is not None and len(snippet.encode()) > MAX_SNIPPET_BYTES


def with_visible_nuls(snippet: str | None) -> tuple[str | None, int]:
    """Return the snippet with a sign in place of each NUL, and how many there were."""
    if snippet is None:
        return None, 0
    return snippet.replace("\0", NUL_SIGN), snippet.count("\0")


def _refused_by_type(message: str, rules: Mapping[str, str]) -> InvalidField:
    """Name the field that the decoder points at; its message itself speaks of Python types and patterns."""
    if message.startswith(_TOO_MANY_IN_MESSAGE):
        return InvalidField(field="events", reason=BATCH_RULES["events"])
    place = _PLACE_IN_MESSAGE.search(message)
    if place is None:
        return InvalidField(field="body", reason="a JSON object")
    return InvalidField(field=place[1], reason=rules[place[1]])


def _refused_as_text(body: bytes, rules: Mapping[str, str]) -> InvalidField:
    """Name the field whose text is not Unicode (bad UTF-8, half a surrogate pair), or else the body.

    The decoder gives no field here, so the body is read once more by a reader that lets such text pass; not a large
    one, which would become many times larger in memory.
    """
    if len(body) > MAX_EVENT_BYTES:
        return InvalidField(field="body", reason="a JSON object in UTF-8")
    try:
        members = json.loads(body.decode(errors="surrogateescape"))
        broken = [name for name in rules if name in members and not _is_unicode(members[name])]
    except (ValueError, TypeError, RecursionError):
        broken = []
    if broken:
        return InvalidField(field=broken[0], reason="not valid Unicode text")
    return InvalidField(field="body", reason="a JSON object in UTF-8")


def _is_unicode(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _read_timestamp(ts: str, *, received_at: datetime, oldest: datetime) -> datetime:
    """Turn a well-formed timestamp into UTC; raises `InvalidField` for a day that is none or is out of reach.

    The range is checked first: year 1 with an offset has no UTC.
    """
    try:
        occurred_at = datetime.fromisoformat(ts.upper())
    except ValueError:
        occurred_at = None
    if occurred_at is None:
        raise InvalidField(field="ts", reason=TRACK_RULES["ts"])
    if occurred_at < oldest:
        raise InvalidField(field="ts", reason=f"before {oldest:%Y-%m-%d}, where the retention of events begins")
    if occurred_at - received_at > MAX_CLOCK_AHEAD:
        raise InvalidField(field="ts", reason="more than 24 hours in the future")
    return occurred_at.astimezone(UTC)


def _normal_digest(digest: str | None) -> str | None:
    return None if digest is None else "sha256:" + digest.removeprefix("sha256:").lower()
