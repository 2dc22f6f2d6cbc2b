"""The texts of the benchmark are what they say they are."""

import base64
import hashlib
import html
import json
import os
import quopri
import re
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from random import Random

import pytest

from benchmarks.sanitizer import carriers, personal
from benchmarks.sanitizer.benign import BENIGN
from benchmarks.sanitizer.encodings import ENCODINGS
from benchmarks.sanitizer.forms import FORMS, NAMED_ONLY, key
from benchmarks.sanitizer.generator import CATEGORIES, NOTHING, generate
from benchmarks.sanitizer.samples import CLOSE, OPEN, Sample, finish, mark, unmark
from benchmarks.sanitizer.structures import STRUCTURES

ROOT = Path(__file__).parent.parent.parent
SEED = 7
DIGEST_OF_TEXTS = (
    "import hashlib; from benchmarks.sanitizer.generator import generate; "
    "print(hashlib.sha256(repr(list(generate(7))).encode()).hexdigest())"
)


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    return list(generate(SEED))


def test_the_same_seed_gives_the_same_texts_in_another_process(samples: list[Sample]) -> None:
    environment = os.environ | {"PYTHONHASHSEED": "12345"}
    done = subprocess.run(  # noqa: S603 (our own program)
        [sys.executable, "-c", DIGEST_OF_TEXTS],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == hashlib.sha256(repr(samples).encode()).hexdigest()


def test_another_seed_gives_other_texts(samples: list[Sample]) -> None:
    others = {sample.text for sample in generate(SEED + 1) if not sample.is_benign}
    assert not others & {sample.text for sample in samples if not sample.is_benign}


def test_each_category_and_each_kind_is_there(samples: list[Sample]) -> None:
    kinds = {sample.kind for sample in samples}
    assert {sample.category for sample in samples} == {*CATEGORIES, NOTHING}
    assert kinds >= {*FORMS, *NAMED_ONLY, *STRUCTURES, *ENCODINGS, *personal.PERSONAL, *BENIGN}


def test_marked_places_lie_in_their_text_one_after_the_other(samples: list[Sample]) -> None:
    for sample in samples:
        place = 0
        for start, end in sample.spans:
            assert place <= start < end <= len(sample.text), sample
            place = end


def test_only_benign_texts_hold_no_marked_place(samples: list[Sample]) -> None:
    assert [sample for sample in samples if (sample.category == NOTHING) != sample.is_benign] == []


def test_no_mark_and_no_open_slot_is_left_in_a_text(samples: list[Sample]) -> None:
    slot = re.compile(r"\{[dhHlLaAZnwbuq]\d+(?:-\d+)?\}")
    left = [sample for sample in samples if {OPEN, CLOSE} & set(sample.text) or slot.search(sample.text)]
    assert left == []


def test_a_marked_place_is_the_key_that_was_put_there() -> None:
    for kind, (form, name) in {**FORMS, **NAMED_ONLY}.items():
        value = key(Random(kind), form)
        for carrier in carriers.NAMED:
            if carrier is carriers.query_string:
                continue  # there it is quoted
            sample = finish("any", kind, carrier(Random(kind), name, mark(value)))
            assert [sample.text[start:end] for start, end in sample.spans] == [value], carrier


def test_unmarking_gives_the_text_back() -> None:
    assert unmark(f"a{mark('bc')}d{mark('e')}") == ("abcde", ((1, 3), (4, 5)))


@pytest.mark.parametrize("carrier", [carriers.json_result, carriers.json_nested, carriers.json_in_json])
def test_json_carriers_are_json(carrier: carriers.NamedCarrier) -> None:
    text, _ = unmark(carrier(Random(1), ("db", "password"), mark("k3Ls9qpW2x")))
    assert "k3Ls9qpW2x" in json.dumps(json.loads(text))


SECRET = "Kestrel-Harbor=42/orbit+"
MARKED = f'first line\npassword = "{mark(SECRET)}"\nlast\n'
PLAIN = unmark(MARKED)[0]


def _encoded(kind: str, seed: int) -> Sample:
    return finish("any", kind, ENCODINGS[kind](Random(seed), MARKED))


def _inside(sample: Sample) -> str:
    return "".join(sample.text[start:end] for start, end in sample.spans)


@pytest.mark.parametrize("seed", range(8))
def test_encoded_texts_decode_to_what_they_were(seed: int) -> None:
    content = json.loads(_encoded("json_escaped", seed).text)["content"]
    assert PLAIN in {content, json.loads(f'"{content}"') if "\\n" in content else content}
    assert PLAIN in html.unescape(_encoded("html_entities", seed).text)
    assert PLAIN.encode() in quopri.decodestring(_encoded("quoted_printable", seed).text.encode())
    in_base64 = max(re.findall(r"[A-Za-z0-9+/=]+", _encoded("base64_once", seed).text), key=len)
    assert base64.b64decode(in_base64).decode() == PLAIN


@pytest.mark.parametrize("seed", range(8))
def test_an_encoded_place_holds_the_secret(seed: int) -> None:
    assert _inside(_encoded("terminal_wrap", seed)).replace("\n", "") == SECRET
    assert re.sub(r"\\\n", "", _inside(_encoded("continuation", seed))) == SECRET
    assert unicodedata.normalize("NFKC", _inside(_encoded("full_width", seed))) == SECRET
    assert re.sub(r"\x1b\[[0-9;]*m", "", _inside(_encoded("ansi_colours", seed))) == SECRET
    assert "".join(c for c in _inside(_encoded("zero_width", seed)) if c.isprintable() and c.isascii()) == SECRET
    assert json.loads(f'"{_inside(_encoded("unicode_escapes", seed))}"') == SECRET
    assert SECRET.startswith(_inside(_encoded("cut_at_end", seed)))
    assert len(_inside(_encoded("cut_at_end", seed))) >= 12


def test_a_wrapped_secret_is_broken_inside() -> None:
    assert all("\n" in _inside(_encoded("terminal_wrap", seed)) for seed in range(20))


def test_a_place_in_base64_holds_letters_of_the_secret_only() -> None:
    sample = _encoded("base64_once", 3)
    (start, end), text = sample.spans[0], sample.text
    changed = text[:start] + "A" * (end - start) + text[end:]
    decoded = base64.b64decode(max(re.findall(r"[A-Za-z0-9+/=]+", changed), key=len)).decode(errors="replace")
    before, after = PLAIN.split(SECRET)
    assert decoded.startswith(before)
    assert decoded.endswith(after)
    assert SECRET[1:-1] not in decoded


def _luhn_holds(number: str) -> bool:
    doubled = {0: 0, 1: 2, 2: 4, 3: 6, 4: 8, 5: 1, 6: 3, 7: 5, 8: 7, 9: 9}
    digits = [int(digit) for digit in number][::-1]
    return (sum(digits[::2]) + sum(doubled[digit] for digit in digits[1::2])) % 10 == 0


def _iban_holds(number: str) -> bool:
    moved = number[4:] + number[:4]
    rest = 0
    for letter in moved:
        rest = int(f"{rest}{ord(letter) - 55 if letter.isalpha() else letter}") % 97
    return rest == 1


def _dni_holds(number: str) -> bool:
    digits = number[:-1].translate(str.maketrans("XYZ", "012"))
    return number[-1] == "TRWAGMYFPDXBNJZSQVHLCKE"[int(digits) % 23]


def _tax_id_holds(number: str) -> bool:
    counts = sorted(number[:10].count(digit) for digit in set(number[:10]))
    product = 10
    for digit in map(int, number[:10]):
        product = ((digit + product) % 10 or 10) * 2 % 11
    return counts == [1] * 8 + [2] and number[0] != "0" and int(number[10]) == (11 - product) % 10


def _cpf_holds(number: str) -> bool:
    first = sum((10 - place) * int(number[place]) for place in range(9)) * 10 % 11 % 10
    second = sum((11 - place) * int(number[place]) for place in range(10)) * 10 % 11 % 10
    return number[9:] == f"{first}{second}"


def _fiscal_code_holds(code: str) -> bool:
    odd = dict(zip("0123456789", (1, 0, 5, 7, 9, 13, 15, 17, 19, 21), strict=True))
    odd |= dict(zip("ABCDEFGHIJ", odd.values(), strict=True))
    odd |= dict(zip("KLMNOPQRSTUVWXYZ", (2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23), strict=True))
    even = sum(int(letter) if letter.isdigit() else ord(letter) - 65 for letter in code[1:15:2])
    return (even + sum(odd[letter] for letter in code[0:15:2])) % 26 == ord(code[15]) - 65


def _mod11(number: str, weights: tuple[int, ...]) -> bool:
    return sum(int(digit) * weight for digit, weight in zip(number, weights, strict=True)) % 11 == 0


CHECKS: dict[str, Callable[[str], bool]] = {
    "card": _luhn_holds,
    "ca_sin": _luhn_holds,
    "se_personal_number": lambda number: _luhn_holds(number[-10:]),
    "iban": _iban_holds,
    "es_dni": _dni_holds,
    "de_tax_id": _tax_id_holds,
    "br_cpf": _cpf_holds,
    "it_fiscal_code": _fiscal_code_holds,
    "nl_bsn": lambda number: _mod11(number, (9, 8, 7, 6, 5, 4, 3, 2, -1)),
    "uk_nhs": lambda number: _mod11(number, (10, 9, 8, 7, 6, 5, 4, 3, 2, 1)),
    "au_tfn": lambda number: _mod11(number, (1, 4, 3, 7, 5, 8, 6, 9, 10)),
    "pl_pesel": lambda number: sum(map(int.__mul__, map(int, number), (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1))) % 10 == 0,
    "ch_ahv": lambda number: sum(map(int.__mul__, map(int, number), (1, 3) * 6 + (1,))) % 10 == 0,
    "fr_nir": lambda number: (int(number[:13]) + int(number[13:])) % 97 == 0,
    "be_national_number": lambda number: (int(number[:9]) + int(number[9:])) % 97 == 0,
    "fi_hetu": lambda number: number[-1] == "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(number[:-1]) % 31],
}


@pytest.mark.parametrize("kind", CHECKS)
def test_checksums_of_personal_data_hold(kind: str) -> None:
    make = personal.PERSONAL[kind][0]
    made = [re.sub(r"[^0-9A-Z]", "", make(Random(f"{kind} {number}"))) for number in range(300)]
    assert [number for number in made if not CHECKS[kind](number)] == []


@pytest.mark.parametrize("kind", CHECKS)
def test_the_checks_notice_a_wrong_digit(kind: str) -> None:
    number = re.sub(r"[^0-9A-Z]", "", personal.PERSONAL[kind][0](Random(kind)))
    place = 8
    wrong = str((int(number[place]) + 1) % 10) if number[place].isdigit() else "B" if number[place] != "B" else "C"
    assert not CHECKS[kind](number[:place] + wrong + number[place + 1 :])


def test_addresses_of_people_are_public_and_benign_ones_are_not(samples: list[Sample]) -> None:
    for seed in range(200):
        assert ip_address(personal.ipv4(Random(seed))).is_global
        assert ip_address(personal.ipv6(Random(seed))).is_global
    dotted = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")
    benign = [address for sample in samples if sample.is_benign for address in dotted.findall(sample.text)]
    assert benign
    assert not any(ip_address(address).is_global for address in benign)
