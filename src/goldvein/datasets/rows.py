"""The seam between the dataset core and its exports: what a row of a frozen version is once it leaves the database."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Assertion:
    """What an answer must satisfy."""

    kind: str
    """contains | regex | json_schema | rubric"""
    value: str
    """the text, the pattern (RE2), the schema as canonical JSON, the rubric"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One row of a frozen dataset version, as exports see it: sanitized texts and what explains them."""

    example_id: str
    content_hash: str
    """"sha256:..." over the canonical JSON (RFC 8785) of the texts"""
    split: str
    """train | validation | test | holdout"""
    skill: str
    """slug"""
    skill_version: str | None
    """digest"""
    source: str
    """usage_capture, or the sources of golden examples"""
    tool_name: str | None
    example_input: str
    example_output: str
    expected_output: str | None
    answer: str | None
    """the target by design.md ("Which text is the answer"); None: evaluate only, never train on"""
    quality_score: int | None
    assertions: tuple[Assertion, ...] = ()
    """of the skill and the example"""
