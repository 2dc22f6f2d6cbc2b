import subprocess
import sys
import time

import pytest

from goldvein.sanitizer import SanitizerFailed, engine, sanitize
from goldvein.sanitizer.linear import readable
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


def test_a_text_that_never_settles_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "MAX_ROUNDS", 1)
    with pytest.raises(SanitizerFailed):
        sanitize("password = hunter2")
