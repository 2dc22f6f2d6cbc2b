"""What holds for every text. Texts are built from fragments that the rules know, and from any characters."""

import json
import string
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldvein.sanitizer import (
    MAX_TEXT_CHARS,
    SANITIZER_VERSION,
    SanitizerFailed,
    TextTooLong,
    engine,
    sanitize,
    sanitize_many,
    sanitize_text,
)

DASHES = "-" * 5  # a whole header of a private key in a file would stop it at a code host
BODY = (string.ascii_letters + string.digits)[3:45]
FRAGMENTS = [
    "password", "PASSWORD=", "api_key: ", '"', "'", "\\", "\\n", "\n", " ", ":", "=", "@", "://", "hunter2", "a@b.example",
    "ghp_" + BODY, "sk-" + BODY, "eyJ" + BODY, ".", BODY, DASHES + "BEGIN RSA PRIVATE KEY" + DASHES, DASHES + "END RSA PRIVATE KEY" + DASHES,
    "8.8.4.4", "+49 30 5557 4242", "4242424242424242", "[REDACTED:email]", "[REDACTED:email_3]", "[REDACTED:password]", "[REDACTED:",
    "{", "}", ",", "(", ")", "<", ">", "%3D", "\\u003d", "\x1b[0m", "\u200b", "\ud800", "\x00", "\u0130", "&", "?token=", "Bearer ",
    "Authorization: ", "Cookie: ", "redis://:", "mysql -p", "is ", "-u a:", "--token ", "DE89370400440532013000",
]  # fmt: skip
TEXTS = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(st.characters(), max_size=6)), max_size=14).map("".join)
LIMITED = settings(max_examples=300, deadline=None, derandomize=True)


@LIMITED
@given(TEXTS)
def test_sanitizing_twice_changes_nothing(text: str) -> None:
    once = sanitize(text)
    twice = sanitize(once.text)
    assert twice.text == once.text
    assert twice.findings == ()


@LIMITED
@given(TEXTS)
def test_findings_are_ordered_and_the_text_between_them_is_unchanged(text: str) -> None:
    result = sanitize(text)
    rest, position = result.text, 0
    for finding in result.findings:
        assert position <= finding.start < finding.end <= len(text)
        kept = text[position : finding.start]
        assert rest.startswith(kept)
        rest = rest[len(kept) :].lstrip('\\"') if rest[len(kept) :].startswith(("\\", '"')) else rest[len(kept) :]
        placeholder, _, rest = rest.partition("]")
        assert placeholder.startswith("[REDACTED:" + finding.type)
        position = finding.end
        rest = _without_added_quote(rest, text, position)
    assert rest == text[position:]


def _without_added_quote(rest: str, text: str, position: int) -> str:
    """Drop the quote that closes a placeholder in the place of a JSON number."""
    bare = rest.lstrip("\\")
    return bare[1:] if bare.startswith('"') and not text[position:].lstrip("\\").startswith('"') else rest


JSON_VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.sampled_from(FRAGMENTS), TEXTS, st.sampled_from([4242424242424242])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(["password", "a", "token", "api_key", "note", "stdout"]), inner, max_size=4),
    ),
    max_leaves=8,
)


@LIMITED
@given(JSON_VALUES)
def test_json_stays_json(value: object) -> None:
    json.loads(sanitize_text(json.dumps([value])))
    json.loads(sanitize_text(json.dumps({"stdout": json.dumps({"inner": value})})))


@LIMITED
@given(st.lists(TEXTS, max_size=3))
def test_several_texts_are_each_as_stable_as_one(texts: list[str]) -> None:
    once = [result.text for result in sanitize_many(texts)]
    assert [result.text for result in sanitize_many(once)] == once


def test_new_numbers_do_not_collide_with_placeholders_in_the_text() -> None:
    assert sanitize_text("[REDACTED:email_1] a@b.example") == "[REDACTED:email_1] [REDACTED:email_2]"
    assert sanitize_text("[REDACTED:email] a@b.example c@b.example") == (
        "[REDACTED:email] [REDACTED:email_2] [REDACTED:email_3]"
    )


def test_nothing_is_found_across_a_placeholder() -> None:
    assert sanitize_text("password=[REDACTED:password]") == "password=[REDACTED:password]"
    assert sanitize_text('{"password": "[REDACTED:secret_2]"}') == '{"password": "[REDACTED:secret_2]"}'


@pytest.mark.parametrize(
    "value",
    [
        ["PASSWORD=", 5, "x"],
        ['PASSWORD="password'],
        ["mysql -p", None, 4242424242424242],
        ["\\", 4242424242424242],
        {"password": None, "api_key": [4242424242424242]},
        "[4242424242424242]",
        "values [4242424242424242] of a list",
    ],
)
def test_json_stays_json_at_the_edges_once_found(value: object) -> None:
    nested = json.dumps({"stdout": json.dumps({"inner": value})})
    json.loads(json.loads(sanitize_text(nested))["stdout"])
    json.loads(sanitize_text(json.dumps([value])))


WORST = [
    "a", "sk-", "password=", "eyJ", "7", '"', "'", "\\", "://:@", DASHES + "BEGIN ", DASHES + "BEGIN PRIVATE KEY" + DASHES, "key", "token: ",
    'password: "', "a@", "a@a.", "+1", "1.1.", "1 ", "ab:", "AB12 ", "cookie:a=", "AccountKey=", "authorization: ", "mysql -p ",
    "phone 1 ", "://", "secret\n value", "\x1b[0m", "%41", "\\u0041", "\u200b", '"\n"', '" + "', "password for a ", "[REDACTED:a]",
    "a1@b.co ", "QUJD", "\u0130", "555-", "x=y&token=",
]  # fmt: skip


@pytest.mark.parametrize("seed", WORST)
def test_a_text_of_nothing_but_beginnings_comes_out_settled(seed: str) -> None:
    once = sanitize_text((seed * 2_048)[:2_048])
    assert sanitize_text(once) == once


def test_a_text_over_the_limit_is_refused() -> None:
    assert sanitize_text("a " * (MAX_TEXT_CHARS // 2)) == "a " * (MAX_TEXT_CHARS // 2)
    with pytest.raises(TextTooLong):
        sanitize("a" * (MAX_TEXT_CHARS + 1))


def test_any_failure_inside_is_one_error_without_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(text: str) -> list[object]:
        raise ValueError(text)

    monkeypatch.setattr(engine, "_scan", fail)
    with pytest.raises(SanitizerFailed) as caught:
        sanitize("hunter2")
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_the_version_is_of_every_module_of_the_package() -> None:
    package = Path(engine.__file__).parent
    modules = {module.relative_to(package).as_posix() for module in package.rglob("*.py")}
    assert {name for name, _ in engine.sources(package)} == modules
    assert (package / "engine.py").read_bytes() in {source for _, source in engine.sources(package)}


def test_the_version_is_the_same_in_another_process() -> None:
    code = "from goldvein.sanitizer import SANITIZER_VERSION; print(SANITIZER_VERSION)"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - our own code
    assert other.stdout.strip() == SANITIZER_VERSION
    assert SANITIZER_VERSION.startswith("1-")


@pytest.mark.parametrize(
    "text",
    [
        "create user app identified by '" + BODY[:12],
        "mysql -h db -u root -p'" + BODY[:9] + "' shop%25 x",
        "LIVE_API_KEY:'\u2002",
        "item s." + BODY[:24] + " and \u202c\U000bdcaa",
        "sk.eyJ" * 40,
        "s-s4t2af-" + "6075d2418d3b98f6" * 4 + "' shopping",
    ],
)
def test_what_fuzzing_broke_stays_whole(text: str) -> None:
    for cut in (len(text), 30):
        document = json.dumps([text, {"password": text[:cut], "a": [text]}])
        json.loads(sanitize_text(document))
        json.loads(sanitize_text(json.dumps({"out": document})))
    once = sanitize(text).text
    assert sanitize(once).text == once


def test_names_of_programs_and_numbers_of_sections_stay() -> None:
    for text in (
        "requests.get(url, authorization=authorization, timeout=3)",
        "arn:aws:ssm-contacts:us-east-1:111122223333:contact/abc",
        "arn:aws:secretsmanager:us-west-2:123456789012:secret:MyTestSecret-a1b2c3",
        "aws s3api put-object-retention --bucket b --key doc1.rtf",
        "return base64.StdEncoding.EncodeToString(signature)",
        "trio/a.py,sha256=pQOOA_" + "4DU9TuAgi9kNNNaKqNP2ptUJQ680msNGE1c6A,32073",
    ):
        assert sanitize_text(text) == text
