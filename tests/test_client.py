import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

import goldvein_client
from goldvein_client import Client, ClientError

BASE_URL = "http://goldvein.example"
KEY = "gv_test_made-up"

Handler = Callable[[httpx.Request], httpx.Response]


def client_of(handler: Handler) -> Client:
    return Client(BASE_URL, KEY, transport=httpx.MockTransport(handler))


def answering(status: int, content: object) -> Client:
    return client_of(lambda _request: httpx.Response(status, json=content))


def archive(files: dict[str, bytes], manifest: object = None) -> bytes:
    """An export; by default with the manifest that fits."""
    if manifest is None:
        named = {name: {"sha256": hashlib.sha256(content).hexdigest()} for name, content in files.items()}
        manifest = {"files": named, "counts": {"rows": 1}}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name, content in [*files.items(), ("manifest.json", json.dumps(manifest).encode())]:
            target.writestr(name, content)
    return buffer.getvalue()


def exporting(content: bytes) -> Client:
    return client_of(lambda _request: httpx.Response(200, content=content))


def test_only_the_client_and_its_error_are_public() -> None:
    assert goldvein_client.__all__ == ["Client", "ClientError"]


def test_the_client_does_not_import_the_server() -> None:
    code = "import sys, goldvein_client, goldvein_client.hook_settings; print([m for m in sys.modules if m.split('.')[0] == 'goldvein'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)  # noqa: S603
    assert done.stdout == "[]\n"


def test_it_sends_the_key_in_a_header_and_nowhere_else() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={})

    client_of(handler).get_me()
    assert seen[0].headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in str(seen[0].url)


def test_it_does_not_follow_a_redirect_with_the_key() -> None:
    seen: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.host)
        return httpx.Response(307, headers={"Location": "http://elsewhere.example/"})

    with pytest.raises(ClientError) as caught:
        client_of(handler).get_me()
    assert (caught.value.code, caught.value.status, seen) == ("http_error", 307, ["goldvein.example"])


def test_an_error_of_the_server_keeps_code_message_details_and_status() -> None:
    described = {"error": {"code": "invalid_field", "message": "ts: required.", "details": {"field": "ts"}}}
    with pytest.raises(ClientError) as caught:
        answering(422, described).get_me()
    error = caught.value
    assert (error.code, error.message, error.details, error.status) == (
        "invalid_field",
        "ts: required.",
        {"field": "ts"},
        422,
    )
    assert str(error) == "invalid_field: ts: required."


@pytest.mark.parametrize("content", [b"<html>Bad gateway</html>", b"[]", b'{"error": 1}', b"", b"[" * 100_000])
def test_an_error_in_another_shape_is_still_one_error(content: bytes) -> None:
    with pytest.raises(ClientError) as caught:
        client_of(lambda _request: httpx.Response(502, content=content)).get_me()
    assert (caught.value.code, caught.value.status) == ("http_error", 502)


@pytest.mark.parametrize("content", [b"ok", b"[]", b"", b"\xff"])
def test_an_answer_that_is_no_object_is_an_error(content: bytes) -> None:
    with pytest.raises(ClientError, match="bad_answer"):
        client_of(lambda _request: httpx.Response(200, content=content)).get_me()


@pytest.mark.parametrize(
    ("failure", "code"), [(httpx.ConnectError("no"), "unreachable"), (httpx.ReadTimeout("late"), "timeout")]
)
def test_a_server_that_cannot_be_reached_is_an_error_without_status(failure: Exception, code: str) -> None:
    def handler(_request: httpx.Request) -> httpx.Response:
        raise failure

    with pytest.raises(ClientError) as caught:
        client_of(handler).get_me()
    assert (caught.value.code, caught.value.status) == (code, None)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "goldvein.example",
        "ftp://x.example",
        "http://",
        "http://u:p@x.example",
        "http://x.example?k=1",
        "http://x:y",
    ],
)
def test_it_refuses_an_address_that_is_none(url: str) -> None:
    with pytest.raises(ClientError, match="invalid_url"):
        Client(url, KEY)


@pytest.mark.parametrize("key", ["", "a b", "a\r\nX-Other: 1", "schlüssel"])
def test_it_refuses_a_key_that_cannot_stand_in_a_header_and_does_not_show_it(key: str) -> None:
    with pytest.raises(ClientError) as caught:
        Client(BASE_URL, key)
    assert caught.value.code == "invalid_key"
    assert not key or key not in str(caught.value)


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_a_name_cannot_climb_out_of_its_path(name: str) -> None:
    with pytest.raises(ClientError, match="invalid_field"):
        answering(200, {}).get_skill(name)


def test_a_name_stays_one_segment_of_the_path() -> None:
    seen: list[bytes] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.raw_path)
        return httpx.Response(200, json={})

    client_of(handler).get_skill("../me?x=1#y")
    assert seen == [b"/api/skills/..%2Fme%3Fx%3D1%23y"]


def test_every_tracked_use_has_an_event_id_and_a_time() -> None:
    seen: list[dict[str, Any]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(json.loads(request.content))
        return httpx.Response(200, json={"outcome": "stored"})

    client = client_of(handler)
    client.track("release-notes", "chat")
    client.track("release-notes", "chat")
    client.track("release-notes", "chat", event_id="mine", ts="2026-01-01T00:00:00Z", input_tokens=0)
    assert seen[0]["event_id"] != seen[1]["event_id"]
    assert seen[0]["ts"].endswith("+00:00")
    assert seen[2] == {
        "skill_id": "release-notes",
        "tool_name": "chat",
        "ts": "2026-01-01T00:00:00Z",
        "event_id": "mine",
        "input_tokens": 0,
    }


@pytest.mark.parametrize("text", ["\ud800", float("nan"), object()])
def test_what_cannot_be_json_is_refused_before_it_is_sent(text: Any) -> None:
    with pytest.raises(ClientError, match="cannot be written as JSON") as caught:
        answering(200, {}).edit_example("x", {"example_input": text})
    assert caught.value.code == "invalid"


def test_a_list_follows_its_pages_up_to_the_limit() -> None:
    asked: list[dict[str, str]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(dict(request.url.params))
        page = int(request.url.params.get("cursor", "0"))
        items = [{"slug": f"{page}-{number}"} for number in range(2)]
        return httpx.Response(200, json={"items": items, "next_cursor": str(page + 1) if page < 2 else None})

    client = client_of(handler)
    assert [skill["slug"] for skill in client.list_skills()] == ["0-0", "0-1", "1-0", "1-1", "2-0", "2-1"]
    assert [call.get("cursor") for call in asked] == [None, "1", "2"]
    asked.clear()
    assert [skill["slug"] for skill in client.list_skills(limit=3)] == ["0-0", "0-1", "1-0"]
    assert len(asked) == 2


def test_a_revision_is_sent_as_if_match() -> None:
    seen: list[str | None] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("if-match"))
        return httpx.Response(200, json={})

    client = client_of(handler)
    client.change_skill("release-notes", name="x", revision=7)
    client.change_skill("release-notes", name="x")
    assert seen == ['"7"', None]


def test_an_export_is_verified_and_written(tmp_path: Path) -> None:
    manifest = exporting(archive({"examples.jsonl": b"{}\n"})).export("release-notes", tmp_path / "deep" / "out")
    assert manifest["counts"] == {"rows": 1}
    assert (tmp_path / "deep" / "out" / "examples.jsonl").read_bytes() == b"{}\n"
    assert json.loads((tmp_path / "deep" / "out" / "manifest.json").read_bytes()) == manifest
    assert {path.name for path in (tmp_path / "deep").iterdir()} == {"out"}


def test_an_export_asks_for_the_format_and_the_system_message(tmp_path: Path) -> None:
    asked: list[dict[str, str]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(dict(request.url.params))
        return httpx.Response(200, content=archive({}))

    client_of(handler).export("x", tmp_path / "a", system=True)
    client_of(handler).export("x", tmp_path / "b")
    assert asked == [{"format": "chat-jsonl", "system": "true"}, {"format": "chat-jsonl"}]


WRONG_DIGEST = {"files": {"examples.jsonl": {"sha256": "0" * 64}}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (archive({"../escaped": b"x"}), "not a plain file name"),
        (archive({"/escaped": b"x"}), "not a plain file name"),
        (archive({"folder/escaped": b"x"}), "not a plain file name"),
        (archive({"c:\\escaped": b"x"}), "not a plain file name"),
        (archive({".bashrc": b"x"}), "not a plain file name"),
        (archive({"\x1b[31m": b"x"}), "not a plain file name"),
        (archive({"examples.jsonl": b"x"}, WRONG_DIGEST), "does not have the sha256"),
        (archive({"examples.jsonl": b"x", "more": b"x"}, WRONG_DIGEST), "exactly the files"),
        (archive({}, WRONG_DIGEST), "exactly the files"),
        (archive({"a": b"x"}, {"files": {"a": {}}}), "exactly the files"),
        (archive({}, []), "manifest is not JSON"),
        (b"PK not an archive", "not a readable archive"),
        (archive({"examples.jsonl": b"x" * 1000})[:-30], "not a readable archive"),
    ],
)
def test_an_export_that_does_not_hold_writes_nothing(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(ClientError, match=message) as caught:
        exporting(content).export("release-notes", tmp_path / "out")
    assert caught.value.code == "export_refused"
    assert list(tmp_path.iterdir()) == []


def test_an_archive_with_a_name_twice_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO(archive({"examples.jsonl": b"good"}))
    with zipfile.ZipFile(buffer, "a") as target, pytest.warns(UserWarning, match="Duplicate name"):
        target.writestr("examples.jsonl", b"evil")
    with pytest.raises(ClientError, match="a name twice"):
        exporting(buffer.getvalue()).export("release-notes", tmp_path / "out")


def packed(method: int, flaw: bytes = b"") -> bytes:
    """An export packed by a method, its first bytes replaced by a flaw."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as target:
        target.writestr("manifest.json", json.dumps({"files": {}, "filler": "x" * 200}))
    content = bytearray(buffer.getvalue())
    start = 30 + len("manifest.json")
    content[start : start + len(flaw)] = flaw
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (packed(zipfile.ZIP_DEFLATED, b"\xff" * 10), "not a readable archive"),
        (packed(zipfile.ZIP_STORED, b"\xff" * 10), "not a readable archive"),
        (packed(zipfile.ZIP_LZMA), "in a way that no export is"),
    ],
)
def test_a_damaged_or_strange_archive_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(ClientError, match=message):
        exporting(content).export("release-notes", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("goldvein_client.archive.MAX_UNPACKED_BYTES", 100)
    with pytest.raises(ClientError, match="unpacks to more"):
        exporting(archive({"examples.jsonl": b"x" * 101})).export("release-notes", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something_is_refused_unless_told(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "examples.jsonl").write_text("old")
    client = exporting(archive({"examples.jsonl": b"new"}))
    with pytest.raises(ClientError, match="not empty"):
        client.export("release-notes", tmp_path)
    assert (tmp_path / "examples.jsonl").read_text() == "old"
    client.export("release-notes", tmp_path, overwrite=True)
    assert (tmp_path / "examples.jsonl").read_text() == "new"
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_an_export_does_not_write_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "examples.jsonl").symlink_to(tmp_path / "precious")
    exporting(archive({"examples.jsonl": b"new"})).export("release-notes", tmp_path / "out", overwrite=True)
    assert (tmp_path / "precious").read_text() == "precious"
    assert (tmp_path / "out" / "examples.jsonl").read_text() == "new"


def test_a_refused_overwrite_leaves_the_old_export_whole(tmp_path: Path) -> None:
    exporting(archive({"examples.jsonl": b"old"})).export("release-notes", tmp_path / "out")
    with pytest.raises(ClientError, match="sha256"):
        exporting(archive({"examples.jsonl": b"x"}, WRONG_DIGEST)).export("x", tmp_path / "out", overwrite=True)
    assert (tmp_path / "out" / "examples.jsonl").read_bytes() == b"old"


@pytest.mark.parametrize(("value", "sent"), [("1", "1"), ("0", None), ("", None)])
def test_it_sends_the_no_of_whoever_set_do_not_track(
    monkeypatch: pytest.MonkeyPatch, value: str, sent: str | None
) -> None:
    monkeypatch.setenv("DO_NOT_TRACK", value)
    seen = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append((request.headers.get("sec-gpc"), request.headers.get("x-goldvein-channel")))
        return httpx.Response(200, json={})

    Client(BASE_URL, KEY, transport=httpx.MockTransport(answer), channel="mcp").get_me()
    assert seen == [(sent, "mcp")]
