"""The manifest of an export: what it was made of, what was counted, and the digest of each file. Canonical JSON."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import rfc8785

from goldvein.datasets.exports.facts import ExportOptions, VersionFacts
from goldvein.datasets.exports.formats import Format
from goldvein.datasets.exports.placeholders import SURROGATES_VERSION
from goldvein.verify import export

KIND: Final = export.KIND
PAYLOAD_TYPE: Final = export.EXPORT
MANIFEST: Final = export.MANIFEST
SIGNATURE: Final = export.SIGNATURE
PROVENANCE: Final = export.PROVENANCE
CARD: Final = "README.md"
SKIPPED: Final = "skipped.jsonl"


@dataclass(kw_only=True, slots=True)
class Counts:
    """What became of the rows: received = written + skipped + held back."""

    by_split: Counter[str] = field(default_factory=Counter)
    by_source: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    held_back: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        """As the manifest has it."""
        return {
            "rows": self.by_split.total(),
            "by_split": dict(self.by_split),
            "by_source": dict(self.by_source),
            "skipped": dict(self.skipped),
            "held_back": dict(self.held_back),
        }


def draft(
    format_: Format, facts: VersionFacts, options: ExportOptions, counts: Counts, files: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """The manifest before the card is among its files: the card is written from it."""
    skills = [
        {"slug": skill.slug, "name": skill.name, "version": skill.version, "has_text": bool(skill.text)}
        for skill in facts.skills
    ]
    return {
        "manifest": KIND,
        "format": format_.name,
        "dataset": {"id": facts.dataset_id, "slug": facts.dataset, "name": facts.name, "purpose": facts.purpose},
        "version": {
            "name": facts.version,
            "content_hash": facts.content_hash,
            "frozen_at": facts.frozen_at,
            "previous": facts.previous,
            "rows_by_split": dict(facts.counts),
        },
        "terms": {**asdict(facts.terms), "allowed_purposes": list(facts.terms.allowed_purposes)},
        "skills": skills,
        "sanitizer_versions": list(facts.sanitizer_versions),
        "ledger_checkpoint": facts.ledger_checkpoint,
        "options": {
            "splits": list(options.splits),
            "placeholders": options.placeholders,
            "surrogates_version": SURROGATES_VERSION if options.placeholders == "surrogate" else None,
            "system_message": options.system_message,
        },
        "counts": counts.as_json(),
        "files": dict(files),
    }


def canonical(document: Mapping[str, Any]) -> bytes:
    """Its bytes by RFC 8785: whoever writes the same document again gets the same bytes."""
    return rfc8785.dumps(dict(document))
