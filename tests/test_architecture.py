"""Rules of the tree that no other tool checks."""

import ast
from pathlib import Path

import goldvein

ROOT = Path(goldvein.__file__).parent
FILES = sorted(path for path in ROOT.rglob("*.py") if "migrations" not in path.parts)


def calls(path: Path) -> set[str]:
    """The names that are called in a file, attributes by their last part."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "") for func in found}


def imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def test_only_the_session_commits() -> None:
    assert [path.name for path in FILES if "commit" in calls(path)] == ["batch.py", "session.py"]


def test_no_raw_sql_above_the_floor() -> None:
    """The tenant filter sees ORM statements only, so nothing else may reach the database."""
    above = [path for path in FILES if path.parent.name != "db" and path.name != "doctor.py"]
    offenders = {path.name for path in above if "sqlalchemy.text" in imports(path) or "exec_driver_sql" in calls(path)}
    assert offenders - {"tables.py"} == set()


def test_routes_hold_no_sql() -> None:
    api_files = [path for path in FILES if path.name == "api.py" or path.parent.name == "web"]
    assert len(api_files) >= 8
    for path in api_files:
        assert not any(name.startswith("sqlalchemy") for name in imports(path)), path


def test_services_know_no_http() -> None:
    for path in FILES:
        if path.name in {"service.py", "tables.py", "decision.py", "review.py", "kinds.py", "withdrawal.py"}:
            assert not any(name.startswith(("fastapi", "starlette")) for name in imports(path)), path


def test_pure_rules_have_no_clock_and_no_chance() -> None:
    pure = [
        ROOT / name for name in ("consent/decision.py", "examples/review.py", "feedback/kinds.py", "capture/prices.py")
    ]
    pure += [ROOT / "consent/replay.py", *(ROOT / "verify").glob("*.py")]
    pure += [*(ROOT / "examples/importing").glob("*.py"), ROOT / "skills/assertions.py", ROOT / "skills/json_schema.py"]
    pure += [ROOT / "results" / f"{name}.py" for name in ("comparison", "trials", "promptfoo", "inspect_log")]
    pure += [ROOT / "capture/formats.py", ROOT / "capture/claude_code.py", *(ROOT / "sanitizer").glob("*.py")]
    impure = {"sqlalchemy", "fastapi", "os", "random", "secrets"}
    for path in pure:
        # The sanitizer's engine alone reads a clock, the thread's own: a text that takes too long fails closed.
        refused = impure if path.name == "engine.py" else impure | {"time"}
        assert not {name.split(".")[0] for name in imports(path)} & refused, path
        assert not calls(path) & {"now", "utcnow", "today", "getenv"}, path


def test_each_slice_has_its_fixed_names() -> None:
    for name in ("identity", "policy", "skills", "consent", "feedback", "examples", "capture", "datasets", "results"):
        assert {"service.py", "api.py"} <= {path.name for path in (ROOT / name).glob("*.py")}, name


def test_sources_have_no_forbidden_leftovers() -> None:
    words = ("TO" + "DO", "FIX" + "ME", "NotImplemented" + "Error", "pragma: no " + "cover")
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        assert not [word for word in words if word in text], path
