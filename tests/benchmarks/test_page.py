"""A report takes the place of the one before, and of nothing else."""

from pathlib import Path

from benchmarks.page import markers, put_between_markers


def test_a_report_replaces_the_one_before_and_leaves_those_of_other_benchmarks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    (begin, end), (other_begin, other_end) = markers("one"), markers("other")
    rest = f"after\n{other_begin}\n\nkept\n\n{other_end}\n"
    page.write_text(f"before\n\n{begin}\n\nold\n\n{end}\n{rest}", encoding="utf-8")
    put_between_markers(page, "one", "new")
    assert page.read_text(encoding="utf-8") == f"before\n\n{begin}\n\nnew\n\n{end}\n{rest}"
