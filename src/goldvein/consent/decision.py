"""The only place that says yes.

Capture asks `decide`; promotion and export ask `standing_purposes`; pages ask `should_ask`. All are pure: states in,
answer out. The states are folded from consent events; no event means no, and so does an event nobody has heard of.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

PURPOSES: Final = ("evaluation", "training", "sharing_outside_tenant")
SIMPLE_PURPOSES: Final = ("evaluation", "training")
"""What the one-box choice stands for; sharing outside must always be named."""

YES: Final = ("given", "renewed")
"""What only the person does, and only this begins a consent. A withdrawal for a part leaves the rest in force."""

ENDED: Final = ("revoked", "invalidated", "expired")

DENIED: Final = (
    "tenant_switch_off",
    "no_person",
    "person_mismatch",
    "no_consent",
    "withdrawn",
    "revoked",
    "invalidated",
    "expired",
    "notice_outdated",
    "skill_not_covered",
    "opted_out",
)


class Event(Protocol):
    """What the decision reads of a consent event: what holds after it."""

    @property
    def id(self) -> str:
        """Which event this is: the record an example stands on."""

    @property
    def action(self) -> str:
        """What was chosen, or happened."""

    @property
    def purposes(self) -> list[str]:
        """For what; empty: for nothing."""

    @property
    def skill_ids(self) -> list[str] | None:
        """For which skills; None: all but the excepted ones."""

    @property
    def excepted_skill_ids(self) -> list[str] | None:
        """For which skills it was taken back, where it is for all others."""

    @property
    def expires_at(self) -> datetime | None:
        """Until when."""

    @property
    def notice_edition(self) -> int | None:
        """The edition of the notice it was chosen under; None: of a server that knew no editions."""


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Coverage:
    """Which skills a consent is for: the named ones, or (None) all but the excepted ones."""

    skill_ids: frozenset[str] | None = None
    excepted: frozenset[str] = frozenset()

    def holds(self, skill_id: str) -> bool:
        """Whether this skill is among them."""
        return skill_id not in self.excepted if self.skill_ids is None else skill_id in self.skill_ids

    def without(self, skill_ids: Iterable[str]) -> "Coverage":
        """The rest when these are taken back."""
        if self.skill_ids is None:
            return Coverage(excepted=self.excepted | set(skill_ids))
        return Coverage(skill_ids=self.skill_ids - set(skill_ids))

    def joined(self, skill_ids: Iterable[str]) -> "Coverage":
        """The same and these."""
        if self.skill_ids is None:
            return Coverage(excepted=self.excepted - set(skill_ids))
        return Coverage(skill_ids=self.skill_ids | set(skill_ids))


def coverage_of(event: Event) -> Coverage:
    """Which skills an event leaves the consent for."""
    named = None if event.skill_ids is None else frozenset(event.skill_ids)
    return Coverage(skill_ids=named, excepted=frozenset(event.excepted_skill_ids or ()))


def decide(*, switch: Event | None, consent: Event | None, use: Use) -> Decision:
    """Decide on one use, given the latest event of the tenant's switch and of the person.

    1. The tenant's switch must be on. 2. The use must have a person. 3. The payload must not name another one.
    4. The client must not have sent a signal that says no. 5. The person must have given consent, 6. nobody must
    have ended it, 7. for evaluation or training, 8. it must not have expired, 9. to a notice as wide as the one in
    force, 10. for this skill. Out at the first no; anything unknown is a no.
    """
    if switch is None or switch.action != "switched_on":
        return Decision(allowed=False, reason="tenant_switch_off")
    if use.person_id is None:
        return Decision(allowed=False, reason="no_person")
    if not use.named_person_matches:
        return Decision(allowed=False, reason="person_mismatch")
    if use.opted_out:
        return Decision(allowed=False, reason="opted_out")
    refusal = consent_refusal(consent, use, switch.notice_edition)
    if consent is None or refusal is not None:
        return Decision(allowed=False, reason=refusal)
    return Decision(
        allowed=True,
        tenant_record_id=switch.id,
        person_record_id=consent.id,
        valid_until=consent.expires_at,
    )


def consent_refusal(consent: Event | None, use: Use, edition: int | None) -> str | None:
    """Why the person's own consent does not cover this use; None when it does, which is not yet a yes.

    `edition` is that of the notice in force, which the event of the tenant's switch names.
    """
    if consent is None:
        return "no_consent"
    if not leaves_consent(consent) and consent.action in (*ENDED, "withdrawn"):
        return consent.action
    if not leaves_consent(consent) or not set(consent.purposes) & set(SIMPLE_PURPOSES):
        return "no_consent"
    if consent.expires_at is None or consent.expires_at <= use.at:
        return "expired"
    if not _reaches(consent, edition):
        return "notice_outdated"
    return None if coverage_of(consent).holds(use.skill_id) else "skill_not_covered"


def leaves_consent(event: Event) -> bool:
    """Whether after this event there is a consent, in force or out of date: given, or withdrawn for a part only."""
    return event.action in (*YES, "withdrawn") and bool(set(event.purposes) & set(PURPOSES))


def _reaches(consent: Event, edition: int | None) -> bool:
    return consent.notice_edition is not None and edition is not None and consent.notice_edition >= edition


def standing_purposes(record_id: str, events: Sequence[Event], skill_id: str) -> frozenset[str]:
    """For what the record an example of this skill stands on still carries it; nothing: it does not hold.

    `events` are those of the person, oldest first. A withdrawal takes away the purposes or skills it names, or all; a
    later choice takes away the purposes it leaves out; revoked and invalidated take everything. Expiry, a refusal and
    switching off stop capture, not what is stored. What was taken away once does not come back by a later yes.
    """
    place = next((index for index, event in enumerate(events) if event.id == record_id), None)
    if place is None or not leaves_consent(events[place]) or not coverage_of(events[place]).holds(skill_id):
        return frozenset()
    left = frozenset(events[place].purposes) & frozenset(PURPOSES)
    in_force = events[place]
    for event in events[place + 1 :]:
        if event.action in ("expired", "refused"):
            continue
        if not leaves_consent(event) or _takes_back(in_force, event, skill_id):
            return frozenset()
        left &= frozenset(event.purposes)
        in_force = event
    return left


def _takes_back(before: Event, event: Event, skill_id: str) -> bool:
    """Whether this is the withdrawal for this skill."""
    withdraws = event.action == "withdrawn"
    return withdraws and coverage_of(before).holds(skill_id) and not coverage_of(event).holds(skill_id)


def can_be_withdrawn(events: Sequence[Event]) -> bool:
    """Whether there is a consent that nobody has ended: in force, expired, outdated or followed by a refusal."""
    for event in reversed(events):
        if leaves_consent(event):
            return True
        if event.action not in ("expired", "refused"):
            return False
    return False


def covers_simple_purposes(consent: Event | None, at: datetime) -> bool:
    """Whether there is an unexpired consent for anything the simple choice asks, whatever notice it was given to."""
    return (
        consent is not None
        and leaves_consent(consent)
        and consent.expires_at is not None
        and at < consent.expires_at
        and consent.skill_ids != []
        and bool(set(consent.purposes) & set(SIMPLE_PURPOSES))
    )


def is_in_force(consent: Event | None, at: datetime, edition: int) -> bool:
    """What `training_data_consent` reads: unexpired, and given to a notice as wide as the one in force."""
    return consent is not None and covers_simple_purposes(consent, at) and _reaches(consent, edition)


def should_ask(*, consent: Event | None, skill_id: str, at: datetime, edition: int, was_asked: bool) -> bool:
    """Whether a person may be asked about a skill, unasked: once for a skill and notice version, never after a no.

    A no (refused, withdrawn, withdrawn for this skill, or ended by an admin) silences it until the notice is wider.
    """
    if was_asked:
        return False
    if consent is None:
        return True
    if leaves_consent(consent):
        said_no_to_skill = not coverage_of(consent).holds(skill_id) and consent.skill_ids is None
        return not _reaches(consent, edition) or not (is_in_force(consent, at, edition) or said_no_to_skill)
    return consent.action == "expired" or not _reaches(consent, edition)


def clean_purposes(purposes: Iterable[str]) -> list[str] | None:
    """The purposes in their fixed order; None when one is unknown or there is none."""
    given = set(purposes)
    return [purpose for purpose in PURPOSES if purpose in given] if given and given <= set(PURPOSES) else None
