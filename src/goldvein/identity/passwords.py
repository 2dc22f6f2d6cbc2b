from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from goldvein.errors import InvalidField

MIN_PASSWORD_CHARS = 10
MAX_PASSWORD_CHARS = 200

_hasher = PasswordHasher()
_NOBODY = _hasher.hash("the password of nobody")


def hash_password(password: str) -> str:
    """The argon2id hash to store; refuses a password that is too short or long."""
    if not MIN_PASSWORD_CHARS <= len(password) <= MAX_PASSWORD_CHARS:
        raise InvalidField(field="password", reason=f"{MIN_PASSWORD_CHARS} to {MAX_PASSWORD_CHARS} characters")
    return _hasher.hash(password)


def password_holds(password: str, stored: str | None) -> bool:
    """Whether the password is right. Takes as long for an unknown person as for a wrong password."""
    try:
        return _hasher.verify(stored or _NOBODY, password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False
