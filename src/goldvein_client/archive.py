"""Unpacking an export: nothing is written that the manifest does not vouch for, and nowhere but in the folder."""

import hashlib
import hmac
import io
import json
import os
import re
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import Any, Final

MANIFEST_NAME: Final = "manifest.json"
MAX_UNPACKED_BYTES: Final = 4 * 1024**3  # a larger export than one download makes; stops an archive that never ends
_READ_BYTES: Final = 1024 * 1024
# A plain name: no folder, no drive, no leading dot, nothing a terminal would act on.
_FILE_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")


class ArchiveRefused(Exception):
    """The export was not written; the message says why."""


def write_archive(content: bytes, folder: Path, *, overwrite: bool) -> dict[str, Any]:
    """Check the archive and write its files; returns the manifest. Raises ArchiveRefused, with nothing changed.

    1. The folder must be new, empty, or to be overwritten. 2. The names are plain and the manifest names them all.
    3. Each file is unpacked beside the folder and must have the manifest's sha256. 4. Only then are they moved into
    the folder, the manifest last, so that a folder with a manifest is complete.
    """
    _check_folder(folder, overwrite=overwrite)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            manifest = _read_manifest(archive)
            digests = _digests(archive, manifest)
            folder.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as staging:
                _unpack(archive, Path(staging), digests)
                folder.mkdir(mode=0o700, exist_ok=True)
                for name in (*digests, MANIFEST_NAME):
                    (Path(staging) / name).replace(folder / name)
    except (zipfile.BadZipFile, EOFError, RuntimeError, zlib.error) as error:
        raise ArchiveRefused("The server's answer is not a readable archive.") from error
    except OSError as error:
        raise ArchiveRefused(f"The folder cannot be written ({error.strerror or type(error).__name__}).") from error
    return manifest


def _check_folder(folder: Path, *, overwrite: bool) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ArchiveRefused("The place to write to is a file, not a folder.")
    if not overwrite and any(folder.iterdir()):
        raise ArchiveRefused("The folder is not empty; name another one, or allow overwriting (--overwrite).")


def _read_manifest(archive: zipfile.ZipFile) -> dict[str, Any]:
    names = [entry.filename for entry in archive.infolist()]
    if len(names) != len(set(names)):
        raise ArchiveRefused("The archive holds a name twice.")
    if not all(_FILE_NAME.fullmatch(name) for name in names):
        raise ArchiveRefused("The archive holds a name that is not a plain file name.")
    if not all(entry.compress_type in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED} for entry in archive.infolist()):
        raise ArchiveRefused("The archive is packed in a way that no export is.")
    if sum(entry.file_size for entry in archive.infolist()) > MAX_UNPACKED_BYTES:
        raise ArchiveRefused(f"The archive unpacks to more than {MAX_UNPACKED_BYTES} bytes.")
    if MANIFEST_NAME not in names:
        raise ArchiveRefused("The archive has no manifest.")
    try:
        manifest = json.loads(archive.read(MANIFEST_NAME))
    except (ValueError, RecursionError):
        manifest = None
    if not isinstance(manifest, dict):
        raise ArchiveRefused("The manifest is not JSON.")
    return manifest


def _digests(archive: zipfile.ZipFile, manifest: dict[str, Any]) -> dict[str, str]:
    """The sha256 of every file but the manifest; the archive must hold exactly what the manifest names."""
    files = manifest.get("files")
    digests = {}
    for name, facts in files.items() if isinstance(files, dict) else ():
        digest = facts.get("sha256") if isinstance(facts, dict) else None
        if isinstance(digest, str):
            digests[name] = digest
    if set(digests) != set(archive.namelist()) - {MANIFEST_NAME}:
        raise ArchiveRefused("The archive does not hold exactly the files its manifest names.")
    return digests


def _unpack(archive: zipfile.ZipFile, staging: Path, digests: dict[str, str]) -> None:
    for name in (*digests, MANIFEST_NAME):
        found = _write_file(archive, name, staging / name)
        if name != MANIFEST_NAME and not hmac.compare_digest(found, digests[name].encode("ascii", "replace")):
            raise ArchiveRefused(f"{name} does not have the sha256 that the manifest gives.")


def _write_file(archive: zipfile.ZipFile, name: str, path: Path) -> bytes:
    """Unpack one file, its owner's only; returns its sha256 in hex digits."""
    digest = hashlib.sha256()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file, archive.open(name) as source:
        while chunk := source.read(_READ_BYTES):
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest().encode()
