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
