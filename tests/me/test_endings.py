"""Deleted accounts, erased members, reported leaks and deleted organisations: what is left, and what is not."""

import json
from typing import Any

import pytest
from conftest import World
from helpers import ok
from sqlalchemy import create_engine, func, select

from goldvein.capture.tables import KnownEvent, UsageEvent
from goldvein.consent import ledger
from goldvein.consent.tables import CommitmentKey
from goldvein.db.base import Base
from goldvein.examples.proof import prove
from goldvein.feedback.tables import SkillFeedback, TrainingExample
from goldvein.identity.tables import Membership, Person
from goldvein.me import tenant_deletion


def every_value(world: World) -> str:
    """Everything in every table, as one text."""
    engine = create_engine(world.owner_url.replace("goldvein_owner", "postgres"))
    with engine.connect() as connection:
        rows = [connection.execute(select(table)).all() for table in Base.metadata.sorted_tables]
    engine.dispose()
    return str(rows)


def rows_of(world: World, entity: Any, name: str = "bob") -> list[Any]:
    with world.database.read(world.someone(name).tenant_id) as session:
        return list(session.scalars(select(entity)))


def entries(world: World, name: str = "bob") -> list[dict[str, Any]]:
    with world.database.read(world.someone(name).tenant_id) as session:
        return [json.loads(row.entry) for row in ledger.every_entry(session)]


def bob_was_here(world: World) -> str:
    """An approved capture of bob, feedback of his, and a use; returns the example."""
    captured = world.capture(text="words of bob")
    ok(world.client("alice").post(f"/api/training-examples/{captured}/review", json={"decision": "approve"}))
    comment = {"skill_id": world.skill_id(), "feedback_type": "thumbs_up", "comment": "quite to my liking"}
    ok(world.client("bob").post("/api/feedback", json=comment), 201)
    return captured


def delete_bob(world: World) -> Any:
    return ok(world.client("bob").delete("/api/me", params={"confirm": world.someone("bob").email}))


def test_a_deleted_account_leaves_no_name_no_text_and_no_access(world: World) -> None:
    bob = world.someone("bob")
    bob_was_here(world)
    assert delete_bob(world) == {"erased_examples": 1}
    held = every_value(world)
    for needle in (bob.email, f"'{bob.name}'", "words of bob", "quite to my liking"):
        assert needle not in held, needle
    assert world.client("bob").get("/api/me").status_code == 401
    assert world.browser("bob").get("/preferences", follow_redirects=False).status_code == 303
    assert bob.person_id not in {row["person_id"] for row in ok(world.client("dana").get("/api/members"))["items"]}
    assert [event.person_id for event in rows_of(world, UsageEvent)] == [None]
    assert not rows_of(world, KnownEvent)
    assert {row.status for row in rows_of(world, TrainingExample)} == {"withdrawn"}
    assert not [row for row in rows_of(world, SkillFeedback) if row.feedback_type == "thumbs_up"]


def test_the_ledger_of_a_deleted_account_is_of_nobody_and_still_holds(world: World) -> None:
    bob_was_here(world)
    before = {entry["person"] for entry in entries(world) if entry["kind"] == "captured"}
    delete_bob(world)
    after = [entry for entry in entries(world) if entry["kind"] in ("erased", "consent") and entry.get("person")]
    assert after[-1]["person"] not in before  # what came last stands under a key that is kept nowhere
    assert world.someone("bob").person_id not in {row.person_id for row in rows_of(world, CommitmentKey)}
    with world.database.read(world.someone("alice").tenant_id) as session:
        assert prove(session).unproved == []


def test_an_account_is_deleted_only_with_its_address_and_without_skills(world: World) -> None:
    wrong = world.client("bob").delete("/api/me", params={"confirm": "alice@acme.example"})
    assert (wrong.status_code, wrong.json()["error"]["details"]["field"]) == (422, "confirm")
    author = world.client("alice").delete("/api/me", params={"confirm": world.someone("alice").email})
    assert author.status_code == 403
    assert "release-notes" in author.json()["error"]["message"]
    last_admin = world.client("dana").delete("/api/me", params={"confirm": world.someone("dana").email})
    assert last_admin.status_code == 403
    assert world.client("dana").get("/api/me").status_code == 200


def test_a_person_of_two_organisations_leaves_one_and_keeps_the_other(world: World) -> None:
    bob, charlie = world.someone("bob"), world.someone("charlie")
    with world.database.write_across_tenants() as session:
        session.add(
            Membership(
                tenant_id=charlie.tenant_id,
                person_id=bob.person_id,
                role="member",
                revision=1,
                created_at=world.time,
                accepted_at=world.time,
            )
        )
    delete_bob(world)
    with world.database.read_across_tenants() as session:
        assert session.scalar(select(Person.email).where(Person.id == bob.person_id)) == bob.email
    shown = {row["email"] for row in ok(world.client("charlie").get("/api/members"))["items"]}
    assert bob.email in shown
    assert bob.email not in {row["email"] for row in ok(world.client("dana").get("/api/members"))["items"]}


def test_whoever_left_can_be_invited_again_and_has_not_consented(world: World) -> None:
    bob = world.someone("bob")
    bob_was_here(world)
    delete_bob(world)
    answer = ok(world.client("dana").post("/api/invitations", json={"email": bob.email, "name": "Bob"}), 201)
    assert answer["person_id"] != bob.person_id  # somebody new, of whom nothing is known
    assert not ok(world.client("alice").get("/api/me/consent"))["records"]


def test_an_admin_erases_somebody_who_left_and_reads_nothing(world: World) -> None:
    bob, dana = world.someone("bob"), world.client("dana")
    bob_was_here(world)
    assert dana.delete(f"/api/members/{bob.person_id}").status_code == 403  # still active
    ok(dana.patch(f"/api/members/{bob.person_id}", json={"active": False}))
    assert world.client("alice").delete(f"/api/members/{bob.person_id}").status_code == 403
    ok(dana.delete(f"/api/members/{bob.person_id}"), 204)
    held = every_value(world)
    assert bob.email not in held
    assert "words of bob" not in held
    assert [entry["action"] for entry in entries(world) if entry["kind"] == "consent"][-1] == "revoked"
    assert dana.delete(f"/api/members/{bob.person_id}").status_code == 404
    assert world.client("charlie").delete(f"/api/members/{world.someone('erin').person_id}").status_code == 404


@pytest.mark.parametrize("reporter", ["alice", "bob"])
def test_a_reported_leak_is_erased_with_its_copies_and_opens_an_incident(world: World, reporter: str) -> None:
    first, second, other = (world.capture(text=name) for name in ("leaky words", "leaky words", "harmless words"))
    incident = ok(world.client(reporter).post(f"/api/training-examples/{first}/report-leak"), 201)
    assert (incident["example_id"], incident["erased_examples"]) == (first, 2)
    assert "leaky words" not in every_value(world)
    by_id = {row.id: row.status for row in rows_of(world, TrainingExample)}
    assert by_id == {first: "withdrawn", second: "withdrawn", other: "pending"}
    (seen,) = ok(world.client("dana").get("/api/incidents"))["items"]
    assert seen == incident
    again = world.client(reporter).post(f"/api/training-examples/{first}/report-leak")
    assert again.status_code == 409
    with world.database.read(world.someone("bob").tenant_id) as session:
        assert prove(session).unproved == []


def test_a_golden_example_that_leaks_is_erased_too(world: World) -> None:
    golden = {"example_input": "leaky words", "example_output": "b"}
    made = ok(world.client("alice").post("/api/skills/release-notes/training-examples", json=golden), 201)
    ok(world.client("alice").post(f"/api/training-examples/{made['id']}/report-leak"), 201)
    assert "leaky words" not in every_value(world)


def test_a_leak_is_reported_by_whoever_may_see_it(world: World) -> None:
    example = world.capture()
    path = f"/api/training-examples/{example}/report-leak"
    assert world.client("dana").post(path).status_code == 403  # an admin does not see it
    assert world.client("erin").post(path).status_code == 403
    assert world.client("charlie").post(path).status_code == 404
    assert world.client("alice").get("/api/incidents").status_code == 403
    assert rows_of(world, TrainingExample)[0].status == "pending"


def test_a_deleted_organisation_holds_nothing_and_its_ledger_is_sealed(world: World) -> None:
    bob, tenant_id = world.someone("bob"), world.someone("bob").tenant_id
    bob_was_here(world)
    wrong = world.client("dana").delete("/api/settings", params={"confirm": "acme"})
    assert (wrong.status_code, wrong.json()["error"]["details"]["field"]) == (422, "confirm")
    assert world.client("alice").delete("/api/settings", params={"confirm": "Acme"}).status_code == 403
    ok(world.client("dana").delete("/api/settings", params={"confirm": "Acme"}), 204)
    engine = create_engine(world.owner_url.replace("goldvein_owner", "postgres"))
    with engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            if "tenant_id" in table.columns and table.name not in tenant_deletion.KEPT:
                here = select(func.count()).select_from(table).where(table.c.tenant_id == tenant_id)
                assert connection.scalar(here) == 0, table.name
    engine.dispose()
    held = every_value(world)
    for needle in (bob.email, "'Bob", "'Acme'", "words of bob", "quite to my liking"):
        assert needle not in held, needle
    assert entries(world)[-1]["kind"] == "ledger_sealed"
    assert world.track(tool_input_snippet="a", tool_output_snippet="b").status_code == 401
    assert world.client("charlie").get("/api/me").status_code == 200


def test_a_sealed_ledger_takes_no_other_entry(world: World) -> None:
    ok(world.client("dana").delete("/api/settings", params={"confirm": "Acme"}), 204)
    with pytest.raises(Exception, match="sealed"), world.database.write(world.someone("bob").tenant_id) as session:
        session.record("incident", at=world.time)


def test_an_interrupted_deletion_goes_on_where_it_was(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    bob_was_here(world)
    with monkeypatch.context() as broken:
        broken.delattr(tenant_deletion, "_purge_table")
        assert world.client("dana").delete("/api/settings", params={"confirm": "Acme"}).status_code == 500
    assert world.client("alice").get("/api/skills").status_code == 401  # nothing is reachable any more
    assert sum(tenant_deletion.purge(world.database)) > 0
    assert "words of bob" not in every_value(world)
    assert sum(tenant_deletion.purge(world.database)) == 0


def after(browser: Any, path: str, **sent: str) -> str:
    """The page to which a form leads."""
    page: str = browser.post(path, data=sent, follow_redirects=True).text
    return page


def test_the_pages_end_what_they_say(world: World) -> None:
    bob, dana, alice = (world.browser(name) for name in ("bob", "dana", "alice"))
    first, second = world.capture(text="first words"), world.capture(text="second words")
    assert "Examples erased: 1" in after(alice, f"/training-examples/{first}/report-leak")
    assert "Examples erased: 1" in after(bob, f"/preferences/data/{second}/report-leak")
    record = ok(world.client("bob").get("/api/me/consent"))["records"][0]["id"]
    receipt = bob.get(f"/preferences/consent/{record}/receipt.json")
    assert set(receipt.json()) == {"receipt", "public_keys"}
    assert dana.get("/admin").text.count("1 example erased") == 2
    refused = bob.post("/preferences/delete-account", data={"confirm": "somebody"})
    assert refused.status_code == 422
    assert "repeat the address" in refused.text
    gone = after(bob, "/preferences/delete-account", confirm=world.someone("bob").email)
    assert "Your account is deleted" in gone
    erin = world.someone("erin").person_id
    ok(world.client("dana").patch(f"/api/members/{erin}", json={"active": False}))
    assert "The account is deleted" in after(dana, f"/admin/members/{erin}/erase")
    assert dana.post("/admin/delete-organisation", data={"confirm": "nothing"}).status_code == 422
    assert "The organisation is deleted" in after(dana, "/admin/delete-organisation", confirm="Acme")


def test_a_page_that_erases_takes_the_text_out_of_the_log(world: World) -> None:
    """The bytes of SQLite's files; PostgreSQL recycles its log by itself."""
    example = world.capture(text="to be erased by a page")
    ok(world.browser("bob").post(f"/preferences/data/{example}/erase"), 303)
    assert "to be erased by a page" not in every_value(world)
    for path in world.data_dir.rglob("*"):
        assert not path.is_file() or b"to be erased by a page" not in path.read_bytes(), path
