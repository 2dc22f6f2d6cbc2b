import io
import re
import sys
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from conftest import World
from made import approved, freeze, golden, make

from goldvein.datasets.selection import LEFT_OUT

PAGE = Path(__file__).parents[2] / "docs" / "datasets.md"


def test_the_script_of_the_page_computes_every_hash_again_and_notices_a_change(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make(world)
    golden(world, 1, example_input="naïve – \u2028 \u0001 question")
    approved(world, 2)
    freeze(world)
    altered = b""

    def urlopen(request: urllib.request.Request) -> io.BytesIO:
        answer = world.anonymous(**dict(request.header_items())).get(urlsplit(request.full_url).path)
        return io.BytesIO(answer.content.replace(b'"split":"train"', altered) if altered else answer.content)

    (script,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    base = "http://testserver/api/datasets/notes"
    monkeypatch.setattr(sys, "argv", ["check.py", base, world.someone("alice").api_key, "1"])

    exec(compile(script, str(PAGE), "exec"), {})  # noqa: S102 (our own page)
    assert capsys.readouterr().out.endswith(" fits\n")
    altered = b'"split":"exam"'
    with pytest.raises(AssertionError):
        exec(compile(script, str(PAGE), "exec"), {})  # noqa: S102


def test_each_reason_to_leave_an_example_out_is_on_the_page_and_no_other() -> None:
    table = PAGE.read_text(encoding="utf-8").split("| reason | means |")[1].split("\n\n")[0]
    named = {
        name
        for line in table.splitlines()
        for name in re.findall(r"`(\w+)`", line.split("|")[1:2][0] if "|" in line else "")
    }
    assert named == set(LEFT_OUT)
