"""What the reports of all benchmarks share: tables, the machine, and their place in docs/benchmarks.md."""

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    return "\n".join((_row(head), "|" + "---|" * len(head), *map(_row, rows)))


def _processor() -> str:
    """The name of the processor, where the system tells."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def machine() -> str:
    """The day, the machine and the Python of this run, without a full stop."""
    return (
        f"{datetime.now(tz=UTC):%Y-%m-%d}, {_processor()}, {os.cpu_count()} cores "
        f"(load {os.getloadavg()[0]:.1f} at the end), Python {platform.python_version()}, {platform.system()}"
    )


def markers(name: str) -> tuple[str, str]:
    """Between which two lines of the page the tables of a benchmark stand."""
    return f"<!-- {name}: begin -->", f"<!-- {name}: end -->"


def put_between_markers(page: Path, name: str, text: str) -> None:
    """Replace what stands between the markers of a benchmark."""
    begin, end = markers(name)
    before, rest = page.read_text(encoding="utf-8").split(begin)
    after = rest.split(end)[1]
    page.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")
