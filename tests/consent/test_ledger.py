"""The ledger in the store: written with what it records, by whoever it is, and never without."""

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from conftest import SERVER_KEY, START, World
from helpers import check_refused, ok, refusal, wrong_field
from sqlalchemy import create_engine, delete, text

from goldvein.consent import ledger
from goldvein.consent.tables import CommitmentKey
from goldvein.db.session import Fact, TenantViolation
from goldvein.errors import JSONValue
from goldvein.examples.rescan import rescan
from goldvein.identity import service as identity
from goldvein.identity.server_key import ServerKey
from goldvein.verify.documents import (
    check_consistency,
    check_ledger,
    check_receipt,
    commitment,
    public_keys,
    read_checkpoint,
)
from goldvein.verify.envelope import DoesNotFit


def entries(world: World, name: str = "dana") -> list[dict[str, Any]]:
    """What the ledger of this person's tenant says."""
    with world.database.read(world.someone(name).tenant_id) as session:
        assert ledger.first_misfit(session) is None
        return [json.loads(row.entry) for row in ledger.every_entry(session)]


def of_kind(world: World, kind: str) -> list[dict[str, Any]]:
    return [entry for entry in entries(world) if entry["kind"] == kind]


def play(world: World) -> dict[str, str]:
    """A session in which something of every kind happens; returns the examples by what became of them."""
    dana, alice, bob = (world.client(name) for name in ("dana", "alice", "bob"))
    approved, deleted, left = (world.capture(text=f"words of bob {number}") for number in range(3))
    ok(alice.post(f"/api/training-examples/{approved}/review", json={"decision": "approve"}))
    assert alice.get("/api/skills/release-notes/export").status_code == 200
    ok(alice.delete(f"/api/training-examples/{deleted}"), 204)
    rule = {"type": "staff_number", "pattern": "EMP-[0-9]{6}", "example": "EMP-123456"}
    ok(dana.post("/api/settings/sanitizer-rules", json=rule), 201)
    ok(bob.get("/api/notice"))
    french = {"language": "fr", "text": "Nous demandons.", "purposes": ["training"], "wider": False}
    ok(dana.post("/api/notices", json=french), 201)
    terms = {"licence": "ours", "recipients": "ourselves", "allowed_purposes": ["training"]}
    dataset = {"slug": "s", "name": "S", "purpose": "training", "skills": ["release-notes"], "terms": terms}
    ok(alice.post("/api/datasets", json=dataset), 201)
    ok(alice.post("/api/datasets/s/versions", json={}), 201)
    ok(alice.get("/api/datasets/s/versions/1/rows?split=holdout"))
    ok(bob.post("/api/me/consent", json={"decision": "withdraw"}))
    ok(dana.post("/api/invitations", json={"email": "frida@acme.example", "name": "Frida"}), 201)
    erin = world.someone("erin").person_id
    ok(alice.post("/api/skills/release-notes/co-authors", json={"person_id": erin}))
    ok(dana.patch(f"/api/members/{erin}", json={"active": False}))
    golden = {"example_input": "a leak", "example_output": "b"}
    leaking = ok(alice.post("/api/skills/release-notes/training-examples", json=golden), 201)["id"]
    ok(alice.post(f"/api/training-examples/{leaking}/report-leak"), 201)
    ok(dana.delete(f"/api/members/{erin}"), 204)
    return {"approved": approved, "deleted": deleted, "left": left}


def test_a_played_session_is_in_the_ledger_in_order_and_without_holes(world: World) -> None:
    examples = play(world)
    found = entries(world)
    assert [entry["seq"] for entry in found] == list(range(1, len(found) + 1))
    assert found[0]["kind"] == "ledger_begins"
    assert {entry["kind"] for entry in found} == set(ledger.KINDS) - {"rescanned", "ledger_sealed"}
    captured = [i for entry in of_kind(world, "captured") for i in entry["examples"][world.skill_id()]]
    assert captured == [examples["approved"], examples["deleted"], examples["left"]]
    assert [(entry["cause"], sorted(entry["examples"])) for entry in of_kind(world, "erased")] == [
        ("deleted_by_author", [examples["deleted"]]),
        ("withdrawn", sorted([examples["approved"], examples["left"]])),
        ("leak", found[-3]["examples"]),
    ]
    assert [(entry["subject"], entry["action"]) for entry in of_kind(world, "consent")] == [
        ("tenant", "switched_on"),
        ("person", "given"),
        ("person", "withdrawn"),
    ]
    assert [(e["language"], e["edition"], e["purposes"]) for e in of_kind(world, "notice")] == [("fr", 1, ["training"])]
    assert len(of_kind(world, "requested")) == 1
    revoked = [entry["key"] for entry in of_kind(world, "key") if entry["change"] == "revoked"]
    assert revoked == [world.someone("erin").key_id]
    assert [e["change"] for e in of_kind(world, "member")][-3:] == ["invited", "deactivated", "erased"]


def test_deleting_a_skill_names_every_example_that_went_with_it(world: World) -> None:
    captured = sorted(world.capture(text=f"words {number}") for number in range(3))
    ok(world.client("alice").delete("/api/skills/release-notes?confirm=release-notes"))
    (erased,) = of_kind(world, "erased")
    assert (erased["cause"], erased["examples"], erased["count"]) == ("skill_deleted", captured, 3)


def test_a_rescan_names_what_it_altered(world: World) -> None:
    altered, _ = world.capture(text="EMP-123456"), world.capture(text="nothing")
    rule = {"type": "staff_number", "pattern": "EMP-[0-9]{6}", "example": "EMP-123456"}
    ok(world.client("dana").post("/api/settings/sanitizer-rules", json=rule), 201)
    for _ in range(2):  # the second time nothing is left to do, and nothing is recorded
        list(rescan(world.database, world.someone("bob").tenant_id, now=lambda: world.time))
    (entry,) = of_kind(world, "rescanned")
    assert (entry["examples"], entry["failed"]) == ([altered], 0)


def test_no_text_of_anybody_is_in_the_ledger(world: World) -> None:
    play(world)
    said = json.dumps(entries(world)).lower()
    for someone in world.seed.people.values():
        for needle in (someone.person_id, someone.email, f'"{someone.name}', someone.api_key, someone.cookie):
            assert needle.lower() not in said
    for needle in ("words", "notes", "acme", "emp-", "staff", "frida", "@"):
        assert needle not in said.replace("release", ""), needle


@pytest.mark.parametrize("value", ["bob@acme.example", "two words", "x" * 201, "naïve", 0.5, ["a b"], {"a b": 1}])
def test_what_could_be_text_is_refused(value: JSONValue) -> None:
    fact = Fact(kind="skill", at=START, people={}, values={"skill": value})
    with pytest.raises(TenantViolation, match="no text"):
        ledger.entry_of(1, fact, {})


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(TenantViolation, match="kinds"):
        ledger.entry_of(1, Fact(kind="gossip", at=START, people={}, values={}), {})


def test_what_the_ledger_cannot_keep_is_not_stored(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The law: no commit of the one without the other."""
    before = entries(world)

    def fail(*_: object) -> bytes:
        raise RuntimeError("the ledger is broken")

    with monkeypatch.context() as broken:
        broken.setattr(ledger, "entry_of", fail)
        assert world.client("bob").post("/api/me/consent", json={"decision": "withdraw"}).status_code == 500
        assert world.client("dana").patch("/api/settings", json={"training_data_capture_enabled": False}).is_error
        # A capture that cannot be recorded is not captured; the event is stored all the same.
        use = world.track(tool_input_snippet="words", tool_output_snippet="words").json()
        assert use["capture"] == {"outcome": "failed", "reason": "internal_error"}
    assert entries(world) == before
    assert ok(world.client("bob").get("/api/me/consent"))["training_data_consent"] is True
    assert ok(world.client("dana").get("/api/settings"))["training_data_capture_enabled"] is True
    assert ok(world.client("bob").get("/api/me/data"))["captured_examples"] == []


def test_what_is_rolled_back_is_not_in_the_ledger(world: World) -> None:
    before = entries(world)
    dana = world.someone("dana").person_id
    assert world.client("dana").patch(f"/api/members/{dana}", json={"role": "member"}).status_code == 403
    assert entries(world) == before


def test_many_at_once_leave_no_hole_and_no_fork(world: World) -> None:
    answers: list[int] = []

    def work(number: int) -> None:
        client = world.client("bob")
        for turn in range(4):
            use = {"skill_id": "release-notes", "tool_name": "Bash", "ts": START.isoformat()}
            snippets = {"tool_input_snippet": f"{number} {turn}", "tool_output_snippet": "done"}
            answers.append(client.post("/api/track", json=use | snippets).status_code)
            name = {"name": f"key {number} {turn}", "scopes": ["track"]}
            answers.append(client.post("/api/me/keys", json=name).status_code)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(set(answers)) == [200, 201]
    captured = [i for entry in of_kind(world, "captured") for i in entry["examples"][world.skill_id()]]
    assert len(set(captured)) == 16
    assert sum(entry["kind"] == "key" for entry in entries(world)) == 21  # 5 of the seed


def test_a_person_stands_for_themselves_differently_where_they_consent_and_where_they_act(world: World) -> None:
    """An admin knows whose membership and keys an entry is about; that must not lead to what that person chose."""
    play(world)
    consented = {entry["person"] for kind in ("consent", "captured", "erased") for entry in of_kind(world, kind)} - {
        None
    }
    acted = {entry.get(role) for entry in entries(world) for role in ("actor", "recipient")} - {None}
    others = {
        entry["person"] for kind in ("member", "key", "skill") for entry in of_kind(world, kind) if "person" in entry
    }
    assert len(consented) == 1
    assert not consented & (acted | others)


def test_destroying_the_key_makes_commitments_of_nobody(world: World) -> None:
    world.capture()
    bob = world.someone("bob")
    with world.database.read(bob.tenant_id) as session:
        key = ledger.consent_key(session, bob.person_id)
    assert key is not None
    (captured,) = of_kind(world, "captured")
    assert captured["person"] == commitment(key, bob.tenant_id, bob.person_id)
    with world.database.write(bob.tenant_id) as session:
        ledger.forget_person(session, bob.person_id)
    with world.database.read(bob.tenant_id) as session:
        assert ledger.consent_key(session, bob.person_id) is None
    assert not any(cell in (key, key.hex()) for cell in world.every_cell())
    world.capture(text="later")
    assert of_kind(world, "captured")[1]["person"] != captured["person"]
    assert entries(world)


def test_entries_are_for_admins_and_people_read_their_own_receipt(world: World) -> None:
    for path in ("/api/ledger/entries", "/api/ledger/checkpoint"):
        check_refused(world, "GET", path, anonymous=401, bob=403, alice=403, dana=200, charlie=200)
    event = ok(world.client("bob").get("/api/me/consent"))["records"][0]["id"]
    path = f"/api/me/consent/{event}/receipt"
    check_refused(world, "GET", path, anonymous=401, dana=404, alice=404, charlie=404, bob=200)
    refusal(world.client("bob").get("/api/me/consent/nothing/receipt"), 404, "not_found")
    assert world.anonymous().get("/api/ledger/keys").json() == {
        "public_keys": ok(world.client("dana").get("/api/ledger/checkpoint"))["public_keys"]
    }


def read_all(world: World, name: str = "dana") -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    query = {"limit": "3"}
    while True:
        page = ok(world.client(name).get("/api/ledger/entries", params=query))
        rows += page["items"]
        if page["next_cursor"] is None:
            return rows
        query["cursor"] = page["next_cursor"]


def test_what_the_routes_give_fits_its_checkpoint(world: World) -> None:
    play(world)
    signed = ok(world.client("dana").get("/api/ledger/checkpoint"))
    checkpoint = read_checkpoint(signed["checkpoint"], public_keys(signed["public_keys"]))
    rows = read_all(world)
    assert checkpoint.size == len(rows) > 20
    check_ledger(rows, checkpoint)
    with pytest.raises(DoesNotFit):
        check_ledger(read_all(world, "charlie"), checkpoint)


def test_every_earlier_checkpoint_is_the_beginning_of_the_ledger(world: World) -> None:
    kept = []
    for number in range(9):
        world.capture(text=f"words {number}")
        signed = ok(world.client("dana").get("/api/ledger/checkpoint"))
        kept.append(read_checkpoint(signed["checkpoint"], public_keys(signed["public_keys"])))
    for earlier in kept:
        answer = ok(world.client("dana").get(f"/api/ledger/checkpoint?since={earlier.size}"))
        check_consistency(earlier, kept[-1], answer["consistency"])
    with pytest.raises(DoesNotFit):
        check_consistency(kept[0], kept[-1], ["00" * 32])


@pytest.mark.parametrize("query", ["checkpoint?since=0", "checkpoint?since=99999", "checkpoint?since=x"])
def test_a_size_that_the_ledger_never_had_is_refused(world: World, query: str) -> None:
    assert wrong_field(world.client("dana").get(f"/api/ledger/{query}")) == "since"


@pytest.mark.parametrize("cursor", ["!", "eA", "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA", "MQoy"])
def test_a_cursor_of_another_list_is_refused(world: World, cursor: str) -> None:
    assert wrong_field(world.client("dana").get("/api/ledger/entries", params={"cursor": cursor})) == "cursor"


def test_a_receipt_holds_for_each_choice_and_is_about_its_person(world: World) -> None:
    bob = world.client("bob")
    ok(bob.post("/api/me/consent", json={"decision": "give", "purposes": ["training"], "skills": ["release-notes"]}))
    ok(bob.post("/api/me/consent", json={"decision": "withdraw"}))
    for choice in ok(bob.get("/api/me/consent"))["records"]:
        answer = ok(bob.get(f"/api/me/consent/{choice['id']}/receipt"))
        receipt = check_receipt(answer["receipt"], public_keys(answer["public_keys"]))
        record = receipt.record
        assert (record["record_id"], record["pii_principal_id"]) == (choice["id"], world.someone("bob").person_id)
        assert record["events"][0]["event_state"] == choice["action"]
        assert [one["purpose"] for one in record["pii_processing"]["purposes"]] == choice["purposes"]
        assert receipt.seq is not None
        assert "bob@" not in json.dumps(record)
    with pytest.raises(DoesNotFit, match="signature"):
        check_receipt(answer["receipt"], public_keys({"mine": "11" * 32}))


def test_what_an_older_server_secret_signed_stays_verifiable(world: World) -> None:
    older = ok(world.client("dana").get("/api/ledger/checkpoint"))["checkpoint"]
    world.runtime.server_key = ServerKey(secrets=(b"n" * 32, bytes.fromhex(SERVER_KEY)))
    now = ok(world.client("dana").get("/api/ledger/checkpoint"))
    keys = public_keys(now["public_keys"])
    assert len(keys) == 2
    assert read_checkpoint(older, keys).key_id != read_checkpoint(now["checkpoint"], keys).key_id


@pytest.mark.parametrize(
    "statement",
    ["UPDATE ledger_entries SET entry = '{}'", "DELETE FROM ledger_entries", "UPDATE ledger_entries SET seq = seq + 1"],
)
def test_the_store_refuses_to_change_entries(world: World, statement: str) -> None:
    owner = create_engine(world.owner_url.replace("goldvein_owner", "postgres"))
    with owner.connect() as connection, pytest.raises(Exception, match="append-only"):
        connection.execute(text(statement))
    owner.dispose()


class TestPostgresql:
    @pytest.fixture
    def store(self) -> str:
        return "postgresql"

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE ledger_entries SET entry = '{}'",
            "DELETE FROM ledger_entries",
            "TRUNCATE ledger_entries",
            "DROP TRIGGER append_only ON ledger_entries",
            "ALTER TABLE ledger_entries DISABLE TRIGGER ALL",
            "DROP TABLE ledger_entries",
        ],
    )
    def test_the_servers_role_can_neither_change_entries_nor_what_guards_them(
        self, world: World, statement: str
    ) -> None:
        with world.database.engine.connect() as connection:
            tenant = {"tenant": world.someone("dana").tenant_id}
            connection.execute(text("SELECT set_config('goldvein.tenant_id', :tenant, true)"), tenant)
            with pytest.raises(Exception, match=r"permission denied|must be owner"):
                connection.execute(text(statement))

    def test_not_even_the_owner_empties_the_table(self, world: World) -> None:
        owner = create_engine(world.owner_url.replace("goldvein_owner", "postgres"))
        with owner.connect() as connection, pytest.raises(Exception, match="append-only"):
            connection.execute(text("TRUNCATE ledger_entries CASCADE"))
        owner.dispose()


class TestSqlite:
    @pytest.fixture
    def store(self) -> str:
        return "sqlite"

    def test_replacing_an_entry_is_refused(self, world: World) -> None:
        statement = "INSERT OR REPLACE INTO ledger_entries SELECT * FROM ledger_entries"
        with world.database.engine.begin() as connection, pytest.raises(Exception, match="append-only"):
            connection.execute(text(statement))


def test_a_session_that_nobody_keeps_facts_for_does_not_commit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("goldvein.db.session._keepers", [])
    with pytest.raises(TenantViolation, match="nobody keeps"), world.database.write_across_tenants() as session:
        identity.create_tenant(session, name="Initech", now=START)
    with world.database.read_across_tenants() as session:
        assert {tenant.name for tenant in identity.find_tenants(session)} == {"Acme", "Globex"}


def test_a_receipt_of_a_person_whose_key_is_gone_is_signed_and_no_more(world: World) -> None:
    bob = world.someone("bob")
    with world.database.write(bob.tenant_id) as session:
        session.execute(delete(CommitmentKey).where(CommitmentKey.person_id == bob.person_id))
    event = ok(world.client("bob").get("/api/me/consent"))["records"][0]["id"]
    world.time = START + timedelta(days=1)
    answer = ok(world.client("bob").get(f"/api/me/consent/{event}/receipt"))
    receipt = check_receipt(answer["receipt"], public_keys(answer["public_keys"]))
    assert (receipt.seq, receipt.record["record_id"]) == (None, event)
