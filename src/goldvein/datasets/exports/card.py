"""The card of an export: Markdown with a head in YAML, written from the manifest alone.

Names and terms are people's words: they are quoted so that neither language reads anything into them. No text of a row
stands in it.
"""

import json
import re
import string
from collections.abc import Mapping
from typing import Any, Final

from goldvein.datasets.exports.formats import Format
from goldvein.datasets.exports.manifest import MANIFEST, PROVENANCE, SKIPPED
from goldvein.datasets.exports.misfits import MISFITS

_SIZES: Final = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_LARGEST_SIZE: Final = "1M<n<10M"
_LICENCE_ID: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,40}")
_MARKUP: Final = {ord(sign): f"\\{sign}" for sign in string.punctuation}
# JSON lets these stand in a string; YAML does not, or takes them for line ends.
_NOT_IN_YAML: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def yaml_text(text: str) -> str:
    """The text as a YAML scalar in double quotes."""
    return _NOT_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))


def markdown_text(text: str) -> str:
    """The text on one line, with every sign that could mean something in Markdown or HTML taken literally."""
    return " ".join(text.split()).translate(_MARKUP)


def render(manifest: Mapping[str, Any], format_: Format) -> bytes:
    """The card."""
    parts = [_head(manifest, format_), _about(manifest, format_), _contents(manifest), _terms(manifest)]
    parts += [f"## How to load it\n\n{format_.usage}\n", _checking()]
    return "\n".join(parts).encode()


def _head(manifest: Mapping[str, Any], format_: Format) -> str:
    licence = manifest["terms"]["licence"]
    known = _LICENCE_ID.fullmatch(licence) is not None
    rows = manifest["counts"]["rows"]
    size = next((name for limit, name in _SIZES if rows < limit), _LARGEST_SIZE)
    lines = [
        "---",
        f"pretty_name: {yaml_text(_title(manifest))}",
        f"license: {yaml_text(licence) if known else 'other'}",
        *([] if known else [f"license_name: {yaml_text(licence)}"]),
        "task_categories:",
        "- text-generation",
        "tags:",
        "- goldvein",
        "size_categories:",
        f"- {size}",
        *_configs(manifest, format_),
        "---",
    ]
    return "\n".join(lines) + "\n"


def _configs(manifest: Mapping[str, Any], format_: Format) -> list[str]:
    """Where the files of each configuration are. A split without rows has no file, and is not named."""
    lines: list[str] = []
    for name, path in format_.configs:
        found = [split for split in manifest["options"]["splits"] if path.format(split=split) in manifest["files"]]
        if not found:
            continue
        lines += [f"- config_name: {name}", *(["  default: true"] if name == "default" else []), "  data_files:"]
        for split in found:
            lines += [f"  - split: {split}", f"    path: {path.format(split=split)}"]
    return ["configs:", *lines] if lines else []


def _title(manifest: Mapping[str, Any]) -> str:
    return f"{manifest['dataset']['name']} {manifest['version']['name']}"


def _about(manifest: Mapping[str, Any], format_: Format) -> str:
    skills = ", ".join(f"{markdown_text(skill['name'])} (`{skill['slug']}`)" for skill in manifest["skills"])
    version = manifest["version"]
    lines = [
        f"# {markdown_text(_title(manifest))}",
        "",
        f"{format_.about}. Examples of these skills: {skills}.",
        "",
        _WHERE_FROM,
        "",
        f"- version {version['name']}, frozen at {version['frozen_at']}, content hash `{version['content_hash']}`",
        f"- made for {manifest['dataset']['purpose']}",
        f"- placeholders: {_PLACEHOLDERS[manifest['options']['placeholders']]}",
    ]
    if "pruned" in manifest:
        pruned = manifest["pruned"]
        lines.append(f"- pruned: {pruned['rows']} rows that were withdrawn have been taken out of `{pruned['of']}`")
    return "\n".join(lines) + "\n"


_WHERE_FROM: Final = (
    "Every row was written by an author of its skill, or captured from a real use with the consent of the person and of"
    " their organisation, sanitized before it was stored, and approved by an author."
)
_PLACEHOLDERS: Final = {
    "keep": "what was removed stands as `[REDACTED:type]`",
    "surrogate": "what was removed is replaced by stand-ins that cannot be real (`person1@example`)",
}


def _contents(manifest: Mapping[str, Any]) -> str:
    counts = manifest["counts"]
    lines = ["## What is in it", "", "| split | rows |", "|---|---|"]
    lines += [f"| {split} | {counts['by_split'][split]} |" for split in sorted(counts["by_split"])]
    lines += ["", *(f"- {source}: {number} rows" for source, number in sorted(counts["by_source"].items()))]
    for reason, number in sorted(counts["skipped"].items()):
        lines.append(f"- {number} rows skipped, `{reason}`: {MISFITS[reason]} (named in `{SKIPPED}`)")
    for split, number in sorted(counts["held_back"].items()):
        lines.append(f"- {number} rows of the split {split} were not asked for")
    lines += ["", f"`{PROVENANCE}` explains each row: what it stands on, who reviewed it, which rules sanitized it."]
    return "\n".join(lines) + "\n"


def _terms(manifest: Mapping[str, Any]) -> str:
    terms = manifest["terms"]
    lines = [
        "## Terms",
        "",
        f"- licence: {markdown_text(terms['licence'])}",
        f"- allowed for: {', '.join(map(markdown_text, terms['allowed_purposes']))}",
    ]
    if terms["recipients"]:
        lines.append(f"- recipients: {markdown_text(terms['recipients'])}")
    if terms["delete_by"]:
        lines.append(f"- delete by: {markdown_text(terms['delete_by'])}")
    if terms["poll_removals"]:
        lines.append("- ask regularly whether rows have been withdrawn since, and take them out")
    return "\n".join(lines) + "\n"


def _checking() -> str:
    how = f"`goldvein verify export FOLDER` compares every file with `{MANIFEST}`, without a server."
    return f"## Is it untouched?\n\n{how}\n"
