"""`goldvein import examples`: golden examples from files that people already have."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import IO, Annotated, Any, Final, Self

import typer

from goldvein.cli.connection import JsonOption, with_client
from goldvein.cli.groups import command
from goldvein.cli.transfers import Entry, batches, opened, progress, send
from goldvein.errors import InvalidField
from goldvein.examples.importing import NAMES, fields, files, find_format, named_format
from goldvein.examples.importing.records import (
    MAX_ITEMS,
    MAX_RECORD_BYTES,
    REASONS,
    Format,
    Line,
    Record,
    Unfit,
    checked,
)
from goldvein.sanitizer import SanitizerFailed, TextTooLong, sanitize_many
from goldvein.terminal import complain, count_of, say, say_cropped, say_json, say_line
from goldvein_client import Client, ClientError

MAX_REQUEST_BYTES: Final = 1_000_000  # the server takes 1 MiB
SHOWN_REJECTIONS: Final = 1_000  # more are only counted; `--rejected` writes them all
MAX_LINES_WITHOUT_RECORD: Final = 10_000

FileArgument = Annotated[
    str,
    typer.Argument(metavar="FILE", help="Lines of JSON, CSV or Parquet; - reads lines of JSON from standard input."),
]
SkillOption = Annotated[str, typer.Option(metavar="SKILL", help="The slug or id of a skill of yours.")]
FormatOption = Annotated[
    str, typer.Option("--format", metavar="FORMAT", help=f"auto, or one of {', '.join(NAMES)}.", show_default=False)
]
MapOption = Annotated[
    str | None,
    typer.Option(
        "--map", metavar="PART=FIELD,...", help="Fields of input, output, expected, quality; a.b goes inside."
    ),
]
RequestsOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="The input file of a batch, beside its output file.")
]
RejectedOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write the number and reason of every rejected line here.")
]


def add_to(imports: typer.Typer) -> None:
    """Add the command to the group of imports."""
    command(
        imports,
        "examples",
        "goldvein import examples chats.jsonl --skill release-notes --dry-run",
        "goldvein import examples rows.csv --skill release-notes --map input=question,output=answer",
    )(with_client(import_examples))


def import_examples(
    client: Client,
    file: FileArgument,
    *,
    skill: SkillOption,
    format_name: FormatOption = "auto",
    mapping: MapOption = None,
    requests: RequestsOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would become of it; send nothing.")] = False,
    rejected: RejectedOption = None,
    from_line: Annotated[
        int, typer.Option(min=1, metavar="N", help="Begin at this line, where it stopped before.", show_default=False)
    ] = 1,
    as_json: JsonOption = False,
) -> None:
    """Add golden examples to a skill of yours from a file, sanitized and approved at once.

    Which part of a record becomes what is shown first. Run it again and nothing is added twice. It waits when the
    server says so. Exit code 1 when a record was rejected; the others are added.
    """
    wanted = _wanted(format_name, mapping)
    with ExitStack() as open_files:
        report = None if rejected is None else open_files.enter_context(rejected.open("w", encoding="ascii"))
        done = _Done(report=report)
        try:
            asked = None if requests is None else open_files.enter_context(_Requests(requests))
            lines, total = _read(file, open_files)
            found, lines = _find_format(lines, wanted)
            entries = _entries(lines, found, asked, from_line)
            if not as_json:
                entries = _show_mapping(file, found, entries)
            call = None if dry_run else partial(client.import_examples, skill)
            with progress(total) as advance:
                for batch in batches(entries, most=MAX_ITEMS, max_bytes=MAX_REQUEST_BYTES):
                    done.send(call, batch)
                    advance(sum(entry.size for entry in batch))
        except files.BadFile as bad:
            done.say_where()
            raise InvalidField(field="FILE", reason=str(bad)) from None
        except (ClientError, KeyboardInterrupt):
            done.say_where()
            raise
    done.show(found, dry_run=dry_run, as_json=as_json)
    if done.counts["rejected"]:
        raise typer.Exit(1)


@dataclass(kw_only=True, slots=True)
class _Done:
    """What became of the records so far; of the rejected ones the number and the reason, never a text."""

    report: IO[str] | None = None
    counts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    last_line: int = 0

    def send(self, call: Any, batch: list[Entry]) -> None:
        """Send what can be sent, or with no call only count it."""
        ready = [entry for entry in batch if entry.item is not None]
        if call is None:
            self.counts["fit"] += len(ready)
        else:
            send(call, "items", ready, self.take)
        for entry in batch:
            if entry.item is None:
                self.reject(entry, entry.reason, entry.message)
        self.last_line = batch[-1].number

    def take(self, entry: Entry, result: dict[str, Any]) -> None:
        """Note what the server said of an entry."""
        if result["outcome"] == "rejected":
            self.reject(entry, result["reason"], result["error"]["message"])
        else:
            self.counts[result["outcome"]] += 1

    def reject(self, entry: Entry, reason: str, message: str) -> None:
        """Note that an entry is not imported."""
        self.counts["rejected"] += 1
        self.reasons[reason] += 1
        line = {"line": entry.number, "reason": reason, "message": message}
        if self.report is not None:
            self.report.write(json.dumps(line) + "\n")
        if len(self.rejected) < SHOWN_REJECTIONS:
            self.rejected.append(line)

    def say_where(self) -> None:
        """Tell how far it came."""
        if self.last_line:
            go_on = f"everything up to line {self.last_line} is done; go on with --from-line {self.last_line + 1}."
            complain("stopped", go_on)

    def show(self, found: Format | None, *, dry_run: bool, as_json: bool) -> None:
        """Tell what became of all."""
        names = ("fit", "rejected") if dry_run else ("stored", "duplicate", "rejected")
        counts = {name: self.counts[name] for name in names}
        if as_json:
            how = {} if found is None else {"format": found.name, "mapping": dict(found.mapping)}
            say_json({**how, **counts, "reasons": dict(self.reasons), "rejected_lines": self.rejected})
            return
        for line in self.rejected:
            complain(line["reason"], f"line {line['line']}: {line['message']}")
        if self.reasons:
            say("Rejected: " + ", ".join(f"{number} {reason}" for reason, number in self.reasons.most_common()) + ".")
        if dry_run:
            say(f"{count_of(counts['fit'], 'example')} would be sent, {counts['rejected']} rejected. Nothing was sent.")
        else:
            known, refused = counts["duplicate"], counts["rejected"]
            say(f"{count_of(counts['stored'], 'example')} added, {known} known already, {refused} rejected.")


def _wanted(format_name: str, mapping: str | None) -> Format | None:
    """The format that the options name; None to look for it. Wrong options are wrong usage."""
    if format_name != "auto" and format_name not in NAMES:
        raise typer.BadParameter(f"--format: auto, or one of {', '.join(NAMES)}")
    if mapping is None:
        return None if format_name == "auto" else named_format(format_name)
    if format_name not in {"auto", fields.NAME}:
        raise typer.BadParameter(f"--map goes with --format {fields.NAME}")
    try:
        return fields.format_for(fields.parse_mapping(mapping))
    except fields.BadMapping as bad:
        raise typer.BadParameter(f"--map: {bad}") from None


def _read(file: str, open_files: ExitStack) -> tuple[Iterator[Line], int | None]:
    """The records of a file, and the sum of their sizes."""
    stream, size = open_files.enter_context(opened(file))
    if file == "-":
        return files.read_json_lines(stream), None
    beginning = stream.read(64)
    stream.seek(0)
    match files.container_of(file, beginning):
        case "parquet":
            return files.read_parquet(Path(file)), files.count_parquet_rows(Path(file))
        case "csv":
            return files.read_csv(stream), size
        case _:
            return files.read_json_lines(stream), size


def _find_format(lines: Iterator[Line], wanted: Format | None) -> tuple[Format | None, Iterator[Line]]:
    """How to read the records, by the first one that is one; and the same lines again. None for a file without any."""
    if wanted is not None:
        return wanted, lines
    seen = list[Line]()
    for line in lines:
        seen.append(line)
        if len(seen) > MAX_LINES_WITHOUT_RECORD:
            raise files.BadFile(f"has no record in its first {MAX_LINES_WITHOUT_RECORD} lines")
        if line.record is not None:
            found = find_format(line.record)
            if found is None:
                raise files.BadFile(
                    f"has no format I know in line {line.number}; name its fields with --map input=FIELD,output=FIELD"
                )
            return found, chain(seen, lines)
    return None, iter(seen)


def _show_mapping(file: str, found: Format | None, entries: Iterator[Entry]) -> Iterator[Entry]:
    """Show which part of a record becomes what, and the first example, sanitized; nothing is sent yet."""
    if found is None:
        return entries
    say_line(f"{file}: read as {found.name}", style="bold")
    for part, origin in found.mapping.items():
        say_cropped(part, origin)
    first = next(entries, None)
    if first is None:
        return entries
    texts = {name: text for name, text in (first.item or {}).items() if isinstance(text, str)}
    with suppress(SanitizerFailed, TextTooLong):
        sanitized = sanitize_many(list(texts.values()))
        say_line(f"Line {first.number}, sanitized:" if texts else f"Line {first.number} is rejected.")
        for name, found_text in zip(texts, sanitized, strict=True):
            say_cropped(name.removeprefix("example_").removesuffix("_output"), found_text.text)
    say()
    return chain([first], entries)


def _entries(lines: Iterable[Line], found: Format | None, asked: "_Requests | None", from_line: int) -> Iterator[Entry]:
    for line in lines:
        if line.number >= from_line:
            yield _entry(line, found, asked)


def _entry(line: Line, found: Format | None, asked: "_Requests | None") -> Entry:
    reason, item = line.reason, None
    if line.record is not None and found is not None:
        try:
            item = checked(found.read(line.record, None if asked is None else asked.find(line.record))).as_item()
        except Unfit as unfit:
            reason = unfit.reason
    sent_bytes = 0 if item is None else len(json.dumps(item, ensure_ascii=False).encode()) + 1
    if sent_bytes > MAX_REQUEST_BYTES:  # of control signs alone, each six bytes long in JSON
        reason, item, sent_bytes = "too_long", None, 0
    return Entry(
        number=line.number,
        size=line.size,
        item=item,
        sent_bytes=sent_bytes,
        reason=reason if item is None else "",
        message=REASONS[reason] if item is None else "",
    )


class _Requests:
    """The input file of a batch by `custom_id`: where each line begins is held, not the lines."""

    def __init__(self, path: Path) -> None:
        self._stream = path.open("rb")
        self._places: dict[str, int] = {}
        place = 0
        for _, raw, size in files.numbered_lines(self._stream, MAX_RECORD_BYTES):
            match files.read_json(raw):
                case {"custom_id": str(name)}:
                    self._places.setdefault(name, place)
            place += size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._stream.close()

    def find(self, record: Record) -> Record | None:
        """The request of a result."""
        name = record.get("custom_id")
        place = self._places.get(name) if isinstance(name, str) else None
        if place is None:
            return None
        self._stream.seek(place)
        request = files.read_json(self._stream.readline(MAX_RECORD_BYTES))
        return request if isinstance(request, dict) else None
