"""Files as records, one at a time: JSON lines, CSV and Parquet. Nothing is held but the record at hand.

A record that cannot be read is a line with a reason, and the next one follows. What makes the rest of a file
unreadable raises BadFile; it names a place in the file, and quotes nothing of it.
"""

import codecs
import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

from goldvein.examples.importing.records import MAX_RECORD_BYTES, Line, Record

MAX_DEPTH: Final = 64
MAX_COLUMNS: Final = 1_000
PARQUET_ROWS_AT_ONCE: Final = 64
_PARQUET_MAGIC: Final = b"PAR1"
_OTHER_ENCODINGS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_DELIMITERS: Final = ",;\t"


class BadFile(Exception):
    """A file that cannot be read, or not to its end."""


class _TwiceNamed(Exception):
    """A JSON object names a field twice: nobody knows which of the two was meant."""


def container_of(name: str, beginning: bytes) -> str:
    """What a file is, by its first bytes and its name: `jsonl`, `csv` or `parquet`; raises BadFile for other files."""
    if beginning.startswith(_PARQUET_MAGIC):
        return "parquet"
    if beginning.startswith(_OTHER_ENCODINGS):
        raise BadFile("is UTF-16 or UTF-32; save it as UTF-8")
    if beginning.startswith((b"\x1f\x8b", b"PK\x03\x04")):
        raise BadFile("is compressed; unpack it first")
    if name.lower().endswith((".csv", ".tsv")):
        return "csv"
    if beginning.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"["):
        raise BadFile("is one JSON list; write an object on each line, for instance with `jq -c '.[]'`")
    return "jsonl"


def numbered_lines(stream: IO[bytes], most: int) -> Iterator[tuple[int, bytes, int]]:
    """Each line with its number and its size; of a line longer than `most` bytes no more than its beginning."""
    for number, raw in enumerate(iter(lambda: stream.readline(most + 2), b""), start=1):
        text, size = raw, len(raw)
        while not text.endswith(b"\n") and (text := stream.readline(most)):  # the rest of a line too long
            size += len(text)
        yield number, raw, size


def read_json_lines(stream: IO[bytes]) -> Iterator[Line]:
    """One JSON object a line; empty lines are passed over."""
    for number, raw, size in numbered_lines(stream, MAX_RECORD_BYTES):
        text = raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw
        if size > MAX_RECORD_BYTES + 1:
            yield Line(number=number, size=size, reason="too_long")
        elif text.strip():
            record = read_json(text)
            reason = record if isinstance(record, str) else ""
            yield Line(number=number, size=size, record=None if isinstance(record, str) else record, reason=reason)


def read_json(text: bytes) -> Record | str:
    """A JSON object, or the reason why it is none. NaN, a field named twice and deep nesting are refused."""
    try:
        decoded = text.decode()
    except UnicodeDecodeError:
        return "not_utf8"
    try:
        value = json.loads(decoded, object_pairs_hook=_once, parse_constant=_refuse)
    except (ValueError, RecursionError, _TwiceNamed):
        return "not_json"
    return value if isinstance(value, dict) and not _is_deeper(value, MAX_DEPTH) else "not_json"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    named = dict(pairs)
    if len(named) != len(pairs):
        raise _TwiceNamed
    return named


def _refuse(_constant: str) -> None:
    raise ValueError


def _is_deeper(value: Any, most: int) -> bool:
    level = [value]
    for _ in range(most):
        level = [held for one in level for held in _held(one)]
        if not level:
            return False
    return True


def _held(value: Any) -> list[Any]:
    held = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [one for one in held if isinstance(one, dict | list)]


def read_csv(stream: IO[bytes]) -> Iterator[Line]:
    """Rows by the names in the first one, separated by comma, semicolon or tab; a row is known by its first line."""
    csv.field_size_limit(MAX_RECORD_BYTES)
    lines = _CsvLines(stream)
    first = next(lines, "")
    delimiter = max(_DELIMITERS, key=first.count)
    rows = csv.reader(lines.beginning_with(first), delimiter=delimiter, strict=True)
    names = _named_columns(_next_row(rows, lines))
    while True:
        number, before = lines.number + 1, lines.read_bytes
        row = _next_row(rows, lines)
        if row is None:
            return
        if row:
            yield _csv_line(row, names, number, lines.read_bytes - before)


def _csv_line(row: list[str], names: list[str], number: int, size: int) -> Line:
    if len(row) != len(names):
        return Line(number=number, size=size, reason="wrong_columns")
    if any("\udc80" <= sign <= "\udcff" for cell in row if not cell.isascii() for sign in cell):
        return Line(number=number, size=size, reason="not_utf8")
    return Line(number=number, size=size, record=dict(zip(names, row, strict=True)))


def _named_columns(row: list[str] | None) -> list[str]:
    if not row:
        raise BadFile("is empty, or its first line is")
    names = [name.strip() for name in row]
    if len(names) > MAX_COLUMNS or len(set(names)) != len(names) or not all(names):
        raise BadFile(f"needs 1 to {MAX_COLUMNS} columns, each with a name of its own in the first row")
    return names


def _next_row(rows: Iterator[list[str]], lines: "_CsvLines") -> list[str] | None:
    try:
        return next(rows, None)
    except csv.Error:
        raise BadFile(
            f"is no CSV from line {lines.number} on: a quote stands where none may, is never closed, or closes after"
            f" more than {MAX_RECORD_BYTES} bytes; what comes after it was not read"
        ) from None


class _CsvLines:
    """The lines of a table as text; what is not UTF-8 is marked, so that its row alone is refused."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.number = 0
        self.read_bytes = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        raw = self._stream.readline(MAX_RECORD_BYTES + 2)
        if not raw:
            raise StopIteration
        self.number += 1
        self.read_bytes += len(raw)
        if len(raw) > MAX_RECORD_BYTES + 1:
            raise BadFile(f"has more than {MAX_RECORD_BYTES} bytes in line {self.number}; what follows was not read")
        text = raw.removeprefix(codecs.BOM_UTF8) if self.number == 1 else raw
        return text.decode(errors="surrogateescape")

    def beginning_with(self, first: str) -> Iterator[str]:
        yield first
        yield from self


def count_parquet_rows(path: Path) -> int:
    """How many rows a Parquet file has."""
    file = _open_parquet(path)
    rows: int = file.metadata.num_rows
    file.close()
    return rows


def read_parquet(path: Path) -> Iterator[Line]:
    """Rows of a Parquet file; lists and structs become lists and objects. The size of a row is 1: they are counted."""
    file = _open_parquet(path)
    number = 0
    try:
        for batch in file.iter_batches(batch_size=PARQUET_ROWS_AT_ONCE):
            for record in batch.to_pylist():
                number += 1
                yield _parquet_line(number, record)
    except (OSError, ValueError) as error:  # what pyarrow raises for a damaged page is one of these
        raise BadFile(f"is damaged after row {number} ({type(error).__name__})") from None
    finally:
        file.close()


def _parquet_line(number: int, record: Record) -> Line:
    try:
        size = len(json.dumps(record, ensure_ascii=False).encode())
    except (TypeError, ValueError, RecursionError):  # bytes, times and decimals are no text
        plain = {name: value for name, value in record.items() if _is_plain(value)}
        return _parquet_line(number, plain) if len(plain) < len(record) else _refused(number, "not_utf8")
    if size > MAX_RECORD_BYTES:
        return _refused(number, "too_long")
    return _refused(number, "not_json") if _is_deeper(record, MAX_DEPTH) else Line(number=number, size=1, record=record)


def _refused(number: int, reason: str) -> Line:
    return Line(number=number, size=1, reason=reason)


def _is_plain(value: Any) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def _open_parquet(path: Path) -> Any:
    try:
        from pyarrow import ArrowException  # noqa: PLC0415 (an extra, and slow to start)
        from pyarrow.parquet import ParquetFile  # noqa: PLC0415
    except ImportError:
        raise BadFile('is Parquet, which needs `pip install "goldvein[parquet]"`') from None
    try:
        return ParquetFile(path, memory_map=True, buffer_size=1 << 20)
    except (ArrowException, OSError, ValueError) as error:
        raise BadFile(f"is no Parquet file ({type(error).__name__})") from None
