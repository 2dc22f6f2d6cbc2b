import json
import logging

import pytest
import structlog

from goldvein.telemetry import configure_logging

CANARY = "quiet-otter-1177"


@pytest.fixture
def log_lines(capsys: pytest.CaptureFixture[str]):  # noqa: ANN201
    configure_logging("debug")
    yield lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    configure_logging("error")


def test_a_field_that_is_not_listed_is_dropped_and_counted(log_lines) -> None:  # noqa: ANN001
    structlog.get_logger().info("request", route="/x", body=CANARY, snippet=CANARY)
    (line,) = log_lines()
    assert line["route"] == "/x"
    assert line["dropped_fields"] == 2
    assert CANARY not in json.dumps(line)


def test_an_exception_is_logged_by_class_and_place_and_never_by_message(log_lines) -> None:  # noqa: ANN001
    try:
        int(CANARY)
    except ValueError:
        structlog.get_logger().exception("request_failed")
    (line,) = log_lines()
    assert line["error"] == "ValueError"
    assert line["place"].startswith("test_telemetry.py:")
    assert CANARY not in json.dumps(line)


def test_what_libraries_log_loses_its_text(log_lines) -> None:  # noqa: ANN001
    logging.getLogger("some.driver").error("cannot insert %s", CANARY)
    (line,) = log_lines()
    assert line["logger"] == "some.driver"
    assert CANARY not in json.dumps(line)
