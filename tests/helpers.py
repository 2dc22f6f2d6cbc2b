"""What the tests of several slices share: the ladder of people, keys with chosen scopes, and a look into the store."""

from typing import Any, TypeVar

from conftest import World
from fastapi.testclient import TestClient
from sqlalchemy import select

from goldvein.identity import service as identity
from goldvein.identity.keys import parse_token
from goldvein.identity.server_key import ServerKey

UNKNOWN_ID = "01890a5d-ac96-774b-bcce-b302099a8057"
PASSWORD = "a long made-up password"

Row = TypeVar("Row")


def github_token() -> str:
    """A made-up secret, put together here so that no scanner of repositories stumbles over it."""
    return "ghp_" + "aB3dE5fG7hJ9" + "kL1mN2pQ4rS6" + "tU8vW0xY1zA2"


def client_of(world: World, name: str) -> TestClient:
    """A client of this person by key; of nobody for `anonymous`."""
    return world.anonymous() if name == "anonymous" else world.client(name)


def check_refused(world: World, method: str, path: str, body: object = None, **expected: int) -> None:
    """Try a call as several people and compare the statuses; a refusal has the one shape of errors."""
    seen = {}
    for name in expected:
        response = client_of(world, name).request(method, path, json=body)
        seen[name] = response.status_code
        if response.is_error:
            assert response.json()["error"].keys() == {"code", "message", "details"}
    assert seen == expected


def refusal(response: Any, status: int, code: str) -> dict[str, Any]:
    """The details of a refusal, after checking that it is this one."""
    assert (response.status_code, response.json()["error"]["code"]) == (status, code), response.text
    details: dict[str, Any] = response.json()["error"]["details"]
    return details


def wrong_field(response: Any) -> str:
    """The field that an InvalidField answer names."""
    field: str = refusal(response, 422, "invalid_field")["field"]
    return field


def ok(response: Any, status: int = 200) -> Any:
    """The JSON of an answer that must be a success."""
    assert response.status_code == status, response.text
    return response.json() if response.content else None


def rows(world: World, table: type[Row], of: str = "alice") -> list[Row]:
    """Every row of a table in the tenant of this person."""
    with world.database.read(world.someone(of).tenant_id) as session:
        return list(session.scalars(select(table)))


def new_key(world: World, name: str, *scopes: str, **options: Any) -> dict[str, Any]:
    """A key that the person makes in the browser: the answer with its secrets."""
    body = {"name": "made by a test", "scopes": list(scopes) or ["track"], **options}
    made: dict[str, Any] = ok(world.browser(name).post("/api/me/keys", json=body), 201)
    return made


def client_with(world: World, api_key: str, **headers: str) -> TestClient:
    """A client with this key."""
    return world.anonymous(Authorization=f"Bearer {api_key}", **headers)


def link_for(world: World, name: str, purpose: str) -> str:
    """A one-time token as the operator's command line makes it."""
    with world.database.write_across_tenants() as session:
        membership = identity.find_memberships(session, world.someone(name).email)[0]
        return identity.make_link(session, world.runtime.server_key, membership, purpose, now=world.time)


def set_password(world: World, name: str, password: str = PASSWORD) -> None:
    """Give a person a password, without ending their sessions."""
    from goldvein.identity.passwords import hash_password  # noqa: PLC0415 (argon2 takes its time to start)

    with world.database.write_across_tenants() as session:
        identity.person_of(session, world.someone(name).person_id).password_hash = hash_password(password)


def rotate_server_key(world: World) -> None:
    """Put a new server secret before the one the world was made with."""
    world.runtime.server_key = ServerKey(secrets=(b"\x01" * 32, *world.runtime.server_key.secrets))


def is_key(text: str) -> bool:
    """Whether this is an API key with a right checksum."""
    return parse_token(text) is not None
