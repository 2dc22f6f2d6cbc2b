"""What holds for every page."""

import re
from collections import Counter
from typing import Any

import pytest
from html_page import Page, look, press

from goldvein.errors import StoreUnavailable
from goldvein.web.api_reference import operations
from goldvein.web.rendering import DONE, STATIC_FOLDER, notice_html, static_url, visible

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7*7 }}&amp;"
UNSEEN = "before \u202eafter\u2066 \x01\x7f end"


def every_page(world: Any) -> dict[str, Page]:
    """Every kind of page, full of data."""
    example_id = world.capture()
    alice, bob, dana, erin = (world.browser(name) for name in ("alice", "bob", "dana", "erin"))
    training, feedback = "/skills/release-notes/training", "/skills/release-notes/feedback"
    alice.post(training, data={"example_input": "a", "example_output": "b", "expected_output": "c"})
    report = {"feedback_type": "suggestion", "comment": "Ten characters", "category": "other", "severity": "important"}
    bob.post(feedback, data=report)
    bob.post(feedback, data={"feedback_type": "thumbs_up", "comment": "nice"})
    rule = {"type": "staff_number", "pattern": "EMP-[0-9]{6}", "example": "EMP-123456"}
    assert dana.post("/admin/sanitizer-rules", data=rule).status_code == 303
    invited = Page(dana.post("/admin/invitations", data={"email": "frank@acme.example", "name": "Frank"}))
    (link,) = [word for word in invited.text.split() if "/welcome/" in word]
    old = look(alice, f"/training-examples/{example_id}")
    press(alice, old, f"/training-examples/{example_id}", "Save", example_output="edited")
    return {
        "skills of the author": look(alice, "/skills"),
        "skills of a member": look(bob, "/skills"),
        "overview": look(alice, "/skills/release-notes"),
        "training of the author": look(alice, training),
        "training of an admin": look(dana, training),
        "training of a member": look(erin, training),
        "training refused": Page(alice.post(training, data={"example_input": "", "example_output": ""})),
        "example": look(alice, f"/training-examples/{example_id}"),
        "example stale": Page(press(alice, old, f"/training-examples/{example_id}", "Save", example_output="late")),
        "feedback of the author": look(alice, feedback),
        "feedback refused": Page(bob.post(feedback, data={**report, "comment": ""})),
        "preferences with consent": look(bob, "/preferences?done=consent_given"),
        "preferences without": look(erin, "/preferences"),
        "preferences of an admin": look(dana, "/preferences"),
        "preferences refused": Page(bob.post("/preferences/keys", data={"name": ""})),
        "new key": Page(
            bob.post("/preferences/keys", data={"name": "x", "scopes": "track", "requires_signature": "y"})
        ),
        "admin": look(dana, "/admin"),
        "admin refused a rule": Page(dana.post("/admin/sanitizer-rules", data={"type": "X", "pattern": "("})),
        "admin refused": Page(dana.post("/admin/invitations", data={"email": "x"})),
        "invitation": invited,
        "welcome": look(world.anonymous(), link.removeprefix(world.runtime.settings.base_url)),
        "sign-in": look(world.anonymous(), "/sign-in"),
        "not found, signed in": look(alice, "/nothing/here"),
        "not found, anonymous": look(world.anonymous(), "/nothing/here"),
        "not allowed": look(alice, "/admin"),
        "method": Page(alice.post("/skills")),
        "api": look(world.anonymous(), "/docs"),
    }


def test_every_page_can_be_used_by_everybody(world: Any) -> None:
    titles = {}
    for name, page in every_page(world).items():
        assert "text/html" in page.response.headers["content-type"], name
        assert len(page.headings) == 1, name
        assert page.headings[0].strip(), name
        assert page.unlabelled() == [], name
        assert page.unclosed == [], name
        assert [each for each, count in Counter(page.ids()).items() if count > 1] == [], name
        assert dict(page.tags)["html"]["lang"] == "en", name
        assert page.title.strip(" ·") != "goldvein", name
        assert page.links["Skip to the content"] == "#content", name
        assert "content" in page.ids(), name
        described = [given["aria-describedby"] for _, given in page.tags if "aria-describedby" in given]
        assert set(described) <= set(page.ids()), name
        titles[name] = page.title
    assert len(set(titles.values())) > 12


def test_no_page_needs_or_holds_a_script_or_an_inline_style(world: Any) -> None:
    for name, page in every_page(world).items():
        policy = page.response.headers["content-security-policy"]
        assert "style-src 'self'" in policy, name
        assert "unsafe" not in policy, name
        for tag, given in page.tags:
            assert tag not in {"script", "style", "iframe", "object"}, name
            assert "style" not in given, name
            assert not [attribute for attribute in given if attribute.startswith("on")], name
            for attribute in ("href", "src", "action"):
                assert not given.get(attribute, "").startswith(("http", "//", "javascript", "data")), name


def test_every_change_is_a_post_from_a_form_of_the_page(world: Any) -> None:
    for name, page in every_page(world).items():
        for form in page.forms:
            assert form.method == "post" or form.action.endswith(("/training", "/audit-report")), name
            assert form.buttons, name


def test_text_from_outside_stays_text_on_every_page(world: Any) -> None:
    world.capture(text=HOSTILE + UNSEEN, answer=HOSTILE)
    alice, bob, dana = (world.browser(name) for name in ("alice", "bob", "dana"))
    assert press(dana, look(dana, "/admin"), "/admin/name", name=HOSTILE).status_code == 303
    report = {"feedback_type": "bug_report", "comment": HOSTILE, "category": "other", "severity": "critical"}
    assert bob.post("/skills/release-notes/feedback", data=report).status_code == 303
    changed = world.client("alice").patch("/api/skills/release-notes", json={"name": HOSTILE, "description": HOSTILE})
    assert changed.status_code == 200
    made = Page(bob.post("/preferences/keys", data={"name": HOSTILE[:100], "scopes": "track"}))
    refused = Page(bob.post("/skills/release-notes/feedback", data={**report, "comment": HOSTILE, "category": HOSTILE}))
    wrong = Page(world.anonymous(Origin="http://testserver").post("/sign-in", data={"email": HOSTILE, "next": HOSTILE}))
    example_id = world.client("alice").get("/api/skills/release-notes/training-examples").json()["items"][0]["id"]
    pages = [
        made,
        refused,
        wrong,
        look(alice, "/skills"),
        look(alice, "/skills/release-notes"),
        look(alice, "/skills/release-notes/training"),
        look(alice, f"/training-examples/{example_id}"),
        look(alice, "/skills/release-notes/feedback"),
        look(bob, "/preferences"),
        look(dana, "/admin"),
        look(alice, f"/{HOSTILE}"),
        look(alice, f"/skills?done={HOSTILE}"),
    ]
    for page in pages:
        assert "<script" not in page.html
        assert "<img src=x" not in page.html
        assert ">49" not in page.html
        assert not [given for _, given in page.tags if "onerror" in given]
    assert "<script>alert(1)</script>" in pages[5].text
    assert "<script>alert(1)</script>" in pages[6].form(f"/training-examples/{example_id}").data["example_input"]
    assert "<script>alert(1)</script>" in pages[7].text


def test_texts_of_any_direction_stay_in_their_block(world: Any) -> None:
    world.capture(text=UNSEEN, answer="مرحبا")
    page = look(world.browser("alice"), "/skills/release-notes/training")
    blocks = [given for tag, given in page.tags if tag == "pre"]
    assert len(blocks) == 2
    assert all(given["dir"] == "auto" for given in blocks)
    assert "\u202e" not in page.html
    assert "U+202E" in page.text
    assert "U+0001" in page.text
    form = f"/training-examples/{world.client('alice').get('/api/skills/release-notes/training-examples').json()['items'][0]['id']}"
    area = next(given for tag, given in look(world.browser("alice"), form).tags if tag == "textarea")
    assert area["dir"] == "auto"


def test_unseen_characters_are_shown_by_number_and_seen_ones_are_left_alone() -> None:
    assert visible("a\u200bb") == 'a<span class="control">U+200B</span>b'
    assert visible("<b>\r\n\té 👩\u200d🔬 \u200fא") == "&lt;b&gt;\n\té 👩\u200d🔬 \u200fא"


def test_a_notice_is_shown_without_its_raw_html() -> None:
    html = notice_html(
        "# Title\n\n**bold** <script>alert(1)</script> [x](javascript:alert(1)) [y](https://example.org)"
    )
    assert "<h3>Title</h3>" in html
    assert "<strong>bold</strong>" in html
    assert "<script" not in html
    assert 'href="javascript' not in html


def test_a_message_comes_from_our_list_only(world: Any) -> None:
    alice = world.browser("alice")
    assert DONE["name_changed"] in look(alice, "/skills?done=name_changed").text
    assert "Examples erased: 3." in look(alice, "/skills?done=consent_withdrawn&count=3").text
    assert "Examples erased: 0." in look(alice, "/skills?done=consent_withdrawn&count=<b>").text
    assert 'role="status"' not in look(alice, "/skills?done=anything").html


def test_programs_get_their_errors_as_json_and_people_as_pages(world: Any) -> None:
    for path in ("/api/nothing", "/v1/nothing", "/static/nothing", "/metrics/x", "/healthz/x"):
        answer = world.browser("alice").get(path)
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "not_found"
    page = look(world.browser("alice"), "/nothing")
    assert page.status == 404
    assert page.links["Go to the skills"] == "/skills"
    assert "Alice" in page.text
    assert "Sign in" in look(world.anonymous(), "/nothing").links


def test_a_store_that_is_down_gives_a_page_that_says_when_to_come_back(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: Any) -> None:
        raise StoreUnavailable

    monkeypatch.setattr("goldvein.web.skill_pages.skills.list_skills", lambda *_, **__: down())
    page = look(world.browser("alice"), "/skills")
    assert page.status == 503
    assert page.response.headers["retry-after"] == "2"
    assert "nothing was stored" in page.text


def test_what_breaks_in_us_is_not_shown(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("the words of bob")

    monkeypatch.setattr("goldvein.web.skill_pages.skills.list_skills", broken)
    page = look(world.browser("alice"), "/skills")
    assert page.status == 500
    assert "the words of bob" not in page.html
    assert "Something went wrong on our side" in page.text


def test_static_files_are_kept_by_browsers_until_they_change(world: Any) -> None:
    address = static_url("app.css")
    assert re.fullmatch(r"/static/app\.css\?v=[0-9a-f]{12}", address)
    answer = world.anonymous().get(address)
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    assert "immutable" not in world.anonymous().get("/static/app.css").headers["cache-control"]
    assert world.anonymous().get("/static/../pages.py").status_code == 404
    assert world.anonymous().get("/static/%2e%2e/pages.py").status_code == 404


def test_no_page_with_data_is_kept_by_browsers(world: Any) -> None:
    assert world.browser("alice").get("/skills").headers["cache-control"] == "no-store"


def test_every_file_a_stylesheet_asks_for_is_there(world: Any) -> None:
    asked = re.findall(r'url\("([^"]+)"\)', (STATIC_FOLDER / "app.css").read_text())
    assert asked
    for path in asked:
        assert world.anonymous().get(path).status_code == 200, path


def test_the_vendored_stylesheet_has_its_licence_beside_it() -> None:
    folder = STATIC_FOLDER / "vendor" / "pico"
    assert "MIT License" in (folder / "LICENSE.md").read_text()
    assert "Pico CSS" in (folder / "pico.min.css").read_text()[:200]


def test_pages_are_no_part_of_the_description_of_the_api(world: Any) -> None:
    described = world.anonymous().get("/openapi.json").json()["paths"]
    assert not [path for path in described if not path.startswith(("/api", "/v1", "/healthz", "/readyz", "/metrics"))]


def test_the_reference_shows_every_operation_with_its_fields(world: Any) -> None:
    document = world.anonymous().get("/openapi.json").json()
    page = look(world.anonymous(), "/docs")
    for path, item in document["paths"].items():
        for method in item:
            assert f"{method.upper()} {path}" in " ".join(page.text.split()), (method, path)
    for word in ("tool_input_snippet", "quality_score", "If-Match", "openapi.json"):
        assert word in page.text


def test_a_recursive_schema_is_described_to_a_limited_depth() -> None:
    node = {"type": "object", "properties": {"child": {"$ref": "#/components/schemas/Node"}}, "required": ["child"]}
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Node"}}}
    document = {
        "paths": {"/api/x": {"post": {"requestBody": {"content": content}, "responses": {}}}},
        "components": {"schemas": {"Node": node}},
    }
    (operation,) = operations(document)["other"]
    assert [field.name for field in operation.body] == [
        "child",
        "child.child",
        "child.child.child",
        "child.child.child.child",
    ]
