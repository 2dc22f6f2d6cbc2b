"""Our entries in Claude Code's settings file: put in, looked at, taken out.

The file belongs to its owner. Everything that is not ours keeps its place and its value; a file that cannot
be read as settings is left as it is. The API key is never written: an entry names the environment variable
that holds it.
"""

import json
import math
import os
import re
import stat
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

HOOK_PATH: Final = "/api/hooks/claude-code"
KEY_VARIABLE: Final = "GOLDVEIN_API_KEY"
NO_VARIABLE: Final = "DO_NOT_TRACK"  # where it is 1, nothing is captured; empty where it is not set
SKILL_HEADER: Final = "X-Goldvein-Skill"
HOOK_TIMEOUT_SECONDS: Final = 2  # a server that hangs costs the session this much on each call

# Which tools an event is sent for; None: the event knows no tools.
_MATCHERS: Final[dict[str, str | None]] = {
    "UserPromptExpansion": None,
    "PreToolUse": "Skill",
    "PostToolUse": "*",
    "PostToolUseFailure": "*",
    "Stop": None,
}
EVENTS: Final = tuple(_MATCHERS)

_SKILL_NAME: Final = re.compile(r"[A-Za-z0-9._:-]{1,200}")
_URL_CHARACTERS: Final = re.compile(r"[A-Za-z0-9._~:/\[\]%-]+")
_FIRST_INDENT: Final = re.compile(r'^([ \t]+)"', re.MULTILINE)

JSONObject = dict[str, Any]


class HookSettingsError(Exception):
    """The settings file, or what should be written into it, is not usable; nothing was changed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Installed:
    """What `install` did; `events` are those that are sent from now on."""

    changed: bool
    path: Path
    events: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Status:
    """What stands in the file; `installed` only when every event is sent."""

    installed: bool
    url: str | None
    skill: str | None
    events: tuple[str, ...]


def settings_path(project: Path | None, home: Path) -> Path:
    """Return the settings of one project on this machine only, or else of this user."""
    if project is None:
        return home / ".claude" / "settings.json"
    return project / ".claude" / "settings.local.json"


def install(path: Path, *, base_url: str, skill: str | None) -> Installed:
    """Make every event go to the server at `base_url`, as uses of `skill` if one is given.

    1. Entries of ours are changed where they stand. Their group's matcher stays: who narrowed it to some
       tools does not have it widened by a second install.
    2. An event without an entry of ours gets a group of its own behind the groups that are there.
    3. Entries of ours at other events go: an earlier version sent more.

    Raises `HookSettingsError`.
    """
    entry = _entry(_checked_base_url(base_url), _checked_skill(skill))
    target, text, settings = _load(path)
    before = _render(settings, text)
    groups_by_event = _hooks_of(settings, path)
    for event in list(groups_by_event):
        if event not in _MATCHERS:
            _take_out(groups_by_event, event)
    for event, matcher in _MATCHERS.items():
        _put_in(groups_by_event.setdefault(event, []), matcher, entry)
    settings["hooks"] = groups_by_event
    changed = _save(target, text, before, settings)
    return Installed(changed=changed, path=path, events=EVENTS)


def status(path: Path) -> Status:
    """Look at the file; one that is not there has nothing installed. Raises `HookSettingsError`."""
    _, _, settings = _load(path)
    groups_by_event = _hooks_of(settings, path)
    found = {event: _our_entries(groups) for event, groups in groups_by_event.items()}
    entries = [entry for event in EVENTS for entry in found.get(event, [])]
    events = tuple(event for event in EVENTS if found.get(event))
    return Status(
        installed=events == EVENTS,
        url=entries[0]["url"] if entries else None,
        skill=_skill_of(entries[0]) if entries else None,
        events=events,
    )


def remove(path: Path) -> bool:
    """Take every entry of ours out, with what is empty by that; tell whether there was one.

    Raises `HookSettingsError`.
    """
    target, text, settings = _load(path)
    before = _render(settings, text)
    groups_by_event = _hooks_of(settings, path)
    events = list(groups_by_event)
    for event in events:
        _take_out(groups_by_event, event)
    if events and not groups_by_event:
        del settings["hooks"]
    return _save(target, text, before, settings)


def _entry(base_url: str, skill: str | None) -> JSONObject:
    headers = {"Authorization": f"Bearer ${{{KEY_VARIABLE}}}", "DNT": f"${{{NO_VARIABLE}}}"}
    if skill is not None:
        headers[SKILL_HEADER] = skill
    return {
        "type": "http",
        "url": base_url + HOOK_PATH,
        "timeout": HOOK_TIMEOUT_SECONDS,
        "headers": headers,
        "allowedEnvVars": [KEY_VARIABLE, NO_VARIABLE],
    }


def _checked_base_url(base_url: str) -> str:
    """Refuse what would put a secret or a variable into the file, or would not reach a server."""
    parts = _split_url(base_url)
    plain = parts is not None and parts.scheme in {"http", "https"} and bool(parts.hostname)
    if not plain or not _URL_CHARACTERS.fullmatch(base_url):
        raise HookSettingsError(
            "The server's address must be http:// or https:// with a host, and without user, password, "
            "query and fragment."
        )
    return base_url.rstrip("/")


def _checked_skill(skill: str | None) -> str | None:
    if skill is not None and not _SKILL_NAME.fullmatch(skill):
        raise HookSettingsError("A skill is named by 1..200 characters of A-Za-z0-9._:-")
    return skill


def _split_url(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # read late by the standard library, and wrong ports raise only then
    except ValueError:
        return None
    return parts


def _is_ours(entry: JSONObject) -> bool:
    url = entry.get("url")
    if entry.get("type") != "http" or not isinstance(url, str):
        return False
    parts = _split_url(url)
    return parts is not None and parts.path.endswith(HOOK_PATH)


def _our_entries(groups: list[JSONObject]) -> list[JSONObject]:
    return [entry for group in groups for entry in group["hooks"] if _is_ours(entry)]


def _skill_of(entry: JSONObject) -> str | None:
    headers = entry.get("headers")
    skill = headers.get(SKILL_HEADER) if isinstance(headers, dict) else None
    return skill if isinstance(skill, str) else None


def _put_in(groups: list[JSONObject], matcher: str | None, entry: JSONObject) -> None:
    ours = _our_entries(groups)
    for present in ours:
        present.update(entry)
    if not ours:
        selector = {} if matcher is None else {"matcher": matcher}
        groups.append(selector | {"hooks": [entry]})


def _take_out(groups_by_event: dict[str, list[JSONObject]], event: str) -> None:
    """Remove our entries of one event; a group that was empty before is not ours to remove."""
    groups = groups_by_event[event]
    if not _our_entries(groups):
        return
    kept = []
    for group in groups:
        foreign = [entry for entry in group["hooks"] if not _is_ours(entry)]
        if foreign or not group["hooks"]:
            kept.append({**group, "hooks": foreign})
    if kept:
        groups_by_event[event] = kept
    else:
        del groups_by_event[event]


def _load(path: Path) -> tuple[Path, str | None, JSONObject]:
    """Return the file behind any link, its text (None: there is no file) and its settings."""
    target = path
    try:
        target = path.resolve()
        text = target.read_bytes().decode()
    except FileNotFoundError:
        return target, None, {}
    except UnicodeDecodeError:
        problem = "it is not text in UTF-8"
    except (OSError, RuntimeError) as error:
        problem = _named(error)
    else:
        return target, text, _parse(text, path)
    raise HookSettingsError(f"{path} cannot be read: {problem}. It was left as it is.")


def _parse(text: str, path: Path) -> JSONObject:
    """Read settings. What writing back would lose (a key that comes twice, 1e999) is refused like bad JSON."""
    try:
        settings = json.loads(text, object_pairs_hook=_unique_members, parse_constant=_finite, parse_float=_finite)
    except json.JSONDecodeError as error:
        problem = f"line {error.lineno}, column {error.colno}: {error.msg}"
    except RecursionError:
        problem = "it is nested too deeply"
    except ValueError as error:
        problem = str(error)
    else:
        if isinstance(settings, dict):
            return settings
        problem = "it does not hold a JSON object"
    raise HookSettingsError(f"{path} is not valid settings: {problem}. It was left as it is.")


def _unique_members(members: list[tuple[str, Any]]) -> JSONObject:
    unique = dict(members)
    if len(unique) != len(members):
        raise ValueError("a key comes twice in one object")
    return unique


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError("a number is not finite")
    return value


def _hooks_of(settings: JSONObject, path: Path) -> dict[str, list[JSONObject]]:
    """Return the groups of every event; raises `HookSettingsError` for another shape than Claude Code's."""
    groups_by_event = settings.get("hooks", {})
    if not isinstance(groups_by_event, dict):
        raise _wrong_shape(path, "hooks", "an object")
    for event, groups in groups_by_event.items():
        if not isinstance(groups, list):
            raise _wrong_shape(path, f"hooks.{event}", "a list")
        for group in groups:
            if not isinstance(group, dict) or not isinstance(group.get("hooks"), list):
                raise _wrong_shape(path, f"each element of hooks.{event}", 'an object with a list "hooks"')
            if not all(isinstance(entry, dict) for entry in group["hooks"]):
                raise _wrong_shape(path, f"each hook of hooks.{event}", "an object")
    return groups_by_event


def _wrong_shape(path: Path, place: str, expected: str) -> HookSettingsError:
    return HookSettingsError(f"{path} is not valid settings: {place} must be {expected}. It was left as it is.")


def _render(settings: JSONObject, text: str | None) -> bytes:
    """Write settings in the manner of the text they came from: indent, escapes and line breaks."""
    manner = "\n" if text is None else text
    indent = _FIRST_INDENT.search(manner)
    as_json = partial(json.dumps, settings, indent=indent[1] if indent else 2)
    rendered = as_json(ensure_ascii=text is not None and text.isascii())
    if not _is_unicode(rendered):
        rendered = as_json(ensure_ascii=True)
    if manner.endswith("\n"):
        rendered += "\n"
    return rendered.replace("\n", "\r\n" if "\r\n" in manner else "\n").encode()


def _is_unicode(text: str) -> bool:
    """Tell whether a text has no half surrogate pair, which JSON can hold as an escape only."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _save(target: Path, text: str | None, before: bytes, settings: JSONObject) -> bool:
    """Write the settings if they differ from before; a file that says the same already is not touched."""
    after = _render(settings, text)
    if after == before:
        return False
    try:
        _replace_file(target, after)
    except OSError as error:
        problem = _named(error)
    else:
        return True
    raise HookSettingsError(f"{target} cannot be written: {problem}. It was left as it is.")


def _replace_file(target: Path, content: bytes) -> None:
    """Put the content in the file's place in one step, with the file's mode (a new file: its owner's only).

    The temporary file lies next to it: a shared temp folder is open to others and may be another disk.
    """
    target.parent.mkdir(exist_ok=True)
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o600
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(mode)
        Path(temporary).replace(target)
    finally:
        Path(temporary).unlink(missing_ok=True)


def _named(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or type(error).__name__
