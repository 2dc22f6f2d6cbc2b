import base64
import hashlib
import hmac

import pytest

from goldvein.identity.keys import new_token, parse_token, signature, signature_flaw, signing_secret

NOW = 1_772_366_400
SECRET = bytes(range(32))


def flaw(**changed: object) -> str | None:
    request: dict[str, object] = {
        "message_id": "msg_1",
        "timestamp": str(NOW),
        "body": b'{"a": 1.0}',
        "now": float(NOW),
    }
    request["signatures"] = signature(SECRET, "msg_1", str(NOW), b'{"a": 1.0}')
    return signature_flaw([SECRET], **(request | changed))  # type: ignore[arg-type]  # a test may send anything


@pytest.mark.parametrize("kind", ["live", "test"])
def test_a_key_is_prefix_id_secret_and_checksum(kind: str) -> None:
    token = new_token(kind)
    assert token.text.startswith(f"gv_{kind}_{token.public_id}")
    assert len(token.text) == len("gv_live_") + 12 + 32 + 6
    assert parse_token(token.text) == token


def test_no_two_keys_are_alike_unless_made_from_the_same_material() -> None:
    assert len({new_token("live").text for _ in range(100)}) == 100
    assert new_token("test", b"m" * 32) == new_token("test", b"m" * 32)
    assert new_token("test", b"m" * 32) != new_token("test", b"n" * 32)


def test_a_checksum_finds_every_single_wrong_character() -> None:
    text = new_token("live", b"m" * 32).text
    for place in range(len(text)):
        wrong = "x" if text[place] != "x" else "y"
        assert parse_token(text[:place] + wrong + text[place + 1 :]) is None, place


@pytest.mark.parametrize("change", ["{}\n", " {}", "{} ", "{}0", "{}{}", "Bearer {}"])
def test_rubbish_around_a_key_is_no_key(change: str) -> None:
    text = new_token("live").text
    assert parse_token(change.format(text, text)) is None
    assert parse_token(text[:-1]) is None
    assert parse_token("") is None


def test_the_text_of_a_key_is_not_in_its_repr() -> None:
    token = new_token("live")
    assert token.text not in repr(token)


def test_the_signature_is_that_of_standard_webhooks() -> None:
    expected = hmac.new(SECRET, b'msg_1.1772366400.{"a": 1.0}', hashlib.sha256).digest()
    assert signature(SECRET, "msg_1", str(NOW), b'{"a": 1.0}') == "v1," + base64.b64encode(expected).decode()
    assert base64.b64decode(signing_secret(SECRET).removeprefix("whsec_")) == SECRET


def test_an_honest_signature_holds() -> None:
    assert flaw() is None
    assert flaw(now=NOW + 300.0) is None
    assert flaw(now=NOW - 300.0) is None
    assert flaw(signatures="v1,b2xkIGtleQ== " + signature(SECRET, "msg_1", str(NOW), b'{"a": 1.0}')) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"message_id": ""},
        {"message_id": "msg_2"},
        {"timestamp": ""},
        {"timestamp": "1e9"},
        {"timestamp": f" {NOW}"},
        {"timestamp": f"{NOW}\n"},
        {"timestamp": "٣" * 10},
        {"timestamp": f"0{NOW}"},
        {"timestamp": str(NOW + 1)},
        {"signatures": ""},
        {"signatures": "v1,"},
        {"body": b'{"a":1.0}'},
        {"body": b'{"a": 1}'},
        {"body": b'{"a": 1.0} '},
        {"now": NOW + 301.0},
        {"now": NOW - 301.0},
    ],
)
def test_anything_else_does_not_hold(changed: dict[str, object]) -> None:
    assert flaw(**changed) is not None


@pytest.mark.parametrize("change", ["{}=", "{}A", "{}\n", "{};v1", "v1,{}", "{},"])
def test_rubbish_around_a_signature_does_not_hold(change: str) -> None:
    assert flaw(signatures=change.format(signature(SECRET, "msg_1", str(NOW), b'{"a": 1.0}'))) is not None


def test_another_version_of_the_same_digest_does_not_hold() -> None:
    honest = signature(SECRET, "msg_1", str(NOW), b'{"a": 1.0}')
    assert flaw(signatures="v1a," + honest.removeprefix("v1,")) is not None
    assert flaw(signatures=honest.removeprefix("v1,")) is not None
