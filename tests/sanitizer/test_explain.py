from goldvein.sanitizer import sanitize
from goldvein.sanitizer.explain import explain
from goldvein.sanitizer.rules import RULES

TOKEN = "ghp_" + "aB3dE5fG7hJ9" + "kL1mN2pQ4rS6" + "tU8vW0xY1zA2"


def test_it_says_where_a_value_stood_and_which_name_pointed_at_it() -> None:
    text = f'# first line\n  export DB_PASSWORD="correct horse 9"\nTOKEN={TOKEN}\n'
    password, token = explain(text, sanitize(text))
    assert (password.line, password.column, password.chars, password.lines) == (2, 23, 15, 1)
    assert (password.name, password.finding.rule) == ("DB_PASSWORD", "context_password")
    assert (password.before, password.placeholder, password.after) == (
        '  export DB_PASSWORD="',
        "[REDACTED:password]",
        '"',
    )
    assert (token.line, token.column, token.name) == (3, 7, None)
    assert token.description == next(rule.description for rule in RULES if rule.id == "github_token")


def test_it_shows_no_value_of_any_finding() -> None:
    text = f"mail jane@acme.example and bob@acme.example, key {TOKEN}, password: hunter22"
    told = str([(part.before, part.after, part.name, part.placeholder) for part in explain(text, sanitize(text))])
    assert all(value not in told for value in ("jane@", "bob@", TOKEN, "hunter22"))


def test_numbers_of_json_that_became_strings_are_found_again_at_any_depth() -> None:
    for slashes in ("", "\\", "\\" * 3, "\\" * 127):
        text = '{"a": "' + f'{slashes}"n{slashes}": 4242424242424242, {slashes}"m{slashes}": 5555555555554444}}"' + "}"
        told = list(explain(text, sanitize(text)))
        assert [part.placeholder for part in told] == ["[REDACTED:card_1]", "[REDACTED:card_2]"]


def test_a_value_of_several_lines_says_how_many() -> None:
    dashes = "-" * 5
    text = f"{dashes}BEGIN RSA PRIVATE KEY{dashes}\n{'MIIEowIBAAKCAQEAx7Zq2vJ8' * 2}\n{dashes}END RSA PRIVATE KEY{dashes}\nx"
    (key,) = explain(text, sanitize(text))
    assert (key.line, key.column, key.lines) == (1, 1, 3)


def test_every_rule_has_a_description_for_people() -> None:
    for rule in RULES:
        described = [part.description for part in explain(rule.example, sanitize(rule.example))]
        assert described
        assert not any("_" in description for description in described), described
