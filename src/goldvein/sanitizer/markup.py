"""Secrets in XML and HTML: the name is an attribute or an element, the value another attribute or the text after it.

Read are `<input name= value=>` in any order, `<meta name= content=>`, `<add key= value=>`, `<property name=>` with its
text or `<value>`, `<entry key=>`, `<key>name</key><string>value</string>`, and elements whose own name says secret. A
tag is looked at only if a stem such as `pass` or `token` stands in it.
"""

import html
import re
from collections.abc import Iterator

from goldvein.sanitizer.checks import is_filler, is_numbered_words
from goldvein.sanitizer.context import Strength, can_be_secret, classify_name
from goldvein.sanitizer.matching import TAG, Match, Reading

_TAG = re.compile(r"<(?P<name>[A-Za-z][\w:.-]{0,64})(?P<attributes>(?:\s[^<>]{0,4096})?)>")
_ATTRIBUTE = re.compile(
    r"(?<![\w:.-])(?P<name>[A-Za-z_][\w:.-]{0,64})\s{0,8}=\s{0,8}\\{0,3}(?P<quote>[\"'])(?P<value>[^\"'<>\\]{0,4096})"
)
_NAMING = frozenset(
    {"name", "id", "key", "property", "field", "parameter", "itemprop", "param", "setting", "attribute"}
)
_HOLDING = frozenset({"value", "content", "val", "data-value", "defaultvalue", "default"})
_NAMED_BY_TEXT = re.compile(
    r"(?P<name>[^<>\s][^<>]{0,127})</[\w:.-]{1,64}>\s{0,64}<[A-Za-z][\w:.-]{0,64}>(?P<value>[^<>]{1,8192})</"
)
_TEXT = re.compile(
    r"(?i)\s{0,256}+(?:<plaintext>\w{1,8}</plaintext>\s{0,64}+)?(?:<(?:value|string|val|v)(?:\s[^<>]{0,256})?>\s{0,64}+)?"
    r"(?P<value>[^<>]{1,8192})</"
)
_TELLING_TAGS = frozenset({"key", "name", "param-name", "property-name"})


def find_markup_secrets(reading: Reading) -> Iterator[Match]:
    """Yield the values that tags give to names that say secret; asked where such tags occur."""
    text = reading.text
    for start, _ in TAG.spans(reading.data):
        tag = _TAG.match(text, start)
        if tag is not None:
            yield from _of_tag(text, tag)


def _of_tag(text: str, tag: re.Match[str]) -> Iterator[Match]:
    """Yield what one tag holds, or what stands right behind it."""
    own = tag["name"].rpartition(":")[2]
    if own.lower() in _TELLING_TAGS and not tag["attributes"].strip():
        told = _NAMED_BY_TEXT.match(text, tag.end())
        if told is not None:
            yield from _judged(told, classify_name(told["name"].strip()), in_text=False)
        return
    strength, holding = _read_attributes(text, tag)
    for value in holding:
        yield from _judged(value, strength, in_text=False)
    if not holding and not tag["attributes"].endswith("/"):
        behind = _TEXT.match(text, tag.end())
        strength = strength or classify_name(own)
        if behind is not None:
            yield from _judged(behind, strength, in_text=own.lower() == "string" or strength is None)


def _read_attributes(text: str, tag: re.Match[str]) -> tuple[Strength | None, list[re.Match[str]]]:
    """Give what the naming attributes say, and the attributes that hold a value."""
    strength, holding = None, []
    for attribute in _ATTRIBUTE.finditer(text, tag.start("attributes"), tag.end("attributes")):
        name = attribute["name"].lower()
        if name in _HOLDING:
            holding.append(attribute)
        elif name.rpartition(":")[2] in _NAMING:
            strength = strength or classify_name(attribute["value"].strip("[]").replace("[", "."))
        elif name == "type" and attribute["value"].lower() == "password":
            strength = Strength.PASSWORD
    return strength, holding


def _judged(found: re.Match[str], strength: Strength | None, *, in_text: bool) -> Iterator[Match]:
    """Yield the value if it can be a secret; what a page shows must look like one."""
    if strength is None:
        return
    start, end = found.span("value")
    value = html.unescape(found["value"].strip())
    if is_filler(value) or not can_be_secret(value, strength, quoted=True):
        return
    told = any(character.isdigit() for character in value) and not (is_numbered_words(value) and value.isalnum())
    if told or not in_text:
        yield Match(type=strength.value, start=start, end=end, rule="markup_value", confidence="medium")
