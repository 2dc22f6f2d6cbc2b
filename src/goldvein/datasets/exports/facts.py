"""What an export says of the version it was made of, and what was asked for: values, read from the store elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from goldvein.errors import InvalidField

SPLITS: Final = ("train", "validation", "test", "holdout")
OPEN_SPLITS: Final = ("train", "validation", "test")
PLACEHOLDER_CHOICES: Final = ("keep", "surrogate")


@dataclass(frozen=True, kw_only=True, slots=True)
class SkillFacts:
    """A skill of the dataset. `text` is the SKILL.md of the version whose digest is `version`, if it has one."""

    slug: str
    name: str
    version: str | None = None
    text: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What a recipient agrees to. The texts are the owner's own words."""

    licence: str
    allowed_purposes: tuple[str, ...]
    recipients: str = ""
    delete_by: str | None = None
    poll_removals: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class VersionFacts:
    """A frozen version, as its exports name it. Times are RFC 3339 text; nothing here changes once it is frozen."""

    dataset_id: str
    dataset: str
    """slug"""
    name: str
    purpose: str
    """evaluation | training | sharing"""
    version: str
    """"3", or "3.1" after a removal"""
    content_hash: str
    frozen_at: str
    terms: Terms
    skills: tuple[SkillFacts, ...]
    previous: str | None = None
    sanitizer_versions: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    """rows by split, as frozen"""
    ledger_checkpoint: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportOptions:
    """What was asked for. The holdout is sealed: it is written only when its name stands among the splits."""

    splits: tuple[str, ...] = OPEN_SPLITS
    placeholders: Literal["keep", "surrogate"] = "keep"
    system_message: bool = False

    def __post_init__(self) -> None:
        if not self.splits or not set(self.splits) <= set(SPLITS):
            raise InvalidField(field="splits", reason=f"some of {', '.join(SPLITS)}")
        if self.placeholders not in PLACEHOLDER_CHOICES:
            raise InvalidField(field="placeholders", reason=f"one of {', '.join(PLACEHOLDER_CHOICES)}")


def system_texts(facts: VersionFacts, options: ExportOptions) -> dict[str, str]:
    """The text that goes before the rows of each skill, by slug; empty when none was asked for."""
    return {skill.slug: skill.text for skill in facts.skills if skill.text} if options.system_message else {}
