"""Rows to Parquet, a group at a time. Needs the extra `parquet`."""

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, Final

from goldvein.errors import NotConfigured

GROUP_CHARS: Final = 8 << 20
GROUP_ROWS: Final = 10_000
_CHUNK_BYTES: Final = 1 << 18


def need_pyarrow() -> ModuleType:
    """The library, or an error that names the extra."""
    try:
        import pyarrow.parquet  # noqa: PLC0415 (an extra: who exports no Parquet does not install it)
    except ImportError:
        raise NotConfigured(what='Parquet needs the extra `parquet`: pip install "goldvein[parquet]"') from None
    library: ModuleType = pyarrow
    return library


class _Outbox:
    """What the encoder has written and nobody has taken yet; it behaves as a file that is only appended to."""

    closed = False

    def __init__(self) -> None:
        self._waiting = bytearray()

    def write(self, data: Any) -> int:
        self._waiting += memoryview(data)
        return len(data)

    def flush(self) -> None:
        """Nothing waits longer than until it is taken."""

    def close(self) -> None:
        """The bytes stay to be taken."""

    def take(self) -> bytearray:
        taken, self._waiting = self._waiting, bytearray()
        return taken


class ParquetFile:
    """One file that grows by row groups. The same records give the same bytes with the same version of pyarrow."""

    def __init__(self, schema: Callable[[ModuleType], Any]) -> None:
        self._pyarrow = need_pyarrow()
        self._schema = schema(self._pyarrow)
        self._outbox = _Outbox()
        self._writer = self._pyarrow.parquet.ParquetWriter(
            self._pyarrow.PythonFile(self._outbox, mode="w"), self._schema, compression="zstd", write_page_index=True
        )
        self._records: list[tuple[Any, ...]] = []
        self._chars = 0

    def add(self, record: tuple[Any, ...], chars: int) -> bool:
        """Add one record, a value for each column; tells whether a group is full and bytes should be taken."""
        self._records.append(record)
        self._chars += chars
        return self._chars >= GROUP_CHARS or len(self._records) >= GROUP_ROWS

    def take(self) -> bytearray:
        """Encode what has been added, and give the bytes that are ready."""
        if self._records:
            columns = zip(*self._records, strict=True)
            arrays = [
                self._pyarrow.array(column, type=field.type)
                for column, field in zip(columns, self._schema, strict=True)
            ]
            self._writer.write_batch(self._pyarrow.record_batch(arrays, schema=self._schema))
            self._records, self._chars = [], 0
        return self._outbox.take()

    def end(self) -> bytearray:
        """The rest, and the footer."""
        head = self.take()
        self._writer.close()
        return head + self._outbox.take()


def records_without(path: str, column: str, unwanted: frozenset[str]) -> Iterator[bytes]:
    """The file again, without the records whose column is one of these values."""
    pyarrow = need_pyarrow()
    outbox = _Outbox()
    with pyarrow.parquet.ParquetFile(path) as source:
        sink = pyarrow.PythonFile(outbox, mode="w")
        schema = source.schema_arrow
        writer = pyarrow.parquet.ParquetWriter(sink, schema, compression="zstd", write_page_index=True)
        for batch in source.iter_batches(batch_size=1024):
            keep = pyarrow.array([value not in unwanted for value in batch.column(column).to_pylist()], pyarrow.bool_())
            writer.write_batch(batch.filter(keep))
            yield bytes(outbox.take())
        writer.close()
    yield bytes(outbox.take())
