"""What happens to a text on its way: marked text in, marked text out.

Each encoding keeps the marks around what they enclosed. One that takes a text apart (string literals on several lines)
marks every part.
"""

import html
import json
import re
from base64 import b64encode
from collections.abc import Callable
from random import Random
from urllib.parse import quote

from benchmarks.sanitizer.samples import (
    CLOSE,
    OPEN,
    coin,
    fill,
    map_between_marks,
    map_inside_marks,
    mark,
    unmark,
    uuid,
)

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


_MAIL_WIDTHS, _PROSE_WIDTH = (60, 72, 76), 72
_BOXES = (("\u2502", "\u2500"), ("|", "-"), ("\u2503", "\u2501"), ("\u2551", "\u2550"))
_BLANKS = "\u00a0\u202f\u2009\u2007"
_SMART_QUOTES = ("\u201c\u201d", "\u2018\u2019", "\u201e\u201c", "\u00ab\u00bb", "\u300c\u300d")


def _prefixed(text: str, width: int, prefix: Callable[[int], str], *, before: int = 0) -> str:
    """Break every line at a width, and write something before each line that results."""
    lines = wrap(text, width, "\n").split("\n")
    return "\n".join(prefix(before + number) + line for number, line in enumerate(lines, 1))


def _width_inside(random: Random, text: str, least: int) -> int:
    """A width, from the least on, that breaks the line of the secret inside it."""
    plain, spans = unmark(text)
    start, end = spans[0]
    before = start - plain.rfind("\n", 0, start) - 1
    return max(least, before + random.randint(2, max(3, end - start - 3)))


def boxed(random: Random, text: str) -> str:
    """Lines in the box that a terminal interface draws."""
    side, edge = random.choice(_BOXES)
    width = _width_inside(random, text, 30)
    lines = wrap(text, width, "\n").rstrip("\n").split("\n")
    rows = "\n".join(f"{side} {line}{' ' * (width - len(unmark(line)[0]))} {side}" for line in lines)
    return f"{edge * (width + 4)}\n{rows}\n{edge * (width + 4)}\n"


def mail_quoted(random: Random, text: str) -> str:
    """A mail that was answered, of which the lines were too long."""
    sign = random.choice(("> ", ">", "> > "))
    width = _width_inside(random, text, random.choice(_MAIL_WIDTHS))
    return f"On Mon, the team wrote:\n{_prefixed(text, width, lambda _: sign)}\n\nThanks, that works.\n"


def prose_wrapped(random: Random, text: str) -> str:
    """A sentence that names the key, in lines of one width."""
    line = next(part for part in text.split("\n") if OPEN in part and CLOSE in part)
    told = f"{random.choice(('I tried this', 'We run it with', 'It stops after'))} {line.strip()} and got an error."
    start = told.index(OPEN)
    while start % _PROSE_WIDTH < _PROSE_WIDTH - 24:
        told = random.choice(("a ", "the ", "now ", "here ", "again ")) + told
        start = told.index(OPEN)
    return wrap(told, _PROSE_WIDTH, "\n") + "\nCan you look at it?\n"


def commented(random: Random, text: str) -> str:
    """The text in a comment whose lines were broken."""
    sign = random.choice(("# ", "// ", " * ", "-- ", ";; ", "% "))
    return _prefixed(text, _width_inside(random, text, 40), lambda _: sign)


def numbered_lines(random: Random, text: str) -> str:
    """What a tool prints of a file: each line with its number."""
    form = random.choice(("{:6}\t", "{:>5}\u2192", "{:4}: ", "{:3} | ", "{}:"))
    before = random.choice((0, 7, 97, 240))
    return _prefixed(text, _width_inside(random, text, 40), form.format, before=before)


def changed_lines(random: Random, text: str) -> str:
    """Lines that a change adds or takes away."""
    sign = random.choice("+-")
    return "@@ -1,4 +1,9 @@\n" + _prefixed(text, _width_inside(random, text, 40), lambda _: sign)


def json_wrapped(random: Random, text: str) -> str:
    """A broken text, as a string of JSON."""
    outer = random.choice((boxed, mail_quoted, commented, numbered_lines, changed_lines))
    escaped = map_between_marks(outer(random, text), lambda part: json.dumps(part)[1:-1])
    return f'{{"role": "tool", "content": "{escaped}"}}'


def folded(random: Random, text: str) -> str:
    """A long value that goes on in indented lines."""
    indent = random.choice(("    ", "\t", "  "))
    return wrap(text, _width_inside(random, text, 40), "\n" + indent)


def smart_quotes(random: Random, text: str) -> str:
    """Straight quotes made round by a word processor."""
    opening, closing = random.choice(_SMART_QUOTES)
    bare = map_between_marks(text, lambda part: part.replace('"', "").replace("'", ""))
    return bare.replace(OPEN, opening + OPEN).replace(CLOSE, CLOSE + closing)


def unbreakable(random: Random, text: str) -> str:
    """Blanks that a page keeps from breaking, also around the sign before the value."""
    blank = random.choice(_BLANKS)
    return text.replace(f"={OPEN}", f"{blank}={blank}{OPEN}").replace(" ", blank)


def bold(random: Random, text: str) -> str:
    """The value, or name and value, set in bold or as code."""
    sign = random.choice(("**", "__", "`", "***", "*"))
    return text.replace(OPEN, sign + OPEN).replace(CLOSE, CLOSE + sign)


def times_encoded(random: Random, text: str) -> str:
    """URL-encoded twice or three times."""
    for _ in range(random.choice((2, 2, 3))):
        text = map_between_marks(text, lambda part: quote(part, safe=""))
    return f"GET /continue?next={text} HTTP/1.1\n"


def byte_escapes(random: Random, text: str) -> str:
    """The secret in the escapes of a shell or a language."""
    form = random.choice(("\\x{:02x}", "\\{:03o}", "&#x{:X};", "\\U{:08x}", "\\u{{{:x}}}", "%{:02x}"))
    return map_inside_marks(text, lambda part: "".join(form.format(ord(letter)) for letter in part))


def language_continuation(random: Random, text: str) -> str:
    """Two literals that a language joins over two lines."""
    joint = random.choice(
        (
            '" & _\n    "',
            '" +\n    "',
            '"\n  + "',
            '" .\n    "',
            '" ..\n  "',
            '"\n    "',
            '" \\\n  "',
            '" & "',
            '" || "',
            '" <> "',
            '" ++ "',
        )
    )
    plain = text.replace(f"'{OPEN}", f'"{OPEN}').replace(f"{CLOSE}'", f'{CLOSE}"')

    def split(part: str) -> str:
        middle = len(part) // 2
        return part[:middle] + CLOSE + joint + OPEN + part[middle:]

    return map_inside_marks(plain, split).replace("\n", random.choice(("\n", "\r\n")))


def base64_lines(random: Random, text: str) -> str:
    """The whole text in base64, in lines of 76 or 64."""
    plain, spans = unmark(text)
    encoded = b64encode(plain.encode()).decode()
    for start, end in reversed(spans):
        first, last = (len(plain[:place].encode()) for place in (start, end))
        low, high = -(-first * 8 // 6), last * 8 // 6
        encoded = encoded[:low] + mark(encoded[low:high]) + encoded[high:]
    joint = random.choice(("\n", "\n    ", "\r\n"))
    encoded = wrap(encoded, random.choice((76, 64)), joint)
    if coin(random):
        encoded = encoded.translate(str.maketrans("+/", "-_")).rstrip("=")
    return random.choice(("content: |\n    {}\n", "$ base64 app.conf\n{}\n", "{}\n")).format(encoded)


def cut_in_address(random: Random, text: str) -> str:
    """The text ends inside the password of an address."""
    value = next(iter(re.findall(f"{OPEN}([^{CLOSE}]*){CLOSE}", text)))
    keep = max(6, len(value) * random.randint(60, 100) // 100)
    scheme = random.choice(("postgres", "mongodb+srv", "redis", "amqps", "mysql+pymysql", "https"))
    before = random.choice(("DATABASE_URL=", "$ psql ", '{"dsn": "', "connecting to ", ""))
    return f"{text[: text.index(OPEN)].rpartition(chr(10))[0]}\n{before}{scheme}://{random.choice(('app', 'svc_orders', ''))}:{mark(value[:keep])}"


def key_tail(random: Random, text: str) -> str:  # noqa: ARG001 (one signature for all encodings)
    """The text begins inside a private key."""
    kind = random.choice(("", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "))
    width = 70 if kind == "OPENSSH " else 64
    body = b64encode(random.randbytes(random.randint(90, 700))).decode()
    prefix = random.choice(("", "", "", "> ", "    "))
    joint = random.choice(("\n", "\\n", "\r\n")) + prefix
    lines = wrap(body[random.randint(1, 50) :], width, joint)
    return f"{mark(lines)}{joint}-----END {kind}PRIVATE KEY-----\nnext line\n"


def token_tail(random: Random, text: str) -> str:  # noqa: ARG001
    """The text begins inside the header of a signed token."""
    header = b64encode(json.dumps({"alg": "RS256", "typ": "JWT", "kid": uuid(random)}).encode()).decode().rstrip("=")
    payload = b64encode(json.dumps({"sub": uuid(random), "exp": random.randint(10**9, 2 * 10**9)}).encode()).decode()
    token = f"{header[random.randint(3, 40) :]}.{payload.rstrip('=')}.{fill(random, random.choice(('{w43}', '{w86}', '{w342}')))}"
    return random.choice(("", "...", "\u2026")) + mark(token) + random.choice(("", " HTTP/1.1", "\nAccept: */*"))


ENCODINGS: dict[str, Callable[[Random, str], str]] = {
    function.__name__: function
    for function in (
        *(json_escaped, url_encoded, html_entities, quoted_printable, unicode_escapes, base64_once, terminal_wrap),
        *(continuation, ansi_colours, zero_width, full_width, cut_at_end),
        *(boxed, mail_quoted, prose_wrapped, commented, numbered_lines, changed_lines, json_wrapped, folded),
        *(smart_quotes, unbreakable, bold, times_encoded, byte_escapes, language_continuation, base64_lines),
        *(cut_in_address, key_tail, token_tail),
    )
}
