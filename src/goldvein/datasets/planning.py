"""What a version would be: read in a snapshot, chosen, clustered and split, outside every write lock.

A dry run ends here. A freeze writes what was planned (`freezing.py`), and asks again about consent when it publishes.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from sqlalchemy import func, select

from goldvein.capture.tables import UsageEvent
from goldvein.consent import service as consent
from goldvein.consent.decision import standing_purposes
from goldvein.datasets import banding, choices, near_duplicates
from goldvein.datasets.choices import Terms
from goldvein.datasets.near_duplicates import Clusters, FindPairs, find_clusters
from goldvein.datasets.selection import Candidate, Filter, over_caps, reason_to_leave_out, redaction_percent
from goldvein.datasets.splits import Leakage, Member, assign_splits, scattered
from goldvein.datasets.statistics import Described
from goldvein.datasets.tables import Dataset, DatasetRow
from goldvein.db.session import TenantSession
from goldvein.errors import NotConfigured
from goldvein.feedback.tables import TrainingExample
from goldvein.settings import Settings
from goldvein.skills.tables import Skill

_ROWS_AT_ONCE: Final = 1_000
_CAPTURED: Final = "usage_capture"
_COLUMNS: Final = (
    TrainingExample.id,
    TrainingExample.skill_id,
    TrainingExample.user_id,
    TrainingExample.source,
    TrainingExample.tool_name,
    TrainingExample.skill_digest,
    TrainingExample.created_at,
    TrainingExample.quality_score,
    TrainingExample.example_input,
    TrainingExample.example_output,
    TrainingExample.expected_output,
    TrainingExample.output_verdict,
    TrainingExample.tenant_consent_id,
    TrainingExample.person_consent_id,
    TrainingExample.sanitizer_version,
    TrainingExample.findings,
    TrainingExample.reviewed_by,
    TrainingExample.reviewed_at,
    TrainingExample.usage_event_id,
    UsageEvent.session_id,
)

Progress = Callable[[str, int, int], None]
"""Told the step, how much of it is done, and how much there is."""


def no_progress(_step: str, _done: int, _whole: int) -> None:
    """For whoever shows none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedRow:
    """A row as it will be written. `cluster` is the position of the first row of its cluster."""

    candidate: Candidate
    split: str
    cluster: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """A version that could be frozen.

    `left_out` says of every other approved example why it is not in it; `not_approved` counts the rest. `borderline`
    are pairs of examples that nearly count as the same. `consent_seq` is up to where consent was looked at, `skills`
    are the ids of the skills by slug, and `kept_before` the examples of the version before.
    """

    rows: list[PlannedRow]
    left_out: dict[str, str]
    not_approved: int
    leakage: Leakage
    borderline: list[dict[str, Any]]
    purposes: list[str]
    consent_seq: int
    skills: Mapping[str, str]
    kept_before: frozenset[str]

    @property
    def reasons(self) -> dict[str, int]:
        """How many examples are left out for each reason."""
        counted = Counter(self.left_out.values())
        if self.not_approved:
            counted["not_approved"] = self.not_approved
        return dict(sorted(counted.items()))


def make_plan(
    session: TenantSession,
    dataset: Dataset,
    terms: Terms,
    *,
    skills: Sequence[Skill],
    kept: Mapping[str, str],
    settings: Settings,
    tell: Progress = no_progress,
) -> Plan:
    """Plan a version of these skills; `kept` are the splits of the examples in the version before.

    1. Approved examples are read, and the consent of everybody in them, once. 2. Consent, purpose, target and the
    filter leave some out. 3. Duplicates among the rest are found. 4. Caps are applied to what is left. 5. Groups are
    given their splits, and what leaks is counted.
    """
    chosen = choices.read_filter(dataset.filter)
    purposes = choices.needed_purposes(dataset.purpose, terms)
    consent_seq = consent.newest_seq(session)
    candidates = _read_candidates(session, skills, kept, tell)
    left_out: dict[str, str] = {}
    remaining = _sift(candidates, left_out, lambda candidate: reason_to_leave_out(candidate, chosen, purposes))
    texts = [candidate.compared_text for candidate in remaining]
    tell("near_duplicates", 0, len(texts))
    threshold = dataset.threshold_percent / 100
    clusters = find_clusters(texts, threshold=threshold, find_pairs=_finder(len(texts), settings))
    tell("near_duplicates", len(texts), len(texts))
    representative = clusters.representative
    borderline = _shown(clusters, remaining)
    duplicates = _duplicates(clusters, remaining, chosen)
    left_out |= duplicates
    left_out |= over_caps([one for one in remaining if one.example_id not in left_out], chosen, seed=dataset.seed)
    places = [place for place, one in enumerate(remaining) if one.example_id not in left_out]
    members = [_member(remaining[place], representative[place]) for place in places]
    splits = assign_splits(members, shares=dataset.shares, seed=dataset.seed)
    first_position: dict[int, int] = {}
    rows = [
        PlannedRow(
            candidate=remaining[place],
            split=split,
            cluster=first_position.setdefault(representative[place], position),
        )
        for position, (place, split) in enumerate(zip(places, splits, strict=True))
    ]
    return Plan(
        rows=rows,
        left_out=left_out,
        not_approved=_count_not_approved(session, skills),
        leakage=leakage_of(members, splits, lambda some: [texts[places[place]] for place in some], threshold),
        borderline=borderline,
        purposes=purposes,
        consent_seq=consent_seq,
        skills={skill.slug: skill.id for skill in skills},
        kept_before=frozenset(kept),
    )


def _read_candidates(
    session: TenantSession, skills: Sequence[Skill], kept: Mapping[str, str], tell: Progress
) -> list[Candidate]:
    here = TrainingExample.skill_id.in_([skill.id for skill in skills]), TrainingExample.status == "approved"
    whole = session.scalar(select(func.count()).select_from(TrainingExample).where(*here)) or 0
    rows = select(*_COLUMNS).outerjoin(UsageEvent, UsageEvent.id == TrainingExample.usage_event_id).where(*here)
    rows = rows.order_by(TrainingExample.created_at, TrainingExample.id).execution_options(yield_per=_ROWS_AT_ONCE)
    found: list[Candidate] = []
    people: list[str] = []
    for row in session.execute(rows):
        found.append(_candidate(row, kept))
        people.append(row.user_id)
        if len(found) % _ROWS_AT_ONCE == 0:
            tell("reading", len(found), whole)
    tell("reading", whole, whole)
    histories = consent.consent_histories(session, {one.person_id for one in found if one.person_id is not None})
    standing: dict[tuple[str | None, str | None, str], frozenset[str]] = {}
    return [_with_purposes(one, histories, standing) for one in found]


def _candidate(row: Any, kept: Mapping[str, str]) -> Candidate:
    captured = row.source == _CAPTURED
    return Candidate(
        example_id=row.id,
        skill_id=row.skill_id,
        source=row.source,
        tool_name=row.tool_name,
        person_id=row.user_id if captured else None,
        session_id=row.session_id if captured else None,
        skill_digest=row.skill_digest,
        created_at=row.created_at,
        quality_score=row.quality_score,
        example_input=row.example_input or "",
        example_output=row.example_output or "",
        expected_output=row.expected_output,
        output_verdict=row.output_verdict,
        purposes=frozenset() if captured else None,
        tenant_consent_id=row.tenant_consent_id if captured else None,
        person_consent_id=row.person_consent_id if captured else None,
        sanitizer_version=row.sanitizer_version,
        findings=row.findings,
        reviewed_by=row.reviewed_by,
        reviewed_at=row.reviewed_at,
        usage_event_id=row.usage_event_id,
        kept_split=kept.get(row.id),
    )


def _with_purposes(
    candidate: Candidate,
    histories: Mapping[str, Sequence[Any]],
    standing: dict[tuple[str | None, str | None, str], frozenset[str]],
) -> Candidate:
    """Asked once for a record and a skill, however many examples stand on it."""
    if candidate.person_id is None:
        return candidate
    key = candidate.person_id, candidate.person_consent_id, candidate.skill_id
    if key not in standing:
        record_id = candidate.person_consent_id or ""
        standing[key] = standing_purposes(record_id, histories[candidate.person_id], candidate.skill_id)
    return replace(candidate, purposes=standing[key])


def _sift(
    candidates: Iterable[Candidate], left_out: dict[str, str], reason_of: Callable[[Candidate], str | None]
) -> list[Candidate]:
    remaining = []
    for candidate in candidates:
        reason = reason_of(candidate)
        if reason is None:
            remaining.append(candidate)
        else:
            left_out[candidate.example_id] = reason
    return remaining


def _finder(count: int, settings: Settings) -> FindPairs:
    if count <= near_duplicates.MAX_PLAIN_TEXTS:
        return near_duplicates.find_pairs
    if not banding.is_installed():
        most = near_duplicates.MAX_PLAIN_TEXTS
        raise NotConfigured(
            what=f"Near-duplicates among more than {most:,} examples need the extra: pip install 'goldvein[curation]'"
        )
    return partial(banding.find_pairs, runner=settings.curation_runner)


def _duplicates(clusters: Clusters, candidates: Sequence[Candidate], chosen: Filter) -> dict[str, str]:
    """The rows that go because another one of the same or nearly the same text stays: the first by age.

    One that has been in a version stays before one that has not, so that versions do not change without need.
    """
    if chosen.duplicates == "keep":
        return {}
    near = chosen.duplicates == "near"
    stays: dict[int, int] = {}
    keys = clusters.representative if near else clusters.same_as
    for place in sorted(range(len(keys)), key=lambda place: (candidates[place].kept_split is None, place)):
        stays.setdefault(keys[place], place)
    same_as_kept = {clusters.same_as[place] for place in stays.values()}
    return {
        candidates[place].example_id: "duplicate" if clusters.same_as[place] in same_as_kept else "near_duplicate"
        for place, key in enumerate(keys)
        if stays[key] != place
    }


def _shown(clusters: Clusters, candidates: Sequence[Candidate]) -> list[dict[str, Any]]:
    return [
        {
            "examples": [candidates[pair.first].example_id, candidates[pair.second].example_id],
            "similarity_percent": int(100 * pair.similarity),
        }
        for pair in clusters.borderline
    ]


def _member(candidate: Candidate, cluster: int) -> Member:
    return Member(
        example_id=candidate.example_id,
        cluster=cluster,
        person=candidate.person_id,
        session=candidate.session_id,
        kept_split=candidate.kept_split,
    )


def leakage_of(
    members: Sequence[Member], splits: Sequence[str], texts_of: Callable[[Sequence[int]], list[str]], threshold: float
) -> Leakage:
    """What is in two splits at once. Only texts of clusters that are in two splits are compared: all pairs of them."""
    leaking = set(scattered([one.cluster for one in members], splits))
    places = [place for place, one in enumerate(members) if one.cluster in leaking]
    texts = texts_of(places) if places else []
    same = near_duplicates.find_pairs(texts, threshold, lambda one, other: splits[places[one]] == splits[places[other]])
    return Leakage(
        pairs=sum(1 for _ in same) + _wordless_pairs(texts, [splits[place] for place in places]),
        persons=len(scattered([one.person for one in members], splits)),
        sessions=len(scattered([one.session for one in members], splits)),
    )


def _wordless_pairs(texts: Sequence[str], splits: Sequence[str]) -> int:
    """Texts without words have no shingles: only the very same ones count."""
    held: dict[str, Counter[str]] = {}
    for text, split in zip(texts, splits, strict=True):
        if not near_duplicates.words(text):
            held.setdefault(near_duplicates.normalised(text), Counter())[split] += 1
    return sum((some.total() ** 2 - sum(count**2 for count in some.values())) // 2 for some in held.values())


def _count_not_approved(session: TenantSession, skills: Sequence[Skill]) -> int:
    here = TrainingExample.skill_id.in_([skill.id for skill in skills]), TrainingExample.status != "approved"
    return session.scalar(select(func.count()).select_from(TrainingExample).where(*here)) or 0


def described(rows: Iterable[DatasetRow]) -> Iterator[Described]:
    """Written rows as the statistics read them."""
    for row in rows:
        yield Described(
            split=row.split,
            cluster=row.cluster,
            source=row.source,
            skill=row.skill,
            skill_version=row.skill_version,
            tool_name=row.tool_name,
            person=row.person_id,
            quality_score=row.quality_score,
            has_answer=row.answer_from is not None,
            input_chars=row.input_chars,
            answer_chars=row.answer_chars,
            redaction_percent=row.redacted_percent,
        )


def redacted(candidate: Candidate) -> int:
    """The share of placeholders in a row, in whole percent."""
    return round(redaction_percent(candidate.compared_text))
