"""Every combination of what the decision looks at, against an oracle that was written from the words of the laws."""

import itertools
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from goldvein.consent.decision import (
    DENIED,
    Coverage,
    Decision,
    Event,
    Use,
    can_be_withdrawn,
    clean_purposes,
    covers_simple_purposes,
    decide,
    is_in_force,
    should_ask,
    standing_purposes,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)
EVALUATION, TRAINING, SHARING = "evaluation", "training", "sharing_outside_tenant"
ACTIONS = ("given", "renewed", "refused", "withdrawn", "revoked", "expired", "invalidated", "unheard_of")
MAY_LEAVE_CONSENT = {"given", "renewed", "withdrawn"}


@dataclass(frozen=True, kw_only=True)
class FakeEvent:
    id: str
    action: str
    purposes: list[str] = field(default_factory=list)
    skill_ids: list[str] | None = None
    excepted_skill_ids: list[str] | None = None
    expires_at: datetime | None = None
    notice_edition: int | None = 1


SWITCHES: list[FakeEvent | None] = [
    None,
    *(
        FakeEvent(id="switch", action=action, notice_edition=edition)
        for action, edition in itertools.product(("switched_on", "switched_off", "unheard_of"), (None, 1, 2))
    ),
]
COVERAGES: list[tuple[list[str] | None, list[str] | None]] = [
    (None, None),
    (None, ["this"]),
    (None, ["other"]),
    (None, ["other", "this"]),
    ([], None),
    (["this"], None),
    (["other"], None),
    (["other", "this"], None),
]
COVERS_THIS = [(named is None and "this" not in (but or [])) or "this" in (named or []) for named, but in COVERAGES]
CONSENTS: list[FakeEvent | None] = [
    None,
    *(
        FakeEvent(
            id="consent",
            action=action,
            purposes=purposes,
            skill_ids=coverage[0],
            excepted_skill_ids=coverage[1],
            expires_at=expires_at,
            notice_edition=edition,
        )
        for action, purposes, coverage, expires_at, edition in itertools.product(
            ACTIONS,
            ([], ["unheard_of"], [EVALUATION], [TRAINING], [SHARING], [EVALUATION, TRAINING, SHARING]),
            COVERAGES,
            (None, NOW - timedelta(seconds=1), NOW, NOW + timedelta(microseconds=1)),
            (None, 1, 2),
        )
    ),
]
USES = [
    Use(person_id=person, named_person_matches=matches, skill_id="this", opted_out=opted_out, at=NOW)
    for person, matches, opted_out in itertools.product((None, "bob"), (True, False), (True, False))
]


def true_reasons(switch: FakeEvent | None, consent: FakeEvent | None, use: Use) -> set[str]:
    """Every reason that can truthfully be given for a no; none of them: it is a yes."""
    reasons = {
        "tenant_switch_off": switch is None or switch.action != "switched_on",
        "no_person": use.person_id is None,
        "person_mismatch": not use.named_person_matches,
        "opted_out": use.opted_out,
        "no_consent": consent is None,
    }
    if consent is not None:
        simple = bool({EVALUATION, TRAINING} & set(consent.purposes))
        required = switch.notice_edition if switch is not None else None
        named = consent.skill_ids
        reasons |= {
            "no_consent": consent.action in {"refused", "unheard_of"}
            or (consent.action in MAY_LEAVE_CONSENT and not simple),
            "withdrawn": consent.action == "withdrawn" and not simple,
            "revoked": consent.action == "revoked",
            "invalidated": consent.action == "invalidated",
            "expired": consent.action == "expired" or consent.expires_at is None or consent.expires_at <= NOW,
            "notice_outdated": required is None or consent.notice_edition is None or consent.notice_edition < required,
            "skill_not_covered": (named is not None and "this" not in named)
            or (named is None and "this" in (consent.excepted_skill_ids or [])),
        }
    return {reason for reason, holds in reasons.items() if holds}


def test_the_decision_is_right_for_every_combination() -> None:
    asked = yes = 0
    for switch, consent, use in itertools.product(SWITCHES, CONSENTS, USES):
        decision = decide(switch=switch, consent=consent, use=use)
        asked += 1
        yes += decision.allowed
        reasons = true_reasons(switch, consent, use)
        assert decision.allowed == (not reasons), (switch, consent, use)
        if decision.allowed:
            assert consent is not None
            expected = Decision(
                allowed=True, tenant_record_id="switch", person_record_id="consent", valid_until=consent.expires_at
            )
            assert decision == expected
        else:
            assert decision.reason in reasons, (decision, switch, consent, use)
            assert decision.reason in DENIED
            assert (decision.tenant_record_id, decision.person_record_id, decision.valid_until) == (None, None, None)
    assert asked == 10 * (1 + 8 * 6 * 8 * 4 * 3) * 8 == 368_720
    # switched on under edition 1 or 2 (a consent to 1 or 2 reaches the first, to 2 the second); given, renewed or
    # withdrawn for a part; three lists of purposes with a simple one; four coverages; the one time that is later.
    assert yes == (2 + 1) * 3 * 3 * sum(COVERS_THIS) * 1
    assert sum(COVERS_THIS) == 4


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


YES, SOME = [EVALUATION, TRAINING], [EVALUATION]
STEPS: dict[str, tuple[str, list[str], list[str] | None, list[str] | None]] = {
    "given": ("given", YES, None, None),
    "renewed for evaluation": ("renewed", SOME, None, None),
    "given for another skill": ("given", YES, ["other"], None),
    "withdrawn": ("withdrawn", [], None, None),
    "withdrawn here": ("withdrawn", YES, None, ["this"]),
    "withdrawn elsewhere": ("withdrawn", YES, None, ["other"]),
    "withdrawn for training": ("withdrawn", SOME, None, None),
    "refused": ("refused", [], None, None),
    "expired": ("expired", [], None, None),
    "revoked": ("revoked", [], None, None),
    "invalidated": ("invalidated", [], None, None),
    "unheard of": ("unheard_of", YES, None, None),
}
TAKES_ALL = {"withdrawn", "withdrawn here", "revoked", "invalidated", "unheard of"}
TAKES_TRAINING = {"renewed for evaluation", "withdrawn for training"}


def _events(steps: tuple[str, ...]) -> list[Event]:
    return [
        FakeEvent(id=str(place), action=action, purposes=purposes, skill_ids=named, excepted_skill_ids=but)
        for place, (action, purposes, named, but) in enumerate(STEPS[step] for step in steps)
    ]


def test_a_record_holds_for_what_nobody_has_taken_back_since() -> None:
    """Every history of up to three events after a plain yes: a no is never undone by a later yes."""
    asked = 0
    for length in range(4):
        for later in itertools.product(STEPS, repeat=length):
            asked += 1
            expected = {*YES}
            if TAKES_ALL & {*later}:
                # Naming another skill in a withdrawal that stands after a consent for that skill alone takes nothing
                # from this one; everything else here does.
                expected = set() if not _only_beside(later) else expected
            if expected and TAKES_TRAINING & {*later}:
                expected -= {TRAINING}
            assert standing_purposes("0", _events(("given", *later)), "this") == expected, later
    assert asked == 1 + 12 + 12**2 + 12**3


def _only_beside(later: tuple[str, ...]) -> bool:
    """Whether "withdrawn here" always came when the consent in force was not for this skill anyway."""
    if TAKES_ALL & {*later} != {"withdrawn here"}:
        return False
    covers = True
    for step in later:
        if step == "withdrawn here" and covers:
            return False
        if step not in {"refused", "expired"}:
            covers = step not in {"given for another skill", "withdrawn here"}
    return True


def test_only_a_yes_is_a_record_and_only_for_its_skills() -> None:
    for step in STEPS:
        held = standing_purposes("0", _events((step,)), "this")
        begins = {"given", "renewed for evaluation", "withdrawn elsewhere", "withdrawn for training"}
        assert bool(held) == (step in begins), step
    assert standing_purposes("unknown", _events(("given",)), "this") == frozenset()


def test_expiry_alone_does_not_end_what_stands_on_a_record() -> None:
    old = FakeEvent(id="1", action="given", purposes=YES, expires_at=NOW - timedelta(days=400))
    assert standing_purposes("1", [old], "this") == {*YES}


@pytest.mark.parametrize(
    ("steps", "can"),
    [
        ((), False),
        (("given",), True),
        (("given", "expired"), True),
        (("given", "refused"), True),
        (("given", "withdrawn here"), True),
        (("given", "withdrawn"), False),
        (("given", "withdrawn", "refused"), False),
        (("given", "revoked"), False),
        (("given", "invalidated"), False),
        (("refused",), False),
    ],
)
def test_what_nobody_has_ended_can_be_withdrawn(steps: tuple[str, ...], can: bool) -> None:
    assert can_be_withdrawn(_events(steps)) is can


def test_the_simple_choice_reads_yes_only_for_what_it_asks() -> None:
    for consent in CONSENTS:
        expected = (
            consent is not None
            and consent.action in MAY_LEAVE_CONSENT
            and bool({EVALUATION, TRAINING} & set(consent.purposes))
            and consent.expires_at is not None
            and consent.expires_at > NOW
            and consent.skill_ids != []
        )
        assert covers_simple_purposes(consent, NOW) == expected
        for edition in (1, 2):
            reaches = consent is not None and (consent.notice_edition or 0) >= edition
            assert is_in_force(consent, NOW, edition) == (expected and reaches)


def test_whoever_reads_as_consenting_is_captured_at_some_skill_and_nobody_else() -> None:
    """The reading on the page and the decision of the writer can not differ, for any state."""
    on = FakeEvent(id="switch", action="switched_on", notice_edition=2)
    use = Use(person_id="bob", named_person_matches=True, skill_id="this", opted_out=False, at=NOW)
    for consent in CONSENTS:
        captured = [decide(switch=on, consent=consent, use=replace(use, skill_id=s)).allowed for s in "abc"] + [
            decide(switch=on, consent=consent, use=replace(use, skill_id=s)).allowed for s in ("this", "other")
        ]
        assert any(captured) == is_in_force(consent, NOW, 2), consent


LATER = NOW + timedelta(days=1)


@pytest.mark.parametrize(
    ("consent", "asks"),
    [
        (None, True),
        (FakeEvent(id="1", action="given", purposes=YES, expires_at=LATER), False),
        (FakeEvent(id="1", action="given", purposes=YES, expires_at=NOW), True),
        (FakeEvent(id="1", action="given", purposes=YES, expires_at=LATER, notice_edition=0), True),
        (FakeEvent(id="1", action="withdrawn", purposes=YES, expires_at=LATER, excepted_skill_ids=["this"]), False),
        (FakeEvent(id="1", action="withdrawn", purposes=YES, expires_at=NOW, excepted_skill_ids=["this"]), False),
        (FakeEvent(id="1", action="expired"), True),
        *((FakeEvent(id="1", action=no), False) for no in ("refused", "withdrawn", "revoked", "invalidated")),
        *((FakeEvent(id="1", action=no, notice_edition=0), True) for no in ("refused", "withdrawn")),
        (FakeEvent(id="1", action="refused", notice_edition=2), False),
    ],
)
def test_a_person_is_asked_once_and_a_no_silences_it_until_a_wider_notice(
    consent: FakeEvent | None, asks: bool
) -> None:
    question = {"consent": consent, "skill_id": "this", "at": NOW, "edition": 1}
    assert should_ask(**question, was_asked=False) is asks  # type: ignore[arg-type]  # the fields above
    assert should_ask(**question, was_asked=True) is False  # type: ignore[arg-type]


def test_taking_back_and_allowing_again_end_where_they_began() -> None:
    for before in (Coverage(), Coverage(skill_ids=frozenset({"this", "other"}))):
        after = before.without(["this"])
        assert (after.holds("this"), after.holds("other")) == (False, True)
        assert after.joined(["this"]) == before


def test_purposes_are_known_ones_in_their_order() -> None:
    assert clean_purposes([SHARING, EVALUATION, SHARING]) == [EVALUATION, SHARING]
    assert clean_purposes([]) is None
    assert clean_purposes([EVALUATION, "marketing"]) is None
