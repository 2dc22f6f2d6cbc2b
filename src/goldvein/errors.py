"""Every error goldvein raises on purpose.

GoldveinError
├── NotAuthenticated            who are you?
├── NotAllowed                  we know you; you may not
│   ├── MissingScope
│   ├── BadSignature
│   ├── TermsNotAccepted
│   └── CrossOrigin
├── NotFound                    it does not exist, or belongs to another tenant: the same answer
├── VersionSuperseded           it was there; another one stands in its place
├── InvalidInput                the request can never succeed as it is
│   ├── InvalidField
│   └── SkillBodyHasFindings
├── Conflict                    it could have succeeded against another state
│   ├── StaleRevision
│   ├── AlreadyExists
│   ├── EventConflict
│   ├── WrongStatus
│   ├── NoTerms
│   ├── NothingToFreeze
│   ├── SplitsLeak
│   └── AlreadyFreezing
├── TooLarge
├── TooManyRequests
├── NotSanitized                the sanitizer failed: the text was dropped
├── StoreUnavailable            the store cannot take writes now; nothing was stored
└── NotConfigured               the operator has to act

The docstring is the message. Nothing here knows about HTTP: `wire.py` maps classes to status codes.
A message never carries text that came from outside: it may end up in a log.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import ClassVar

JSONValue = dict[str, "JSONValue"] | list["JSONValue"] | str | int | float | bool | None


@dataclass(eq=False)
class GoldveinError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "error"

    @property
    def message(self) -> str:
        """One sentence a person can act on."""
        return (self.__doc__ or "").strip().format_map({f.name: getattr(self, f.name) for f in fields(self)})

    @property
    def details(self) -> dict[str, JSONValue]:
        """The facts of this error, by name; safe to show to the caller."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def __str__(self) -> str:
        return self.message


@dataclass(eq=False)
class NotAuthenticated(GoldveinError):
    """Sign in, or send a valid API key as `Authorization: Bearer gv_...`."""

    code = "not_authenticated"


@dataclass(eq=False)
class NotAllowed(GoldveinError):
    """{rule}."""

    code = "not_allowed"
    rule: str


@dataclass(eq=False)
class MissingScope(NotAllowed):
    """This key lacks the scope `{scope}`."""

    code = "missing_scope"
    rule: str = field(default="scope", init=False)
    scope: str


@dataclass(eq=False)
class BadSignature(NotAllowed):
    """The request signature does not hold: {rule}."""

    code = "bad_signature"


@dataclass(eq=False)
class TermsNotAccepted(NotAllowed):
    """Read the terms of this version and send their hash as `accept_terms`."""

    code = "terms_not_accepted"
    rule: str = field(default="terms", init=False)
    terms_hash: str
    terms: dict[str, JSONValue]


@dataclass(eq=False)
class CrossOrigin(NotAllowed):
    """A signed-in page may only be changed from its own origin."""

    code = "cross_origin"
    rule: str = field(default="same origin", init=False)


@dataclass(eq=False)
class NotFound(GoldveinError):
    """No such {what}."""

    code = "not_found"
    what: str


@dataclass(eq=False)
class InvalidInput(GoldveinError):
    """The request is not valid."""

    code = "invalid"


@dataclass(eq=False)
class InvalidField(InvalidInput):
    """{field}: {reason}."""

    code = "invalid_field"
    field: str
    reason: str


@dataclass(eq=False)
class SkillBodyHasFindings(InvalidInput):
    """The skill's text holds what looks like a secret or personal data; remove it there and try again."""

    code = "skill_body_has_findings"
    findings: list[JSONValue]


@dataclass(eq=False)
class Conflict(GoldveinError):
    """The state has changed."""

    code = "conflict"


@dataclass(eq=False)
class StaleRevision(Conflict):
    """This was changed by someone else meanwhile; look at the current state and decide again."""

    code = "stale_revision"
    current: Mapping[str, JSONValue]

    @property
    def details(self) -> dict[str, JSONValue]:
        """The state as it is now."""
        return {"current": dict(self.current)}


@dataclass(eq=False)
class AlreadyExists(Conflict):
    """There is already a {what} with this {key}."""

    code = "already_exists"
    what: str
    key: str


@dataclass(eq=False)
class EventConflict(Conflict):
    """This event_id was already used for another event; its first outcome stands."""

    code = "event_conflict"


@dataclass(eq=False)
class WrongStatus(Conflict):
    """An example that is {status} cannot take the decision {decision}; possible now: {possible}."""

    code = "wrong_status"
    status: str
    decision: str
    possible: str


@dataclass(eq=False)
class NoTerms(Conflict):
    """This dataset has no terms yet; without terms nothing freezes."""

    code = "no_terms"


@dataclass(eq=False)
class NothingToFreeze(Conflict):
    """No example would be in this version; a dry run says why each is left out."""

    code = "nothing_to_freeze"


@dataclass(eq=False)
class SplitsLeak(Conflict):
    """Splits leak: {pairs} pairs of near-duplicates, {persons} persons and {sessions} sessions are in two of them."""

    code = "splits_leak"
    pairs: int
    persons: int
    sessions: int


@dataclass(eq=False)
class AlreadyFreezing(Conflict):
    """A version of this dataset is being frozen right now."""

    code = "already_freezing"


@dataclass(eq=False)
class VersionSuperseded(GoldveinError):
    """Rows were removed from version {version}; version {superseded_by} has the same rows and splits without them."""

    code = "version_superseded"
    version: str
    superseded_by: str


@dataclass(eq=False)
class TooLarge(GoldveinError):
    """The {what} is larger than {limit_bytes} bytes."""

    code = "too_large"
    what: str
    limit_bytes: int


@dataclass(eq=False)
class TooManyRequests(GoldveinError):
    """Too many requests; try again in {retry_after_seconds} seconds."""

    code = "too_many_requests"
    retry_after_seconds: int


@dataclass(eq=False)
class StoreUnavailable(GoldveinError):
    """The store cannot take this now; nothing was stored, try again."""

    code = "store_unavailable"
    retry_after_seconds: int = 2


@dataclass(eq=False)
class NotSanitized(GoldveinError):
    """The text could not be sanitized, so it was dropped; nothing was stored."""

    code = "not_sanitized"


@dataclass(eq=False)
class NotConfigured(GoldveinError):
    """{what}."""

    code = "not_configured"
    what: str
