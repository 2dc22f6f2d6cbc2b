from dataclasses import dataclass
from typing import Literal

from goldvein.errors import MissingScope, NotAllowed
from goldvein.identity.keys import SCOPES

Channel = Literal["web", "api", "cli", "mcp"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor:
    """A person who acts in one tenant, and how they came in. `scopes` is what this key or session may be used for."""

    tenant_id: str
    person_id: str
    role: str
    scopes: frozenset[str]
    channel: Channel
    credential_id: str

    @property
    def is_admin(self) -> bool:
        """Whether this person may act as admin of the tenant with this key or session."""
        return self.role == "admin" and "admin" in self.scopes

    def need(self, scope: str) -> None:
        """Raise MissingScope unless the key or session carries the scope."""
        if scope not in self.scopes:
            raise MissingScope(scope=scope)

    def need_admin(self) -> None:
        """Raise unless this is an admin of the tenant."""
        self.need("admin")
        if self.role != "admin":
            raise NotAllowed(rule="Only an admin of the tenant can do this")


@dataclass(frozen=True, kw_only=True, slots=True)
class Reporter:
    """Whoever reports uses: the owner of the key, or nobody when it is a service key."""

    tenant_id: str
    person_id: str | None
    key_id: str

    @property
    def reporter_id(self) -> str:
        """Whose event ids these are: the person's, whichever key they use, or the service key's own."""
        return self.person_id or self.key_id


def scopes_of(role: str) -> frozenset[str]:
    """Every scope a person of this role may use."""
    return frozenset(SCOPES) if role == "admin" else frozenset(SCOPES) - {"admin"}
