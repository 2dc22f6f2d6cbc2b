"""Many golden examples at once, by the skill's author; each has its own outcome, and the same ones twice add nothing.

The texts are sanitized outside of any transaction, and stored in a short one if the rules that read them still hold.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import select

from goldvein.db.session import Database, TenantSession
from goldvein.errors import GoldveinError, InvalidField, NotSanitized
from goldvein.examples import service
from goldvein.examples.importing.records import MAX_ITEMS, MAX_TEXT_BYTES
from goldvein.examples.prepared import sanitize_then_store
from goldvein.examples.tables import ImportedExample
from goldvein.identity.actor import Actor
from goldvein.identity.server_key import ServerKey
from goldvein.sanitizer import ExtraRules, Sanitized, SanitizerFailed, TextTooLong, sanitize_many
from goldvein.skills import service as skills
from goldvein.skills.tables import Skill

REJECTED: Final = ("invalid", "not_sanitized")
_REQUIRED: Final = ("example_input", "example_output")
_TEXTS: Final = (*_REQUIRED, "expected_output")
_RULE: Final = "Only the skill author can add training examples"


@dataclass(frozen=True, kw_only=True, slots=True)
class Imported:
    """What became of one item."""

    outcome: Literal["stored", "duplicate", "rejected"]
    example_id: str | None = None
    reason: str | None = None
    error: GoldveinError | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ready:
    """An item whose texts are sanitized, and by what it is known."""

    texts: dict[str, Sanitized]
    quality_score: int | None
    content_hash: bytes = field(repr=False)


def import_golden(
    database: Database,
    server_key: ServerKey,
    actor: Actor,
    skill_id: str,
    items: Sequence[dict[str, Any]],
    *,
    now: datetime,
) -> list[Imported]:
    """Add golden examples to a skill, as its author; what became of each, in order.

    1. Whether the actor may is asked first. 2. Every item is checked and sanitized without a transaction. 3. In one,
    asked again, with the tenant's rules held still: what is not yet known is stored, approved like every golden
    example. If the rules have changed since step 2, the texts are sanitized again.
    """
    if not 1 <= len(items) <= MAX_ITEMS:
        raise InvalidField(field="items", reason=f"1 to {MAX_ITEMS} examples")
    with database.read(actor.tenant_id) as session:
        skill = skills.find_skill(session, skill_id)
        skills.need_author(session, actor, skill, _RULE)
    return sanitize_then_store(
        database,
        actor.tenant_id,
        prepare=lambda rules: [_prepare(item, rules, server_key, skill.id) for item in items],
        store=lambda session, ready: _store(session, actor, skill.id, ready, now),
    )


def _prepare(item: dict[str, Any], rules: ExtraRules, server_key: ServerKey, skill_id: str) -> _Ready | Imported:
    try:
        texts, quality_score = _read(item)
        sanitized = dict(zip(texts, sanitize_many(list(texts.values()), rules), strict=True))
    except InvalidField as error:
        return Imported(outcome="rejected", reason="invalid", error=error)
    except (SanitizerFailed, TextTooLong):
        return Imported(outcome="rejected", reason="not_sanitized", error=NotSanitized())
    named = (part for name, found in sanitized.items() for part in (name, found.text))
    content_hash = server_key.stable_digest("imported example", skill_id, *named)
    return _Ready(texts=sanitized, quality_score=quality_score, content_hash=content_hash)


def _read(item: dict[str, Any]) -> tuple[dict[str, str], int | None]:
    """The texts of an item and its score. Raises InvalidField with the field and its limit."""
    if not item.keys() <= {*_TEXTS, "quality_score"}:  # a name from outside: not repeated
        raise InvalidField(field="items", reason=f"fields are {', '.join(_TEXTS)} and quality_score, no other")
    texts = {name: _clean(name, item.get(name)) for name in _TEXTS if name in _REQUIRED or item.get(name)}
    score = item.get("quality_score")
    if isinstance(score, bool) or not isinstance(score, int | None):
        raise InvalidField(field="quality_score", reason="a whole number, or empty")
    return texts, service.clean_quality(score)


def _clean(name: str, text: Any) -> str:
    if not isinstance(text, str) or not text.strip():
        raise InvalidField(field=name, reason=f"a text of 1 to {MAX_TEXT_BYTES} bytes of UTF-8")
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        size = None
    if size is None:
        raise InvalidField(field=name, reason="not valid Unicode text")
    if size > MAX_TEXT_BYTES:
        raise InvalidField(field=name, reason=f"a text of 1 to {MAX_TEXT_BYTES} bytes of UTF-8")
    return text.replace("\x00", "\u2400")


def _store(
    session: TenantSession, actor: Actor, skill_id: str, ready: Sequence[_Ready | Imported], now: datetime
) -> list[Imported]:
    """Store what is new. Imports into one skill come one after the other, so that none stores what another just did."""
    turn = select(Skill).where(Skill.id == skill_id).with_for_update(key_share=True)  # captures go on beside it
    skill = session.scalars(turn.execution_options(populate_existing=True)).one_or_none()
    skill = skill or skills.find_skill(session, skill_id)
    skills.need_author(session, actor, skill, _RULE)
    version = skills.current_version(session, skill)
    known = _known(session, skill.id, [one.content_hash for one in ready if isinstance(one, _Ready)])
    results = []
    for one in ready:
        if isinstance(one, Imported):
            results.append(one)
        elif one.content_hash in known:
            results.append(Imported(outcome="duplicate", example_id=known[one.content_hash]))
        else:
            example = service.golden_row(
                actor, skill, version, one.texts, source="api", quality_score=one.quality_score, now=now
            )
            session.add(example)
            known[one.content_hash] = example.id
            results.append(Imported(outcome="stored", example_id=example.id))
    session.flush()
    new = {result.example_id for result in results if result.outcome == "stored"}
    session.add_all(
        ImportedExample(skill_id=skill.id, content_hash=content_hash, example_id=example_id)
        for content_hash, example_id in known.items()
        if example_id in new
    )
    session.flush()
    return results


def _known(session: TenantSession, skill_id: str, hashes: Sequence[bytes]) -> dict[bytes, str]:
    here = ImportedExample.skill_id == skill_id, ImportedExample.content_hash.in_(hashes)
    rows = select(ImportedExample.content_hash, ImportedExample.example_id).where(*here)
    return {row.content_hash: row.example_id for row in session.execute(rows)}
