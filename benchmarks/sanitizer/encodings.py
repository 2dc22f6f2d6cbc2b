"""What happens to a text on its way: marked text in, marked text out.

Each encoding keeps the marks around what they enclosed. One that takes a text apart (string literals on several lines)
marks every part.
"""

import html
import json
from base64 import b64encode
from collections.abc import Callable
from random import Random
from urllib.parse import quote

from benchmarks.sanitizer.samples import CLOSE, OPEN, coin, map_between_marks, map_inside_marks, mark, unmark

_FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u202a\u202c\u200e"
_QUOTED_PRINTABLE_WIDTH = 76


def wrap(text: str, width: int, joint: str) -> str:
    """Break lines at a width, as a terminal does; the marks take no room."""
    out: list[str] = []
    column = 0
    for letter in text:
        if letter not in {OPEN, CLOSE, "\n"} and column == width:
            out.append(joint)
            column = 0
        out.append(letter)
        column = 0 if letter == "\n" else column + (letter not in {OPEN, CLOSE})
    return "".join(out)


def json_escaped(random: Random, text: str) -> str:
    """The text as a string of JSON, as a tool result holds it; sometimes twice."""
    times = random.choice((1, 1, 2))
    for _ in range(times):
        text = map_between_marks(text, lambda part: json.dumps(part)[1:-1])
    return f'{{"role": "tool", "content": "{text}"}}'


def url_encoded(random: Random, text: str) -> str:
    """The text as a field of a form."""
    safe = random.choice(("", "-_.~"))
    encoded = map_between_marks(text, lambda part: quote(part, safe=safe))
    return f"POST /paste HTTP/1.1\n\ntitle=notes&body={encoded}&lang=text"


def html_entities(random: Random, text: str) -> str:
    """The text in a page; some pages write every sign as a number."""
    signs = random.choice(("", "=/+:", "=/+:-_.@"))

    def encode(part: str) -> str:
        escaped = (f"&#{ord(letter)};" if letter in signs else html.escape(letter) for letter in part)
        return "".join(escaped)

    return f"<pre><code>{map_between_marks(text, encode)}</code></pre>\n"


def quoted_printable(random: Random, text: str) -> str:
    """The text in a mail."""
    margin = random.randint(0, 8)

    def encode(part: str) -> str:
        return "".join(
            letter if letter.isascii() and letter != "=" else "".join(f"={byte:02X}" for byte in letter.encode())
            for letter in part
        )

    wrapped = wrap(map_between_marks(text, encode), _QUOTED_PRINTABLE_WIDTH - margin, "=\n")
    return f"Content-Transfer-Encoding: quoted-printable\n\n{wrapped}\n"


def unicode_escapes(random: Random, text: str) -> str:
    """Signs, or everything of the secret, as numbers."""
    if random.random() < 0.3:  # noqa: PLR2004
        return map_inside_marks(text, lambda part: "".join(f"\\u{ord(letter):04x}" for letter in part))
    return map_between_marks(
        text, lambda part: "".join(f"\\u{ord(letter):04x}" if letter in "=+/&<>'-_" else letter for letter in part)
    )


def base64_once(random: Random, text: str) -> str:
    """The whole text in base64; marked are the letters that hold the secret and nothing else."""
    plain, spans = unmark(text)
    encoded = b64encode(plain.encode()).decode()
    for start, end in reversed(spans):
        first, last = (len(plain[:place].encode()) for place in (start, end))
        low, high = -(-first * 8 // 6), last * 8 // 6
        encoded = encoded[:low] + mark(encoded[low:high]) + encoded[high:]
    return random.choice(
        ("$ echo {} | base64 -d\n", '{{"encoding": "base64", "content": "{}"}}', "data:\n  config: {}\n")
    ).format(encoded)


def terminal_wrap(random: Random, text: str) -> str:
    """Lines broken where a narrow terminal breaks them, in the middle of the secret."""
    plain, spans = unmark(text)
    start, end = spans[0]
    before = start - plain.rfind("\n", 0, start) - 1
    inside = random.randint(max(4, (end - start) // 3), max(5, (end - start) * 2 // 3))
    return wrap(text, max(20, before + inside), "\n")


def continuation(random: Random, text: str) -> str:
    """The secret over two lines: with a backslash, or as two literals that the language joins."""
    is_literal = f'"{OPEN}' in text
    joint = random.choice((f'{CLOSE}" \\\n    "{OPEN}', f'{CLOSE}" +\n    "{OPEN}')) if is_literal else "\\\n"

    def split(part: str) -> str:
        middle = len(part) // 2
        return part[:middle] + joint + part[middle:]

    return map_inside_marks(text, split)


def ansi_colours(random: Random, text: str) -> str:
    """Colours around the secret, and sometimes in it."""
    code = random.choice(("\x1b[31m", "\x1b[1;32m", "\x1b[38;5;208m", "\x1b[7m"))

    def colour(part: str) -> str:
        if coin(random):
            return part
        middle = random.randint(3, max(4, len(part) - 3))
        return part[:middle] + code + part[middle:]

    return map_inside_marks(text, colour).replace(OPEN, code + OPEN).replace(CLOSE, CLOSE + "\x1b[0m")


def zero_width(random: Random, text: str) -> str:
    """Invisible signs between the letters of the secret."""
    step = random.randint(2, 9)

    def sow(part: str) -> str:
        pieces = (part[place : place + step] for place in range(0, len(part), step))
        return random.choice(_INVISIBLE).join(pieces)

    return map_inside_marks(text, sow)


def full_width(random: Random, text: str) -> str:
    """The digits, or all letters, in their full-width form."""
    table = _FULL_WIDTH if coin(random) else {code: _FULL_WIDTH[code] for code in range(0x30, 0x3A)}
    return map_inside_marks(text, lambda part: part.translate(table))


def cut_at_end(random: Random, text: str) -> str:
    """The text ends inside the secret."""
    start, end = text.index(OPEN), text.index(CLOSE)
    keep = max(14, (end - start) * random.randint(50, 90) // 100)
    return text[: start + keep] + CLOSE


ENCODINGS: dict[str, Callable[[Random, str], str]] = {
    function.__name__: function
    for function in (
        *(json_escaped, url_encoded, html_entities, quoted_printable, unicode_escapes, base64_once, terminal_wrap),
        *(continuation, ansi_colours, zero_width, full_width, cut_at_end),
    )
}
