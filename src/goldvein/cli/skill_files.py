"""Reading SKILL.md files: what they say about themselves, and nothing that they do not say."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from goldvein.errors import InvalidField

SKILL_FILE_NAME = "SKILL.md"
MAX_SKILL_FILE_BYTES = 400_000  # four bytes for each of the characters that a server takes

_FRONT_MATTER = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)
_FIELD_NAME = re.compile(r"([A-Za-z0-9_-]+):")
_BLOCK = re.compile(r"[|>][+-]?[0-9]?")
_COMMENT = re.compile(r"(?:^|\s)#.*$")


@dataclass(frozen=True, kw_only=True, slots=True)
class SkillFile:
    """One SKILL.md; `flaw` says why it cannot be registered. No description means that the file gives none."""

    path: Path
    slug: str
    description: str | None = None
    body: str = ""
    flaw: str | None = None


def read_skill_files(folder: str) -> Iterator[SkillFile]:
    """Every SKILL.md below a folder, by path. Raises InvalidField for no folder.

    Links to folders are not followed, and installed packages (which may bring skills of their own) are passed over.
    """
    root = Path(folder)
    if not root.is_dir():
        raise InvalidField(field="DIR", reason="an existing folder")
    seen: dict[str, Path] = {}
    for path in sorted(_paths(root)):
        found = _read(path)
        if found.flaw is None and found.slug in seen:
            flaw = f"the same name as {seen[found.slug]}"
            found = SkillFile(path=path, slug=found.slug, flaw=flaw)
        seen.setdefault(found.slug, path)
        yield found


def _is_foreign(folder: Path) -> bool:
    """Whether a folder holds other people's work: installed packages and git's own files. `.claude/skills` is ours."""
    return folder.name in {".git", "node_modules", "site-packages"} or (folder / "pyvenv.cfg").exists()


def _paths(root: Path) -> Iterator[Path]:
    for folder, children, names in os.walk(root):
        children[:] = [child for child in children if not _is_foreign(Path(folder) / child)]
        if SKILL_FILE_NAME in names:
            yield Path(folder) / SKILL_FILE_NAME


def _read(path: Path) -> SkillFile:
    folder_name = path.resolve().parent.name
    try:
        if path.stat().st_size > MAX_SKILL_FILE_BYTES:
            return SkillFile(path=path, slug=folder_name, flaw=f"larger than {MAX_SKILL_FILE_BYTES} bytes")
        body = path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        return SkillFile(path=path, slug=folder_name, flaw=f"cannot be read as text ({type(error).__name__})")
    facts = front_matter(body)
    return SkillFile(
        path=path, slug=facts.get("name") or folder_name, description=facts.get("description") or None, body=body
    )


def front_matter(body: str) -> dict[str, str]:
    """The plain fields at the head of a SKILL.md: `name: value`, quoted or not, and texts over several lines.

    This is the part of YAML that skills use. Lists and nested fields are passed over.
    """
    head = _FRONT_MATTER.match(body)
    lines = head[1].splitlines() if head else []
    facts: dict[str, str] = {}
    place = 0
    while place < len(lines):
        line = lines[place]
        field = _FIELD_NAME.match(line)
        place += 1
        if field is None:
            continue
        rest: list[str] = []
        while place < len(lines) and (not lines[place].strip() or lines[place][0] in " \t"):
            rest.append(lines[place].strip())
            place += 1
        facts[field[1]] = _value(line[field.end() :].strip(" \t"), rest)
    return facts


def _value(first: str, rest: list[str]) -> str:
    """One value: a block keeps its lines (`|`) or folds them (`>`); otherwise the lines that follow continue it."""
    if _BLOCK.fullmatch(_COMMENT.sub("", first).strip()):
        return ("\n" if first[0] == "|" else " ").join(rest).strip()
    joined = " ".join([first, *(line for line in rest if line)]).strip()
    if joined[:1] == '"':
        quoted = re.match(r'"((?:[^"\\]|\\.)*)"', joined)
        return re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else joined
    if joined[:1] == "'":
        quoted = re.match(r"'((?:[^']|'')*)'", joined)
        return quoted[1].replace("''", "'") if quoted else joined
    return _COMMENT.sub("", joined).strip()
