"""One measured piece of work, in a process of its own: `python -m benchmarks.exports.work WHAT SOURCE ROWS FOLDER`.

It prints seconds on the wall, seconds of the processor, the peak of memory in MB and the bytes written, as JSON.
`bare-` is the least that writes the same records: the same rows, the same encoder, one file, nothing else.
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.exports.sources import FACTS, SOURCES
from goldvein.datasets.exports import find_format
from goldvein.datasets.exports.huggingface import pair_record, pair_schema, record, row_schema
from goldvein.datasets.exports.writing import ExplainedRow, write_export, zip_chunks

_KILOBYTES_IN_MB = 1024
_BATCH_ROWS = 2_500


def read(rows: Iterator[ExplainedRow], _folder: Path) -> None:
    """Only have the rows."""
    for _ in rows:
        pass


def bare_lines(rows: Iterator[ExplainedRow], folder: Path) -> None:
    """msgspec, one line after the other."""
    folder.mkdir()
    encode = msgspec.json.Encoder().encode
    with (folder / "all.jsonl").open("wb") as file:
        for row, _ in rows:
            turns = [{"role": "user", "content": row.example_input}, {"role": "assistant", "content": row.answer}]
            file.write(encode({"messages": turns}))
            file.write(b"\n")


def bare_parquet(rows: Iterator[ExplainedRow], folder: Path) -> None:
    """pyarrow, one batch after the other: the rows and the pairs, with the columns and the compression of the export."""
    folder.mkdir()
    schemas = {"rows": row_schema(pa), "pairs": pair_schema(pa)}
    with ExitStack() as files:
        writers = {
            name: files.enter_context(pq.ParquetWriter(folder / f"{name}.parquet", schema, compression="zstd"))
            for name, schema in schemas.items()
        }
        batches: dict[str, list[tuple[object, ...]]] = {"rows": [], "pairs": []}
        for row, _ in rows:
            batches["rows"].append(record(row))
            if row.expected_output is not None:
                batches["pairs"].append(pair_record(row, None))
            for name, batch in batches.items():
                if len(batch) == _BATCH_ROWS:
                    writers[name].write_batch(_batch(batch, schemas[name]))
                    batch.clear()
        for name, batch in batches.items():
            if batch:
                writers[name].write_batch(_batch(batch, schemas[name]))


def _batch(records: list[tuple[object, ...]], schema: pa.Schema) -> pa.RecordBatch:
    columns = zip(*records, strict=True)
    arrays = [pa.array(column, type=field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.record_batch(arrays, schema=schema)


def export(name: str) -> Callable[[Iterator[ExplainedRow], Path], None]:
    """An export as it is."""

    def write(rows: Iterator[ExplainedRow], folder: Path) -> None:
        write_export(folder, find_format(name), FACTS, rows)

    return write


def zipped(rows: Iterator[ExplainedRow], folder: Path) -> None:
    """An export, and then its zip."""
    write_export(folder, find_format("chat-jsonl"), FACTS, rows)
    with (folder / "all.zip").open("wb") as file:
        file.writelines(zip_chunks(folder))


WORK: dict[str, Callable[[Iterator[ExplainedRow], Path], None]] = {
    "read": read,
    "bare-lines": bare_lines,
    "chat-jsonl": export("chat-jsonl"),
    "bare-parquet": bare_parquet,
    "huggingface": export("huggingface"),
    "promptfoo": export("promptfoo"),
    "csv": export("csv"),
    "chat-jsonl, zip": zipped,
}


def main() -> None:
    """Do one piece of work."""
    what, source, many, folder = sys.argv[1:]
    target = Path(folder)
    rows = SOURCES[source](int(many))
    wall, processor = time.perf_counter(), time.process_time()
    WORK[what](rows, target)
    figures = {
        "seconds": time.perf_counter() - wall,
        "processor": time.process_time() - processor,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KILOBYTES_IN_MB,
        "bytes": sum(path.stat().st_size for path in target.rglob("*") if path.is_file()),
    }
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
