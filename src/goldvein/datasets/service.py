"""From approved examples to files: what goes in, what does not and why, and a manifest that explains each row."""

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select

from goldvein.consent.decision import standing_purposes
from goldvein.consent.service import consent_history
from goldvein.consent.tables import ConsentEvent
from goldvein.datasets.exports import chat_jsonl
from goldvein.db.session import TenantSession, lock_consent
from goldvein.errors import InvalidField
from goldvein.examples.review import target
from goldvein.feedback.tables import TrainingExample
from goldvein.identity.actor import Actor
from goldvein.journal import service as journal
from goldvein.skills import service as skills
from goldvein.skills.tables import Skill

FORMATS: Final = (chat_jsonl.FORMAT.name,)
FILE_NAME: Final = "examples.jsonl"
SKIPPED: Final = ("no_target", "consent_withdrawn", "purpose_missing")
PURPOSE_OF_CHAT: Final = "training"  # conversations to fine-tune on
_ZIP_TIME: Final = (1980, 1, 1, 0, 0, 0)  # the same content gives the same bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Export:
    """The files of one export, by name."""

    files: dict[str, bytes]
    manifest: dict[str, Any]

    def as_zip(self) -> bytes:
        """The files as one archive."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in self.files.items():
                archive.writestr(zipfile.ZipInfo(name, _ZIP_TIME), content, zipfile.ZIP_DEFLATED)
        return buffer.getvalue()


def export_skill(
    session: TenantSession,
    actor: Actor,
    skill: Skill,
    *,
    format_name: str,
    now: datetime,
    with_system: bool = False,
) -> Export:
    """Export the approved examples of a skill; for its author.

    The consent is held still while the rows are read: a captured row goes out only if the record it stands on holds.
    A row that cannot go out is named with its reason in `skipped.jsonl` and counted, never emptied or dropped.
    """
    actor.need("export")
    skills.need_author(session, actor, skill, "Only the skill author can export its examples")
    if format_name not in FORMATS:
        raise InvalidField(field="format", reason=f"one of {', '.join(FORMATS)}")
    lock_consent(session, exclusive=False)
    journal.need_no_hold(session)
    version = skills.current_version(session, skill)
    system = version.body if with_system and version is not None else None
    histories = _Histories(session)
    lines, rows, skipped = [], [], []
    for example in _approved(session, skill.id):
        answer = target(
            expected_output=example.expected_output,
            example_output=example.example_output,
            output_verdict=example.output_verdict,
        )
        reason = _reason_to_skip(example, answer, histories)
        if reason is not None or answer is None:
            skipped.append({"example_id": example.id, "reason": reason})
            continue
        line = chat_jsonl.line(system=system, question=example.example_input or "", answer=answer)
        lines.append(line)
        rows.append(_explain(example, line))
    files = {FILE_NAME: b"".join(lines), "skipped.jsonl": b"".join(_json_line(row) for row in skipped)}
    manifest = {
        "format": format_name,
        "exported_at": now.isoformat(),
        "exported_by": actor.person_id,
        "tenant_id": skill.tenant_id,
        "skill": {"id": skill.id, "slug": skill.slug, "name": skill.name},
        "system_message": version.digest if system is not None and version is not None else None,
        "counts": {
            "rows": len(rows),
            "captured": sum(row["source"] == "usage_capture" for row in rows),
            "golden": sum(row["source"] != "usage_capture" for row in rows),
            "skipped": len(skipped),
        },
        "sanitizer_versions": sorted({row["sanitizer_version"] for row in rows}),
        "files": {name: {"sha256": _sha256(content), "bytes": len(content)} for name, content in files.items()},
        "rows": rows,
    }
    files["manifest.json"] = json.dumps(manifest, ensure_ascii=False, indent=2).encode() + b"\n"
    session.record(
        "exported",
        at=now,
        people={"recipient": actor.person_id},
        skill=skill.id,
        format=format_name,
        rows=len(rows),
        manifest="sha256:" + _sha256(files["manifest.json"]),
    )
    return Export(files=files, manifest=manifest)


def _approved(session: TenantSession, skill_id: str) -> list[TrainingExample]:
    here = TrainingExample.skill_id == skill_id, TrainingExample.status == "approved"
    rows = select(TrainingExample).where(*here).order_by(TrainingExample.created_at, TrainingExample.id)
    return list(session.scalars(rows))


class _Histories(dict[str, list[ConsentEvent]]):
    """The consent history of each person, read once."""

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    def __missing__(self, person_id: str) -> list[ConsentEvent]:
        self[person_id] = consent_history(self._session, person_id)
        return self[person_id]


def _reason_to_skip(example: TrainingExample, answer: str | None, histories: _Histories) -> str | None:
    if example.source == "usage_capture":
        history = histories[example.user_id]
        purposes = standing_purposes(example.person_consent_id or "", history, example.skill_id)
        if not purposes:
            return "consent_withdrawn"
        if PURPOSE_OF_CHAT not in purposes:
            return "purpose_missing"
    return "no_target" if answer is None else None


def _explain(example: TrainingExample, line: bytes) -> dict[str, Any]:
    """Law 9: which consents, which sanitizer, which reviewer, which skill version, which event."""
    golden = example.source != "usage_capture"
    return {
        "example_id": example.id,
        "sha256": _sha256(line),
        "source": example.source,
        "basis": "authored" if golden else "consent",
        "consent_record_ids": [] if golden else [example.tenant_consent_id, example.person_consent_id],
        "sanitizer_version": example.sanitizer_version,
        "findings": example.findings,
        "reviewed_by": example.reviewed_by,
        "reviewed_at": example.reviewed_at.isoformat() if example.reviewed_at else None,
        "quality_score": example.quality_score,
        "skill_version_id": example.skill_version_id,
        "skill_digest": example.skill_digest,
        "usage_event_id": example.usage_event_id,
    }


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _json_line(row: object) -> bytes:
    return json.dumps(row, separators=(",", ":")).encode() + b"\n"
