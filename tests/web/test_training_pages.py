from typing import Any

import pytest
from html_page import Page, look, press

TRAINING = "/skills/release-notes/training"
SECRET = "AKIA" + "IOSFODNN7EXAMPLE"


def add_golden(world: Any, **typed: str) -> Any:
    browser = world.browser("alice")
    fields = {"example_input": "A question", "example_output": "An answer", **typed}
    return press(browser, look(browser, TRAINING), TRAINING, **fields)


def the_examples(world: Any) -> list[dict[str, Any]]:
    return world.client("alice").get("/api/skills/release-notes/training-examples").json()["items"]


def review_action(example_id: str) -> str:
    return f"/training-examples/{example_id}/review"


def test_the_author_adds_a_golden_example_and_an_empty_quality_means_none(world: Any) -> None:
    answer = add_golden(world)
    (example,) = the_examples(world)
    assert answer.headers["location"] == f"{TRAINING}?done=golden_added#example-{example['id']}"
    assert (example["status"], example["source"]) == ("approved", "web")
    assert (example["quality_score"], example["expected_output"]) == (None, None)
    page = look(world.browser("alice"), TRAINING)
    assert "Golden" in page.text
    assert "approved" in page.text
    assert "/10" not in page.text
    assert "2026-03-01 12:00 UTC" in page.text
    assert '<time datetime="2026-03-01T12:00:00Z">' in page.html


def test_line_ends_are_stored_as_they_were_typed(world: Any) -> None:
    add_golden(world, example_input="\r\none\r\ntwo", example_output="x" * 4_999 + "\r\n", quality_score=" 7 ")
    (example,) = the_examples(world)
    assert example["example_input"] == "\none\ntwo"
    assert example["example_output"] == "x" * 4_999 + "\n"
    assert example["quality_score"] == 7
    page = look(world.browser("alice"), f"/training-examples/{example['id']}")
    assert page.form(f"/training-examples/{example['id']}").data["example_input"] == "\none\ntwo"


REFUSED = [
    ({"example_input": "  "}, "example_input", "1 to 5000 characters"),
    ({"example_output": "x" * 5_001}, "example_output", "1 to 5000 characters"),
    ({"expected_output": "x" * 5_001}, "expected_output", "1 to 5000 characters"),
    ({"quality_score": "0"}, "quality_score", "from 1 to 10"),
    ({"quality_score": "11"}, "quality_score", "from 1 to 10"),
    ({"quality_score": "-3"}, "quality_score", "a whole number, or empty"),
    ({"quality_score": "7.5"}, "quality_score", "a whole number, or empty"),
    ({"quality_score": "٣"}, "quality_score", "a whole number, or empty"),
    ({"quality_score": "9" * 5_000}, "quality_score", "a whole number, or empty"),
]


def test_a_refused_golden_example_keeps_what_was_typed_and_says_why(world: Any) -> None:
    for typed, control, reason in REFUSED:
        fields = {"example_input": "in", "example_output": "out", "expected_output": "e", "quality_score": "", **typed}
        page = Page(add_golden(world, **fields))
        assert page.status == 422, typed
        form = page.form(TRAINING)
        assert {name: form.data[name] for name in fields} == fields
        assert [name for name, given in form.controls.items() if "aria-invalid" in given] == [control]
        assert reason in page.text
    assert the_examples(world) == []


def test_what_a_golden_example_should_not_hold_is_removed_and_named(world: Any) -> None:
    add_golden(world, example_input=f"use {SECRET} to sign in")
    page = look(world.browser("alice"), TRAINING)
    assert SECRET not in page.html
    assert "[REDACTED:" in page.text
    assert "Removed by the sanitizer:" in page.text
    (example,) = the_examples(world)
    ((kind, count),) = example["findings"].items()
    assert f"{kind} × {count}" in page.text


def test_only_the_author_is_asked_and_allowed_to_add_examples(world: Any) -> None:
    for name in ("dana", "bob"):
        browser = world.browser(name)
        assert TRAINING not in [form.action for form in look(browser, TRAINING).forms if form.method == "post"]
        refused = browser.post(TRAINING, data={"example_input": "a", "example_output": "b"})
        assert refused.status_code == 403
        assert "Only the skill author can add training examples" in Page(refused).text
    assert the_examples(world) == []


@pytest.mark.parametrize(
    ("button", "status"), [("Approve", "approved"), ("Reject", "rejected"), ("Quarantine", "quarantined")]
)
def test_the_author_decides_with_one_button(world: Any, button: str, status: str) -> None:
    example_id, alice = world.capture(), world.browser("alice")
    answer = press(alice, look(alice, f"{TRAINING}?status=pending"), review_action(example_id), button)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{TRAINING}?status=pending&done=example_{button.lower()}#")
    (example,) = the_examples(world)
    assert example["status"] == status
    assert world.metric("goldvein_reviews_total", decision=button.lower()) == 1
    page = look(alice, TRAINING)
    assert status in page.text
    assert [label.strip().lower() for _, _, label in page.form(review_action(example_id)).buttons] == example[
        "decisions"
    ]


def test_a_decision_on_a_state_that_has_passed_shows_the_state_as_it_is(world: Any) -> None:
    example_id, alice = world.capture(), world.browser("alice")
    old = look(alice, TRAINING)
    assert press(alice, old, review_action(example_id), "Reject").status_code == 303
    page = Page(press(alice, old, review_action(example_id), "Approve"))
    assert page.status == 409
    assert page.headings == ["Training example"]
    assert "It is rejected now" in " ".join(page.text.split())
    assert the_examples(world)[0]["status"] == "rejected"
    assert world.metric("goldvein_reviews_total", decision="approve") == 0


def test_nobody_approves_a_text_that_was_edited_after_the_page_was_made(world: Any) -> None:
    example_id, alice = world.capture(), world.browser("alice")
    old = look(alice, TRAINING)
    edit = world.client("alice").patch(f"/api/training-examples/{example_id}", json={"example_output": "edited"})
    assert edit.status_code == 200
    page = Page(press(alice, old, review_action(example_id), "Approve"))
    assert page.status == 409
    assert "edited" in page.form(f"/training-examples/{example_id}").data["example_output"]
    assert the_examples(world)[0]["status"] == "pending"


def test_a_decision_without_a_revision_is_refused(world: Any) -> None:
    example_id = world.capture()
    for revision in ("", "x", "-1"):
        data = {"decision": "approve", "revision": revision}
        assert world.browser("alice").post(review_action(example_id), data=data).status_code == 422
    data = {"decision": "destroy", "revision": "1"}
    assert world.browser("alice").post(review_action(example_id), data=data).status_code == 422
    assert the_examples(world)[0]["status"] == "pending"


def test_a_decision_comes_back_to_this_server_only(world: Any) -> None:
    data = {"decision": "approve", "revision": "1", "next": "//evil.example"}
    answer = world.browser("alice").post(review_action(world.capture()), data=data)
    assert answer.headers["location"].startswith("/skills?")


def test_an_example_is_edited_and_approved_in_one_go(world: Any) -> None:
    example_id, alice = world.capture(text="one\ntwo"), world.browser("alice")
    path = f"/training-examples/{example_id}"
    answer = press(
        alice,
        look(alice, path),
        path,
        "Approve",
        expected_output=f"Better, with {SECRET}",
        quality_score="8",
        review_notes="checked",
        output_verdict="bad",
    )
    assert answer.headers["location"] == f"{TRAINING}?done=example_approve#example-{example_id}"
    (example,) = the_examples(world)
    assert (example["status"], example["quality_score"], example["output_verdict"]) == ("approved", 8, "bad")
    assert (example["example_input"], example["review_notes"]) == ("one\ntwo", "checked")
    assert example["expected_output"].startswith("Better, with [REDACTED:")
    page = look(alice, TRAINING)
    assert "quality 8/10" in page.text
    assert "Better, with [REDACTED:" in page.text


def test_saving_what_is_stored_already_changes_nothing(world: Any) -> None:
    example_id, alice = world.capture(text="one\r\ntwo"), world.browser("alice")
    path = f"/training-examples/{example_id}"
    answer = press(alice, look(alice, path), path, "Save", example_input="one\r\ntwo")
    assert answer.headers["location"] == f"{path}?done=example_unchanged"
    (example,) = the_examples(world)
    assert (example["revision"], example["example_input"]) == (1, "one\r\ntwo")


def test_emptying_the_optional_fields_removes_them(world: Any) -> None:
    add_golden(world, expected_output="exp", quality_score="3")
    path = f"/training-examples/{the_examples(world)[0]['id']}"
    alice = world.browser("alice")
    assert press(alice, look(alice, path), path, "Save", expected_output="", quality_score="").status_code == 303
    (example,) = the_examples(world)
    assert (example["expected_output"], example["quality_score"]) == (None, None)
    assert example["status"] == "approved"


def test_a_refused_edit_stores_nothing_and_keeps_what_was_typed(world: Any) -> None:
    example_id, alice = world.capture(), world.browser("alice")
    path = f"/training-examples/{example_id}"
    typed = {"example_input": "edited", "quality_score": "99"}
    page = Page(press(alice, look(alice, path), path, "Approve", **typed))
    assert page.status == 422
    assert {name: page.form(path).data[name] for name in typed} == typed
    (example,) = the_examples(world)
    assert (example["example_input"], example["status"], example["revision"]) == ("Write the notes", "pending", 1)


def test_a_decision_that_is_impossible_takes_the_edit_with_it(world: Any) -> None:
    example_id, alice = world.capture(), world.browser("alice")
    data = {"action": "reopen", "revision": "1", "example_input": "edited", "example_output": "Here they are"}
    page = Page(alice.post(f"/training-examples/{example_id}", data=data))
    assert page.status == 409
    assert "What you had typed: example input" in page.text
    (example,) = the_examples(world)
    assert (example["example_input"], example["revision"]) == ("Write the notes", 1)


def test_a_stale_edit_shows_what_is_stored_and_what_was_typed(world: Any) -> None:
    example_id, alice = world.capture(), world.browser("alice")
    path = f"/training-examples/{example_id}"
    old = look(alice, path)
    assert press(alice, old, path, "Save", example_output="first").status_code == 303
    page = Page(press(alice, old, path, "Save", example_output="second"))
    assert page.status == 409
    assert page.form(path).data["example_output"] == "first"
    assert "second" in page.text
    assert the_examples(world)[0]["example_output"] == "first"


def test_an_edit_that_meets_a_withdrawal_brings_no_text_back(world: Any) -> None:
    example_id, alice, bob = world.capture(text="the words of bob"), world.browser("alice"), world.browser("bob")
    path = f"/training-examples/{example_id}"
    old = look(alice, path)
    assert press(bob, look(bob, "/preferences"), "/preferences/consent/withdraw").status_code == 303
    page = Page(press(alice, old, path, "Save", example_output="edited"))
    assert page.status == 409
    assert "the words of bob" not in page.html
    assert "edited" not in page.html
    assert "withdrawn" in page.text
    assert "the words of bob" not in world.every_cell()
    assert not [form for form in look(alice, path).forms if form.action == path]
    listed = look(alice, TRAINING)
    assert "No text is left: withdrawn" in listed.text
    assert not [form for form in listed.forms if form.action == review_action(example_id)]


def test_the_list_is_narrowed_by_status_and_source(world: Any) -> None:
    world.capture(text="captured text")
    add_golden(world, example_input="golden text")
    alice = world.browser("alice")
    for query, shown, hidden in (
        ("status=&source=", ["captured text", "golden text"], []),
        ("status=pending", ["captured text"], ["golden text"]),
        ("source=web", ["golden text"], ["captured text"]),
        ("status=rejected&source=", [], ["captured text", "golden text"]),
    ):
        page = look(alice, f"{TRAINING}?{query}")
        assert all(text in page.text for text in shown)
        assert not any(text in page.text for text in hidden)
    assert look(alice, f"{TRAINING}?status=nonsense").status == 422
    assert look(alice, f"{TRAINING}?cursor=nonsense").status == 422


def test_the_list_is_newest_first_and_paged_with_its_filter(world: Any) -> None:
    for number in range(21):
        world.client("alice").post(
            "/api/skills/release-notes/training-examples",
            json={"example_input": f"question {number:02}", "example_output": "answer"},
        )
    alice = world.browser("alice")
    first = look(alice, f"{TRAINING}?source=api")
    assert first.text.index("question 20") < first.text.index("question 19")
    assert "question 00" not in first.text
    second = look(alice, first.links["Older examples"])
    assert "question 00" in second.text
    assert "question 01" not in second.text
    assert "Training (21)" in second.links


def test_an_admin_sees_that_something_was_captured_but_no_text_and_nobody(world: Any) -> None:
    example_id = world.capture(text="the words of bob", answer="the answer to bob")
    add_golden(world, example_input="golden text")
    world.browser("bob").post("/preferences/display", data={"display": "name"})
    page = look(world.browser("dana"), TRAINING)
    assert "Hidden: only the author sees captured text." in page.text
    assert "golden text" in page.text
    for secret in (
        "the words of bob",
        "the answer to bob",
        "Bob",
        "bob@",
        "user-",
        "Bash",
        world.someone("bob").person_id,
    ):
        assert secret not in page.html
    assert [form.action for form in page.forms if "training-examples" in form.action] == []
    assert world.browser("dana").get(f"/training-examples/{example_id}").status_code == 403
    data = {"decision": "approve", "revision": "1"}
    assert world.browser("dana").post(review_action(example_id), data=data).status_code == 403


def test_a_member_sees_only_the_count(world: Any) -> None:
    world.capture(text="the words of bob")
    page = look(world.browser("erin"), TRAINING)
    assert page.status == 200
    assert "has 1 training example." in " ".join(page.text.split())
    assert "the words of bob" not in page.html
    assert "pending" not in page.html


def test_the_author_sees_the_pseudonym_or_the_name_the_person_chose(world: Any) -> None:
    world.capture()
    assert "Bob" not in look(world.browser("alice"), TRAINING).text
    assert "user-" in look(world.browser("alice"), TRAINING).text
    bob = world.browser("bob")
    assert press(bob, look(bob, "/preferences"), "/preferences/display", display="name").status_code == 303
    assert "Bob" in look(world.browser("alice"), TRAINING).text


def test_the_export_link_downloads_the_approved_examples(world: Any) -> None:
    add_golden(world)
    alice = world.browser("alice")
    download = alice.get(look(alice, TRAINING).links["Export the approved ones (chat-jsonl)"])
    assert download.status_code == 200
    assert download.headers["content-type"] == "application/zip"


def test_approving_needs_the_consent_to_hold(world: Any) -> None:
    example_id, alice = world.capture(), world.browser("alice")
    page = look(alice, TRAINING)
    assert world.client("bob").post("/api/me/consent", json={"decision": "withdraw"}).status_code == 200
    assert press(alice, page, review_action(example_id), "Approve").status_code == 409
    assert the_examples(world)[0]["status"] == "withdrawn"
