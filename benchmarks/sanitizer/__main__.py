"""`python -m benchmarks.sanitizer`: compare the sanitizer with its peers and write the tables."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.page import PAGE, put_between_markers
from benchmarks.sanitizer.external import read_external
from benchmarks.sanitizer.generator import DEFAULT_SEED, generate
from benchmarks.sanitizer.measure import Times, measure_removal, measure_rules, measure_speed
from benchmarks.sanitizer.peers import OWN, PEERS, ROOT, DoesNotInstall, Tool, python_of, version_of
from benchmarks.sanitizer.report import NAME, RULES_NAME, Run, markdown, rules_markdown
from benchmarks.sanitizer.scorer import Score

EXTERNAL_SET = "../shared/sanitizer/dev.jsonl"


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sanitizer", description=__doc__)
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument("--tools", nargs="+", default=[OWN, *PEERS], choices=[OWN, *PEERS], help="default: all")
    parser.add_argument(
        "--external",
        type=Path,
        default=ROOT / os.environ.get("BENCH_EXTERNAL_SET", EXTERNAL_SET),
        help="an external set, used when it is there; also BENCH_EXTERNAL_SET",
    )
    parser.add_argument("--misses", type=Path, help="write what goldvein missed to this file, as JSON lines")
    parser.add_argument("--rules-only", action="store_true", help="only the times of what our own rules find")
    parser.add_argument("--print-only", action="store_true", help="leave docs/benchmarks.md as it is")
    return parser.parse_args(given)


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def _installed(names: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """The tools that can run, and why the others cannot."""
    found, missing = [], {}
    for name in names:
        _say(f"installing {name} ..." if name != OWN else f"{name} is here")
        try:
            if name != OWN:
                python_of(name)
            found.append(name)
        except DoesNotInstall as error:
            missing[name] = str(error)
    return found, missing


def _write_misses(path: Path, scores: Sequence[Score]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for score in scores:
            for sample, output in score.misses:
                row = {"category": sample.category, "kind": sample.kind, "text": sample.text, "output": output}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _time_rules(*, print_only: bool) -> Times:
    """Measure the rules' inputs, alone and of our tool alone: the others do not have these rules."""
    _say("what the rules find, repeated")
    with Tool(OWN) as tool:
        times = measure_rules(tool)
    text = rules_markdown(times, version_of(OWN))
    print(text)
    if not print_only:
        put_between_markers(PAGE, RULES_NAME, text)
    return times


def main(given: Sequence[str] | None = None) -> None:
    """Run everything once and write the tables."""
    arguments = _arguments(given)
    if arguments.rules_only:
        _time_rules(print_only=arguments.print_only)
        return
    names, missing = _installed(arguments.tools)
    samples = list(generate(arguments.seed))
    with ExitStack() as open_tools:
        tools = [open_tools.enter_context(Tool(name)) for name in names]
        _say(f"own set: {len(samples)} texts")
        own = measure_removal(tools, samples)
        external = None
        if arguments.external.exists():
            _say("external set")
            external = measure_removal(tools, read_external(arguments.external))
        _say("time")
        times = measure_speed(tools, samples, arguments.seed)
    if OWN in times:
        times[OWN].worst_ms |= _time_rules(print_only=arguments.print_only).worst_ms
    run = Run(
        seed=arguments.seed,
        versions={name: version_of(name) for name in names},
        missing=missing,
        own=own,
        own_size=(len(samples), sum(len(sample.spans) for sample in samples)),
        external=external,
        times=times,
    )
    text = markdown(run)
    print(text)
    if not arguments.print_only:
        put_between_markers(PAGE, NAME, text)
    if arguments.misses and OWN in own:
        _write_misses(arguments.misses, [own[OWN], *([external[OWN]] if external else [])])


if __name__ == "__main__":
    main()
