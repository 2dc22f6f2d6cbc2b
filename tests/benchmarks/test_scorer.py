"""A leak that is planted is counted, and so is a clean removal."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.sanitizer.external import read_external
from benchmarks.sanitizer.generator import BY_FORM, PERSONAL_DATA, generate
from benchmarks.sanitizer.measure import Times
from benchmarks.sanitizer.peers import OWN, PEERS, PINS, Tool
from benchmarks.sanitizer.report import removal_table, rules_table
from benchmarks.sanitizer.samples import Sample, finish, mark
from benchmarks.sanitizer.scorer import altered_chars, leaks, score_of
from benchmarks.sanitizer.speed import TABLE, WORST_INPUTS, long_texts, repeated, rule_pieces, small_texts, worst_input
from benchmarks.sanitizer.worker import LOADERS, answer, give_up, replace_places, replace_values

SECRET = "Qx7RtB2mK9wZ"
SAMPLE = finish(BY_FORM, "any", f"token={mark(SECRET)} end")
BENIGN = Sample(category="benign", kind="any", text="nothing to see here", spans=())


@pytest.mark.parametrize(
    "output",
    [
        "token=[REDACTED] end",
        "token=[REDACTED:github_token_12] end",
        "token=Qx7Rt[REDACTED] end",
        "token=[REDACTED]wZ[REDACTED]Qx7Rt end",
        "",
    ],
)
def test_a_clean_removal_counts_as_removed(output: str) -> None:
    assert leaks(SAMPLE, output) == [False]


@pytest.mark.parametrize(
    "output",
    [
        SAMPLE.text,
        "token=Qx7RtB[REDACTED] end",
        "token=[REDACTED]2mK9wZ end",
        "token=[REDACTED] end, seen at 7RtB2m",
        "token=Qx7\u200bRtB[REDACTED] end",
        "token=Qx7\x1b[31mRtB[REDACTED] end",
    ],
)
def test_six_characters_that_survive_are_a_leak(output: str) -> None:
    assert leaks(SAMPLE, output) == [True]


def test_each_marked_place_is_judged_for_itself() -> None:
    sample = finish(BY_FORM, "any", f"{mark('aaaaaa1')} and {mark('bbbbbb2')}")
    assert leaks(sample, "[REDACTED] and bbbbbb2") == [False, True]


def test_what_the_rest_of_the_text_says_too_is_no_evidence() -> None:
    sample = finish(BY_FORM, "any", f"password1 is not the password: {mark('password1')}")
    assert leaks(sample, "password1 is not the password: [REDACTED]") == [False]
    assert leaks(sample, sample.text) == [True]


def test_a_secret_shorter_than_a_run_is_judged_whole() -> None:
    sample = finish(BY_FORM, "any", f"pin {mark('4711')}")
    assert leaks(sample, "pin 4711") == [True]
    assert leaks(sample, "pin 471") == [False]


def test_colours_and_invisible_signs_in_a_secret_do_not_hide_it() -> None:
    sample = finish(BY_FORM, "any", f"key {mark('Qx7' + chr(0x200B) + 'RtB2' + chr(27) + '[0mmK9wZ')}")
    assert leaks(sample, "key Qx7RtB2mK9wZ") == [True]
    assert leaks(sample, "key [REDACTED]\x1b[0m[REDACTED]") == [False]


def test_altered_characters_are_those_that_did_not_come_through() -> None:
    assert altered_chars("abc def ghi", "abc def ghi") == 0
    assert altered_chars("abc def ghi", "abc [REDACTED:word_1] ghi") == 3
    assert altered_chars("abc def ghi", "[REDACTED] def [REDACTED]") == 6
    assert altered_chars("abc def ghi", "something else") == 11


def test_a_score_adds_up() -> None:
    samples = [SAMPLE, SAMPLE, finish(PERSONAL_DATA, "mail", mark("n.ashdown@oakline.io")), BENIGN, BENIGN]
    outputs = ["token=[REDACTED] end", SAMPLE.text, "[REDACTED:email]", BENIGN.text, "nothing to [REDACTED] here"]
    score = score_of(samples, outputs)
    assert score.share_of([BY_FORM]) == 0.5
    assert score.share_of([PERSONAL_DATA]) == 1.0
    assert score.altered_share == 0.5
    assert score.altered_per_thousand == pytest.approx(1000 * 3 / 38)
    assert [sample for sample, _ in score.misses] == [SAMPLE, BENIGN]
    assert "| 50.0 % | 100.0 % | 50.00 % | 78.95 |" in removal_table({"tool": score})


def test_a_text_that_a_tool_fails_on_counts_against_it() -> None:
    score = score_of([SAMPLE, BENIGN], [None, None])
    assert score.share_of([BY_FORM]) == 0.0
    assert score.altered_share == 1.0
    assert score.altered_per_thousand == 1000.0
    assert "tool failed on 2 texts." in removal_table({"tool": score})


def fail(text: str) -> str:
    if "bad" in text:
        raise ValueError(text)
    return text


def hang(text: str) -> str:
    while "bad" in text:
        pass
    return text


@pytest.mark.parametrize("sanitize", [fail, hang])
def test_a_tool_that_raises_or_hangs_gives_no_text_and_goes_on(sanitize: Callable[[str], str]) -> None:
    before = signal.signal(signal.SIGALRM, give_up)
    try:
        answered = answer(sanitize, {"texts": ["good", "bad", "good"], "limit_seconds": 0.2})
    finally:
        signal.signal(signal.SIGALRM, before)
    assert answered["outputs"] == ["good", None, "good"]


def test_leaving_everything_as_it_is_removes_nothing_and_alters_nothing() -> None:
    samples = list(generate(11))
    score = score_of(samples, [sample.text for sample in samples])
    assert score.share_of(score.by_category) == 0.0
    assert score.altered_share == 0.0


def test_replacing_exactly_what_is_marked_removes_everything() -> None:
    samples = list(generate(11))
    score = score_of(samples, [replace_places(sample.text, sample.spans) for sample in samples])
    assert [(sample.kind, sample.text) for sample, _ in score.misses] == []


def test_findings_are_replaced_by_place_or_by_value() -> None:
    assert replace_places("abcdefgh", [(5, 7), (1, 3), (2, 4)]) == "a[REDACTED]e[REDACTED]h"
    assert replace_values("key abc abcdef", ["abc", "abcdef", " "]) == "key [REDACTED] [REDACTED]"


def test_a_tool_answers_from_its_own_process() -> None:
    with Tool(OWN) as tool:
        answered = tool.ask(["nothing here", "password = 'Kestrel-Harbor-4711-x'"])
    assert answered.outputs[0] == "nothing here"
    assert "Kestrel" not in (answered.outputs[1] or "Kestrel")
    assert len(answered.seconds) == 2


def test_each_peer_is_pinned_and_has_a_loader() -> None:
    pinned = {line.split("==")[0].replace("_", "-") for line in PINS.read_text(encoding="utf-8").splitlines()}
    assert set(PEERS) <= pinned
    assert set(LOADERS) == {OWN, *PEERS}


def test_texts_to_time_have_their_size() -> None:
    samples = list(generate(11))
    assert {len(text) for text in small_texts(samples, 1)} == {1024}
    assert {len(text) for text in long_texts(samples, 1)} == {65536}
    assert {len(worst_input(name, 32768)) for name in WORST_INPUTS} == {32768}


def test_growth_is_the_largest_factor_of_what_takes_time() -> None:
    times = Times(worst_ms={"fast": (0.01, 0.5), "linear": (4.0, 8.0), "square": (3.0, 12.0)})
    assert times.growth == ("square", 4.0)
    assert times.slowest == ("square", 12.0)


def test_each_rule_is_timed_on_what_it_finds_and_what_it_must_not() -> None:
    pieces = rule_pieces(TABLE[0])
    assert len(pieces) == len(set(pieces.values())) == 10
    assert {TABLE[0].example + "\n", TABLE[0].counter_example + ","} <= set(pieces.values())
    assert repeated("abc ", 15) == "abc abc abc "


def test_the_table_of_rules_tells_how_many_are_over_the_goal_and_which_grow() -> None:
    times = Times(worst_ms={f"rule {number}": (10.0, 20.0 + number) for number in range(12)}, refused=["rule 3"])
    table = rules_table(times)
    assert "12 rules" in table
    assert "Over 30 ms at 64 KB: 1." in table
    assert "x 3.10 (rule 11)" in table
    assert "Inputs refused: 1." in table
    assert "rule 11 | 10.0 ms | 31.0 ms | x 3.10" in table
    assert "rule 1 |" not in table  # only the ten slowest


def test_only_the_headline_of_an_external_set_is_read(tmp_path: Path) -> None:
    rows = (
        '{"category": "pii", "subtype": "mail", "text": "to a@b.io", "spans": [[3, 9, "email"]], "headline": true}\n'
        '{"category": "neg", "subtype": "log", "text": "nothing", "spans": [], "headline": true}\n'
        '{"category": "pii", "subtype": "name", "text": "Ned", "spans": [[0, 3, "name"]], "headline": false}\n'
    )
    path = tmp_path / "set.jsonl"
    path.write_text(rows, encoding="utf-8")
    assert [(sample.category, sample.spans) for sample in read_external(path)] == [
        (PERSONAL_DATA, ((3, 9),)),
        ("benign", ()),
    ]
