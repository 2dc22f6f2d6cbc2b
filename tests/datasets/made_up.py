"""Made-up versions and rows, for tests of what is made from them."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import rfc8785

from goldvein.datasets.exports import find_format
from goldvein.datasets.exports.facts import ExportOptions, SkillFacts, Terms, VersionFacts
from goldvein.datasets.exports.writing import ExplainedRow, Written, write_export
from goldvein.datasets.rows import Assertion, Row

SKILL_TEXT = "# Release notes\n\nWrite them {{ briefly }}.\n"
FACTS = VersionFacts(
    dataset_id="01890a5d-ac96-774b-bcce-b302099a8057",
    dataset="release-notes",
    name="Release notes",
    purpose="training",
    version="3",
    content_hash="sha256:" + "3" * 64,
    frozen_at="2026-11-22T08:00:00Z",
    terms=Terms(licence="cc-by-4.0", allowed_purposes=("evaluation", "training"), recipients="Acme"),
    skills=(SkillFacts(slug="release-notes", name="Release notes", version="sha256:" + "a" * 64, text=SKILL_TEXT),),
    sanitizer_versions=("1-c0ffee123456",),
    counts={"train": 2, "test": 1, "holdout": 1},
)
# What programs that read these files would act upon, if anything let them.
HOSTILE = (
    "{{ 7 * 7 }} {{ env.PATH }}{{ env.CANARY }} {% raw %} {% endraw %} {# gone #}",
    "file:///etc/passwd",
    "package:evil:call",
    '"; import os; os.system("true") #',
    '"""\\n\nimport os',
    "=cmd|' /C calc'!A0",
    "---\nlicense: mit\n...",
    "<script>alert(1)</script> [click](javascript:alert(1)) ![](http://127.0.0.1/x) | a | b |",
    "&amp; *yaml !!python/object:os.system ['true'] %TAG",
    "line\u2028separator\u2029and\x85next \x7f\x9b \ufeff nul-free \U0001f600 e\u0301",
    "{input} %s %(x)s ${HOME} `id` $(id) {0.__class__}",
    "\\u007b\\u007b 1 \\u007d\\u007d",
)


def row(number: int = 1, **changes: Any) -> Row:
    """A captured row that was approved with an answer of its own."""
    texts = {
        "example_input": f"What changed in release {number}?",
        "example_output": f"Captured answer {number}.",
        "expected_output": f"Better answer {number}.",
    }
    found: dict[str, Any] = {
        "example_id": f"ex-{number:06d}",
        "content_hash": "sha256:" + hashlib.sha256(rfc8785.dumps(texts)).hexdigest(),
        "split": "train",
        "skill": "release-notes",
        "skill_version": "sha256:" + "a" * 64,
        "source": "usage_capture",
        "tool_name": "Bash",
        **texts,
        "answer": texts["expected_output"],
        "quality_score": 8,
        **changes,
    }
    return Row(**found)


def explained(rows: Iterable[Row]) -> Iterator[ExplainedRow]:
    """The rows with what explains them, as the store would tell it."""
    for one in rows:
        basis = "consent" if one.source == "usage_capture" else "authored"
        yield ExplainedRow(one, {"basis": basis, "sanitizer_version": "1-c0ffee123456", "reviewed_by": "alice"})


def mixed_rows() -> list[Row]:
    """A few rows of each split, with what may be in one."""
    checks = (
        Assertion(kind="contains", value="release"),
        Assertion(kind="regex", value=r"(?i)answer\s+\d+"),
    )
    schema = Assertion(
        kind="json_schema", value='{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object"}'
    )
    return [
        row(1),
        row(
            2,
            split="test",
            source="web",
            expected_output=None,
            answer="Golden answer 2.",
            example_output="Golden answer 2.",
        ),
        row(3, split="validation", assertions=checks),
        row(4, split="holdout"),
        row(5, split="test", answer=None, expected_output=None, assertions=(schema,)),
        row(6, split="train", answer=None, expected_output=None),
        row(7, split="train", example_input="Mail [REDACTED:email_2], not [REDACTED:email_1]", tool_name=None),
    ]


def hostile_rows(split: str = "test") -> list[Row]:
    """One row for each hostile text, which stands everywhere in it; numbered from 101."""
    return [
        row(
            number,
            split=split,
            example_input=text,
            example_output=f"{text} captured",
            expected_output=text,
            answer=text,
            assertions=(Assertion(kind="contains", value=text),),
        )
        for number, text in enumerate(HOSTILE, 101)
    ]


def export(folder: Path, name: str, rows: Iterable[Row], facts: VersionFacts = FACTS, **options: Any) -> Written:
    """Write these rows in this format."""
    chosen = ExportOptions(**options)
    return write_export(folder / name, find_format(name), facts, explained(rows), chosen)


def facts_for(purpose: str, **changes: Any) -> VersionFacts:
    """The version, of a dataset with this purpose."""
    return replace(FACTS, purpose=purpose, **changes)
