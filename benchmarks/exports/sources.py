"""Where the rows of this benchmark come from. One that reads them from a store is one more function in SOURCES."""

import random
import string
from collections.abc import Callable, Iterator
from itertools import cycle, islice

from goldvein.datasets.exports.facts import SkillFacts, Terms, VersionFacts
from goldvein.datasets.exports.writing import ExplainedRow
from goldvein.datasets.rows import Row

TEXT_CHARS = 1_000
_DIFFERENT_ROWS = 2_000
_EDITED_SHARE = 0.2
SKILL = "release-notes"
FACTS = VersionFacts(
    dataset_id="01890a5d-ac96-774b-bcce-b302099a8057",
    dataset=SKILL,
    name="Release notes",
    purpose="training",
    version="1",
    content_hash="sha256:" + "0" * 64,
    frozen_at="2026-11-22T00:00:00Z",
    terms=Terms(licence="cc-by-4.0", allowed_purposes=("training",)),
    skills=(SkillFacts(slug=SKILL, name="Release notes"),),
)


def _words(chance: random.Random) -> str:
    words = ["".join(chance.choices(string.ascii_lowercase, k=chance.randint(2, 11))) for _ in range(TEXT_CHARS // 4)]
    return " ".join(words)[:TEXT_CHARS]


def _row(chance: random.Random, number: int) -> Row:
    output = _words(chance)
    edited = output[: TEXT_CHARS // 2] + _words(chance)[: TEXT_CHARS // 2] if chance.random() < _EDITED_SHARE else None
    return Row(
        example_id=f"ex-{number:012d}",
        content_hash=f"sha256:{chance.getrandbits(256):064x}",
        split=chance.choices(("train", "validation", "test"), (8, 1, 1))[0],
        skill=SKILL,
        skill_version=f"sha256:{chance.getrandbits(256):064x}",
        source="usage_capture",
        tool_name="Bash",
        example_input=_words(chance),
        example_output=output,
        expected_output=edited,
        answer=edited or output,
        quality_score=chance.randint(1, 10),
    )


def generated(many: int) -> Iterator[ExplainedRow]:
    """Rows of two texts with 1,000 characters; a fifth has an answer that was edited. The same for every run.

    They are made before the first is asked for, and come again and again, so that having them costs next to nothing.
    """
    chance = random.Random(6)
    provenance = {
        "basis": "consent",
        "consent_record_ids": [FACTS.dataset_id, FACTS.dataset_id],
        "sanitizer_version": "1-c0ffee123456",
        "reviewed_by": FACTS.dataset_id,
        "reviewed_at": FACTS.frozen_at,
        "usage_event_id": FACTS.dataset_id,
    }
    rows = [ExplainedRow(_row(chance, number), provenance) for number in range(_DIFFERENT_ROWS)]
    return islice(cycle(rows), many)


SOURCES: dict[str, Callable[[int], Iterator[ExplainedRow]]] = {"generated": generated}
