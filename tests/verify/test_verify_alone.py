import ast
import subprocess
import sys
from pathlib import Path

import goldvein.verify

FOLDER = Path(goldvein.verify.__file__).parent
FILES = sorted(FOLDER.glob("*.py"))


def test_it_imports_the_standard_library_and_cryptography_alone() -> None:
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                first = name.partition(".")[0]
                allowed = first in {*sys.stdlib_module_names, "cryptography"} or name.startswith("goldvein.verify")
                assert allowed, (path.name, name)


def test_importing_it_loads_nothing_else_of_goldvein_and_no_other_library() -> None:
    program = (
        "import sys; before = set(sys.modules); import goldvein.verify.documents, goldvein.verify.export;"
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names)));"
        "print(*sorted(name for name in sys.modules if name.startswith('goldvein')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603
    libraries, ours = done.stdout.splitlines()
    assert set(libraries.split()) <= {"goldvein", "cryptography", "_cffi_backend", "_openssl"}
    assert set(ours.split()) == {"goldvein", "goldvein.verify"} | {
        f"goldvein.verify.{path.stem}" for path in FILES if path.stem != "__init__"
    }
