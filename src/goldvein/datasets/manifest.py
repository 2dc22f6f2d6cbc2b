"""What a version says of itself, in canonical JSON. Pure.

Its rows stand in a file of their own, a line of canonical JSON each, in the order of their positions: the manifest
holds the digest of that file. `content` is all that makes the version what it is; the same content gives the same hash,
whoever freezes it and when. docs/datasets.md has a script of 30 lines that computes both again.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
import rfc8785

from goldvein.consent.ledger import timestamp

KIND: Final = "goldvein.dataset-version/1"
STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "urn:goldvein:dataset-version:1"
PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
REMOVAL_LIST: Final = "application/vnd.goldvein.removals+json"

# Of texts, whole numbers, lists and objects with plain names it writes RFC 8785, ten times as fast as `rfc8785` does.
_ENCODE = msgspec.json.Encoder(order="sorted").encode


@dataclass(frozen=True, kw_only=True, slots=True)
class RowFacts:
    """What explains a row: which consents or that it was authored, sanitizer, reviewer, skill version and event."""

    example_id: str
    content_hash: str
    split: str
    cluster: int
    skill: str
    skill_version: str | None
    source: str
    tool_name: str | None
    answer_from: str | None
    quality_score: int | None
    tenant_consent_id: str | None
    person_consent_id: str | None
    sanitizer_version: str | None
    findings: Mapping[str, int] | None
    reviewed_by: str | None
    reviewed_at: datetime | None
    usage_event_id: str | None


def provenance(row: RowFacts) -> dict[str, Any]:
    """Law 9, for one row."""
    captured = row.person_consent_id is not None
    return {
        "basis": "consent" if captured else "authored",
        "consent_record_ids": [row.tenant_consent_id, row.person_consent_id] if captured else [],
        "sanitizer_version": row.sanitizer_version,
        "findings": dict(row.findings or {}),
        "reviewed_by": row.reviewed_by,
        "reviewed_at": None if row.reviewed_at is None else timestamp(row.reviewed_at),
        "usage_event_id": row.usage_event_id,
    }


def line(row: RowFacts) -> bytes:
    """A row as the file of rows has it."""
    said = {
        "example_id": row.example_id,
        "content_hash": row.content_hash,
        "split": row.split,
        "cluster": row.cluster,
        "skill": row.skill,
        "skill_version": row.skill_version,
        "source": row.source,
        "tool_name": row.tool_name,
        "answer_from": row.answer_from,
        "quality_score": row.quality_score,
        **provenance(row),
    }
    return _ENCODE(said) + b"\n"


def hash_of_texts(example_input: str, example_output: str, expected_output: str | None) -> str:
    """The content hash of a row: over the canonical JSON of its texts."""
    texts = {"example_input": example_input, "example_output": example_output, "expected_output": expected_output}
    return "sha256:" + hashlib.sha256(_ENCODE(texts)).hexdigest()


class RowsDigest:
    """The digest over the lines of rows, and what the manifest counts of them."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self.count = 0
        self.by_split: dict[str, int] = {}
        self._sanitizers: set[str] = set()
        self._reviewers: set[str] = set()
        self._skill_versions: dict[str, set[str]] = {}
        self._captured = 0

    def add(self, row: RowFacts) -> None:
        """Count one more row, in the order of positions."""
        self._digest.update(line(row))
        self.count += 1
        self.by_split[row.split] = self.by_split.get(row.split, 0) + 1
        self._captured += row.person_consent_id is not None
        if row.sanitizer_version is not None:
            self._sanitizers.add(row.sanitizer_version)
        if row.reviewed_by is not None:
            self._reviewers.add(row.reviewed_by)
        versions = self._skill_versions.setdefault(row.skill, set())
        if row.skill_version is not None:
            versions.add(row.skill_version)

    def said(self) -> dict[str, Any]:
        """What the content says of the rows."""
        return {
            "rows": {
                "count": self.count,
                "captured": self._captured,
                "authored": self.count - self._captured,
                "by_split": dict(self.by_split),
                "sha256": self._digest.hexdigest(),
            },
            "sanitizer_versions": sorted(self._sanitizers),
            "reviewers": sorted(self._reviewers),
            "skills": {slug: sorted(versions) for slug, versions in sorted(self._skill_versions.items())},
        }


def digest_rows(rows: Iterable[RowFacts]) -> RowsDigest:
    """Look through rows in the order of positions."""
    digest = RowsDigest()
    for row in rows:
        digest.add(row)
    return digest


def canonical(document: Mapping[str, Any]) -> bytes:
    """Its bytes by RFC 8785."""
    return rfc8785.dumps(dict(document))


def sha256(content: bytes) -> str:
    """Its digest with the name of the function before it."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def statement(*, slug: str, version: str, manifest_hash: str, rows_sha256: str, content_hash: str) -> bytes:
    """What is signed: an in-toto statement about the manifest and the file of rows."""
    said = {
        "_type": STATEMENT_TYPE,
        "subject": [
            {"name": "manifest.json", "digest": {"sha256": manifest_hash.removeprefix("sha256:")}},
            {"name": "rows.jsonl", "digest": {"sha256": rows_sha256}},
        ],
        "predicateType": PREDICATE_TYPE,
        "predicate": {"dataset": slug, "version": version, "content_hash": content_hash},
    }
    return canonical(said)


def removal_list(
    *, tenant_id: str, dataset_id: str, version: str, superseded_by: str, at: datetime, removed: Sequence[str]
) -> bytes:
    """What is signed when a revision is made: which examples of the superseded version are gone."""
    said = {
        "tenant_id": tenant_id,
        "dataset_id": dataset_id,
        "version": version,
        "superseded_by": superseded_by,
        "at": timestamp(at),
        "removed": list(removed),
    }
    return canonical(said)


def read_content(document: str) -> dict[str, Any]:
    """The content of a manifest that we wrote, or the content itself."""
    said: dict[str, Any] = json.loads(document)
    content: dict[str, Any] = said.get("content", said)
    return content
