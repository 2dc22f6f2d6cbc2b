"""`goldvein skill assert` and `goldvein examples assert`, in-process against one real application."""

import json
import shlex
from typing import Any

import pytest
from conftest import World

from goldvein.cli import connection, main
from goldvein_client import Client, ClientError


class Direct(Client):
    """alice's client; its requests go to the application itself."""

    def __init__(self, world: World) -> None:
        super().__init__("http://127.0.0.1:1", world.someone("alice").api_key)
        self._direct = world.client("alice")

    def request(
        self, method: str, path: str, *, json_body: object = None, revision: int | None = None, **_options: Any
    ) -> dict[str, Any]:
        headers = {} if revision is None else {"If-Match": f'"{revision}"'}
        answer = self._direct.request(method, path, json=json_body, headers=headers)
        content: dict[str, Any] = answer.json()
        if answer.status_code != 200:
            error = content["error"]
            raise ClientError(error["code"], error["message"], error["details"], answer.status_code)
        return content


def run(capture: pytest.CaptureFixture[str], line: str) -> tuple[Any, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(shlex.split(line))
    printed = capture.readouterr()
    return ended.value.code, printed.out, printed.err


def test_assertions_are_added_shown_and_cleared(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(connection, "connect", lambda *_given: Direct(world))
    schema = world.data_dir / "schema.json"
    schema.write_text('{"type": "object"}\n', encoding="utf-8")
    example_id = world.capture()
    for owner in ("skill assert release-notes", f"examples assert {example_id}"):
        assert "No assertions." in run(capsys, owner)[1]
        assert run(capsys, f"{owner} --contains Changelog --contains v1")[0] == 0
        found = json.loads(run(capsys, f"{owner} --json-schema @{schema} --json")[1])["assertions"]
        assert [one["value"] for one in found] == ["Changelog", "v1", '{"type":"object"}']
        code, _, err = run(capsys, f"{owner} --regex '('")
        assert (code, "assertions.3" in err) == (1, True)
        assert "Changelog" in run(capsys, owner)[1]
        assert "rubric" in run(capsys, f"{owner} --clear --rubric 'Says why'")[1]
        assert "No assertions." in run(capsys, f"{owner} --clear")[1]
    assert run(capsys, "skill assert release-notes --rubric @none.txt")[0] == 1
