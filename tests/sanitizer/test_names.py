"""People's names and addresses: with a stand-in for the language models, and (mark `ner`) with the models themselves."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from goldvein.sanitizer import (
    SANITIZER_VERSION,
    NamesUnavailable,
    engine,
    names,
    need_names,
    sanitize,
    sanitize_json,
    sanitize_many,
    version_with,
)

PEOPLE = ("Marion Keller", "José Pérez")


class StandIn:
    """A model that knows two people, and takes a heading for a third."""

    shown: list[str]

    def __init__(self) -> None:
        self.shown = []

    @contextmanager
    def memory_zone(self) -> Iterator[None]:
        yield

    def pipe(self, texts: Iterator[str], batch_size: int) -> Iterator[Any]:  # noqa: ARG002 - as spaCy calls it
        for text in texts:
            self.shown.append(text)
            spans = [(text.find(name), text.find(name) + len(name)) for name in (*PEOPLE, "key") if name in text]
            entities = [SimpleNamespace(start_char=start, end_char=end, label_="PERSON") for start, end in spans]
            yield SimpleNamespace(ents=[*entities, SimpleNamespace(start_char=0, end_char=len(text), label_="ORG")])


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    stand_in = StandIn()
    monkeypatch.setattr(names, "_models", lambda: (stand_in,))
    monkeypatch.setattr(engine, "names_digest", lambda: "0a1b2c3d")
    return stand_in


def test_names_go_only_when_they_are_asked_for(model: StandIn) -> None:
    text = "Dear Marion Keller, your key is here"
    assert sanitize(text).text == text
    result = sanitize(text, names=True)
    assert result.text == "Dear [REDACTED:person_name], your key is here"
    assert [(found.rule, found.confidence) for found in result.findings] == [("person_name", "low")]


def test_what_was_looked_for_is_part_of_the_version(model: StandIn) -> None:
    assert sanitize("x").version == SANITIZER_VERSION
    assert sanitize("x", names=True).version == version_with(names=True) == f"{SANITIZER_VERSION}+names.0a1b2c3d"


def test_it_only_adds(model: StandIn) -> None:
    text = "Marion Keller, mail m@keller.example, password: hunter22"
    without, with_names = sanitize(text).findings, sanitize(text, names=True).findings
    assert set(without) < set(with_names)


def test_a_name_has_one_placeholder_in_all_texts_of_an_example(model: StandIn) -> None:
    first, second = sanitize_many(["Dear Marion Keller", '{"by": "José Pérez", "to": "Marion Keller"}'], names=True)
    assert first.text == "Dear [REDACTED:person_name_1]"
    assert second.text == '{"by": "[REDACTED:person_name_2]", "to": "[REDACTED:person_name_1]"}'


def test_a_name_is_found_where_the_model_did_not_see_it(model: StandIn) -> None:
    result = sanitize("Dear Marion Keller,\nxMarion Keller and user-Marion Keller", names=True)
    assert result.text == "Dear [REDACTED:person_name],\nxMarion Keller and user-[REDACTED:person_name]"


def test_a_name_written_with_escapes_is_found(model: StandIn) -> None:
    text = '{"to": "Jos\\u00e9 P\\u00e9rez"}'
    assert sanitize(text, names=True).text == '{"to": "[REDACTED:person_name]"}'
    assert sanitize_json({"to": "José Pérez"}, names=True)[0] == {"to": "[REDACTED:person_name]"}


def test_the_second_time_changes_nothing(model: StandIn) -> None:
    once = sanitize("Marion Keller lives in 12 Baker Street, London", names=True).text
    assert sanitize(once, names=True).text == once


def test_the_model_is_shown_single_lines_with_capitalised_words_once(model: StandIn) -> None:
    sanitize(
        'def f():\n  x = "Marion Keller"\n' + "y " * 900 + "José Pérez" + " z" * 900 + "\nmail a@b.example", names=True
    )
    assert len(model.shown) == 2
    assert model.shown[0].split() == ["x", "Marion", "Keller"] or "Marion Keller" in model.shown[0]
    assert max(map(len, model.shown)) <= 2 * names._WINDOW_CHARS + 40


def test_without_the_extra_nothing_is_sanitized(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "_MODELS", ("a_model_that_is_not_installed",))
    names._models.cache_clear()
    for refused in (need_names, lambda: version_with(names=True), lambda: sanitize("Jane Doe", names=True)):
        with pytest.raises(NamesUnavailable, match=r"goldvein\[ner\]"):
            refused()


ADDRESSES = [
    "221B Baker Street, London", "350 Fifth Avenue, New York, NY 10118", "4 Privet Drive", "2750 Farmer Valley Apt. 2, North Tommy, OR 69583",
    "Hauptstr. 12a, 69117 Heidelberg", "Unter den Linden 77, 10117 Berlin", "Marienplatz 8", "5 rue de la Paix, 75002 Paris",
    "12 bis avenue Foch", "Via Roma 15, 10121 Torino", "Calle Mayor 3, 28013 Madrid", "Prinsengracht 263, 1016 GV Amsterdam",
    "ul. Prosta 10/12, 00-590 Warszawa", "Kungsgatan 44, 111 35 Stockholm", "P.O. Box 1234",
]  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_street_address_goes_as_a_whole(model: StandIn, address: str) -> None:
    assert sanitize(f"send it to {address} please", names=True).text == "send it to [REDACTED:street_address] please"


@pytest.mark.parametrize(
    "text",
    [
        "on March 12, 2024 Release 5 of 10",
        "line 5, column 12 of Main.java",
        "GET /users/12 HTTP/1.1 200 Connection: close",
        "Section 4, 3 Examples and 12 Tests",
        "via proxy 1, via 10.0.0.1 and Via: 1.1 vegur",
        "the ring 5 and the weg 7 of platz 3",
        "Python 3.11, Version 12, 10 Minutes",
    ],
)
def test_numbers_in_texts_are_no_addresses(model: StandIn, text: str) -> None:
    assert sanitize(text, names=True).text == text


@pytest.mark.ner
def test_the_models_find_most_names_and_few_in_code() -> None:
    people = [
        "Grzegorz Nowak",
        "Aisha Rahman",
        "Lars Mikkelsen",
        "Thomas Bauer",
        "Kwame Mensah",
        "Giulia Ferrari",
        "Hannah Schneider",
        "Mehmet Aydin",
        "Sanne de Vries",
        "Rebecca Stone",
        "Ravi Kumar",
        "Peter van der Meer",
        "Chloé Dubois",
        "Luca Romano",
        "Omar Haddad",
        "Emily Watson",
        "María José Pérez",
        "Björn Eriksson",
        "Tunde Bakare",
        "Ioana Popescu",
    ]
    lines = ("Assigned to: {}", '  "full_name": "{}",', "Hi {}, could you look?", "# Written by {}", "{} approved it.")
    cleaned = [sanitize(line.format(name), names=True).text for line in lines for name in people]
    assert sum("[REDACTED:person_name" in text for text in cleaned) >= 80
    code = (
        "class UserService(BaseService):\n    def find_by_name(self, name: str) -> User | None:\n"
        '        """Return None when there is none."""\n        return self.session.get(User, name)\n'
    )
    assert sanitize(code, names=True).text == code


@pytest.mark.ner
def test_the_models_are_in_the_version_and_give_the_same_twice() -> None:
    assert version_with(names=True).startswith(f"{SANITIZER_VERSION}+names.")
    text = "From: Hannah Schneider\nTo: Omar Haddad\n\nDear Omar Haddad,\nthe invoice is due.\n"
    once = sanitize(text, names=True)
    assert len(once.findings) == 3
    assert sanitize(once.text, names=True).text == once.text
