"""Whether an export is what its manifest says, and its manifest what was signed."""

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from goldvein.verify.envelope import DoesNotFit, PublicKeys, opened

EXPORT: Final = "application/vnd.goldvein.export+json"
KIND: Final = "goldvein.export/1"
MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.dsse.json"
PROVENANCE: Final = "provenance.jsonl"
_PIECE_BYTES: Final = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Export:
    """An export whose files are those of its manifest.

    `key_id` names the key whose signature holds, or is None when none was checked; `added` are files that came later.
    """

    manifest: dict[str, Any]
    digest: str
    signed: bool
    key_id: str | None
    added: tuple[str, ...]


def check_export(folder: Path, keys: PublicKeys) -> Export:
    """Compare every file with the manifest, and with these keys, if there are any, the manifest with its signature.

    Raises DoesNotFit that names all files which are missing or altered. A file that the manifest does not name is
    no misfit, as programs write beside what they read; it is told.
    """
    content = _read(folder, MANIFEST)
    manifest = _manifest(content)
    misfits = [misfit for name, said in manifest["files"].items() if (misfit := _misfit(folder, name, said))]
    if misfits:
        raise DoesNotFit("; ".join(misfits))
    signed = (folder / SIGNATURE).exists()
    if keys and not signed:
        raise DoesNotFit(f"the export is not signed: there is no {SIGNATURE}")
    key_id = _signer(_read(folder, SIGNATURE), content, keys) if keys else None
    known = {MANIFEST, SIGNATURE, *manifest["files"]}
    added = tuple(name for name in _names(folder) if name not in known)
    digest = hashlib.sha256(content).hexdigest()
    return Export(manifest=manifest, digest=digest, signed=signed, key_id=key_id, added=added)


def rows_among(folder: Path, example_ids: frozenset[str]) -> list[str]:
    """Which of these examples the export holds, in its order. Of an export that was checked."""
    with (folder / PROVENANCE).open("rb") as lines:
        found = (json.loads(line)["example_id"] for line in lines)
        return [example_id for example_id in found if example_id in example_ids]


def _manifest(content: bytes) -> dict[str, Any]:
    try:
        manifest = json.loads(content)
    except (ValueError, RecursionError):
        manifest = None
    match manifest:
        case {"manifest": kind, "files": dict()} if kind == KIND:
            return dict(manifest)
    raise DoesNotFit(f"{MANIFEST} is not the manifest of an export")


def _misfit(folder: Path, name: str, said: Any) -> str | None:
    """What is wrong with one file, or None."""
    match said:
        case {"sha256": str(digest), "bytes": int(size)}:
            path = _inside(folder, name)
        case _:
            return f"{name}: the manifest does not say what it is"
    if path is None:
        return f"{name}: no file of this folder"
    if not path.is_file():
        return f"{name}: missing"
    if path.stat().st_size != size:
        return f"{name}: altered, it has {path.stat().st_size} bytes and not {size}"
    return None if _sha256(path) == digest else f"{name}: altered"


def _inside(folder: Path, name: str) -> Path | None:
    """The file, if its name leads neither out of the folder nor over a link."""
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or "\\" in name or "\0" in name or ":" in name or ".." in parts:
        return None
    path = folder
    for part in parts:
        path /= part
        if path.is_symlink():
            return None
    return path


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def _read(folder: Path, name: str) -> bytes:
    path = _inside(folder, name)
    if path is None or not path.is_file():
        raise DoesNotFit(f"{name}: missing")
    return path.read_bytes()


def _signer(envelope: bytes, content: bytes, keys: PublicKeys) -> str:
    try:
        document = json.loads(envelope)
    except (ValueError, RecursionError):
        raise DoesNotFit(f"{SIGNATURE} is not a signed document") from None
    _, key_id = opened(document, EXPORT, keys)
    if base64.b64decode(document["payload"]) != content:
        raise DoesNotFit(f"{SIGNATURE} was signed over another manifest")
    return key_id


def _names(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix()
