"""A secret written in other ways: the value goes, whichever way a program, a terminal or a mail wrote it."""

import base64
import html
import json
import quopri
from collections.abc import Callable
from urllib.parse import quote

import pytest

from goldvein.sanitizer import sanitize, sanitize_text
from goldvein.sanitizer.matching import locators
from goldvein.sanitizer.views import GAP, other_views

TOKEN = "ghp_" + "a1B2c3D4" * 4 + "xY9z"
LINE = f"export GITHUB_TOKEN={TOKEN}"


def each(form: str) -> Callable[[str], str]:
    return lambda text: "".join(form.format(ord(character)) for character in text)


def wrapped(width: int, break_: str = "\n") -> Callable[[str], str]:
    return lambda text: break_.join(text[place : place + width] for place in range(0, len(text), width))


WAYS: dict[str, Callable[[str], str]] = {
    "percent": lambda text: quote(text, safe=""),
    "percent twice": lambda text: quote(quote(text, safe=""), safe=""),
    "each percent": each("%{:02X}"),
    "decimal entities": each("&#{};"),
    "hexadecimal entities": each("&#x{:x};"),
    "named entities": lambda text: html.escape(text).replace("=", "&equals;"),
    "unicode escapes": each("\\u{:04x}"),
    "braced escapes": each("\\u{{{:x}}}"),
    "byte escapes": each("\\x{:02x}"),
    "octal escapes": each("\\{:03o}"),
    "quoted printable": lambda text: quopri.encodestring(b"note: " * 9 + text.encode()).decode(),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "base64 of a mail": lambda text: base64.encodebytes((text + "\n").encode() * 3).decode(),
    "JSON in JSON in JSON": lambda text: json.dumps([json.dumps([json.dumps({"out": text})])]),
    "full width": lambda text: "".join(chr(ord(c) + 0xFEE0) if c != " " else c for c in text),
    "zero width": "\u200b".join,
    "soft hyphens": "\u00ad".join,
    "bidirectional marks": lambda text: f"\u202e{text[:24]}\u202c{text[24:]}",
    "colours": lambda text: "".join(f"\x1b[3{place % 8}m{c}\x1b[0m" for place, c in enumerate(text)),
    "a terminal of 80": lambda text: wrapped(80)("$ " + "x " * 26 + text),
    "a terminal of 48": lambda text: wrapped(48)("$ " + "x " * 12 + text),
    "continuations": wrapped(20, "\\\n"),
    "two literals": lambda text: f'x = "{text[:30]}" + "{text[30:]}"',
    "two lines of literals": lambda text: f'x = ("{text[:30]}"\n     "{text[30:]}")',
    "a box": lambda text: "\n".join(
        f"\u2502 {text[place : place + 36]:36} \u2502" for place in range(0, len(text), 36)
    ),
    "a box of ASCII": lambda text: "\n".join(f"| {text[place : place + 36]:36} |" for place in range(0, len(text), 36)),
    "a quoted mail": lambda text: "> " + wrapped(62, "\n> ")("x " * 20 + text),
    "a quoted mail, broken in the prefix": lambda text: "> " + wrapped(62, "\n> ")("x " * 20 + text),
    "a comment": lambda text: "# " + wrapped(62, "\n# ")("x " * 15 + text),
    "numbered lines": lambda text: "    9\t" + wrapped(44, "\n   10\t")("x " * 4 + text),
    "an indented rest": wrapped(46, "\n    "),
    "a box in JSON": lambda text: json.dumps(
        {"out": "\n".join(f"\u2502 {text[place : place + 36]:36} \u2502" for place in range(0, len(text), 36))}
    ),
    "round quotes": lambda text: text.replace("=", "=\u201c") + "\u201d",
    "blanks that do not break": lambda text: text.replace(" ", "\u00a0").replace("=", "\u00a0=\u00a0"),
    "literals of Basic": lambda text: f'x = "{text[:30]}" & _\n    "{text[30:]}"',
    "base64 with a name": lambda text: "CONFIG_B64=" + base64.b64encode(text.encode()).decode(),
    "indented base64": lambda text: "    " + wrapped(40, "\n    ")(base64.b64encode(text.encode()).decode()),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_token_is_found_however_it_is_written(way: str) -> None:
    written = WAYS[way](LINE)
    result = sanitize(f"before\n{written}\nafter")
    redacted = sum(finding.end - finding.start for finding in result.findings)
    assert redacted >= len(WAYS[way](TOKEN)) * 0.9 or redacted >= len(TOKEN)
    assert TOKEN[4:12] not in result.text
    assert result.text.startswith("before\n")
    assert result.text.endswith("after")


@pytest.mark.parametrize("mark", ["", "…", "...", " [truncated]", "... (output truncated)"])
def test_a_token_cut_short_is_found(mark: str) -> None:
    assert sanitize_text(f"{'x ' * 100}key is {TOKEN[:12]}{mark}").count("[REDACTED:") == 1


def test_a_wrapped_line_of_words_stays() -> None:
    text = (
        "The migration of release 2.4 was finished on the 3rd of May, and the version\n2.5 follows in the autumn 2031"
    )
    assert sanitize_text(text) == text


def test_a_view_skips_what_is_far_from_every_change_and_still_points_into_the_input() -> None:
    text = "word " * 400 + f"a%3D{TOKEN}%26b " + "word " * 400
    view, _ = next(other_views(locators().read(text), locators().read))
    assert len(view.text) < 1000
    assert GAP in view.text
    start = view.text.index(TOKEN)
    assert [text[slice(*view.input_span(start, start + len(TOKEN)))]] == [TOKEN]


@pytest.mark.parametrize(
    "text",
    [
        f"{'a1B2' * 12}\n{'c3D4' * 16}\n-----END RSA PRIVATE" + " KEY-----\n",
        f"...NiIsInR5cCI6IkpXVCJ9.eyJ{'zdWIiOiIx' * 4}.{'d_Q5hT9k-Zr' * 4}",
        f"postgres://app:{'x9Kq' * 3}",
    ],
)
def test_a_secret_whose_beginning_or_end_is_gone_is_found(text: str) -> None:
    assert sanitize(text).findings
    assert not any(part in sanitize_text(text) for part in ("a1B2a1", "c3D4c3", "NiIsIn", "zdWIiO", "d_Q5hT", "x9Kqx9"))


@pytest.mark.parametrize(
    "text",
    [
        "9f8c2d1 Now that the form asks twice, forget the old-password\n3b2a1c0 Fix the parser",
        "| the first cell of a table is 40 wide, v2 |\n| next cell                                  |",
        "> a quoted line that ends with a number 42\n> and goes on with words",
        "        offset = values.first_of_line2\n        line_items = []",
        f"{'840b00ec' * 5} chore(parser): drop secret cache\n{'04400e19' * 5} fix: bump deps",
    ],
)
def test_lines_that_belong_together_and_hold_no_token_stay(text: str) -> None:
    assert sanitize_text(text) == text
