import json
from pathlib import Path

import pytest
from made_up import export, hostile_rows, mixed_rows, row

from goldvein.datasets.exports import FORMATS, parquet
from goldvein.datasets.exports.pruning import prune
from goldvein.verify.export import check_export

GONE = frozenset({"ex-000001", "ex-000006", "ex-000102"})


@pytest.mark.parametrize("name", FORMATS)
def test_a_pruned_copy_is_the_export_without_these_rows(tmp_path: Path, name: str) -> None:
    rows = [*mixed_rows(), *hostile_rows("validation")]
    whole = export(tmp_path / "whole", name, rows, system_message=True)
    wanted = export(tmp_path / "wanted", name, [one for one in rows if one.example_id not in GONE], system_message=True)
    pruned = prune(whole.folder, tmp_path / "pruned", GONE)
    made = {path.relative_to(pruned.folder).as_posix() for path in pruned.folder.rglob("*") if path.is_file()}
    assert made == {*wanted.manifest["files"], "manifest.json"}
    for path in made - {"manifest.json", "README.md"}:
        if path.endswith(".parquet"):
            pyarrow = parquet.need_pyarrow()
            assert pyarrow.parquet.read_table(pruned.folder / path).equals(
                pyarrow.parquet.read_table(wanted.folder / path)
            )
        else:
            assert (pruned.folder / path).read_bytes() == (wanted.folder / path).read_bytes(), path
    assert pruned.manifest["counts"] == wanted.manifest["counts"]
    removed = whole.manifest["counts"]["rows"] - wanted.manifest["counts"]["rows"]
    assert pruned.manifest["pruned"] == {"of": f"sha256:{whole.digest}", "rows": removed}
    assert f"{removed} rows that were withdrawn" in (pruned.folder / "README.md").read_text(encoding="utf-8")
    assert check_export(pruned.folder, {}).digest == pruned.digest
    assert check_export(whole.folder, {}).digest == whole.digest


def test_a_split_that_is_emptied_is_no_longer_named(tmp_path: Path) -> None:
    whole = export(tmp_path, "promptfoo", [row(1), row(2, split="test")])
    pruned = prune(whole.folder, tmp_path / "pruned", frozenset({"ex-000002"}))
    config = json.loads((pruned.folder / "promptfooconfig.json").read_bytes())
    assert config["tests"] == ["file://train.jsonl"]
    assert not (pruned.folder / "test.jsonl").exists()


def test_nothing_of_a_withdrawn_row_is_left(tmp_path: Path) -> None:
    for name in FORMATS:
        rows = [row(1, example_input="secret life of bob", answer="of bob"), row(2)]
        whole = export(tmp_path, name, rows)
        pruned = prune(whole.folder, tmp_path / f"{name}-pruned", frozenset({"ex-000001"}))
        for path in pruned.folder.rglob("*"):
            if path.is_file() and path.suffix != ".parquet":
                assert b"bob" not in path.read_bytes()
                assert b"ex-000001" not in path.read_bytes()
