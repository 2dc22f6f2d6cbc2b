"""docs/exports.md tells of every format and reason, and its script works."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from made_up import export, hostile_rows, mixed_rows

from goldvein.datasets.exports import FORMATS
from goldvein.datasets.exports.misfits import MISFITS

PAGE = (Path(__file__).parents[2] / "docs" / "exports.md").read_text(encoding="utf-8")


def test_each_format_and_each_reason_is_told() -> None:
    formats, reasons = PAGE.split("## Formats")[1].split("| reason | means |")
    assert re.findall(r"^\| `([a-z-]+)` \|", formats, re.MULTILINE) == list(FORMATS)
    assert set(re.findall(r"`([a-z]+_[a-z_]+)`", formats)) >= set(MISFITS)
    told = re.findall(r"^\| `([a-z_]+)` \| (.*?)(?: \(.*)? \|$", reasons.split("###")[0], re.MULTILINE)
    assert dict(told) == MISFITS


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """The script of the page."""
    text = next(code for code in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "RFC 8785" in code)
    path = tmp_path / "check.py"
    path.write_text(text, encoding="utf-8")
    return path


def run(script: Path, folder: Path) -> tuple[int, str]:
    done = subprocess.run([sys.executable, script, folder], capture_output=True, text=True, check=False)  # noqa: S603 (the page's own)
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_a_script_of_thirty_lines_comes_to_the_same_digest(script: Path, tmp_path: Path) -> None:
    for name in ("csv", "promptfoo"):
        written = export(tmp_path, name, [*mixed_rows(), *hostile_rows()])
        assert run(script, written.folder) == (0, f"manifest {written.digest}\n")
    (written.folder / "test.jsonl").write_bytes(b"")
    assert run(script, written.folder)[0] == 1
