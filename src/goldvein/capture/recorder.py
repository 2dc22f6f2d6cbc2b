"""From a reported use to what became of it: names checked, texts sanitized only if worth it, stored by the writer.

Every use that is given to `record` is counted exactly once, whatever becomes of it or of its caller.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

import msgspec
import structlog

from goldvein import failpoints
from goldvein.capture.names import need_clean_names
from goldvein.capture.outcomes import Capture, Recorded, rejection_of
from goldvein.capture.standing import Expected, Standings
from goldvein.capture.storing import Outcome, Quotas, event_hashes
from goldvein.capture.uses import Prepared, Report
from goldvein.capture.writer import Writer
from goldvein.db.ids import new_id
from goldvein.errors import GoldveinError, StoreUnavailable
from goldvein.identity.access import Runtime
from goldvein.sanitizer import ExtraRules, Sanitized, SanitizerFailed, TextTooLong, sanitize_many

log = structlog.get_logger()

SANITIZED_ON_THE_LOOP_CHARS: Final = 8 * 1024  # more takes so long that other calls would feel it
WORK_THREADS: Final = 16
READ_THREADS: Final = 4

Made = TypeVar("Made")

_Raw = tuple[str, str, ExtraRules]

_NO_SNIPPETS: Final = Capture(outcome="none", reason="no_snippets")
_OVERSIZE: Final = Capture(outcome="none", reason="oversize_snippet")
_FAILED: Final = Capture(outcome="failed", reason="internal_error")


class Recorder:
    """What the doors record uses with: one for each process."""

    def __init__(self, runtime: Runtime) -> None:
        settings = runtime.settings
        self._runtime = runtime
        self.threads = ThreadPoolExecutor(WORK_THREADS, "capture")
        self._readers = ThreadPoolExecutor(READ_THREADS, "standing")
        self._standings = Standings(runtime.database, self._readers)
        self._writer = Writer(
            runtime.database,
            lambda: runtime.server_key,
            Quotas(
                pending_per_skill=settings.max_pending_per_skill, per_person_day=settings.max_captured_per_person_day
            ),
            most_events=settings.queue_events,
            most_bytes=settings.queue_bytes,
            batch_events=settings.batch_events,
            count=self._count_answered,
        )
        runtime.at_close(self.close)

    def close(self) -> None:
        """Store what has queued, and end the threads."""
        self._writer.close()
        self.threads.shutdown()
        self._readers.shutdown()

    async def record(self, reports: Sequence[Report | GoldveinError], *, door: str, size: int) -> list[Outcome]:
        """Record the uses of one request of `size` bytes; what became of each, in order.

        1. A place in the writer's queue is reserved, before any work. 2. Names that look like secrets are refused.
        3. If consent, as far as is known, does not already say no, the snippets are sanitized; a failing sanitizer
        drops them. 4. The writer stores: when this returns, what is recorded is on disk. An element that is an error
        already is counted and passed through.
        """
        try:
            place = self._writer.reserve(len(reports), size)
        except StoreUnavailable as error:
            return self._count_rejected(door, [error] * len(reports))
        try:
            prepared = await self._prepare(reports)
        except BaseException:  # the server is stopping, or the caller has gone away: nothing of it is stored
            self._writer.release(place)
            self._count_rejected(door, [StoreUnavailable()] * len(reports))
            raise
        self._count_rejected(door, [use for use in prepared if isinstance(use, Exception)])
        uses = [use for use in prepared if isinstance(use, Prepared)]
        if not uses:
            self._writer.release(place)
            return [use for use in prepared if isinstance(use, Exception)]
        failpoints.reach("track.queueing")
        try:
            stored = iter(await self._writer.store(uses, place))
        except Exception as error:  # noqa: BLE001 (the writer could not take them: none is stored, each is counted)
            stored = iter(self._count_rejected(door, [error] * len(uses)))
        return [use if isinstance(use, Exception) else next(stored) for use in prepared]

    async def _prepare(self, reports: Sequence[Report | GoldveinError]) -> list[Prepared | Exception]:
        found: list[Prepared | Exception] = []
        raw: dict[int, _Raw] = {}
        checked = _checked(reports) if len(reports) == 1 else await self._in_thread(partial(_checked, reports))
        for number, report in enumerate(checked):
            if isinstance(report, Exception):
                found.append(report)
                continue
            use, rules = await self._without_texts(report)
            found.append(use)
            snippets = _snippets(report)
            if rules is not None and snippets is not None:
                raw[number] = (*snippets, rules)
        if not raw:
            return found
        names = self._runtime.settings.sanitizer_names
        work = partial(_sanitize_pairs, raw.values(), names=names)
        quick = len(reports) == 1 and not names and all(map(_is_quick, raw.values()))
        sanitized = work() if quick else await self._in_thread(work)
        for number, result in zip(raw, sanitized, strict=True):
            change = {"otherwise": result} if isinstance(result, Capture) else {"texts": result}
            found[number] = msgspec.structs.replace(found[number], **change)  # type: ignore[type-var]  # of `raw`
        failpoints.reach("track.sanitized")
        return found

    async def _in_thread(self, work: Callable[[], Made]) -> Made:
        return await asyncio.get_running_loop().run_in_executor(self.threads, work)

    async def _without_texts(self, report: Report) -> tuple[Prepared | Exception, ExtraRules | None]:
        """The use as it is stored without its texts; and if these are worth sanitizing, by which extra rules."""
        try:
            expected = await self._expected(report)
        except GoldveinError as error:
            return error, None
        except Exception:  # a bug in capturing costs the capture, never the event
            log.exception("capture_failed", door=report.door)
            expected = Expected(refused=_FAILED)
        prepared = Prepared(
            report=report,
            usage_event_id=new_id(),
            event_hashes=event_hashes(self._runtime.server_key, report),
            texts=None,
            otherwise=expected.refused or _FAILED,
            names_reporter=expected.names_reporter,
        )
        return prepared, expected.rules if expected.refused is None else None

    async def _expected(self, report: Report) -> Expected:
        if report.use.dropped_oversize:
            return Expected(refused=_OVERSIZE)
        if _snippets(report) is None:
            return Expected(refused=_NO_SNIPPETS)
        return await self._standings.expected(report)

    def _count_rejected(self, door: str, errors: Sequence[Exception]) -> list[Outcome]:
        for reason, number in Counter(map(rejection_of, errors)).items():
            self._runtime.metrics.outcomes.labels(door=door, outcome="rejected", reason=reason).inc(number)
        return list(errors)

    def _count_answered(self, answered: Iterable[tuple[Prepared, Outcome]]) -> None:
        """Count what the writer has decided, after the commit: the counters never run ahead of the store."""
        events: Counter[tuple[str, str, str]] = Counter()
        captures: Counter[tuple[str, str]] = Counter()
        findings: Counter[str] = Counter()
        nuls = 0
        for prepared, outcome in answered:
            door = prepared.report.door
            if not isinstance(outcome, Recorded):
                events[door, "rejected", rejection_of(outcome)] += 1
                continue
            events[door, outcome.outcome, ""] += 1
            if outcome.outcome == "duplicate":
                continue
            captures[outcome.capture.outcome, outcome.capture.reason or ""] += 1
            findings.update(outcome.findings)
            nuls += prepared.report.use.replaced_nuls
            if outcome.capture.reason == "quota":
                self._standings.note_full(prepared.report)
        metrics = self._runtime.metrics
        for labels, number in events.items():
            metrics.outcomes.labels(*labels).inc(number)
        for capture, number in captures.items():
            metrics.captures.labels(*capture).inc(number)
        for finding, number in findings.items():
            metrics.findings.labels(finding).inc(number)
        if nuls:
            metrics.replaced_nuls.inc(nuls)


def _snippets(report: Report) -> tuple[str, str] | None:
    first, second = report.use.tool_input_snippet, report.use.tool_output_snippet
    return (first, second) if first and second else None


def _checked(reports: Sequence[Report | GoldveinError]) -> list[Report | Exception]:
    """The reports, and in place of one whose names look like secrets its refusal."""
    return [report if isinstance(report, Exception) else _with_clean_names(report) for report in reports]


def _with_clean_names(report: Report) -> Report | Exception:
    use = report.use
    try:
        need_clean_names(
            tool_name=use.tool_name,
            hook_event=use.hook_event,
            session_id=use.session_id,
            model_name=use.model_name,
        )
    except Exception as error:  # noqa: BLE001 (a name that cannot be checked is not stored either)
        return error
    return report


def _is_quick(raw: _Raw) -> bool:
    """Whether a text is sanitized so fast that no other call feels it; how long a tenant's rules take nobody knows."""
    first, second, rules = raw
    return len(first) + len(second) <= SANITIZED_ON_THE_LOOP_CHARS and not rules.rules


def _sanitize_pairs(pairs: Iterable[_Raw], *, names: bool) -> list[tuple[Sanitized, Sanitized] | Capture]:
    return [_sanitize_pair(*pair, names=names) for pair in pairs]


def _sanitize_pair(
    tool_input: str, tool_output: str, rules: ExtraRules, *, names: bool
) -> tuple[Sanitized, Sanitized] | Capture:
    """The texts of one example, or why there are none: whatever goes wrong here costs the text, never the event."""
    try:
        first, second = sanitize_many([tool_input, tool_output], rules, names=names)
    except TextTooLong:
        return Capture(outcome="failed", reason="text_too_long")
    except SanitizerFailed:
        return Capture(outcome="failed", reason="sanitizer_failed")
    except Exception:
        log.exception("capture_failed")
        return _FAILED
    return first, second
