"""Whose key a command acts with: named for this call, set in the environment, or saved by `goldvein login`."""

import contextlib
import functools
import inspect
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import platformdirs
import typer

from goldvein import settings
from goldvein.errors import NotConfigured
from goldvein_client import Client

UrlOption = Annotated[
    str | None, typer.Option("--url", metavar="URL", help="The server (default: GOLDVEIN_URL, or your login).")
]
KeyFileOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="A file that holds the API key (default: GOLDVEIN_API_KEY, or your login)."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


@dataclass(frozen=True, kw_only=True, slots=True)
class Login:
    """A server and the key to use there."""

    url: str
    api_key: str = field(repr=False)


def login_file() -> Path:
    """Where `goldvein login` keeps what it was told."""
    return Path(platformdirs.user_config_dir("goldvein", appauthor=False)) / "login.json"


def save_login(login: Login) -> Path:
    """Keep a login, readable by its owner only, in one step."""
    path = login_file()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".login.")  # made with mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({"url": login.url, "api_key": login.api_key}, file)
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)
    return path


def forget_login() -> bool:
    """Remove the saved login; tells whether there was one."""
    path = login_file()
    existed = path.exists()
    path.unlink(missing_ok=True)
    return existed


def saved_login() -> Login | None:
    """What was saved; None when nothing was. Raises NotConfigured for a file that others can read or that is broken."""
    path = login_file()
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise NotConfigured(what=f"{path} cannot be read ({type(error).__name__})") from error
    if os.name == "posix" and mode & 0o077:
        raise NotConfigured(what=f"{path} can be read by others: run `chmod 600` on it, and rotate the key")
    with contextlib.suppress(ValueError, RecursionError):
        match json.loads(text):
            case {"url": str(url), "api_key": str(api_key)}:
                return Login(url=url, api_key=api_key)
    raise NotConfigured(what=f"{path} is not what `goldvein login` writes: log in again")


def choose_login(url: str | None, key_file: Path | None) -> Login:
    """The server and the key of this call. A saved key is sent to no other server than the one it was saved for.

    1. The server: `--url`, else GOLDVEIN_URL, else the saved one. 2. The key: `--key-file`, else GOLDVEIN_API_KEY,
    else the saved one if the server is the saved one. A key without a server is an error: it is not guessed.
    """
    environment = settings.load()
    named_url = (url or environment.url).rstrip("/")
    named_key = _read_key(key_file) if key_file is not None else environment.api_key
    if named_url and named_key:
        return Login(url=named_url, api_key=named_key)
    saved = saved_login()
    if named_key:
        raise NotConfigured(what="there is a key but no server for it: set GOLDVEIN_URL, or use --url")
    if saved is None or (named_url and named_url != saved.url):
        where = f" for {named_url}" if named_url else ""
        raise NotConfigured(what=f"no API key{where}: run `goldvein login`, or set GOLDVEIN_URL and GOLDVEIN_API_KEY")
    return saved


def _read_key(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NotConfigured(what=f"--key-file: {path} cannot be read ({type(error).__name__})") from error


def connect(url: str | None = None, key_file: Path | None = None) -> Client:
    """A client for this call."""
    login = choose_login(url, key_file)
    return Client(login.url, login.api_key, channel="cli")


def with_client(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command that takes `client` first the options `--url` and `--key-file` in its place."""

    @functools.wraps(function)
    def command(*, url: str | None = None, key_file: Path | None = None, **options: Any) -> None:
        with connect(url, key_file) as client:
            function(client, **options)

    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    keyword = inspect.Parameter.KEYWORD_ONLY
    options = [
        *own,
        inspect.Parameter("url", keyword, default=None, annotation=UrlOption),
        inspect.Parameter("key_file", keyword, default=None, annotation=KeyFileOption),
    ]
    command.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]  # what typer reads
    command.__annotations__ = {option.name: option.annotation for option in options}
    return command
