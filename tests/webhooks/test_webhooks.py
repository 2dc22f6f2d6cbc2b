"""Signed messages to where people want to be told, tried for three days, and nothing that leads inside."""

import base64
import json
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from conftest import World
from helpers import check_refused, ok, refusal, rotate_server_key, rows, wrong_field

from goldvein import background
from goldvein.identity.keys import signature_flaw
from goldvein.jobs.tables import Job
from goldvein.webhooks import sending, service
from goldvein.webhooks.tables import Webhook, WebhookDelivery

HOOKS = "/api/me/webhooks"


class Receiver:
    """A web server of the test, which answers as it is told."""

    def __init__(self) -> None:
        self.received: list[tuple[str, dict[str, str], bytes]] = []
        self.status = 204
        self.location = ""
        self.body = b""
        self.pause = 0.0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["content-length"]))
                outer.received.append((self.path, {k.lower(): v for k, v in self.headers.items()}, content))
                self.send_response(outer.status)
                if outer.location:
                    self.send_header("Location", outer.location)
                self.send_header("Content-Length", str(len(outer.body)))
                self.end_headers()
                for byte in outer.body:
                    self.wfile.write(bytes([byte]))
                    if outer.pause:
                        time.sleep(outer.pause)

            def log_message(self, *_arguments: Any) -> None:
                """Say nothing."""

        class Quiet(HTTPServer):
            def handle_error(self, *_arguments: Any) -> None:
                """A sender that hangs up is no news."""

        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/hook?x=1"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def receiver(world: World) -> Iterator[Receiver]:
    world.serve_with(webhooks_allow_http=True, webhooks_allow_private=True)
    found = Receiver()
    yield found
    found.close()


def add(world: World, url: str, name: str = "alice") -> dict[str, Any]:
    made: dict[str, Any] = ok(world.client(name).post(HOOKS, json={"url": url}), 201)
    return made


def announce(world: World, *names: str, **data: Any) -> int:
    tenant_id = world.someone("alice").tenant_id
    people = [world.someone(name).person_id for name in names or ("alice",)]
    with world.database.write(tenant_id) as session:
        return service.announce(session, tenant_id, people, "dataset.removal", data or {"version": 3}, now=world.time)


def work(world: World) -> None:
    background.worker(world.runtime).run_due()


def deliveries(world: World) -> list[WebhookDelivery]:
    return sorted(rows(world, WebhookDelivery), key=lambda row: row.id)


def failures(world: World) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ok(world.client("alice").get(HOOKS))["items"][0]["failures"]
    return found


def test_a_message_arrives_signed_and_once(world: World, receiver: Receiver) -> None:
    made = add(world, receiver.url)
    assert announce(world, dataset="d1") == 1
    work(world)
    work(world)
    ((path, headers, body),) = receiver.received
    assert path == "/hook?x=1"
    assert json.loads(body) == {
        "type": "dataset.removal",
        "timestamp": world.time.isoformat(),
        "data": {"dataset": "d1"},
    }
    secret = base64.b64decode(made["signing_secret"].removeprefix("whsec_"))
    flaw = signature_flaw(
        [secret],
        message_id=headers["webhook-id"],
        timestamp=headers["webhook-timestamp"],
        signatures=headers["webhook-signature"],
        body=body,
        now=world.time.timestamp(),
    )
    assert flaw is None
    (delivery,) = deliveries(world)
    assert (delivery.id, delivery.state, delivery.last_status) == (headers["webhook-id"], "delivered", 204)


def test_the_secret_is_shown_once_and_stored_nowhere(world: World, receiver: Receiver) -> None:
    made = add(world, receiver.url)
    assert "signing_secret" not in ok(world.client("alice").get(HOOKS))["items"][0]
    secret = made["signing_secret"].removeprefix("whsec_")
    assert not any(secret in str(cell) for cell in world.every_cell())


def test_after_a_rotation_of_the_servers_key_the_old_secret_still_holds(world: World, receiver: Receiver) -> None:
    secret = base64.b64decode(add(world, receiver.url)["signing_secret"].removeprefix("whsec_"))
    rotate_server_key(world)
    announce(world)
    work(world)
    ((_, headers, body),) = receiver.received
    named = {"message_id": headers["webhook-id"], "timestamp": headers["webhook-timestamp"]}
    signatures, now = headers["webhook-signature"], world.time.timestamp()
    assert signature_flaw([secret], **named, signatures=signatures, body=body, now=now) is None
    assert len(signatures.split()) == 2


def test_only_the_people_named_are_told_and_only_if_the_transaction_commits(world: World, receiver: Receiver) -> None:
    add(world, receiver.url, "bob")
    assert announce(world, "alice", "erin") == 0
    assert announce(world, "bob", "bob", "alice") == 1
    tenant_id = world.someone("bob").tenant_id
    with pytest.raises(ValueError, match="own tenant"), world.database.write(tenant_id) as session:
        service.announce(session, world.someone("charlie").tenant_id, [], "x", {}, now=world.time)
    assert len(deliveries(world)) == 1


@pytest.mark.parametrize(("status", "error"), [(500, "refused"), (404, "refused"), (301, "redirected")])
def test_what_is_refused_is_tried_for_three_days_and_then_dead_until_its_person_says_so(
    world: World, receiver: Receiver, status: int, error: str
) -> None:
    webhook = add(world, receiver.url)
    receiver.status, receiver.location = status, "http://127.0.0.1:1/elsewhere" if status == 301 else ""
    announce(world)
    began = world.time
    work(world)
    assert (failures(world)[0]["state"], failures(world)[0]["last_status"]) == ("waiting", status)
    while failures(world)[0]["state"] == "waiting":
        world.time += timedelta(hours=1)
        work(world)
    assert (len(receiver.received), failures(world)[0]["last_error"]) == (10, error)
    assert timedelta(days=2.4) < world.time - began < timedelta(days=4)
    assert len({headers["webhook-id"] for _, headers, _ in receiver.received}) == 1
    receiver.status, receiver.location = 200, ""
    retry = f"{HOOKS}/{webhook['id']}/deliveries/{failures(world)[0]['id']}/retry"
    ok(world.client("alice").post(retry), 202)
    work(world)
    assert (deliveries(world)[0].state, failures(world)) == ("delivered", [])
    refusal(world.client("alice").post(retry), 404, "not_found")


def test_a_receiver_that_is_gone_for_good_is_not_asked_again(world: World, receiver: Receiver) -> None:
    add(world, receiver.url)
    receiver.status = 410
    announce(world)
    work(world)
    world.time += timedelta(days=1)
    work(world)
    assert (len(receiver.received), failures(world)[0]["state"]) == (1, "dead")


def test_nothing_of_an_answer_is_stored(world: World, receiver: Receiver) -> None:
    add(world, receiver.url)
    receiver.status, receiver.body = 500, b"what the receiver said " * 500
    announce(world)
    work(world)
    assert not any("what the receiver said" in str(cell) for cell in world.every_cell())
    assert deliveries(world)[0].last_error == "refused"


def test_an_answer_that_comes_byte_by_byte_is_cut(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "WHOLE_SECONDS", 0.3)
    add(world, receiver.url)
    receiver.body, receiver.pause = b"x" * 200, 0.05
    announce(world)
    began = time.monotonic()
    work(world)
    assert time.monotonic() - began < 8
    assert deliveries(world)[0].state in {"waiting", "delivered"}


def test_nobody_there_is_a_failure_like_another(world: World, receiver: Receiver) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    add(world, f"http://127.0.0.1:{port}/")
    announce(world)
    work(world)
    assert failures(world)[0]["last_error"] == "connection_failed"


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/latest", "https://localhost/"]
)
def test_a_url_that_leads_inside_is_refused_when_it_is_registered(world: World, url: str) -> None:
    assert wrong_field(world.client("alice").post(HOOKS, json={"url": url})) == "url"
    assert rows(world, Webhook) == []


def test_a_name_that_leads_inside_later_is_not_called(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(world, receiver.url)
    world.serve_with(webhooks_allow_private=False)
    announce(world)
    work(world)
    assert (receiver.received, failures(world)[0]["last_error"]) == ([], "private_address")
    one_inside = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in ("1.1.1.1", "10.0.0.1")]
    monkeypatch.setattr(sending.socket, "getaddrinfo", lambda *_a, **_k: one_inside)
    assert wrong_field(world.client("alice").post(HOOKS, json={"url": "https://hooks.example/"})) == "url"


def test_the_address_that_was_checked_is_the_one_that_is_called(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name is resolved once: a second answer could lead anywhere."""
    add(world, receiver.url.replace("127.0.0.1", "localhost"))
    announce(world)
    asked: list[str] = []
    resolving = socket.getaddrinfo

    def resolve(host: str, *arguments: Any, **options: Any) -> Any:
        asked.append(host)
        return resolving("127.0.0.1", *arguments, **options)

    monkeypatch.setattr(sending.socket, "getaddrinfo", resolve)
    work(world)
    assert [host for host in asked if host == "localhost"] == ["localhost"]
    assert [headers["host"].partition(":")[0] for _, headers, _ in receiver.received] == ["localhost"]


def test_a_webhook_belongs_to_its_person(world: World, receiver: Receiver) -> None:
    made = add(world, receiver.url)
    announce(world)
    path = f"{HOOKS}/{made['id']}"
    check_refused(world, "GET", HOOKS, anonymous=401)
    check_refused(world, "DELETE", path, anonymous=401, bob=404, dana=404, charlie=404)
    retry = f"{path}/deliveries/{deliveries(world)[0].id}/retry"
    check_refused(world, "POST", retry, anonymous=401, bob=404, dana=404, charlie=404)
    assert ok(world.client("bob").get(HOOKS))["items"] == []
    ok(world.client("alice").delete(path), 204)
    work(world)
    assert (receiver.received, deliveries(world)) == ([], [])
    refusal(world.client("alice").delete(path), 404, "not_found")


def test_whoever_left_is_told_nothing(world: World, receiver: Receiver) -> None:
    add(world, receiver.url, "bob")
    announce(world, "bob")
    bob = world.someone("bob").person_id
    ok(world.client("dana").patch(f"/api/members/{bob}", json={"active": False}))
    work(world)
    assert receiver.received == []


def test_ten_are_enough(world: World, receiver: Receiver) -> None:
    for _ in range(10):
        add(world, receiver.url)
    assert wrong_field(world.client("alice").post(HOOKS, json={"url": receiver.url})) == "url"


def test_a_job_of_a_message_holds_its_id_alone(world: World, receiver: Receiver) -> None:
    add(world, receiver.url)
    announce(world, dataset="d1")
    with world.database.read_across_tenants() as session:
        job = session.query(Job).where(Job.kind == service.DELIVER).one()
    assert job.payload == {"delivery": deliveries(world)[0].id}


def test_messages_are_forgotten_after_90_days(world: World, receiver: Receiver) -> None:
    add(world, receiver.url)
    announce(world)
    work(world)
    world.time += timedelta(days=91)
    work(world)
    assert deliveries(world) == []
