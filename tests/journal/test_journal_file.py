"""Lines that outlive the store: whole or counted as damaged, from however many processes."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from goldvein.db.ids import new_id
from goldvein.journal import file
from goldvein.journal.file import Line, append, read

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def line(**options: object) -> Line:
    return Line(**{"id": new_id(), "tenant_id": new_id(), "kind": "withdrawn", "occurred_at": NOW} | options)  # type: ignore[arg-type]


def test_what_was_appended_is_read_in_order(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "journal"
    lines = [line(person_id=new_id()), line(kind="erased", example_ids=[new_id(), new_id()]), line(kind="switched_off")]
    append(path, lines[:1])
    append(path, lines[1:])
    found = read(path)
    assert found is not None
    assert (found.lines, found.damaged) == (lines, 0)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_journal_that_begins_is_not_a_lost_one(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    assert read(path) is None
    path.touch()
    assert read(path) is None
    append(path, [])
    found = read(path)
    assert found is not None
    assert (found.lines, found.damaged) == ([], 0)


def test_a_torn_last_line_is_counted_and_the_next_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    first, torn, next_one = line(), line(), line()
    append(path, [first, torn])
    with path.open("r+b") as stream:
        stream.truncate(path.stat().st_size - 20)
    found = read(path)
    assert found is not None
    assert (found.lines, found.damaged) == ([first], 1)
    append(path, [next_one, torn])  # whoever could not be sure writes it again
    found = read(path)
    assert found is not None
    assert (found.lines, found.damaged) == ([first, next_one, torn], 1)


@pytest.mark.parametrize("place", [0, 5, 20, 60, 120])
def test_a_changed_byte_damages_its_line_and_no_other(tmp_path: Path, place: int) -> None:
    path = tmp_path / "journal"
    first, second = line(), line()
    append(path, [])
    start = path.stat().st_size
    append(path, [first, second])
    data = bytearray(path.read_bytes())
    data[start + place] ^= 1
    path.write_bytes(data)
    found = read(path)
    assert found is not None
    assert (found.lines, found.damaged) == ([second], 1)


def test_an_entry_that_was_written_twice_is_one(tmp_path: Path) -> None:
    path, same = tmp_path / "journal", line()
    append(path, [same])
    append(path, [same])
    found = read(path)
    assert found is not None
    assert found.lines == [same]


def test_a_line_holds_ids_and_words_of_ours_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    append(path, [line(person_id=new_id(), skill_ids=[new_id()], purposes=["training"])])
    content = json.loads(path.read_bytes().splitlines()[-1].partition(b" ")[2])
    assert content.keys() == {"id", "tenant_id", "kind", "occurred_at", "person_id", "skill_ids", "purposes"}


def test_a_line_is_synced_before_it_counts_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, synced = tmp_path / "journal", list[int]()
    monkeypatch.setattr(file.os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_size))
    append(path, [line()])
    assert synced[0] == path.stat().st_size
    assert len(synced) == 2  # the file, and the folder that has its name


def test_what_could_not_be_synced_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, first = tmp_path / "journal", line()
    append(path, [first])

    def fail(_descriptor: int) -> None:
        raise OSError(28, "no space")

    with monkeypatch.context() as patch:
        patch.setattr(file.os, "fsync", fail)
        with pytest.raises(OSError, match="no space"):
            append(path, [line()])
    found = read(path)
    assert found is not None
    assert found.lines == [first]


def test_processes_append_without_tearing_each_others_lines(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    program = (
        "import sys\nfrom pathlib import Path\nfrom datetime import UTC, datetime\n"
        "from goldvein.db.ids import new_id\nfrom goldvein.journal.file import Line, append\n"
        "for _ in range(40):\n"
        "    one = Line(id=new_id(), tenant_id=new_id(), kind='erased', occurred_at=datetime.now(UTC),"
        " example_ids=[new_id() for _ in range(30)])\n"
        "    append(Path(sys.argv[1]), [one])\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", program, str(path)]) for _ in range(3)]  # noqa: S603 (ours)
    assert [process.wait(60) for process in running] == [0, 0, 0]
    found = read(path)
    assert found is not None
    assert (len(found.lines), found.damaged) == (120, 0)
