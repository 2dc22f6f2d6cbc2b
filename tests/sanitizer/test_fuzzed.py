"""What `make fuzz-sanitizer` broke, as small as it goes, and that its generator and its checks are awake."""

import pytest

from benchmarks.sanitizer import fuzz
from goldvein.sanitizer import Sanitized, engine, sanitize, sanitize_text


@pytest.mark.parametrize(
    "text",
    [
        '"apikey=\'-a}]}"',  # a JSON string alone: the value went to its closing quote
        '"pass \'of\\"]"',
        "\\" * 127 + '":4242424242424242}',  # a quote seven levels deep
    ],
)
def test_what_it_broke_holds(text: str) -> None:
    assert list(fuzz.faults(text)) == []


def test_its_texts_are_the_same_for_a_seed_and_hold() -> None:
    first, second = fuzz.Fuzzer(3), fuzz.Fuzzer(3)
    texts = [first.text() for _ in range(150)]
    assert texts == [second.text() for _ in range(150)]
    assert {fault for text in texts if len(text) < fuzz.SHORT_CHARS for fault in fuzz.faults(text)} == set()


@pytest.mark.parametrize(
    ("fault", "broken"),
    [
        ("the second time changed it", lambda text: text + "a@b.example"),
        ("JSON came out broken", lambda text: text[:-1]),
        ("the text between findings changed", lambda text: text.replace("mail", "male")),
        ("explaining failed", lambda text: text.replace("REDACTED", "REMOVED")),
    ],
)
def test_its_checks_see_what_they_look_for(monkeypatch: pytest.MonkeyPatch, fault: str, broken: object) -> None:
    def breaking(text: str) -> Sanitized:
        result = sanitize(text)
        return Sanitized(text=broken(result.text), findings=result.findings, version=result.version)  # type: ignore[operator]

    monkeypatch.setattr(fuzz, "sanitize", breaking)
    assert fault in set(fuzz.faults('{"a": "mail a@one.example.org"}'))


def test_a_failure_on_a_short_text_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "MAX_ROUNDS", 0)
    assert list(fuzz.faults("mail a@one.example.org")) == ["it failed"]


def test_letters_that_stand_for_a_value_are_told_in_one_reading() -> None:
    """Parting runs of x in every possible way took 3.5 s for 40 of them, and five to ten times as long for each four more."""
    shown = ["x" * 300 + "1", "x" * 40, "xx-xx-xx", "xxxx xxxx_xxxx.xx"]
    assert [sanitize_text(f'password="{value}"') for value in shown] == [f'password="{value}"' for value in shown]
    assert sanitize_text('password="xx-x7-Kq"') == 'password="[REDACTED:password]"'
