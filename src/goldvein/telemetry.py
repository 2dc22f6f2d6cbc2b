"""Logs that cannot carry payload text, and counters that add up.

Log lines are JSON on standard error. A field passes only if its name is in `LOG_FIELDS`; what is not listed is
dropped and counted, so that a careless `log.info(..., body=...)` leaks nothing. Exceptions are logged by class and
place, never by message: messages of drivers and parsers quote their input.
"""

import logging
import os
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

LOG_FIELDS = frozenset(
    {
        "event", "level", "timestamp", "logger",
        "tenant_id", "person_id", "skill_id", "example_id", "usage_event_id", "key_id",
        "door", "outcome", "reason", "route", "method", "status", "duration_ms", "count",
        "error", "place", "job", "request_id", "version", "address", "store", "dropped_fields",
    }
)  # fmt: skip


def _allow_listed(_logger: object, _name: str, fields: MutableMapping[str, Any]) -> Mapping[str, Any]:
    dropped = [name for name in fields if name not in LOG_FIELDS]
    for name in dropped:
        del fields[name]
    if dropped:
        fields["dropped_fields"] = len(dropped)
    return fields


def _without_message(_logger: object, _name: str, fields: MutableMapping[str, Any]) -> Mapping[str, Any]:
    error = fields.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        fields["error"] = type(error).__name__
        frames = traceback.extract_tb(error.__traceback__)
        if frames:
            fields["place"] = f"{frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}"
    return fields


class _StandardLibraryHandler(logging.Handler):
    """Brings what libraries log into our form; their text is dropped, since it may quote a payload."""

    def emit(self, record: logging.LogRecord) -> None:
        fields: dict[str, Any] = {"logger": record.name, "place": f"{record.filename}:{record.lineno}"}
        if record.exc_info:
            fields["exc_info"] = record.exc_info
        structlog.get_logger().log(record.levelno, "library_message", **fields)


def configure_logging(level: str) -> None:
    """Set up logging for this process, the libraries' included."""
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _without_message,
            _allow_listed,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # looked up at each line, as tests replace it
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [_StandardLibraryHandler()]
    root.setLevel(logging.WARNING)


SHARED_METRICS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Names the folder in which several processes keep their counters; the library reads it when it is imported."""


class Metrics:
    """The counters; law 4 holds over them exactly. Of several processes each one shows the sums over all of them.

    received = stored + duplicate + rejected, and stored = captured + denied + none + failed.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.received = self._counter("events_received", "Items that reached a door", "door")
        self.outcomes = self._counter(
            "events", "What became of them: stored, duplicate or rejected", "door", "outcome", "reason"
        )
        self.captures = self._counter(
            "captures",
            "What became of the stored ones: captured, denied, none or failed",
            "outcome",
            "reason",
        )
        self.findings = self._counter("sanitizer_findings", "What the sanitizer removed", "type")
        self.sanitizer_failures = self._counter("sanitizer_failures", "Texts dropped outside of capture")
        self.replaced_nuls = self._counter("replaced_nuls", "NUL characters made visible in snippets")
        self.reviews = self._counter("reviews", "Decisions of reviewers", "decision")
        self.consent_changes = self._counter("consent_changes", "Consent events", "action")
        self.journal_failures = self._counter("journal_failures", "Times the journal of withdrawals was not written")
        self.retention = self._counter("retention", "What was removed by its age", "what")
        self.job_attempts = self._counter("job_attempts", "Jobs that a worker took up", "kind", "outcome")
        self.requests = Histogram(
            "goldvein_request_seconds", "Time to answer", ["route", "status"], registry=self.registry
        )

    def shown(self) -> bytes:
        """Everything in the Prometheus text format."""
        if SHARED_METRICS_VARIABLE not in os.environ:
            return generate_latest(self.registry)
        shared = CollectorRegistry()
        MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
        return generate_latest(shared)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"goldvein_{name}", text, labels, registry=self.registry)
