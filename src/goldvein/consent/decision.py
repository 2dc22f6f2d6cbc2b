"""The only place that says yes.

Capture asks `decide`; promotion and export ask `record_holds`. Both are pure: states in, answer out. The states are
folded from consent events; no event means no.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

PURPOSES: Final = ("evaluation", "training", "sharing_outside_tenant")
SIMPLE_PURPOSES: Final = ("evaluation", "training")
"""What the one-box choice stands for; sharing outside must always be named."""

DENIED: Final = (
    "tenant_switch_off",
    "no_person",
    "person_mismatch",
    "no_consent",
    "withdrawn",
    "expired",
    "skill_not_covered",
    "opted_out",
)


class Event(Protocol):
    """What the decision reads of a consent event."""

    @property
    def id(self) -> str:
        """Which event this is: the record an example stands on."""

    @property
    def action(self) -> str:
        """What was chosen."""

    @property
    def purposes(self) -> list[str]:
        """For what."""

    @property
    def skill_ids(self) -> list[str] | None:
        """For which skills; None: all."""

    @property
    def expires_at(self) -> datetime | None:
        """Until when."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """May this use be captured? A yes names the two records it stands on and when it ends by itself."""

    allowed: bool
    reason: str | None = None
    tenant_record_id: str | None = None
    person_record_id: str | None = None
    valid_until: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """What is asked about."""

    person_id: str | None
    named_person_matches: bool
    skill_id: str
    opted_out: bool
    at: datetime


def decide(*, switch: Event | None, consent: Event | None, use: Use) -> Decision:
    """Decide on one use, given the latest event of the tenant's switch and of the person.

    1. The tenant's switch must be on. 2. The use must have a person. 3. The payload must not name another one.
    4. The client must not have sent a signal that says no. 5. The person must have given consent, 6. not withdrawn
    it, 7. for evaluation or training, 8. for this skill, 9. and it must not have expired. Out at the first no;
    anything unknown is a no.
    """
    if switch is None or switch.action != "switched_on":
        return Decision(allowed=False, reason="tenant_switch_off")
    if use.person_id is None:
        return Decision(allowed=False, reason="no_person")
    if not use.named_person_matches:
        return Decision(allowed=False, reason="person_mismatch")
    if use.opted_out:
        return Decision(allowed=False, reason="opted_out")
    refusal = consent_refusal(consent, use)
    if consent is None or refusal is not None:
        return Decision(allowed=False, reason=refusal)
    return Decision(
        allowed=True,
        tenant_record_id=switch.id,
        person_record_id=consent.id,
        valid_until=consent.expires_at,
    )


def consent_refusal(consent: Event | None, use: Use) -> str | None:
    """Why the person's own consent does not cover this use; None when it does, which is not yet a yes."""
    if consent is None:
        return "no_consent"
    if consent.action == "withdrawn":
        return "withdrawn"
    if consent.action != "given" or not set(consent.purposes) & set(SIMPLE_PURPOSES):
        return "no_consent"
    if consent.expires_at is None or consent.expires_at <= use.at:
        return "expired"
    if consent.skill_ids is not None and use.skill_id not in consent.skill_ids:
        return "skill_not_covered"
    return None


def record_holds(record_id: str, events: Sequence[Event]) -> bool:
    """Whether the record an example stands on still carries it: given, and not withdrawn by a later event.

    `events` are those of the person, oldest first. Expiry and switching off stop capture, not what is stored.
    """
    positions = [index for index, event in enumerate(events) if event.id == record_id and event.action == "given"]
    return bool(positions) and all(event.action != "withdrawn" for event in events[positions[0] :])


def covers_simple_purposes(consent: Event | None, at: datetime) -> bool:
    """What `training_data_consent` reads: whether a consent for anything the simple choice asks is in force."""
    return (
        consent is not None
        and consent.action == "given"
        and consent.expires_at is not None
        and at < consent.expires_at
        and bool(set(consent.purposes) & set(SIMPLE_PURPOSES))
    )


def clean_purposes(purposes: Iterable[str]) -> list[str] | None:
    """The purposes in their fixed order; None when one is unknown or there is none."""
    given = set(purposes)
    return [purpose for purpose in PURPOSES if purpose in given] if given and given <= set(PURPOSES) else None
