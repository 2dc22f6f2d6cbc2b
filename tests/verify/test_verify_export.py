import json
from collections.abc import Callable
from pathlib import Path

import pytest
from made_up import FACTS, explained, export, mixed_rows

from goldvein.cli import main
from goldvein.datasets.exports import find_format
from goldvein.datasets.exports.writing import write_export
from goldvein.verify.envelope import DoesNotFit, key_id_of, public_key_of, sign
from goldvein.verify.export import EXPORT, check_export, rows_among

SEED, OTHER_SEED = bytes(range(32)), bytes(range(1, 33))
KEYS = {key_id_of(public_key_of(seed)): public_key_of(seed) for seed in (SEED,)}
OTHER_KEYS = {key_id_of(public_key_of(seed)): public_key_of(seed) for seed in (OTHER_SEED,)}
Run = Callable[..., tuple[str, str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A signed export."""
    return write_export(
        tmp_path / "export",
        find_format("chat-jsonl"),
        FACTS,
        explained(mixed_rows()),
        sign=lambda manifest: json.dumps(sign(SEED, EXPORT, manifest)).encode(),
    ).folder


def test_an_untouched_export_holds_and_so_does_its_signature(folder: Path) -> None:
    assert check_export(folder, {}).key_id is None
    found = check_export(folder, KEYS)
    assert (found.signed, found.key_id, found.added) == (True, next(iter(KEYS)), ())
    assert found.manifest["version"]["name"] == "3"


def test_another_key_or_no_signature_does_not(folder: Path) -> None:
    with pytest.raises(DoesNotFit, match="signature"):
        check_export(folder, OTHER_KEYS)
    (folder / "manifest.dsse.json").unlink()
    with pytest.raises(DoesNotFit, match="not signed"):
        check_export(folder, KEYS)


def test_a_signature_over_another_manifest_does_not(folder: Path, tmp_path: Path) -> None:
    other = export(tmp_path, "csv", mixed_rows()).folder
    (folder / "manifest.dsse.json").write_text(json.dumps(sign(SEED, EXPORT, (other / "manifest.json").read_bytes())))
    with pytest.raises(DoesNotFit, match="another manifest"):
        check_export(folder, KEYS)
    (folder / "manifest.dsse.json").write_text("[" * 100_000)
    with pytest.raises(DoesNotFit, match="not a signed document"):
        check_export(folder, KEYS)


def test_every_altered_and_missing_file_is_named(folder: Path) -> None:
    content = (folder / "train.jsonl").read_bytes()
    (folder / "train.jsonl").write_bytes(content.replace(b"Better", b"Worse!"))
    (folder / "README.md").write_bytes((folder / "README.md").read_bytes() + b" ")
    (folder / "skipped.jsonl").unlink()
    with pytest.raises(DoesNotFit) as misfit:
        check_export(folder, {})
    told = str(misfit.value)
    assert "train.jsonl: altered" in told
    assert "skipped.jsonl: missing" in told
    assert "README.md: altered, it has" in told
    assert "test.jsonl" not in told


def test_a_file_that_came_later_is_told(folder: Path) -> None:
    (folder / "logs").mkdir()
    (folder / "logs" / "run.json").write_text("{}")
    assert check_export(folder, {}).added == ("logs/run.json",)


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "a/../../outside", "a\\b", "", "link/outside", "C:x"])
def test_a_manifest_cannot_lead_out_of_its_folder(folder: Path, name: str) -> None:
    (folder.parent / "outside").write_bytes(b"")
    (folder / "link").symlink_to(folder.parent)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    manifest["files"] = {name: {"sha256": empty, "bytes": 0}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DoesNotFit, match="no file of this folder"):
        check_export(folder, {})


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"manifest":"goldvein.export/1","files":[]}', "[" * 100_000])
def test_what_is_no_manifest_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(DoesNotFit, match="not the manifest"):
        check_export(tmp_path, {})
    with pytest.raises(DoesNotFit, match="missing"):
        check_export(tmp_path / "nothing", {})


def test_a_file_that_the_manifest_says_nothing_of_does_not_fit(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest["files"]["train.jsonl"] = {}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DoesNotFit, match=r"train\.jsonl: the manifest does not say"):
        check_export(folder, {})


def test_withdrawn_rows_are_found(folder: Path) -> None:
    assert rows_among(folder, frozenset({"ex-000003", "ex-000001", "ex-999999", "ex-000006"})) == [
        "ex-000001",
        "ex-000003",
    ]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run_line(*arguments: object, code: int = 0) -> tuple[str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["verify", "export", *map(str, arguments)])
        printed = capsys.readouterr()
        assert ended.value.code == code, printed
        return " ".join(printed.out.split()), " ".join(printed.err.split())

    return run_line


def test_the_command_says_whether_an_export_is_untouched(folder: Path, run: Run) -> None:
    out, warning = run(folder)
    assert "files are as the manifest says" in out
    assert "--public-key" in warning
    assert next(iter(KEYS)) in run(folder, "--public-key", public_key_of(SEED).hex())[0]
    (folder / "train.jsonl").write_bytes(b"")
    assert "train.jsonl: altered" in run(folder, code=1)[1]


def test_the_command_names_withdrawn_rows_and_writes_a_copy_without_them(
    folder: Path, run: Run, tmp_path: Path
) -> None:
    ids, copy = tmp_path / "ids.txt", tmp_path / "copy"
    ids.write_text("ex-000001\n\nex-000099\n")
    assert "1 rows (ex-000001)" in run(folder, "--withdrawn", ids, code=1)[1]
    assert json.loads(run(folder, "--withdrawn", ids, "--json", code=1)[0])["withdrawn"] == ["ex-000001"]
    told = json.loads(run(folder, "--withdrawn", ids, "--prune", copy, "--json")[0])
    assert (told["ok"], told["pruned"]) == (True, str(copy))
    run(copy, "--withdrawn", ids)
    assert "does not exist" in run(folder, "--withdrawn", ids, "--prune", copy, code=1)[1]
    assert "--withdrawn" in run(folder, "--prune", copy, code=2)[1]
