"""`from goldvein.sanitizer import sanitize` is usable without the rest of goldvein."""

import subprocess
import sys


def test_it_brings_in_nothing_but_its_search_engine() -> None:
    code = (
        "import sys; before = set(sys.modules); from goldvein.sanitizer import sanitize;"
        "assert sanitize('mail a@b.example').text == 'mail [REDACTED:email]';"
        "print(*sorted({m.partition('.')[0] for m in set(sys.modules) - before} - set(sys.stdlib_module_names)));"
        "print(*sorted(m for m in sys.modules if m.startswith('goldvein') and not m.startswith('goldvein.sanitizer')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - our own code
    packages, own = done.stdout.splitlines()
    assert packages.split() == ["goldvein", "re2"]
    assert own.split() == ["goldvein"]
