"""Starts goldvein's command line by forking a process that has it imported already.

Importing takes two seconds of processor time, a fault run needs two or three servers, and there are a thousand runs.
Reads one JSON order a line and answers each with a number: a new process's id, or the exit code of one that ended.
"""

import ctypes
import json
import os
import signal
import sys
import tempfile
import traceback
from typing import Any, NoReturn

import goldvein.cli.store  # the whole server is imported before the first fork
from goldvein import cli

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Serve orders until the input ends."""
    for line in sys.stdin:
        order = json.loads(line)
        if "wait" in order:
            _, status = os.waitpid(order["wait"], 0)
            answer = os.waitstatus_to_exitcode(status)
        else:
            answer = os.fork()
            if answer == 0:
                _become(order)
        print(answer, flush=True)


def _become(order: dict[str, Any]) -> NoReturn:
    code = 1
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # nothing outlives the tests
        for number, path, flags in (
            (0, os.devnull, os.O_RDONLY),
            (1, order["out"], os.O_WRONLY | os.O_CREAT | os.O_APPEND),
            (2, order["err"], os.O_WRONLY | os.O_CREAT | os.O_APPEND),
        ):
            os.dup2(os.open(path, flags, 0o600), number)
        os.environ.clear()
        os.environ.update(order["env"])
        tempfile.tempdir = None
        sys.argv = ["goldvein", *order["arguments"]]
        if order["clock"]:
            from faults.clock import follow  # noqa: PLC0415 (only the runs that move the clock)

            follow(order["clock"])
        cli.main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 (the child must never become a second forker)
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


if __name__ == "__main__":
    assert goldvein.cli.store
    main()
