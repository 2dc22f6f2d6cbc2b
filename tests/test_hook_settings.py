import ast
import json
import os
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import goldvein_client.hook_settings as module
from goldvein_client.hook_settings import (
    EVENTS,
    HookSettingsError,
    Status,
    _parse,
    _render,
    install,
    remove,
    settings_path,
    status,
)

BASE_URL = "http://127.0.0.1:8787"
URL = "http://127.0.0.1:8787/api/hooks/claude-code"
ENTRY = {
    "type": "http",
    "url": URL,
    "timeout": 2,
    "headers": {"Authorization": "Bearer ${GOLDVEIN_API_KEY}", "DNT": "${DO_NOT_TRACK}"},
    "allowedEnvVars": ["GOLDVEIN_API_KEY", "DO_NOT_TRACK"],
}
FOREIGN = {"type": "command", "command": "python3 notify.py", "timeout": 10}
PLUGIN_HOOKS = Path(__file__).parent / "data" / "claude_code" / "plugin.hooks.json"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".claude" / "settings.json"


def write(path: Path, settings: object) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(settings, indent=2) + "\n")


def test_a_project_and_a_user_have_their_own_file(tmp_path: Path) -> None:
    home, project = tmp_path / "home", tmp_path / "project"
    assert settings_path(None, home) == home / ".claude" / "settings.json"
    assert settings_path(project, home) == project / ".claude" / "settings.local.json"


def test_it_makes_a_new_file_with_every_event(path: Path) -> None:
    installed = install(path, base_url=BASE_URL + "/", skill=None)
    assert (installed.changed, installed.path, installed.events) == (True, path, EVENTS)
    assert json.loads(path.read_text()) == {
        "hooks": {
            "UserPromptExpansion": [{"hooks": [ENTRY]}],
            "PreToolUse": [{"matcher": "Skill", "hooks": [ENTRY]}],
            "PostToolUse": [{"matcher": "*", "hooks": [ENTRY]}],
            "PostToolUseFailure": [{"matcher": "*", "hooks": [ENTRY]}],
            "Stop": [{"hooks": [ENTRY]}],
        }
    }
    assert path.read_text().startswith('{\n  "hooks": {\n')
    assert path.read_text().endswith("}\n")


def test_a_new_file_is_for_its_owner_only(path: Path) -> None:
    install(path, base_url=BASE_URL, skill=None)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_defect_47_no_key_is_written_and_no_shared_temp_folder_used(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    monkeypatch.setenv("TMPDIR", str(shared))
    monkeypatch.setattr("tempfile.tempdir", str(shared))
    key = "gv_test_" + "a1B2" * 9
    monkeypatch.setenv("GOLDVEIN_API_KEY", key)
    install(path, base_url=BASE_URL, skill="release-notes")
    assert key not in path.read_text()
    assert "Bearer ${GOLDVEIN_API_KEY}" in path.read_text()
    assert not shared.exists()
    assert [file.name for file in path.parent.iterdir()] == ["settings.json"]


def test_a_skill_is_named_in_a_header(path: Path) -> None:
    install(path, base_url=BASE_URL, skill="plugin:release-notes")
    headers = json.loads(path.read_text())["hooks"]["Stop"][0]["hooks"][0]["headers"]
    assert headers == ENTRY["headers"] | {"X-Goldvein-Skill": "plugin:release-notes"}
    assert status(path) == Status(installed=True, url=URL, skill="plugin:release-notes", events=EVENTS)


def test_installing_twice_changes_nothing(path: Path) -> None:
    install(path, base_url=BASE_URL, skill="release-notes")
    before = path.read_bytes(), path.stat().st_ino, path.stat().st_mtime_ns
    assert not install(path, base_url=BASE_URL, skill="release-notes").changed
    assert (path.read_bytes(), path.stat().st_ino, path.stat().st_mtime_ns) == before


def test_a_file_in_another_manner_that_says_the_same_is_not_touched(path: Path) -> None:
    install(path, base_url=BASE_URL, skill=None)
    path.write_text(json.dumps(json.loads(path.read_text()), separators=(",", ":")))
    before = path.read_bytes()
    assert not install(path, base_url=BASE_URL, skill=None).changed
    assert path.read_bytes() == before


def test_everything_else_keeps_its_place_and_value(path: Path) -> None:
    settings = {
        "zeta": {"unknown": [1, 2.5, None, True]},
        "hooks": {
            "SessionStart": [{"hooks": [FOREIGN]}],
            "PostToolUse": [{"matcher": "Edit", "hooks": [FOREIGN], "note": "mine"}],
            "Notification": [],
        },
        "alpha": 10**30,
    }
    write(path, settings)
    install(path, base_url=BASE_URL, skill=None)
    after = json.loads(path.read_text())
    assert list(after) == ["zeta", "hooks", "alpha"]
    assert (after["zeta"], after["alpha"]) == (settings["zeta"], settings["alpha"])
    assert list(after["hooks"])[:3] == ["SessionStart", "PostToolUse", "Notification"]
    assert after["hooks"]["SessionStart"] == [{"hooks": [FOREIGN]}]
    assert after["hooks"]["PostToolUse"] == [
        {"matcher": "Edit", "hooks": [FOREIGN], "note": "mine"},
        {"matcher": "*", "hooks": [ENTRY]},
    ]


def test_installing_and_removing_gives_the_same_bytes_back(path: Path) -> None:
    path.parent.mkdir()
    before = '{\r\n\t"model": "Zoë",\r\n\t"hooks": {\r\n\t\t"Notification": []\r\n\t},\r\n\t"n": 1.5\r\n}'.encode()
    path.write_bytes(before)
    install(path, base_url=BASE_URL, skill=None)
    assert path.read_bytes() != before
    assert remove(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("text", ['{\n    "a": "\\u00e9"\n}\n', '{\n  "a": "é"\n}', '{\n  "a": "é \\ud800"\n}'])
def test_the_file_keeps_its_manner_of_writing(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text)
    install(path, base_url=BASE_URL, skill=None)
    assert remove(path)
    after = path.read_text()
    assert json.loads(after) == json.loads(text)
    assert after == text or "\\ud800" in text


def test_our_entries_are_changed_where_they_stand(path: Path) -> None:
    old = ENTRY | {
        "url": "https://old.example/goldvein/api/hooks/claude-code",
        "timeout": 30,
        "headers": ENTRY["headers"] | {"X-Goldvein-Skill": "old"},
        "statusMessage": "mine",
    }
    write(path, {"hooks": {"PostToolUse": [{"matcher": "Bash", "hooks": [FOREIGN, old, FOREIGN]}]}})
    install(path, base_url=BASE_URL, skill=None)
    groups = json.loads(path.read_text())["hooks"]["PostToolUse"]
    assert groups == [
        {"matcher": "Bash", "hooks": [FOREIGN, ENTRY | {"statusMessage": "mine"}, FOREIGN]},
    ]


def test_what_an_earlier_version_sent_too_is_taken_out(path: Path) -> None:
    write(path, {"hooks": {"UserPromptSubmit": [{"hooks": [ENTRY]}, {"hooks": [FOREIGN, ENTRY]}]}})
    install(path, base_url=BASE_URL, skill=None)
    assert json.loads(path.read_text())["hooks"]["UserPromptSubmit"] == [{"hooks": [FOREIGN]}]


def test_the_entries_of_the_recorded_plugin_are_recognised(path: Path) -> None:
    write(path, json.loads(PLUGIN_HOOKS.read_text()))
    assert status(path) == Status(
        installed=False, url=URL, skill=None, events=("PreToolUse", "PostToolUse", "PostToolUseFailure")
    )
    install(path, base_url=BASE_URL, skill=None)
    hooks = json.loads(path.read_text())["hooks"]
    assert set(hooks) == set(EVENTS)
    assert len(hooks["Stop"]) == 2
    assert hooks["PreToolUse"] == [{"matcher": "Skill", "hooks": [ENTRY]}]


@pytest.mark.parametrize(
    "entry",
    [
        FOREIGN,
        ENTRY | {"type": "command"},
        ENTRY | {"url": "https://other.example/hooks"},
        ENTRY | {"url": URL + "/more"},
        ENTRY | {"url": "https://other.example/?next=/api/hooks/claude-code"},
        ENTRY | {"url": "http://[/api/hooks/claude-code"},
        ENTRY | {"url": 7},
        {},
    ],
)
def test_a_foreign_entry_is_never_touched(path: Path, entry: dict[str, object]) -> None:
    settings = {"hooks": {"Stop": [{"hooks": [entry]}]}}
    write(path, settings)
    assert status(path).events == ()
    assert not remove(path)
    install(path, base_url=BASE_URL, skill=None)
    assert json.loads(path.read_text())["hooks"]["Stop"] == [{"hooks": [entry]}, {"hooks": [ENTRY]}]
    assert remove(path)
    assert json.loads(path.read_text()) == settings


def test_remove_leaves_the_group_that_others_share_with_us(path: Path) -> None:
    write(path, {"hooks": {"Stop": [{"matcher": "x", "hooks": [ENTRY, FOREIGN], "note": "mine"}]}})
    assert remove(path)
    assert json.loads(path.read_text()) == {"hooks": {"Stop": [{"matcher": "x", "hooks": [FOREIGN], "note": "mine"}]}}


def test_remove_leaves_what_was_empty_before(path: Path) -> None:
    settings = {"hooks": {"Stop": [{"hooks": []}], "Notification": []}}
    write(path, settings)
    install(path, base_url=BASE_URL, skill=None)
    assert remove(path)
    assert json.loads(path.read_text()) == settings


def test_remove_takes_out_a_hooks_member_that_only_we_filled(path: Path) -> None:
    write(path, {"model": "opus"})
    install(path, base_url=BASE_URL, skill=None)
    assert remove(path)
    assert json.loads(path.read_text()) == {"model": "opus"}
    assert not remove(path)


def test_remove_leaves_an_empty_hooks_member_of_others(path: Path) -> None:
    write(path, {"hooks": {}})
    assert not remove(path)
    assert json.loads(path.read_text()) == {"hooks": {}}


def test_without_a_file_nothing_is_installed_and_none_is_made(path: Path) -> None:
    assert status(path) == Status(installed=False, url=None, skill=None, events=())
    assert not remove(path)
    assert not path.parent.exists()


def test_status_tells_which_events_are_missing(path: Path) -> None:
    install(path, base_url=BASE_URL, skill=None)
    settings = json.loads(path.read_text())
    del settings["hooks"]["PreToolUse"]
    write(path, settings)
    assert not status(path).installed
    assert status(path).events == tuple(event for event in EVENTS if event != "PreToolUse")


BROKEN = [
    b"",
    b"not json",
    b'{"a": 1,}',
    b"// comment\n{}",
    b"\xff\xfe",
    b'{"a": NaN}',
    b'{"a": 1e999}',
    b'{"a": 1, "a": 2}',
    b'{"a": ' + b"9" * 5000 + b"}",
    b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b"[]",
    b"null",
    b'{"hooks": null}',
    b'{"hooks": []}',
    b'{"hooks": {"Stop": {}}}',
    b'{"hooks": {"Stop": ["x"]}}',
    b'{"hooks": {"Stop": [{}]}}',
    b'{"hooks": {"Stop": [{"hooks": {}}]}}',
    b'{"hooks": {"SessionStart": [{"hooks": ["x"]}]}}',
]


@pytest.mark.parametrize("content", BROKEN)
def test_a_broken_file_is_named_and_left_as_it_is(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    path.chmod(0o640)
    for act in (lambda: install(path, base_url=BASE_URL, skill=None), lambda: remove(path), lambda: status(path)):
        with pytest.raises(HookSettingsError, match="left as it is") as caught:
            act()
        assert str(path) in str(caught.value)
    assert path.read_bytes() == content
    assert [file.name for file in path.parent.iterdir()] == ["settings.json"]


def test_an_error_tells_the_place_and_not_the_content(path: Path) -> None:
    path.parent.mkdir()
    path.write_text('{\n  "env": {"TOKEN": "hunter2"},\n  oops\n}')
    with pytest.raises(HookSettingsError, match="line 3, column 3") as caught:
        status(path)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "base_url",
    [
        "",
        "127.0.0.1:8787",
        "ftp://host",
        "file:///etc",
        "http://",
        "https://user:pass@host",
        "https://host?key=1",
        "https://host#x",
        "https://${GOLDVEIN_API_KEY}.example",
        "https://host\n",
        "https://ho st",
        "http://host:99999",
        "http://[::1",
    ],
)
def test_it_refuses_an_address_it_should_not_write(path: Path, base_url: str) -> None:
    with pytest.raises(HookSettingsError, match="address"):
        install(path, base_url=base_url, skill=None)
    assert not path.parent.exists()


@pytest.mark.parametrize("base_url", ["https://[::1]:8787", "https://goldvein.example/under/a_path"])
def test_it_takes_an_address_with_a_path_or_a_literal_host(path: Path, base_url: str) -> None:
    install(path, base_url=base_url, skill=None)
    assert status(path).url == base_url + "/api/hooks/claude-code"


@pytest.mark.parametrize("skill", ["", "two words", "a\r\nX-Other: 1", "a\n", "${HOME}", "s" * 201])
def test_it_refuses_a_skill_that_is_no_name(path: Path, skill: str) -> None:
    with pytest.raises(HookSettingsError, match="skill"):
        install(path, base_url=BASE_URL, skill=skill)
    assert not path.parent.exists()


def test_the_mode_of_the_file_is_kept(path: Path) -> None:
    write(path, {})
    path.chmod(0o664)
    install(path, base_url=BASE_URL, skill=None)
    assert stat.S_IMODE(path.stat().st_mode) == 0o664


@pytest.mark.parametrize("target_exists", [True, False])
def test_a_linked_file_stays_a_link(path: Path, tmp_path: Path, target_exists: bool) -> None:
    target = tmp_path / "dotfiles" / "claude.json"
    target.parent.mkdir()
    path.parent.mkdir()
    path.symlink_to(Path("..") / "dotfiles" / "claude.json")
    if target_exists:
        target.write_text('{"model": "opus"}')
    install(path, base_url=BASE_URL, skill=None)
    assert path.is_symlink()
    assert "PostToolUse" in target.read_text()
    assert [file.name for file in target.parent.iterdir()] == ["claude.json"]


def test_a_link_that_leads_nowhere_is_named(path: Path) -> None:
    path.parent.mkdir()
    path.symlink_to(path.name)
    with pytest.raises(HookSettingsError, match=r"settings\.json"):
        install(path, base_url=BASE_URL, skill=None)
    assert path.is_symlink()


def test_a_project_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    path = settings_path(tmp_path / "typo", tmp_path)
    with pytest.raises(HookSettingsError, match="cannot be written"):
        install(path, base_url=BASE_URL, skill=None)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_place_of_the_file_is_named(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(HookSettingsError, match="cannot be read"):
        status(path)


@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.chmod", "pathlib.Path.replace"])
def test_a_failed_write_leaves_the_old_file_and_no_other(
    path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    write(path, {"model": "opus"})
    before = path.read_bytes()

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(step, fail)
    with pytest.raises(HookSettingsError, match="No space left on device"):
        install(path, base_url=BASE_URL, skill=None)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["settings.json"]


def test_the_content_is_on_disk_before_it_takes_the_files_place(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    real_fsync, real_replace = os.fsync, Path.replace
    monkeypatch.setattr("os.fsync", lambda handle: (steps.append("fsync"), real_fsync(handle)))
    monkeypatch.setattr(
        "pathlib.Path.replace", lambda self, target: (steps.append("replace"), real_replace(self, target))
    )
    install(path, base_url=BASE_URL, skill=None)
    assert steps == ["fsync", "replace"]


SETTINGS = st.dictionaries(
    st.text().filter(lambda key: key != "hooks"),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
        max_leaves=6,
    ),
)


@given(SETTINGS, st.booleans(), st.sampled_from([None, 2, "\t"]))
def test_any_settings_survive_being_read_and_written(
    settings: dict[str, object], ensure_ascii: bool, indent: int | str | None
) -> None:
    text = json.dumps(settings, ensure_ascii=ensure_ascii, indent=indent)
    written = _render(_parse(text, Path("settings.json")), text)
    assert json.loads(written) == settings
    if indent is not None:
        assert written.decode() == text


def test_it_needs_the_standard_library_only() -> None:
    tree = ast.parse(Path(module.__file__).read_text())
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert {str(name).split(".")[0] for name in imported} <= sys.stdlib_module_names
