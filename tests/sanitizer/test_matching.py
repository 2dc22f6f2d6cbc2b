import subprocess
import sys
import time

import pytest

from goldvein.sanitizer import SanitizerFailed, checks, engine, sanitize, sanitize_text
from goldvein.sanitizer.context import classify_name
from goldvein.sanitizer.linear import Linear, readable
from goldvein.sanitizer.matching import Locators, locators
from goldvein.sanitizer.rules import RULES, Rule


def test_places_in_the_bytes_are_places_in_the_text() -> None:
    text = "ключ é \U0001f511 \ud800 end"
    assert len(readable(text)) == len(text)
    assert sanitize("ключ \U0001f511 ghp_" + "a1B2c3" * 6).findings[0].start == len("ключ \U0001f511 ")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_passes_find_every_place_where_a_rule_matches_its_example(rule: Rule) -> None:
    found = list(locators().rule_matches(locators().read(rule.example)))
    assert rule.id in {match.rule for match in found} or rule.type in {match.type for match in found}


def test_at_least_two_hundred_kinds_of_keys_are_known_by_their_form() -> None:
    assert len({rule.type for rule in RULES if rule.family in {"key", "token"}}) >= 200


def test_a_table_compiles_fast_and_not_at_import() -> None:
    started = time.process_time()
    Locators(RULES)
    assert time.process_time() - started < 0.5
    code = "import goldvein.sanitizer.matching as m; print(m.locators.cache_info().currsize)"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - our own code
    assert other.stdout.strip() == "0"


def test_findings_say_how_sure_they_are() -> None:
    sure = {
        finding.type: finding.confidence
        for finding in sanitize("ghp_" + "a1B2c3" * 6 + "\npassword = hunter2").findings
    }
    assert sure == {"github_token": "high", "password": "medium"}


def test_a_text_that_takes_too_long_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "TIME_BUDGET_SECONDS", -1)
    with pytest.raises(SanitizerFailed):
        sanitize("password = hunter2")


def test_time_is_asked_for_while_places_are_gone_through_and_not_only_after_findings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine, "TIME_BUDGET_SECONDS", -1)
    monkeypatch.setattr(engine, "TIME_BUDGET_SECONDS_PER_CHAR", 0)
    assert sanitize_text("key=" * 20) == "key=" * 20
    with pytest.raises(SanitizerFailed):
        sanitize_text("key=" * 2000)


def test_keys_run_together_are_found_in_one_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "MAX_ROUNDS", 2)
    keys = "".join("shpat_" + f"{number:04}" + "a1b2c3d" * 4 for number in range(40))
    assert sanitize_text(keys).count("[REDACTED:shopify_token_") == 40


def test_a_long_run_of_names_is_judged_at_its_end_too() -> None:
    names = "key=" * 2000
    assert sanitize_text(names + "a1B2c3D4e5F6g7H8i9 end").endswith("key=[REDACTED:token] end")


def test_a_text_that_never_settles_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "MAX_ROUNDS", 1)
    with pytest.raises(SanitizerFailed):
        sanitize("password = hunter2")


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.family == "token"], ids=lambda rule: rule.id)
def test_a_token_is_looked_for_where_its_own_first_characters_stand(rule: Rule) -> None:
    data = readable(rule.example)
    places = [data[start : start + 1].decode() for start, _ in Linear(rule.locate or "").spans(data)]
    assert places
    assert not rule.heads or set(places) <= set(rule.heads)


def test_a_list_of_addresses_is_read_to_its_end() -> None:
    assert set(sanitize_text("31.63.62.207 " * 3000).split()) == {"[REDACTED:ip_address]"}


def test_a_number_is_judged_by_what_stands_before_it_wherever_it_stands_again() -> None:
    told, untold = (f"{word} 30 5557 4242 and so on, {'x' * 70} " for word in ("Telefon:", "order of"))
    assert sanitize_text(told + untold + told + untold).count("[REDACTED:phone]") == 2


def test_the_value_beside_a_name_is_the_same_among_many_names() -> None:
    line = "password = hunter2x\n"
    long = 'password = "' + "long tale, " * 300 + "a1B2c3D4e5F6g7H8i9\n"
    for text in (line, '{"api_key": "a1B2c3D4e5F6g7H8i9"}, ', long, "x" * 3000 + " " + line):
        alone, among = sanitize(text).findings, sanitize(line * 50 + text).findings[50:]
        assert [(found.type, found.start + 50 * len(line)) for found in alone] == [
            (found.type, found.start) for found in among
        ]


def test_no_value_is_remembered_when_an_example_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = [function.cache_info for function in (checks.is_filler, checks.looks_random, classify_name)]
    sanitize("password = hunter2x and api_key = a1B2c3D4e5F6g7H8")
    assert [size().currsize for size in sizes] == [0, 0, 0]
    monkeypatch.setattr(engine, "TIME_BUDGET_SECONDS", -1)
    with pytest.raises(SanitizerFailed):
        sanitize("password = hunter2x")
    assert [size().currsize for size in sizes] == [0, 0, 0]


def test_keys_are_not_looked_for_at_each_letter_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key begins no word; 64 KB of one letter took 87 ms, for each of up to 32 rounds."""
    asked = []
    keys = locators()._keys

    class Counted:
        def search(self, data: bytes, place: int = 0) -> tuple[int, int] | None:
            asked.append(place)
            return keys.search(data, place)

    monkeypatch.setattr(locators(), "_keys", Counted())
    key = "AK" + "IAQ7KD5WZX3MPLR2VT"
    for written in (f"{'A' * 10_000} {key} ", f"{'A' * 10_000}\\n{key} ", f"{'A' * 10_000}%3D{key} "):
        asked.clear()
        assert key not in sanitize_text(written)
        assert len(asked) < 200
