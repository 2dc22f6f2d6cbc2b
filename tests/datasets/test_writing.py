import hashlib
import io
import json
import tracemalloc
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import rfc8785
from made_up import FACTS, explained, export, facts_for, hostile_rows, mixed_rows, row

from goldvein.datasets.exports import FORMATS, find_format
from goldvein.datasets.exports.facts import ExportOptions
from goldvein.datasets.exports.writing import ExplainedRow, new_folder, write_export, zip_chunks, zip_file
from goldvein.datasets.rows import Row
from goldvein.errors import InvalidField


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_version_and_options_give_the_same_bytes(tmp_path: Path, name: str) -> None:
    rows = [*mixed_rows(), *hostile_rows()]
    first, second = (export(tmp_path / run, name, rows, system_message=True) for run in "ab")
    assert contents(first.folder) == contents(second.folder)
    assert b"".join(zip_chunks(first.folder)) == b"".join(zip_chunks(second.folder))
    other = export(tmp_path / "c", name, rows[:-1], system_message=True)
    assert other.digest != first.digest


@pytest.mark.parametrize("name", FORMATS)
def test_the_manifest_is_canonical_and_names_every_file(tmp_path: Path, name: str) -> None:
    written = export(tmp_path, name, mixed_rows())
    files = contents(written.folder)
    manifest = files.pop("manifest.json")
    assert manifest == rfc8785.dumps(json.loads(manifest))
    assert hashlib.sha256(manifest).hexdigest() == written.digest
    told = written.manifest["files"]
    assert {path: (found["sha256"], found["bytes"]) for path, found in told.items()} == {
        path: (hashlib.sha256(content).hexdigest(), len(content)) for path, content in files.items()
    }


@pytest.mark.parametrize("name", FORMATS)
def test_rows_received_are_written_skipped_or_held_back(tmp_path: Path, name: str) -> None:
    rows = mixed_rows()
    counts = export(tmp_path, name, rows).manifest["counts"]
    assert counts["rows"] + sum(counts["skipped"].values()) + sum(counts["held_back"].values()) == len(rows)
    assert counts["rows"] == sum(counts["by_split"].values()) == sum(counts["by_source"].values())


@pytest.mark.parametrize("name", FORMATS)
def test_the_holdout_goes_out_only_when_it_is_asked_for(tmp_path: Path, name: str) -> None:
    rows = [
        row(1),
        row(
            2, split="holdout", example_input="sealed question", expected_output="sealed answer", answer="sealed answer"
        ),
    ]
    closed = export(tmp_path / "closed", name, rows)
    assert not [
        path for path, content in contents(closed.folder).items() if b"sealed" in content or b"ex-000002" in content
    ]
    assert closed.manifest["counts"]["held_back"] == {"holdout": 1}
    opened = export(tmp_path / "opened", name, rows, splits=("train", "holdout"))
    assert opened.manifest["counts"]["by_split"] == {"train": 1, "holdout": 1}
    assert opened.manifest["options"]["splits"] == ["train", "holdout"]


def test_each_row_is_explained_where_it_stands(tmp_path: Path) -> None:
    written = export(tmp_path, "chat-jsonl", mixed_rows())
    told = [json.loads(line) for line in (written.folder / "provenance.jsonl").read_bytes().splitlines()]
    for one in told:
        line = (written.folder / one["file"]).read_bytes().splitlines()[one["record"] - 1]
        number = int(one["example_id"][-6:])
        assert f"answer {number}." in line.decode()
    assert [one["example_id"] for one in told] == ["ex-000001", "ex-000002", "ex-000003", "ex-000007"]
    assert told[0]["provenance"] == {"basis": "consent", "sanitizer_version": "1-c0ffee123456", "reviewed_by": "alice"}
    assert told[1]["provenance"]["basis"] == "authored"


def test_stand_ins_are_asked_for_and_recorded(tmp_path: Path) -> None:
    kept = export(tmp_path / "a", "chat-jsonl", mixed_rows())
    assert b"[REDACTED:email_2]" in (kept.folder / "train.jsonl").read_bytes()
    assert kept.manifest["options"] == {
        "splits": ["train", "validation", "test"],
        "placeholders": "keep",
        "surrogates_version": None,
        "system_message": False,
    }
    replaced = export(tmp_path / "b", "chat-jsonl", mixed_rows(), placeholders="surrogate")
    text = (replaced.folder / "train.jsonl").read_bytes()
    assert b"Mail person2@example, not person1@example" in text
    assert b"REDACTED" not in text
    assert (replaced.manifest["options"]["placeholders"], replaced.manifest["options"]["surrogates_version"]) == (
        "surrogate",
        1,
    )


def test_the_caller_signs_the_bytes_of_the_manifest(tmp_path: Path) -> None:
    signed: list[bytes] = []

    def sign(manifest: bytes) -> bytes:
        signed.append(manifest)
        return b"envelope"

    folder = tmp_path / "signed"
    write_export(folder, find_format("csv"), FACTS, explained(mixed_rows()), sign=sign)
    assert (folder / "manifest.dsse.json").read_bytes() == b"envelope"
    assert signed == [(folder / "manifest.json").read_bytes()]


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    def rows() -> Iterator[ExplainedRow]:
        yield from explained([row(1)])
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011 (this one)
        write_export(tmp_path / "half", find_format("chat-jsonl"), FACTS, rows())
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_export_left_is_in_nobodys_way(tmp_path: Path) -> None:
    with new_folder(tmp_path / "csv") as unfinished:
        (unfinished / "half").write_bytes(b"")
        other = export(tmp_path, "csv", [row(1)])
        assert not (other.folder / "half").exists()
        other.folder.rename(tmp_path / "done")
    assert (tmp_path / "csv" / "half").exists()


def test_a_folder_that_exists_is_not_written_into(tmp_path: Path) -> None:
    export(tmp_path, "csv", [row(1)])
    with pytest.raises(InvalidField, match="does not exist"):
        export(tmp_path, "csv", [row(1)])


def test_what_was_made_to_evaluate_is_not_exported_to_train_on(tmp_path: Path) -> None:
    facts = facts_for("evaluation")
    for name, format_ in FORMATS.items():
        if format_.purpose == "training":
            with pytest.raises(InvalidField, match="evaluate"):
                export(tmp_path, name, mixed_rows(), facts)
        else:
            export(tmp_path, name, mixed_rows(), facts)


def test_a_version_without_rows_is_an_export_too(tmp_path: Path) -> None:
    for name in FORMATS:
        written = export(tmp_path, name, [])
        assert written.manifest["counts"]["rows"] == 0
        assert (written.folder / "provenance.jsonl").read_bytes() == b""


def test_a_zip_holds_the_folder(tmp_path: Path) -> None:
    written = export(tmp_path, "huggingface", mixed_rows())
    target = tmp_path / "export.zip"
    zip_file(written.folder, target)
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == contents(written.folder)
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.getinfo("data/train.parquet").compress_type == zipfile.ZIP_STORED
    assert zipfile.is_zipfile(io.BytesIO(b"".join(zip_chunks(written.folder))))


@pytest.mark.parametrize("name", ["chat-jsonl", "csv", "promptfoo"])
def test_memory_does_not_grow_with_the_rows(tmp_path: Path, name: str) -> None:
    def peak(many: int) -> int:
        one = row(1, example_input="x" * 2000)
        rows: Iterator[Row] = (replace(one, example_id=f"ex-{number}") for number in range(many))
        tracemalloc.start()
        export(tmp_path / str(many), name, rows)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(4000) < peak(1000) * 1.5


def test_options_have_defaults_that_keep_the_holdout_sealed() -> None:
    assert ExportOptions().splits == ("train", "validation", "test")
