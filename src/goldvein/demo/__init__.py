"""`goldvein demo`: a server with two made-up organisations, and a short session played against it.

Everything that people do, the demo does over HTTP with their keys, as they would. Run again on the same data folder
it finds what it made, plays the same session, and nothing is stored twice.
"""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Final

from goldvein import settings as all_settings
from goldvein.db.migrate import upgrade
from goldvein.demo import summary
from goldvein.demo.people import Cast, DemoPerson, gather, refuse_real_tenants
from goldvein.demo.session import calls
from goldvein.errors import NotConfigured
from goldvein.server import Server, bind, ended_by_signals, is_empty, make_server, opened
from goldvein.settings import Settings
from goldvein.telemetry import configure_logging
from goldvein.terminal import say, say_json
from goldvein_client import Client, ClientError

START_SECONDS: Final = 15.0
JOIN_STEP_SECONDS: Final = 0.2

# The first is the one that the session uses.
_SKILLS: Final = (
    ("release-notes", "Release notes", "alice"),
    ("incident-summary", "Incident summary", "alice"),
    ("changelog-check", "Changelog check", "charlie"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoSkill:
    """One of the demo's skills, as the server knows it."""

    skill_id: str
    slug: str
    tenant_id: str
    author_id: str


def run(*, port: int, as_json: bool) -> None:
    """Serve the demo until it is stopped (SIGINT or SIGTERM). Raises NotConfigured or NotAllowed before it serves."""
    settings = demo_settings(port)
    configure_logging("error")
    listener, settings = bind(settings)
    with listener, ended_by_signals(), opened(settings) as runtime:
        if not is_empty(runtime):
            refuse_real_tenants(runtime)
        upgrade(settings.migration_url, settings.store_url)
        cast = gather(runtime)
        with _serving(make_server(runtime), listener) as server:
            _play(settings, cast, as_json=as_json)
            _wait_for(server)
    if not as_json:
        say()
        say("Stopped. Everything is kept: run it again to go on.")


def demo_settings(port: int) -> Settings:
    """The settings with an address of this machine, and a data folder of the demo's own unless one is named."""
    settings = all_settings.load()
    settings = replace(settings, host="127.0.0.1", port=port, public_url="", trusted_proxies="")
    if {"GOLDVEIN_DATA_DIR", "GOLDVEIN_DATA_DIR_FILE"} & os.environ.keys():
        return settings
    return replace(settings, data_dir=settings.data_dir.with_name(settings.data_dir.name + "-demo"))


@contextlib.contextmanager
def _serving(server: Server, listener: socket.socket) -> Iterator[threading.Thread]:
    """Run the server in a thread of its own; at the end it is stopped and waited for."""
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="server")
    thread.start()
    try:
        deadline = time.monotonic() + START_SECONDS
        while not server.started:
            if not thread.is_alive() or time.monotonic() > deadline:
                raise NotConfigured(what="the server did not start")
            time.sleep(0.005)
        yield thread
    finally:
        server.should_exit = True
        _wait_for(thread)


def _wait_for(thread: threading.Thread) -> None:
    """Join in short steps: a signal that comes just before an endless wait would be seen only after it."""
    while thread.is_alive():
        thread.join(JOIN_STEP_SECONDS)


def _play(settings: Settings, cast: Cast, *, as_json: bool) -> None:
    """Register the skills, switch capture on, give bob's consent, send the session, and print what became of it."""
    base_url = settings.base_url
    with contextlib.ExitStack() as stack:
        clients = {name: stack.enter_context(Client(base_url, person.api_key)) for name, person in cast.people.items()}
        clients["service"] = stack.enter_context(Client(base_url, cast.service_key))
        try:
            skills = [_register(clients[author], *skill) for *skill, author in _SKILLS]
            _choose_once(clients)
            session = calls(
                since=cast.since,
                bob_id=cast.people["bob"].person_id,
                dana_id=cast.people["dana"].person_id,
                skill_text=skill_text(_SKILLS[0][0]),
            )
            answers = [(call, clients[call.who].request("POST", call.path, json_body=call.body)) for call in session]
        except ClientError as error:
            if error.code != "not_authenticated":
                raise
            raise NotConfigured(
                what=f"a key of the demo was revoked; remove {settings.data_dir} to begin again"
            ) from error
        if as_json:
            say_json(_for_programs(base_url, cast, skills))
        else:
            summary.show(base_url, cast, clients["alice"], answers)


def _register(author: Client, slug: str, name: str) -> DemoSkill:
    """The skill, as its author registers it the first time; a later run leaves it as its author changed it."""
    try:
        skill = author.get_skill(slug)
    except ClientError as error:
        if error.code != "not_found":
            raise
        body = skill_text(slug)
        description = body.partition("description: ")[2].partition("\n")[0]
        skill = author.create_skill(slug, name, description=description, body=body)
    tenant_id = author.get_me()["tenant_id"]
    return DemoSkill(skill_id=skill["id"], slug=slug, tenant_id=tenant_id, author_id=skill["author_id"])


def skill_text(slug: str) -> str:
    """The SKILL.md of one of the demo's skills."""
    return (files("goldvein.demo") / "skill_texts" / f"{slug}.md").read_bytes().decode()


def _choose_once(clients: dict[str, Client]) -> None:
    """Dana switches capture on and bob consents, if they never chose: a no of a former run stays a no."""
    switch = clients["dana"].get_settings()
    if switch["revision"] == 0:
        clients["dana"].change_setting("training_data_capture_enabled", value=True, revision=0)
    consent = clients["bob"].get_consent()
    if not consent["records"]:
        clients["bob"].give_consent(notice_version=consent["notice_version"], revision=0)


def _for_programs(base_url: str, cast: Cast, skills: list[DemoSkill]) -> dict[str, object]:
    return {
        "base_url": base_url,
        "people": {name: _shown(base_url, person) for name, person in cast.people.items()},
        "skills": [
            {"id": skill.skill_id, "slug": skill.slug, "tenant": skill.tenant_id, "author": skill.author_id}
            for skill in skills
        ],
    }


def _shown(base_url: str, person: DemoPerson) -> dict[str, str]:
    return {
        "id": person.person_id,
        "tenant": person.tenant_id,
        "api_key": person.api_key,
        "login_url": base_url + person.login_path,
    }
