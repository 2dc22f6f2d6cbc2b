"""Backtracking: no expression of `re` in the package may read one text in more ways than it has characters.

RE2 reads every text in linear time; `re` does not, and nothing ends a match that is running.
"""

import ast
import functools
import json
import re
import subprocess
import sys
from typing import NamedTuple

import pytest
from automata import automata
from test_architecture import FILES

from goldvein.cli.skill_files import front_matter
from goldvein.sanitizer import sanitize_text
from goldvein.sanitizer.matching import _beginnings
from goldvein.sanitizer.rules import RULES, Rule

MAX_WAYS = 256
# Where more are counted than there are, or what is tried for each is a few signs.
MORE_WAYS = {
    # The last of its loops is the value itself, behind which nothing can fail; before it, `key` and `=` must alternate.
    "password_argument": 4096,
}
COLLECT = """
import importlib, json, pkgutil, re, sys
compiled, compile_it = [], re.compile
def remember(pattern, flags=0):
    made, caller = compile_it(pattern, flags), sys._getframe(1)
    if caller.f_globals["__name__"].partition(".")[0] in {"goldvein", "goldvein_client"}:
        text = made.pattern if isinstance(made.pattern, str) else made.pattern.decode("latin-1")
        compiled.append((caller.f_globals["__name__"], text, made.flags))
    return made
re.compile = remember
for package in map(importlib.import_module, ("goldvein", "goldvein_client")):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if ".migrations" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
importlib.import_module("goldvein.sanitizer.matching").locators()
print(json.dumps(compiled))
"""


class Expression(NamedTuple):
    """One expression: the module or the rule that it belongs to, how it is written, its flags."""

    owner: str
    written: str
    flags: int


@functools.cache
def expressions() -> list[Expression]:
    """Collect what is compiled while all modules are imported, and what functions hand to `re` itself."""
    told = subprocess.run([sys.executable, "-c", COLLECT], check=True, capture_output=True, text=True)  # noqa: S603 (ours)
    rules = {rule.pattern.pattern: rule.id for rule in RULES}
    found = {
        Expression(rules.get(written, module), written, flags) for module, written, flags in json.loads(told.stdout)
    }
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="re"), attr=name), args=[ast.Constant(value=str(written)), *_]
                ) if name != "compile":
                    found.add(Expression(path.stem, written, int(re.UNICODE)))
    longest = sorted(found, key=lambda expression: -len(expression.written))
    # The rules of numbers are compiled as one expression from each of them on.
    return [one for place, one in enumerate(longest) if not _ends_one_before(one, longest[:place])]


def _ends_one_before(one: Expression, longer: list[Expression]) -> bool:
    return one.owner.endswith(".matching") and any(
        other.owner == one.owner and other.written.endswith(one.written) for other in longer
    )


def doubling(written: str, flags: int = 0) -> str | None:
    """A text that a loop of the expression reads in two ways."""
    return next((word for one in automata(written, flags) if (word := one.doubling()) is not None), None)


def ways(written: str, flags: int = 0) -> int:
    return max(one.ways() for one in automata(written, flags))


def test_all_expressions_are_collected() -> None:
    owners = {expression.owner for expression in expressions()}
    assert {rule.id for rule in RULES} <= owners
    assert {"goldvein.capture.formats", "goldvein.sanitizer.checks", "goldvein.cli.skill_files", "keys"} <= owners


def test_no_loop_reads_a_text_in_two_ways() -> None:
    """Each time around would double the time: 40 characters take seconds, 60 take days."""
    assert {one: word for one in expressions() if (word := doubling(one.written, one.flags)) is not None} == {}


def test_few_loops_share_a_text() -> None:
    too_many = {one: ways(one.written, one.flags) for one in expressions()}
    assert {one: count for one, count in too_many.items() if count > MORE_WAYS.get(one.owner, MAX_WAYS)} == {}


@pytest.mark.parametrize(
    "expression",
    [
        r"(?:x{2,16}[-_. ]?){2,16}",
        r"""sign\((?:[^"'\n,]|\{[^{}\n]{0,256}\}){1,256},""",
        r"(?:[a-z]+)*!",
        r"(?:a|ab|b)*c",
        r"(?i)(?:k|\w){9}+(?:\d{1,7}){1,9}",
        r"(?=(?:a*)*b)c",
        r"(?:(?>a|ab)|(?>ab))*c",
        r"(?:(?:x+)+y)?+",
    ],
)
def test_a_loop_that_reads_a_text_in_two_ways_is_seen(expression: str) -> None:
    assert doubling(expression)


@pytest.mark.parametrize(
    "expression",
    [
        r"(?:x{2,16}[-_. ])*x{2,16}",
        r"(?:x{2,16}+[-_. ]?){2,16}",
        r"(?:[a-z]++)*!",
        r"(?:[^\"\\]|\\.)*",
        r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}",
        r"(?:(?>a|b)){2,90}+",
    ],
)
def test_a_loop_that_reads_it_in_one_way_is_left_alone(expression: str) -> None:
    assert doubling(expression) is None


def test_the_places_at_which_loops_can_part_a_text_are_counted() -> None:
    assert ways(r"\s{0,32}[^,]{1,64},") == 32
    assert ways(r"(?:[^(),]{1,64},\s{0,32}){3}x") == 32**2
    assert ways(r"[ \t]*(.*?)[ \t]*$") >= 10**9
    assert ways(r"\s{0,32}+[^,]{1,64},") == ways(r"[a-z]*[0-9]*") == 1


def test_braces_in_a_call_and_blanks_in_a_field_are_read_at_once() -> None:
    """26 pairs of braces took 5 s, and each pair twice as long; the blanks of a field cubic time."""
    assert sanitize_text("jwt.sign(" + "{}" * 200 + "\n") == "jwt.sign(" + "{}" * 200 + "\n"
    value = "quarz" + "77Kette"
    assert value not in sanitize_text(f"jwt.sign({{a: 1, b: 'c'}}, '{value}')")
    assert front_matter(f"---\nname:{' ' * 100_000}a{' ' * 100_000}b \n---\n") == {"name": f"a{' ' * 100_000}b"}


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.family == "word"], ids=lambda rule: rule.id)
def test_a_rule_of_words_is_tried_wherever_it_can_match(rule: Rule) -> None:
    """What a rule is said to begin with may be too much, never too little: `PSCredential(` was passed over so."""
    pattern = next(automata(rule.pattern.pattern, rule.pattern.flags))
    written = "|".join([*map(re.escape, rule.keywords), *([rule.locate] if rule.locate else [])])
    located = next(automata(written, int(re.IGNORECASE | re.ASCII)))
    assert pattern.beginnings_without(frozenset(_beginnings(rule)), located) == set()
    if rule.locate is None:
        assert pattern.beginnings_without(frozenset(keyword.lower() for keyword in rule.keywords)) == set()


@pytest.mark.parametrize(
    "rule", [rule for rule in RULES if rule.family == "token" and rule.heads], ids=lambda rule: rule.id
)
def test_a_rule_of_tokens_is_tried_at_all_heads(rule: Rule) -> None:
    located = next(automata(rule.locate or "", int(re.ASCII)))
    assert {sign for state in located.first for sign in located.signs[state]} <= set(rule.heads)


def test_a_beginning_that_is_missing_is_seen() -> None:
    pattern = next(automata(r"(?i)\b(?:signIn|PSCredential)\(", 0))
    located = next(automata(r"signin|pscredential", int(re.IGNORECASE)))
    assert pattern.beginnings_without(frozenset({"signi"}), located) == {"p"}
    assert pattern.beginnings_without(frozenset({"signi", "pscre"}), located) == set()
    assert pattern.beginnings_without(frozenset({"signi"}), next(automata("signin", int(re.IGNORECASE)))) == set()
