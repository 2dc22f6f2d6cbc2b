"""What the demo prints when the session is played: numbers from the server's own counters, and what to try next."""

import os
import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

import httpx2 as httpx
from prometheus_client.parser import text_string_to_metric_families
from rich.table import Table
from rich.text import Text

from goldvein.demo.people import Cast
from goldvein.demo.session import SHOWN_EVENT_ID, Call, shown_texts
from goldvein.terminal import console, say, say_line, visible
from goldvein_client import Client

SKILL: Final = "release-notes"
EXPORT_FOLDER: Final = Path("out") / "notes"

# What the closed lists of reasons mean to somebody who sees them for the first time.
_REASONS: Final = {
    "tenant_switch_off": "this organisation has capture off",
    "no_person": "a machine's key: nobody who could consent",
    "person_mismatch": "names somebody else than its sender",
    "no_consent": "this person has not consented",
    "withdrawn": "this person has withdrawn their consent",
    "no_snippets": "no input or no output came with it",
    "no_skill": "no skill was at work: nothing is kept",
    "not_a_use": "only tells where a turn begins or ends",
}

Answers = list[tuple[Call, dict[str, Any]]]


def show(base_url: str, cast: Cast, alice: Client, answers: Answers) -> None:
    """Print the whole summary."""
    examples = alice.list_examples(SKILL)
    say()
    say(f"goldvein demo on {base_url}", style="bold")
    _show_outcomes(base_url, len(answers))
    _show_examples(examples)
    _show_before_and_after(answers, examples)
    _show_next_steps(base_url, cast, examples)


def _show_outcomes(base_url: str, sent: int) -> None:
    """What became of each item, from /metrics of this run: the numbers add up to what was sent."""
    events: Counter[tuple[str, str]] = Counter()
    captures: Counter[tuple[str, str]] = Counter()
    counters = {"goldvein_events_total": events, "goldvein_captures_total": captures}
    metrics = httpx.get(f"{base_url}/metrics", trust_env=False).text
    for family in text_string_to_metric_families(metrics):
        for sample in family.samples:
            if sample.name in counters:
                place = sample.labels["outcome"], sample.labels["reason"]
                counters[sample.name][place] += int(sample.value)
    _heading(f"{sent} hook events and tracking calls were sent")
    table = _table()
    for (outcome, reason), number in sorted(events.items(), key=lambda item: (item[0][0] != "stored", item[0])):
        table.add_row(str(number), outcome, _meaning(reason, outcome))
        if outcome == "stored":
            for (capture, why), count in sorted(captures.items()):
                table.add_row("", f"  {count} {capture}", _meaning(why, capture))
    console().print(table)


def _meaning(reason: str, outcome: str) -> Text:
    if reason:
        return Text.assemble(f"{reason:<18}", (_REASONS.get(reason, ""), "dim"))
    explained = {
        "captured": "with both consents: a candidate for review",
        "duplicate": "sent before: nothing is stored twice",
    }
    return Text(explained.get(outcome, ""), style="dim")


def _show_examples(examples: list[dict[str, Any]]) -> None:
    statuses = Counter(example["status"] for example in examples)
    found: Counter[str] = Counter()
    for example in examples:
        found.update(example["findings"] or {})
    _heading(f"{SKILL} now has {len(examples)} training examples")
    table = _table()
    for status, number in sorted(statuses.items()):
        table.add_row(str(number), status, "")
    console().print(table)
    if found:
        _heading("Redacted in them before anything was written to the disk")
        table = _table()
        for kind, number in found.most_common():
            table.add_row(str(number), visible(kind), "")
        console().print(table)


def _show_before_and_after(answers: Answers, examples: list[dict[str, Any]]) -> None:
    event_id = next(answer["event_id"] for call, answer in answers if call.body.get("event_id") == SHOWN_EVENT_ID)
    stored = next((example for example in examples if example["usage_event_id"] == event_id), None)
    if stored is None or not stored["example_output"]:
        return  # withdrawn, erased or deleted since a former run: there is nothing to show
    _heading("One of them: what bob's client sent, and what was stored")
    _, sent = shown_texts()
    for label, text, style in (("sent", sent, "red"), ("stored", stored["example_output"], "green")):
        table = Table(box=None, show_header=False, padding=(0, 1, 0, 0), pad_edge=False)
        table.add_column(width=8)
        table.add_column(overflow="fold")
        table.add_row(Text(f"  {label}", style="bold"), Text(visible(text, lines=True), style=style))
        console().print(table)


def _show_next_steps(base_url: str, cast: Cast, examples: list[dict[str, Any]]) -> None:
    alice = cast.people["alice"]
    _heading("Review them as alice, in the browser (the link works once, for 24 hours)")
    say_line(f"{base_url}{alice.login_path}?next=/skills/{SKILL}/training")
    _heading("Or in another terminal, in this folder")
    pending = next((example["id"] for example in examples if example["status"] == "pending"), None)
    goldvein = command_name()
    overwrite = " --overwrite" if EXPORT_FOLDER.exists() else ""
    say_line(f"export GOLDVEIN_URL={base_url}")
    say_line(f"GOLDVEIN_API_KEY={alice.api_key}")
    say_line("export GOLDVEIN_API_KEY")
    say_line(f"{goldvein} examples list {SKILL}")
    if pending is not None:
        say_line(f"{goldvein} examples approve {pending}")
    say_line(f"{goldvein} export {SKILL} --format chat-jsonl --out {EXPORT_FOLDER}{overwrite}")
    say_line(f"head -n 1 {EXPORT_FOLDER}/examples.jsonl")
    say()
    say("Stop with Ctrl-C. Run it again: the same people, keys and examples are there.", style="dim")


def command_name() -> str:
    """How this program was called, so that what is printed can be called in the same way."""
    called = Path(sys.argv[0])
    found = shutil.which("goldvein")
    if called.name != "goldvein" or (found is not None and Path(found).resolve() == called.resolve()):
        return "goldvein"
    shown = os.path.relpath(called)
    return str(called) if shown.startswith("..") else shown


def _heading(text: str) -> None:
    say()
    say(text, style="bold")


def _table() -> Table:
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column(justify="right", width=4, no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    return table
