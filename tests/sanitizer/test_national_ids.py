import random
import re

import pytest

from goldvein.sanitizer import sanitize, sanitize_text
from goldvein.sanitizer.labels import label_in
from goldvein.sanitizer.national_ids import BY_FORM_ALONE, NATIONAL_IDS, NationalId, expression_for, form_of, holds

by_row = pytest.mark.parametrize("row", NATIONAL_IDS, ids=lambda row: row.id)


@by_row
def test_each_number_holds_and_its_look_alike_does_not(row: NationalId) -> None:
    assert form_of(row.example) in row.forms
    assert holds(row, row.example)
    assert form_of(row.counter_example) not in row.forms or not holds(row, row.counter_example)


@by_row
def test_each_number_goes_after_each_of_its_labels(row: NationalId) -> None:
    for label in (*row.labels, *row.ambiguous_labels):
        assert row.example not in sanitize_text(f"{label}: {row.example}"), label
        assert row.example not in sanitize_text(f'{{"{label.replace(" ", "_")}": "{row.example}"}}'), label


@by_row
def test_a_number_after_an_ambiguous_label_needs_its_check_digit(row: NationalId) -> None:
    for label in row.ambiguous_labels:
        text = f"{label} {row.counter_example}"
        assert sanitize_text(text) == text


@pytest.mark.parametrize("row", [row for row in NATIONAL_IDS if row.alone], ids=lambda row: row.id)
def test_a_number_in_a_form_of_its_own_goes_without_a_label(row: NationalId) -> None:
    if form_of(row.example) in row.alone:
        assert row.example not in sanitize_text(f"she wrote {row.example} there")


@pytest.mark.parametrize(
    ("form", "most"),
    [("99999999999", 0.05), ("999999999999999", 0.02), ("9999999999999", 0.005), ("999999999999999999", 0.001)],
)
def test_few_random_numbers_without_separators_pass_for_one(form: str, most: float) -> None:
    chance = random.Random(7)  # noqa: S311 - a sample, no secret
    values = ["".join(chance.choices("0123456789", k=len(form))) for _ in range(4000)]
    passed = sum(any(holds(row, value) for row in BY_FORM_ALONE[form]) for value in values)
    assert passed / len(values) <= most


def test_one_expression_matches_every_form_and_the_longest_first() -> None:
    expression = re.compile(expression_for(["99", "99-9", "A9", "99-99"]))
    for value in ("12", "12-3", "x1", "12-34"):
        assert expression.fullmatch(value)
    matched = expression.match("12-345")
    assert matched is not None
    assert matched[0] == "12-34"


@pytest.mark.parametrize(
    ("before", "kind"),
    [
        ("Call me on ", "call"),
        ("customer.phoneNumber = '", "phone"),
        ("Num\u00e9ro de s\u00e9curit\u00e9 sociale : ", "fr_nir"),
        ("steuer_id=", "de_tax_id"),
        ("TAX ID ", "identity"),
        ("F\u00f8dt den ", "birth"),
        ("\u6211\u7684\u624b\u673a\u53f7\u662f ", "phone"),
        ("\u0442\u0435\u043b. ", "phone"),
        ("Diensttelefonnummer: ", "phone"),
        ("phone order id ", "other"),
    ],
)
def test_the_nearest_label_counts_however_it_is_written(before: str, kind: str) -> None:
    assert label_in(before) == {kind}


@pytest.mark.parametrize("before", ["", "the quick brown fox ", "3141592 ", "hotel "])
def test_other_words_are_no_label(before: str) -> None:
    assert label_in(before) == frozenset()


def test_a_finding_says_which_kind_it_is_and_keeps_no_value() -> None:
    (finding,) = sanitize("BSN: 111222333").findings
    assert (finding.type, finding.rule, finding.start, finding.end) == ("national_id", "told_national_id", 5, 14)
