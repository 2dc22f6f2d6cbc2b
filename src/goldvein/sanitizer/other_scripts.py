"""Passwords told in a language that Latin-1 cannot write: the word, something that joins, then the password.

The passes of RE2 read such letters as `?`, so that this is looked for with the words themselves; only texts that have
characters beyond Latin-1 are searched.
"""

import re
from collections.abc import Iterator
from itertools import chain

from goldvein.sanitizer.checks import told_password
from goldvein.sanitizer.linear import Anywhere
from goldvein.sanitizer.matching import Match, Reading

_WORDS = (
    # Russian, Ukrainian, Bulgarian, Serbian, Greek
    r"\u043f\u0430\u0440\u043e\u043b(?:\u044c|\u044f|\u0438|\u0430|\u0456)|\u043b\u043e\u0437\u0438\u043d\u043a\u0430|"
    r"\u043a\u043e\u0434 \u0434\u043e\u0441\u0442\u0443\u043f\u0430|\u0442\u043e\u043a\u0435\u043d|"
    r"\u043a\u043b\u044e\u0447|"
    r"\u03ba\u03c9\u03b4\u03b9\u03ba\u03cc\u03c2|\u03c3\u03c5\u03bd\u03b8\u03b7\u03bc\u03b1\u03c4\u03b9\u03ba\u03cc|"
    # Chinese, Japanese, Korean
    r"\u5bc6\u7801|\u5bc6\u78bc|\u53e3\u4ee4|\u5bc6\u94a5|\u5bc6\u9470|\u4ee4\u724c|\u30d1\u30b9\u30ef\u30fc\u30c9|"
    r"\u6697\u8a3c\u756a\u53f7|\u30d1\u30b9\u30d5\u30ec\u30fc\u30ba|\u30c8\u30fc\u30af\u30f3|\ube44\ubc00\ubc88\ud638|"
    r"\uc554\ud638|\ud328\uc2a4\uc6cc\ub4dc|\ud1a0\ud070|"
    # Vietnamese, Thai, Hindi, Arabic, Persian, Hebrew
    r"m\u1eadt kh\u1ea9u|\u0e23\u0e2b\u0e31\u0e2a\u0e1c\u0e48\u0e32\u0e19|\u092a\u093e\u0938\u0935\u0930\u094d\u0921|"
    r"\u0915\u0942\u091f\u0936\u092c\u094d\u0926|\u0643\u0644\u0645\u0629 (?:\u0627\u0644\u0645\u0631\u0648\u0631|"
    r"\u0627\u0644\u0633\u0631)|\u0631\u0645\u0632 \u0639\u0628\u0648\u0631|\u05e1\u05d9\u05e1\u05de[\u05d4\u05d0]|"
    # Polish, Turkish, Romanian, Lithuanian, Slovak and others whose letters Latin-1 lacks in part
    r"has\u0142[oae]|\u015fifre(?:si|m)?|parol\u0103|slapta\u017eodis|jelsz\u00f3|salas\u00f5na"
)
_ARROW = re.compile(
    r"(?i)\b(?:password|passwd|token|secret|passphrase|pass|"
    r"key)[ ]{0,2}[\u2192\u27a1][ ]{0,2}[\"'`]?(?P<secret>[!-~]{5,256})"
)
_TOLD = re.compile(
    rf"(?i)(?:{_WORDS})(?![A-Za-z_])[^\n:=\uff1a\u2192!-~]{{0,16}}(?:[a-z\u00e0-\u024f]{{1,12}}[ ]){{0,3}}"
    r"(?:[ ]{0,2}(?:[:=\uff1a\u2192\u27a1\u2014\u2013-]|=>|\bto\b|\be\b|\bje\b)|(?<=[^\x00-\x7f])[ ]{0,2})"
    r"[ \u3000]{0,4}[\u300c\u300e\u00ab\u201c\u201e\"'`]?[ ]?(?P<secret>[!-~]{5,256})"
)


# In RE2 the Turkish letters are no forms of i.
_ANY_WORD = Anywhere(
    "(?i)" + re.sub(r"\\u([0-9a-f]{4})", lambda escape: chr(int(escape[1], 16)), _WORDS).replace("i", "[i\u0130\u0131]")
)


def find_told_secrets(reading: Reading) -> Iterator[Match]:
    """Yield passwords told in a text that has characters beyond Latin-1."""
    text = reading.text
    if reading.data.count(b"?") <= text.count("?"):
        return
    expressions = [_TOLD] if _ANY_WORD.occurs(text) else []
    if "\u2192" in text or "\u27a1" in text:
        expressions.append(_ARROW)
    for told in chain.from_iterable(expression.finditer(text) for expression in expressions):
        start, end = told.span("secret")
        if "(" not in told["secret"] and told_password(text, start, end):
            end -= len(told["secret"]) - len(told["secret"].rstrip(".,:;!?\"'`)"))
            yield Match(type="password", start=start, end=end, rule="told_password", confidence="medium")
