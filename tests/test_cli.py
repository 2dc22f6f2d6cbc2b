"""The command line, in-process against one real server, and as a program where that is the point."""

import contextlib
import json
import os
import re
import shlex
import signal
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
import typer.main
from programs import Demo, environment, run, running, running_demo
from sqlalchemy import text

import goldvein.cli
from goldvein.cli import commands, main
from goldvein.cli.skill_files import front_matter
from goldvein.db.engine import make_engine
from goldvein.sanitizer import names
from goldvein.terminal import visible
from goldvein_client import Client

ROOT = Path(goldvein.cli.__file__).parent
PEOPLE_COMMANDS = {
    *("login", "logout", "whoami", "sanitize", "feedback", "export", "import events", "import examples"),
    *("results import", "results show"),
    *(f"dataset {name}" for name in ("list", "create", "change", "show", "freeze", "diff", "export")),
    *(f"dataset {name}" for name in ("tag", "readers", "removals")),
    *(f"consent {name}" for name in ("show", "give", "refuse", "withdraw", "receipt")),
    *(f"consent notice {name}" for name in ("show", "list", "set", "invalidate")),
    *("verify export", "verify ledger", "verify receipt", "report audit"),
    *(f"data {name}" for name in ("show", "erase", "report-leak", "delete-account")),
    *(f"skill {name}" for name in ("list", "show", "create", "sync", "assert")),
    *(f"key {name}" for name in ("list", "create", "revoke", "rotate")),
    *(f"webhooks {name}" for name in ("add", "list", "remove")),
    *(f"hook {name}" for name in ("install", "status", "remove")),
    *(
        f"examples {name}"
        for name in ("list", "show", "add", "edit", "approve", "reject", "quarantine", "reopen", "count", "assert")
    ),
}
OPERATOR_COMMANDS = {
    *("serve", "migrate", "doctor", "demo", "key rotate-server", "tenant create", "tenant list"),
    *("person invite", "person login-link", "person reset", "person withdraw", "examples rescan", "consent replay"),
    *("worker", "job list", "job retry", "backup", "restore"),
}


def tree() -> dict[str, Any]:
    """Every command and group by its path."""

    def walk(command: Any, path: str) -> Iterator[tuple[str, Any]]:
        yield path, command
        for name, child in getattr(command, "commands", {}).items():
            yield from walk(child, f"{path} {name}".strip())

    return dict(walk(typer.main.get_command(commands.app), ""))


PATHS = sorted(tree())
LEAVES = {path for path, command in tree().items() if not hasattr(command, "commands")}


@dataclass
class Finished:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


@dataclass
class Shell:
    """Runs commands in this process, as somebody."""

    capture: pytest.CaptureFixture[str]
    patch: pytest.MonkeyPatch
    demo: Demo | None = None

    def __call__(self, line: str, *, stdin: str = "") -> Finished:
        self.capture.readouterr()
        with pytest.raises(SystemExit) as ended, self._stdin(stdin):
            main(shlex.split(line))
        printed = self.capture.readouterr()
        assert isinstance(ended.value.code, int)
        return Finished(ended.value.code, printed.out, printed.err)

    @contextlib.contextmanager
    def _stdin(self, text: str) -> Iterator[None]:
        reading, writing = os.pipe()
        os.write(writing, text.encode())
        os.close(writing)
        with os.fdopen(reading) as stream, self.patch.context() as patch:
            patch.setattr("sys.stdin", stream)
            yield

    def become(self, name: str) -> None:
        assert self.demo is not None
        self.patch.setenv("GOLDVEIN_URL", self.demo.url)
        self.patch.setenv("GOLDVEIN_API_KEY", self.demo.key(name))


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("server")
    with running_demo(environment(folder, GOLDVEIN_DATA_DIR=str(folder / "data"))) as demo:
        yield demo


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shell:
    """A shell of nobody, with a home of its own."""
    for name in [name for name in os.environ if name.startswith("GOLDVEIN_")]:
        monkeypatch.delenv(name)
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    return Shell(capsys, monkeypatch)


@pytest.fixture
def alice(shell: Shell, demo: Demo) -> Shell:
    """A shell of alice at the running server."""
    shell.demo = demo
    shell.become("alice")
    return shell


# The tree of commands


def test_there_are_these_commands_and_no_others() -> None:
    assert LEAVES == PEOPLE_COMMANDS | OPERATOR_COMMANDS


@pytest.mark.parametrize("path", PATHS)
def test_every_command_has_help_with_an_example_that_fits_80_columns(path: str, shell: Shell) -> None:
    shown = shell(f"{path} --help")
    assert (shown.code, shown.err) == (0, "")
    assert re.search(rf"Examples?:\s+.*goldvein {path}", shown.out, re.DOTALL)
    assert [line for line in shown.out.splitlines() if len(line) > 80] == []
    assert "[default" not in shown.out.replace("[default: chat-jsonl]", "").replace("[default: 8787]", "").replace(
        "[default: 50]", ""
    ).replace("[default: member]", "")
    assert tree()[path].help


@pytest.mark.parametrize("path", PATHS)
def test_every_example_is_a_command_that_exists_with_options_that_exist(path: str) -> None:
    examples = re.findall(r"goldvein (.*)", tree()[path].epilog)
    assert examples
    for example in examples:
        words = shlex.split(example.split(" < ")[0])
        command, context = tree()[""], None
        while hasattr(command, "commands"):
            command = command.commands[words.pop(0)]
        context = command.make_context("goldvein", words, resilient_parsing=False)
        assert context.params is not None


@pytest.mark.parametrize(
    "line",
    [
        "nope",
        "skill nope",
        "whoami --nope",
        "examples list",
        "export release-notes",
        "serve --port 65536",
        "skill show a b",
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(line: str, shell: Shell) -> None:
    done = shell(line)
    assert (done.code, done.out) == (2, "")
    assert re.fullmatch(r"goldvein: wrong_usage: .+ See `goldvein[a-z -]*--help`\.\n", done.err)


def test_an_unexpected_error_is_one_line_without_a_traceback(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError("with a secret in its text")

    monkeypatch.setattr("goldvein.cli.own.forget_login", fail)
    done = shell("logout")
    assert done.code == 1
    assert re.fullmatch(r"goldvein: internal_error: RuntimeError at test_cli\.py:\d+\.\n", done.err)


def test_a_reader_that_goes_away_is_no_error_page(tmp_path: Path) -> None:
    env = environment(tmp_path)
    with running("examples", "--help", env=env) as program:
        assert program.process.stdout is not None
        program.process.stdout.close()
        program.process.stdout = None
        _, err = program.process.communicate(timeout=30)
    assert b"Traceback" not in err
    assert b"Exception ignored" not in err


def test_an_unknown_setting_is_named(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOLDVEIN_DATABSE_URL", "x")
    done = shell("migrate")
    assert (done.code, done.err.split(": ")[1]) == (1, "not_configured")
    assert "GOLDVEIN_DATABSE_URL" in done.err


# The operator makes no keys and no consent


def test_the_operators_code_calls_nothing_that_makes_keys_or_consent() -> None:
    makers = ("create_key", "new_token", "rotate_key", "give_consent", "switch_capture", "choose(", "append_withdrawal")
    for path in [*ROOT.glob("*.py"), ROOT.parent / "server.py"]:
        text = path.read_text(encoding="utf-8")
        found = [maker for maker in makers if re.search(rf"(?<!client\.)(?<!def )\b{re.escape(maker)}", text)]
        assert found == [], path


@pytest.mark.parametrize(
    "line", ["key create laptop --scope read", "consent give --yes", "key list", "consent withdraw"]
)
def test_with_the_store_alone_nobody_gets_a_key_or_a_consent(line: str, shell: Shell, tmp_path: Path) -> None:
    shell.patch.setenv("GOLDVEIN_DATA_DIR", str(tmp_path / "data"))
    assert shell("migrate").code == 0
    done = shell(line)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("goldvein: not_configured: no API key")


# Signing in


def test_login_keeps_the_key_for_its_owner_only_and_never_shows_it(shell: Shell, demo: Demo, tmp_path: Path) -> None:
    done = shell(f"login --url {demo.url}/", stdin=demo.key("alice") + "\n")
    assert (done.code, done.err) == (0, "")
    assert demo.key("alice") not in done.out
    saved = tmp_path / "config" / "goldvein" / "login.json"
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert stat.S_IMODE(saved.parent.stat().st_mode) == 0o700
    assert [path.name for path in saved.parent.iterdir()] == ["login.json"]
    assert shell("whoami --json").data["name"] == "Alice Moreau"
    assert shell("logout").code == 0
    assert not saved.exists()
    assert "no API key" in shell("whoami").err


@pytest.mark.parametrize("key", ["", "gv_test_wrong", "schlüssel"])
def test_login_saves_nothing_for_a_key_that_does_not_work(shell: Shell, demo: Demo, tmp_path: Path, key: str) -> None:
    done = shell(f"login --url {demo.url}", stdin=key + "\n")
    assert (done.code, done.out, len(done.err.splitlines())) == (1, "", 1)
    assert not (tmp_path / "config" / "goldvein" / "login.json").exists()


def test_there_is_no_option_that_takes_a_key() -> None:
    for path, command in tree().items():
        options = {name for parameter in command.params for name in parameter.opts}
        assert not options & {"--key", "--api-key", "--token", "--secret", "--password"}, path


def test_a_saved_key_is_sent_to_no_other_server(shell: Shell, demo: Demo) -> None:
    assert shell(f"login --url {demo.url}", stdin=demo.key("alice")).code == 0
    done = shell(f"whoami --url {demo.url.replace('127.0.0.1', 'localhost')}")
    assert done.code == 1
    assert "no API key for http://localhost" in done.err
    assert shell(f"whoami --url {demo.url}/").code == 0


def test_a_key_without_a_server_is_not_sent_to_the_saved_one(shell: Shell, demo: Demo) -> None:
    assert shell(f"login --url {demo.url}", stdin=demo.key("alice")).code == 0
    shell.patch.setenv("GOLDVEIN_API_KEY", demo.key("bob"))
    assert "no server for it" in shell("whoami").err
    shell.patch.setenv("GOLDVEIN_URL", demo.url)
    assert shell("whoami --json").data["name"] == "Bob Tanaka"


def test_a_key_file_comes_before_the_environment(alice: Shell, tmp_path: Path) -> None:
    assert alice.demo is not None
    (tmp_path / "key").write_text(alice.demo.key("bob") + "\n")
    assert alice(f"whoami --json --key-file {tmp_path / 'key'}").data["name"] == "Bob Tanaka"
    assert alice("whoami --json").data["name"] == "Alice Moreau"
    assert "cannot be read" in alice(f"whoami --key-file {tmp_path / 'none'}").err


def test_a_login_that_others_can_read_is_refused(shell: Shell, demo: Demo, tmp_path: Path) -> None:
    assert shell(f"login --url {demo.url}", stdin=demo.key("alice")).code == 0
    saved = tmp_path / "config" / "goldvein" / "login.json"
    saved.chmod(0o640)
    done = shell("whoami")
    assert done.code == 1
    assert "can be read by others" in done.err
    saved.chmod(0o600)
    saved.write_text("[]")
    assert "log in again" in shell("whoami").err


def test_login_to_another_machine_without_tls_warns(shell: Shell) -> None:
    done = shell("login --url http://goldvein.invalid", stdin="gv_test_x")
    assert done.code == 1
    assert done.err.startswith("warning: http://goldvein.invalid is not encrypted")
    assert "unreachable" in done.err


def test_a_server_that_is_not_there_is_one_line(alice: Shell) -> None:
    alice.patch.setenv("GOLDVEIN_URL", "http://127.0.0.1:1")
    done = alice("whoami")
    assert (done.code, done.out) == (1, "")
    assert done.err == "goldvein: unreachable: http://127.0.0.1:1 cannot be reached (ConnectError).\n"


# What reaches the terminal


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ünïcode 語 👩‍🔬", "plain ünïcode 語 👩‍🔬"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\rb\nc\td", "a\\rb\\nc\\td"),
        ("\x00\x07\x08\x7f\x9b", "\\x00\\x07\\x08\\x7f\\x9b"),
        ("\u202egpj.exe", "\\u202egpj.exe"),
        ("\u2066\u2069\u200e\u200b\ufeff", "\\u2066\\u2069\\u200e\\u200b\\ufeff"),
        ("\u2028\u2029", "\\u2028\\u2029"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_text_from_outside_is_shown_and_not_obeyed(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_lines_stay_where_a_text_has_lines() -> None:
    assert visible("a\n\tb\r\x1b", lines=True) == "a\n\tb\\r\\x1b"


def test_an_example_cannot_write_to_the_terminal(alice: Shell) -> None:
    hostile = "\x1b]0;owned\x07\x1b[2J\u202e[bold]x[/bold]"
    with Client(os.environ["GOLDVEIN_URL"], os.environ["GOLDVEIN_API_KEY"]) as client:
        made = client.add_example("incident-summary", example_input=hostile, example_output="fine")
    for line in (
        f"examples show {made['id']}",
        "examples list incident-summary",
        "examples list incident-summary --json",
    ):
        out = alice(line).out
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", out), line
        assert "owned" in out
        assert "[bold]x[/bold]" in out


def test_an_error_of_the_server_cannot_write_to_the_terminal(alice: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = httpx.Response(418, json={"error": {"code": "\x1b[2J", "message": "\x1b[31m\nnext", "details": {}}})
    monkeypatch.setattr("httpx2.Client.request", lambda *_args, **_options: answer)
    assert alice("whoami").err == "goldvein: \\x1b[2J: \\x1b[31m\\nnext\n"


# Skills


def write_skill(folder: Path, text: str) -> None:
    folder.mkdir(parents=True)
    (folder / "SKILL.md").write_bytes(text.encode())


def test_sync_registers_updates_and_leaves_alone(alice: Shell, tmp_path: Path) -> None:
    described = "---\nname: sync-named\ndescription: Does things.\n---\n# Named\r\nwith a line\n"
    write_skill(tmp_path / "skills" / "one", described)
    write_skill(tmp_path / "skills" / "deep" / "sync-folder", "# No front matter\n")
    first = alice(f"skill sync {tmp_path / 'skills'} --json")
    assert first.code == 0
    assert [(row["slug"], row["outcome"]) for row in first.data] == [
        ("sync-folder", "created"),
        ("sync-named", "created"),
    ]
    shown = alice("skill show sync-named --body --json").data
    assert (shown["description"], shown["versions"][0]["body"]) == ("Does things.", described)
    assert alice("skill show sync-folder --json").data["description"] == ""
    again = alice(f"skill sync {tmp_path / 'skills'}")
    assert again.out.splitlines()[-1] == "0 created, 0 updated, 2 unchanged, 0 refused."
    (tmp_path / "skills" / "one" / "SKILL.md").write_text(described + "more\n")
    assert {row["outcome"] for row in alice(f"skill sync {tmp_path / 'skills'} --json").data} == {
        "updated",
        "unchanged",
    }
    assert alice("skill show sync-named --json").data["version"] == 2


def test_sync_names_the_places_of_findings_and_never_the_value(alice: Shell, tmp_path: Path) -> None:
    secret = "ghp_" + "q7Rk2Vn9Lx4Tz8Wd3Yb6Hc1Mf5Pj0SgAeUuX"
    write_skill(tmp_path / "skills" / "leaky", f"# Leaky\n\nUse {secret} to sign in.\n")
    write_skill(tmp_path / "skills" / "fine-one", "# Fine\n")
    done = alice(f"skill sync {tmp_path / 'skills'}")
    assert done.code == 1
    assert "body line 3: github_token" in done.out
    assert secret not in done.out + done.err
    assert done.out.splitlines()[-1] == "1 created, 0 updated, 0 unchanged, 1 refused."
    assert alice("skill show leaky").code == 1


def test_sync_does_not_invent_a_name_and_refuses_the_same_one_twice(alice: Shell, tmp_path: Path) -> None:
    write_skill(tmp_path / "skills" / "a", "---\nname: Not A Slug\n---\n")
    write_skill(tmp_path / "skills" / "b", "---\nname: sync-twice\n---\n")
    write_skill(tmp_path / "skills" / "c", "---\nname: sync-twice\n---\nother\n")
    (tmp_path / "skills" / "d").mkdir()
    (tmp_path / "skills" / "d" / "SKILL.md").write_bytes(b"\xff\xfe")
    done = alice(f"skill sync {tmp_path / 'skills'} --json")
    assert done.code == 1
    assert [row["outcome"] for row in done.data] == ["refused", "created", "refused", "refused"]
    assert "the same name as" in done.data[2]["reason"]
    assert "not-a-slug" not in {skill["slug"] for skill in alice("skill list --json").data}


def test_sync_of_somebody_elses_skill_is_refused(alice: Shell, tmp_path: Path) -> None:
    alice.become("bob")
    write_skill(tmp_path / "skills" / "x", "---\nname: release-notes\n---\nmine now\n")
    done = alice(f"skill sync {tmp_path / 'skills'}")
    assert done.code == 1
    assert "Only the skill author can change the skill" in " ".join(done.out.split())


def test_sync_needs_a_folder_and_a_key_that_works(alice: Shell, tmp_path: Path) -> None:
    assert alice(f"skill sync {tmp_path / 'none'}").err == "goldvein: invalid_field: DIR: an existing folder.\n"
    write_skill(tmp_path / "skills" / "x", "# x\n")
    alice.patch.setenv("GOLDVEIN_API_KEY", "gv_test_wrong")
    done = alice(f"skill sync {tmp_path / 'skills'}")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("goldvein: not_authenticated")


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("no front matter\nname: x\n", {}),
        ("---\nname: a\n---\n", {"name": "a"}),
        ("---\r\nname: a\r\ndescription: b c\r\n---\r\n", {"name": "a", "description": "b c"}),
        ("---\nname: 'it''s' # remark\n---\n", {"name": "it's"}),
        ('---\nname: "a \\"b\\""\n---\n', {"name": 'a "b"'}),
        ("---\nname: a # remark\n---\n", {"name": "a"}),
        ("---\ndescription: >-\n  one\n  two\nname: a\n---\n", {"description": "one two", "name": "a"}),
        ("---\ndescription: |\n  one\n  two\n---\n", {"description": "one\ntwo"}),
        ("---\ndescription: one\n  two\n---\n", {"description": "one two"}),
        ("---\nname: a\nnever closed\n", {}),
    ],
)
def test_front_matter_says_what_it_says(text: str, facts: dict[str, str]) -> None:
    assert front_matter(text) == facts


def test_create_takes_the_text_of_a_file(alice: Shell, tmp_path: Path) -> None:
    (tmp_path / "SKILL.md").write_text("# Made\n")
    made = alice(f"skill create made-here --name Made --body-file {tmp_path / 'SKILL.md'} --json")
    assert (made.code, made.data["version"], made.data["name"]) == (0, 1, "Made")
    assert "already_exists" in alice("skill create made-here").err
    (tmp_path / "SKILL.md").write_bytes(b"\xff")
    assert alice(f"skill create other --body-file {tmp_path / 'SKILL.md'}").code == 1


def test_feedback_of_each_kind(alice: Shell) -> None:
    alice.become("bob")
    assert alice("feedback release-notes up").code == 0
    assert alice("feedback release-notes down --comment 'too long'").code == 0
    suggestion = alice(
        "feedback release-notes suggest --comment 'group by area, please' --category missing_feature --json"
    )
    assert (suggestion.data["feedback_type"], suggestion.data["status"]) == ("suggestion", "pending")
    assert alice("feedback release-notes bug --comment 'fails on empty tags' --severity critical").code == 0
    assert alice("feedback release-notes sideways").code == 2
    assert alice("feedback release-notes suggest").code == 1


# Examples


def test_a_golden_example_from_adding_to_exporting(alice: Shell, tmp_path: Path) -> None:
    assert alice("skill create golden-path").code == 0
    (tmp_path / "answer.md").write_text("Fixed: a crash.\nWritten to jane@acme.example\n")
    added = alice(f"examples add golden-path --input v1.4.0 --output @{tmp_path / 'answer.md'} --quality 9 --json")
    assert (added.data["status"], added.data["quality_score"]) == ("approved", 9)
    assert added.data["example_output"] == "Fixed: a crash.\nWritten to [REDACTED:email]\n"
    edited = alice(f"examples edit {added.data['id']} --expected 'Fixed: no crash.' --no-quality --notes seen --json")
    assert (edited.data["expected_output"], edited.data["quality_score"], edited.data["review_notes"]) == (
        "Fixed: no crash.",
        None,
        "seen",
    )
    assert alice("examples count golden-path --json").data == {"status": {"approved": 1}, "source": {"api": 1}}
    exported = alice(f"export golden-path --out {tmp_path / 'out'} --json")
    assert exported.data["counts"] == {"rows": 1, "captured": 0, "golden": 1, "skipped": 0}
    row = json.loads((tmp_path / "out" / "examples.jsonl").read_text())
    assert row["messages"][-1] == {"role": "assistant", "content": "Fixed: no crash."}
    refused = alice(f"export golden-path --out {tmp_path / 'out'}")
    assert (refused.code, refused.err.split(":")[1]) == (1, " export_refused")
    again = alice(f"export golden-path --out {tmp_path / 'out'} --overwrite")
    assert again.code == 0
    assert "1 row exported (1 golden, 0 captured); 0 skipped." in again.out
    assert "examples.jsonl" in again.out


def test_a_captured_example_goes_through_every_decision(alice: Shell) -> None:
    pending = alice("examples list release-notes --status pending --limit 2 --json").data
    first, second = (example["id"] for example in pending)
    for decision, status in (
        ("quarantine", "quarantined"),
        ("reopen", "pending"),
        ("reject", "rejected"),
        ("reopen", "pending"),
        ("approve --quality 7 --verdict good", "approved"),
    ):
        done = alice(f"examples {decision} {first}")
        assert (done.code, done.out, done.err) == (0, f"{first} is {status}.\n", "")
    both = alice(f"examples approve {first} {second}")
    assert (both.code, both.out) == (1, f"{second} is approved.\n")
    assert both.err.startswith(f"goldvein: wrong_status: {first}: An example that is approved")
    shown = alice(f"examples show {first}").out
    assert re.search(r"Status +approved", shown)
    assert re.search(r"Can become +quarantine, reopen", shown)


def test_edit_needs_something_to_change_and_a_file_that_is_there(alice: Shell) -> None:
    assert alice("examples edit 01890a5d-ac96-774b-bcce-b302099a8057").code == 2
    missing = alice("examples add release-notes --input @/does/not/exist --output x")
    assert (missing.code, missing.err.split(":")[1]) == (1, " invalid_field")


def test_an_admin_sees_no_captured_text(alice: Shell) -> None:
    alice.become("dana")
    listed = alice("examples list release-notes")
    assert listed.code == 0
    assert "only the skill author sees captured text" in listed.out
    assert "empty file" not in listed.out


def test_charlie_gets_nothing_of_acme(alice: Shell, tmp_path: Path) -> None:
    alice.become("charlie")
    for line in ("skill show", "examples list", "examples count", f"export --out {tmp_path / 'x'}"):
        done = alice(f"{line} release-notes")
        assert (done.code, done.out, done.err) == (1, "", "goldvein: not_found: No such skill.\n")
    assert not (tmp_path / "x").exists()


# Consent and one's own data


def test_consent_is_given_after_the_notice_and_withdrawn_at_once(alice: Shell) -> None:
    refused = alice("consent give", stdin="n\n")
    assert refused.code == 1
    assert "What is captured." in refused.out
    assert alice("consent show --json").data["training_data_consent"] is False
    asked = alice("consent give", stdin="y\n")
    assert (asked.code, asked.out.count("You consent to capture.")) == (0, 1)
    given = alice("consent give --skill release-notes --purpose evaluation --yes --json")
    assert given.out.count("\n") == 1
    assert given.data["records"][0]["purposes"] == ["evaluation"]
    assert "What is captured." in given.err
    gone = alice("consent withdraw")
    assert (gone.code, gone.err) == (0, "")
    assert "You do not consent; nothing is captured." in gone.out
    assert alice("consent show --json").data["training_data_consent"] is False


def test_data_is_shown_and_erased(alice: Shell) -> None:
    with Client(os.environ["GOLDVEIN_URL"], os.environ["GOLDVEIN_API_KEY"]) as client:
        client.give_consent()
        client.track("release-notes", "chat", tool_input_snippet="from alice", tool_output_snippet="an answer")
    assert alice("data show --json").data["captured_examples"][0]["example_input"] == "from alice"
    assert "1 example captured from you." in alice("data show").out
    assert alice("data erase", stdin="n\n").code == 1
    assert "1 example captured from you." in alice("data show").out
    erased = alice("data erase --yes")
    assert "1 example erased." in erased.out
    assert "Your consent still stands" in erased.out
    assert alice("data show --json").data["captured_examples"][0]["example_input"] is None
    assert alice("consent withdraw --json").data["training_data_consent"] is False


def test_keys_are_made_rotated_and_revoked(alice: Shell) -> None:
    made = alice("key create laptop --scope track --scope me --json").data
    assert made["scopes"] == ["track", "me"]
    shown = alice("key list").out
    assert made["id"] in shown
    assert made["api_key"] not in shown
    rotated = alice(f"key rotate {made['id']}")
    assert re.search(r"^gv_live_\w{50}$", rotated.out, re.MULTILINE)
    revoked = alice(f"key revoke {made['id']}")
    assert (revoked.code, revoked.out) == (0, "laptop is revoked.\n")
    assert alice("key create x --scope admin").code == 1
    assert alice("key create ci --service --scope track").code == 1


# The hook


def test_hook_install_says_that_raw_text_travels(shell: Shell, tmp_path: Path) -> None:
    assert shell("hook status").code == 1
    done = shell("hook install --url http://127.0.0.1:8787 --skill release-notes")
    assert (done.code, done.err) == (0, "")
    told = " ".join(done.out.split())
    assert (
        "raw text of tool calls travels to the server, where it is sanitized in memory before anything is stored"
        in told
    )
    assert "export GOLDVEIN_API_KEY=" in told
    written = (tmp_path / ".claude" / "settings.json").read_text()
    assert "http://127.0.0.1:8787/api/hooks/claude-code" in written
    status = shell("hook status --json")
    assert (status.code, status.data["installed"], status.data["skill"]) == (0, True, "release-notes")
    assert shell("hook remove").out.startswith("Removed from")
    assert shell("hook remove").out.startswith("There was no hook")


def test_hook_install_warns_of_http_to_another_machine(shell: Shell, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    done = shell(f"hook install --url http://goldvein.example --project {project}")
    assert done.code == 0
    assert done.err.startswith("warning: http://goldvein.example is not encrypted")
    assert (project / ".claude" / "settings.local.json").exists()
    assert not (tmp_path / ".claude").exists()


def test_hook_leaves_broken_settings_alone(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / ".claude").mkdir()
    (tmp_path / ".claude" / "settings.json").write_text("{broken")
    for line in ("hook install --url http://127.0.0.1:1", "hook status", "hook remove"):
        done = shell(line)
        assert (done.code, done.err.startswith("goldvein: hook_settings: ")) == (1, True)
    assert (tmp_path / ".claude" / "settings.json").read_text() == "{broken"


# The sanitizer


def test_sanitize_is_a_filter(tmp_path: Path) -> None:
    env = environment(tmp_path)
    text = "mail jane@acme.example\r\n\tno newline at the end \x1b[0m ü"
    done = run("sanitize", env=env, stdin=text)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == text.replace("jane@acme.example", "[REDACTED:email]")
    found = json.loads(run("sanitize", "--json", env=env, stdin=text).stdout)
    assert found["findings"] == [{"type": "email", "start": 5, "end": 22}]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "code"), [(b"mail jane@acme.example \xff", "not_text"), (b"a" * 300_000, "text_too_long")]
)
def test_sanitize_writes_nothing_when_it_cannot_read_everything(tmp_path: Path, given: bytes, code: str) -> None:
    done = run("sanitize", env=environment(tmp_path), stdin=given)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(f"goldvein: {code}: ".encode())


HOSTILE = "user \x1b]0;owned\x07 \u202e mail jane@acme.example\nexport DB_PASSWORD='correct horse 9'\n"


@pytest.mark.parametrize("columns", ["40", "80", "120"])
def test_explain_shows_place_rule_and_reason_within_the_width_and_never_the_value(tmp_path: Path, columns: str) -> None:
    done = run("sanitize", "--explain", env=environment(tmp_path, COLUMNS=columns), stdin=HOSTILE)
    shown = done.stdout.decode()
    assert (done.returncode, done.stderr) == (0, b"")
    assert "jane" not in shown
    assert "horse" not in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert max(map(len, shown.splitlines())) <= int(columns)
    words = " ".join(shown.split())
    assert "1:24 email 17 characters, high confidence mail address (rule email)" in words
    assert "name that says password: DB_PASSWORD (rule context_password)" in words
    assert "rt DB_PASSWORD='[REDACTED:password]'" in words
    assert "2 findings." in words


def test_explain_says_when_there_is_nothing(tmp_path: Path) -> None:
    done = run("sanitize", "--explain", env=environment(tmp_path), stdin="nothing here")
    assert done.returncode == 0
    assert done.stdout.startswith(b"Nothing found.")


def test_explain_for_programs_has_the_same_facts(tmp_path: Path) -> None:
    data = json.loads(run("sanitize", "--explain", "--json", env=environment(tmp_path), stdin=HOSTILE).stdout)
    email, password = data["findings"]
    assert (email["line"], email["column"], email["rule"], email["confidence"]) == (1, 24, "email", "high")
    assert (password["name"], password["placeholder"]) == ("DB_PASSWORD", "[REDACTED:password]")
    assert HOSTILE[email["start"] : email["end"]] == "jane@acme.example"
    assert "jane" not in str(data)


def test_names_without_their_extra_are_a_clear_error(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "_MODELS", ("a_model_that_is_not_installed",))
    names._models.cache_clear()
    done = shell("sanitize --names", stdin="Jane Doe")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("goldvein: names_unavailable: ")
    assert "goldvein[ner]" in done.err


# The operator


def test_serve_makes_its_store_and_an_admin_once(tmp_path: Path) -> None:
    env = environment(tmp_path, GOLDVEIN_DATA_DIR=str(tmp_path / "data"))
    with running("serve", "--port", "0", env=env) as program:
        url = program.line().split()[2]
        assert program.line() == "First start: sign in as admin@localhost with this link (once, within an hour):"
        link = program.line()
        assert httpx.get(f"{url}/readyz", trust_env=False).status_code == 200
        with httpx.Client(trust_env=False, follow_redirects=True) as browser:
            assert browser.get(link).status_code == 200
            assert browser.get(f"{url}/api/me").json()["tenant"] == "My organisation"
        code, out, err = program.stop(signal.SIGTERM)
    assert (code, out) == (0, b"")
    assert link.rpartition("/")[2].encode() not in err
    assert {json.loads(line)["level"] for line in err.splitlines()} == {"info"}
    with running("serve", "--port", "0", env=env) as program:
        program.line()
        assert program.stop(signal.SIGINT)[:2] == (0, b"")


def test_serve_believes_proxies_only_when_they_are_named(tmp_path: Path) -> None:
    headers = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "Authorization": "Bearer wrong"}
    limited = {"GOLDVEIN_FAILED_AUTHENTICATION_LIMIT_PER_MINUTE": "1", "GOLDVEIN_DATA_DIR": str(tmp_path / "data")}
    for trusted, expected in (("", [401, 429]), ("127.0.0.1", [401, 401])):
        env = environment(tmp_path, GOLDVEIN_TRUSTED_PROXIES=trusted, **limited)
        with running("serve", "--port", "0", env=env) as program:
            url = program.line().split()[2]
            seen = [
                httpx.get(f"{url}/api/me", headers={**headers, "X-Forwarded-For": f"203.0.113.{n}"}, trust_env=False)
                for n in (1, 2)
            ]
            assert [answer.status_code for answer in seen] == expected
            assert program.stop(signal.SIGTERM)[0] == 0


def test_serve_refuses_an_older_store_and_a_taken_port(tmp_path: Path, demo: Demo) -> None:
    env = environment(tmp_path, GOLDVEIN_DATA_DIR=str(tmp_path / "data"))
    port = demo.url.rpartition(":")[2]
    taken = run("serve", "--port", port, env=env)
    assert (taken.returncode, taken.stdout) == (1, b"")
    assert taken.stderr.startswith(f"goldvein: not_configured: cannot listen on 127.0.0.1 port {port}: ".encode())
    assert not (tmp_path / "data").exists()


def test_serve_and_doctor_say_what_is_wrong_with_a_store_they_cannot_reach(tmp_path: Path) -> None:
    env = environment(tmp_path, GOLDVEIN_DATA_DIR=str(tmp_path / "data"))
    env["GOLDVEIN_DATABASE_URL"] = "postgresql://" + "goldvein:made-up@127.0.0.1:1/goldvein"
    served = run("serve", "--port", "0", env=env)
    assert served.returncode == 1
    assert served.stderr == (
        b"goldvein: not_configured: the store cannot be used (OperationalError): see `goldvein doctor`.\n"
    )
    examined = run("doctor", env=env)
    assert examined.returncode == 1
    assert b"cannot be used (OperationalError)" in examined.stdout
    assert b"made-up" not in examined.stdout


def test_doctor_tells_before_and_after(shell: Shell, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shell.patch.setenv("GOLDVEIN_DATA_DIR", str(data))
    before = shell("doctor --json")
    assert before.code == 1
    assert {check["check"] for check in before.data if not check["ok"]} == {"data folder", "store"}
    assert not data.exists()
    assert shell("migrate").code == 0
    assert shell("tenant list").code == 0  # opens the store, which makes the key
    after = shell("doctor --json")
    assert after.code == 0
    assert {check["check"] for check in after.data} >= {
        "settings",
        "server key",
        "disk space",
        "clock",
        "schema",
        "SQLite",
    }
    data.chmod(0o755)
    (data / "keys" / "server.key").chmod(0o644)
    readable = shell("doctor")
    assert readable.code == 1
    assert readable.out.count("failed") == 2
    assert f"Do: chmod 600 {data / 'keys' / 'server.key'}".replace(" ", "") in "".join(readable.out.split())
    shell.patch.setenv("GOLDVEIN_PROT", "1")
    assert [check["check"] for check in shell("doctor --json").data] == ["settings"]


def test_doctor_sees_a_store_of_another_schema(shell: Shell, tmp_path: Path) -> None:
    shell.patch.setenv("GOLDVEIN_DATABASE_URL", f"sqlite:///{tmp_path / 'empty.db'}")
    shell.patch.setenv("GOLDVEIN_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "empty.db").touch()
    (tmp_path / "data").mkdir(mode=0o700)
    failed = [check for check in shell("doctor --json").data if not check["ok"]]
    assert [(check["check"], check["do"]) for check in failed] == [("schema", "run `goldvein migrate`")]
    assert "run `goldvein migrate`" in shell("tenant list").err


@pytest.fixture
def store(request: pytest.FixtureRequest) -> str:
    """PostgreSQL alone, for what only it can get wrong."""
    return "postgresql"


def test_the_operator_works_on_postgresql_with_two_roles(
    empty_store: tuple[str, str], shell: Shell, tmp_path: Path
) -> None:
    url, owner_url = empty_store
    shell.patch.setenv("GOLDVEIN_DATA_DIR", str(tmp_path / "data"))
    shell.patch.setenv("GOLDVEIN_DATABASE_URL", url)
    shell.patch.setenv("GOLDVEIN_MIGRATION_DATABASE_URL", owner_url)
    refused = shell("serve --port 0")  # a PostgreSQL store is not migrated in passing
    assert (refused.code, "run `goldvein migrate`" in refused.err) == (1, True)
    assert shell("migrate").code == 0
    assert shell("tenant create Acme --admin-email dana@acme.example --admin-name Dana").code == 0
    checks = {check["check"]: check for check in shell("doctor --json").data}
    assert {name for name, check in checks.items() if not check["ok"]} == set()
    assert checks["row security"]["found"].startswith("forced on all ")
    assert checks["database role"]["found"] == "is bound by row-level security"
    shell.patch.setenv("GOLDVEIN_DATABASE_URL", owner_url)
    served = shell("serve --port 0")
    assert (served.code, "owns the tables" in served.err) == (1, True)
    checks = {check["check"]: check for check in shell("doctor --json").data}
    assert {name for name, check in checks.items() if not check["ok"]} == {"database role"}


def test_doctor_sees_a_table_without_row_security(empty_store: tuple[str, str], shell: Shell, tmp_path: Path) -> None:
    url, owner_url = empty_store
    shell.patch.setenv("GOLDVEIN_DATA_DIR", str(tmp_path / "data"))
    shell.patch.setenv("GOLDVEIN_DATABASE_URL", url)
    shell.patch.setenv("GOLDVEIN_MIGRATION_DATABASE_URL", owner_url)
    assert shell("migrate").code == 0
    engine = make_engine(owner_url)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE skill_feedback NO FORCE ROW LEVEL SECURITY"))
    engine.dispose()
    failed = [check for check in shell("doctor --json").data if not check["ok"]]
    assert [(check["check"], check["found"]) for check in failed if check["check"] != "server key"] == [
        ("row security", "not forced on skill_feedback")
    ]


def test_the_demo_plays_on_postgresql_too(empty_store: tuple[str, str], tmp_path: Path) -> None:
    url, owner_url = empty_store
    env = environment(tmp_path, GOLDVEIN_DATA_DIR=str(tmp_path / "data"))
    env |= {"GOLDVEIN_DATABASE_URL": url, "GOLDVEIN_MIGRATION_DATABASE_URL": owner_url}
    for _ in range(2):
        with running_demo(env) as demo:
            with Client(demo.url, demo.key("alice")) as alice:
                assert alice.count_examples("release-notes")["status"] == {"pending": 8}
            assert demo.program.stop() == (0, b"", b"")


def test_tenants_and_people_get_links_that_work(shell: Shell, tmp_path: Path) -> None:
    shell.patch.setenv("GOLDVEIN_DATA_DIR", str(tmp_path / "data"))
    shell.patch.setenv("GOLDVEIN_PUBLIC_URL", "https://goldvein.acme.example/")
    assert shell("migrate").code == 0
    made = shell("tenant create Acme --admin-email dana@acme.example --admin-name Dana --json").data
    assert made["link"].startswith("https://goldvein.acme.example/welcome/")
    assert [(row["id"], row["name"], row["is_demo"]) for row in shell("tenant list --json").data] == [
        (made["tenant_id"], "Acme", False)
    ]
    invited = shell(f"person invite Bob@acme.example --tenant {made['tenant_id']} --name Bob")
    assert invited.out.splitlines()[0] == "Give Bob@acme.example this invitation (once, within 7 days):"
    again = shell(f"person invite bob@acme.example --tenant {made['tenant_id']} --name Bob --json")
    assert again.data["link"] != invited.out.splitlines()[1]
    assert "No such tenant" in shell("person invite x@acme.example --tenant nope --name X").err
    assert "invalid_field" in shell(f"person invite nobody --tenant {made['tenant_id']} --name X").err
    for line in ("person login-link bob@acme.example", "person reset bob@acme.example", "person reset x@acme.example"):
        done = shell(line)  # bob has not accepted, x does not exist: the answer is the same
        assert (done.code, done.out, done.err.split(":")[1]) == (1, "", " not_found")


def test_a_login_link_signs_in_and_a_reset_link_asks_for_a_password(tmp_path: Path) -> None:
    env = environment(tmp_path, GOLDVEIN_DATA_DIR=str(tmp_path / "data"))
    with running("serve", "--port", "0", env=env) as program:
        url = program.line().split()[2]
        program.line()
        program.line()
        here = env | {"GOLDVEIN_PUBLIC_URL": url}
        link = run("person", "login-link", "admin@localhost", env=here).stdout.decode().splitlines()[-1]
        reset = run("person", "reset", "admin@localhost", env=here).stdout.decode().splitlines()[-1]
        with httpx.Client(trust_env=False, follow_redirects=True) as browser:
            assert browser.get(link).url.path == "/skills"
            assert "password" in browser.get(reset).text
        assert program.stop(signal.SIGTERM)[0] == 0


def test_a_rotated_server_key_keeps_what_the_old_one_hashed(tmp_path: Path) -> None:
    env = environment(tmp_path, GOLDVEIN_DATA_DIR=str(tmp_path / "data"))
    with running_demo(env) as demo:
        facts = demo.facts
        assert demo.program.stop()[0] == 0
    done = run("key", "rotate-server", env=env)
    assert (done.returncode, b"2 keys" in done.stdout) == (0, True)
    key_file = tmp_path / "data" / "keys" / "server.key"
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    with running_demo(env) as demo:
        assert demo.key("alice") == facts["people"]["alice"]["api_key"]
        with Client(demo.url, facts["people"]["alice"]["api_key"]) as client:
            assert client.get_me()["name"] == "Alice Moreau"
    assert run("key", "rotate-server", env=env | {"GOLDVEIN_SERVER_KEY": "5f" * 32}).returncode == 1


def test_sync_passes_over_installed_packages(alice: Shell, tmp_path: Path) -> None:
    """Packages may bring skills of their own; an environment in the project must not publish them."""
    for folder in (".claude/skills/mine", ".venv/lib/site-packages/theirs", "node_modules/theirs", "env/theirs"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "SKILL.md").write_text(f"---\nname: sync-{Path(folder).name}\n---\nText.\n")
    (tmp_path / "env/pyvenv.cfg").write_text("")
    assert alice(f"skill sync {tmp_path}").out.splitlines()[-1] == "1 created, 0 updated, 0 unchanged, 0 refused."


def test_sync_of_a_folder_without_skills_says_so(alice: Shell, tmp_path: Path) -> None:
    assert "There is no SKILL.md below" in alice(f"skill sync {tmp_path}").out
