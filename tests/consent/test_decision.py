"""Every combination of what the decision looks at, against an oracle that was written from the words of the laws."""

import itertools
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from goldvein.consent.decision import (
    DENIED,
    Decision,
    Event,
    Use,
    clean_purposes,
    covers_simple_purposes,
    decide,
    record_holds,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)
EVALUATION, TRAINING, SHARING = "evaluation", "training", "sharing_outside_tenant"


@dataclass(frozen=True, kw_only=True)
class FakeEvent:
    id: str
    action: str
    purposes: list[str] = field(default_factory=list)
    skill_ids: list[str] | None = None
    expires_at: datetime | None = None


SWITCHES: list[FakeEvent | None] = [
    None,
    *(FakeEvent(id="switch", action=action) for action in ("switched_on", "switched_off", "unheard_of")),
]
CONSENTS: list[FakeEvent | None] = [
    None,
    *(
        FakeEvent(id="consent", action=action, purposes=purposes, skill_ids=skill_ids, expires_at=expires_at)
        for action, purposes, skill_ids, expires_at in itertools.product(
            ("given", "withdrawn", "unheard_of"),
            ([], ["unheard_of"], [EVALUATION], [TRAINING], [EVALUATION, TRAINING], [EVALUATION, TRAINING, SHARING]),
            (None, [], ["this"], ["other"], ["other", "this"]),
            (None, NOW - timedelta(seconds=1), NOW, NOW + timedelta(microseconds=1)),
        )
    ),
]
USES = [
    Use(person_id=person, named_person_matches=matches, skill_id="this", opted_out=opted_out, at=NOW)
    for person, matches, opted_out in itertools.product((None, "bob"), (True, False), (True, False))
]


def may_be_captured(switch: FakeEvent | None, consent: FakeEvent | None, use: Use) -> bool:
    """The oracle: all of these must be true at once, whatever the order in which they are asked."""
    return all(
        [
            switch is not None and switch.action == "switched_on",
            use.person_id is not None,
            use.named_person_matches,
            not use.opted_out,
            consent is not None and consent.action == "given",
            consent is not None and any(p in {EVALUATION, TRAINING, SHARING} for p in consent.purposes),
            consent is not None and consent.expires_at is not None and consent.expires_at > NOW,
            consent is not None and (consent.skill_ids is None or "this" in consent.skill_ids),
        ]
    )


def true_reasons(switch: FakeEvent | None, consent: FakeEvent | None, use: Use) -> set[str]:
    """Every reason that can truthfully be given for a no."""
    held = {
        "tenant_switch_off": switch is None or switch.action != "switched_on",
        "no_person": use.person_id is None,
        "person_mismatch": not use.named_person_matches,
        "opted_out": use.opted_out,
        "withdrawn": consent is not None and consent.action == "withdrawn",
        "no_consent": consent is None or consent.action == "unheard_of" or set(consent.purposes) <= {"unheard_of"},
        "expired": consent is not None and (consent.expires_at is None or consent.expires_at <= NOW),
        "skill_not_covered": consent is not None and consent.skill_ids is not None and "this" not in consent.skill_ids,
    }
    return {reason for reason, holds in held.items() if holds}


def test_the_decision_is_right_for_every_combination() -> None:
    asked = yes = 0
    for switch, consent, use in itertools.product(SWITCHES, CONSENTS, USES):
        decision = decide(switch=switch, consent=consent, use=use)
        asked += 1
        yes += decision.allowed
        assert decision.allowed == may_be_captured(switch, consent, use), (switch, consent, use)
        if decision.allowed:
            assert consent is not None
            expected = Decision(
                allowed=True, tenant_record_id="switch", person_record_id="consent", valid_until=consent.expires_at
            )
            assert decision == expected
        else:
            assert decision.reason in true_reasons(switch, consent, use), (decision, switch, consent, use)
            assert decision.reason in DENIED
            assert (decision.tenant_record_id, decision.person_record_id, decision.valid_until) == (None, None, None)
    assert asked == 4 * 361 * 8
    assert yes == 1 * (4 * 3 * 1) * 1


def test_the_tenant_is_asked_before_the_person() -> None:
    use = Use(person_id=None, named_person_matches=False, skill_id="this", opted_out=True, at=NOW)
    assert decide(switch=None, consent=None, use=use).reason == "tenant_switch_off"
    on = FakeEvent(id="switch", action="switched_on")
    order = []
    for change in ({"person_id": "bob"}, {"named_person_matches": True}, {"opted_out": False}):
        order.append(decide(switch=on, consent=None, use=use).reason)
        use = replace(use, **change)  # type: ignore[arg-type]  # each is a field of Use
    order.append(decide(switch=on, consent=None, use=use).reason)
    assert order == ["no_person", "person_mismatch", "opted_out", "no_consent"]


HISTORIES = [events for length in range(5) for events in itertools.product(("given", "withdrawn"), repeat=length)]


@pytest.mark.parametrize("actions", HISTORIES, ids=lambda actions: "-".join(actions) or "nothing")
def test_a_record_holds_until_the_next_withdrawal(actions: tuple[str, ...]) -> None:
    events: list[Event] = [FakeEvent(id=str(place), action=action) for place, action in enumerate(actions)]
    last_no = max((place for place, action in enumerate(actions) if action == "withdrawn"), default=-1)
    for place, action in enumerate(actions):
        assert record_holds(str(place), events) == (action == "given" and place > last_no)
    assert not record_holds("unknown", events)


def test_expiry_alone_does_not_end_what_stands_on_a_record() -> None:
    assert record_holds("1", [FakeEvent(id="1", action="given", expires_at=NOW - timedelta(days=400))])


def test_the_simple_choice_reads_yes_only_for_what_it_asks() -> None:
    for consent in CONSENTS:
        expected = (
            consent is not None
            and consent.action == "given"
            and bool({EVALUATION, TRAINING} & set(consent.purposes))
            and consent.expires_at is not None
            and consent.expires_at > NOW
        )
        assert covers_simple_purposes(consent, NOW) == expected


def test_purposes_are_known_ones_in_their_order() -> None:
    assert clean_purposes([SHARING, EVALUATION, SHARING]) == [EVALUATION, SHARING]
    assert clean_purposes([]) is None
    assert clean_purposes([EVALUATION, "marketing"]) is None
