import pytest

from goldvein.sanitizer import sanitize
from goldvein.sanitizer.rules import RULES, Rule


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_each_rule_finds_its_example(rule: Rule) -> None:
    result = sanitize(rule.example)
    assert rule.type in {finding.type for finding in result.findings}
    assert f"[REDACTED:{rule.type}]" in result.text


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_each_rule_leaves_its_look_alike(rule: Rule) -> None:
    assert sanitize(rule.counter_example).text == rule.counter_example


def test_rule_ids_are_unique() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_each_rule_wakes_on_a_keyword_of_its_own_example(rule: Rule) -> None:
    assert not rule.keywords or any(keyword.lower() in rule.example.lower() for keyword in rule.keywords)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_types_fit_into_a_placeholder_that_is_recognised_again(rule: Rule) -> None:
    once = sanitize(rule.example).text
    assert sanitize(once).text == once
    assert sanitize(once).findings == ()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_placeholder_of_the_type_is_left_alone_beside_a_name(rule: Rule) -> None:
    for written in (f'api_key: "[REDACTED:{rule.type}]"', f"DB_PASSWORD=[REDACTED:{rule.type}_2]"):
        assert sanitize(written).findings == ()
