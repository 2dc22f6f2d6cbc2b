from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from goldvein.errors import InvalidField

MIN_PASSWORD_CHARS = 10
MAX_PASSWORD_CHARS = 200
PASSWORD_RULE = f"{MIN_PASSWORD_CHARS} to {MAX_PASSWORD_CHARS} characters"

_hasher = PasswordHasher()


@cache
def _of_nobody() -> str:
    """A hash to compare with where there is no person; made when first needed, since it takes 64 MB and its time."""
    return _hasher.hash("the password of nobody")


def is_long_enough(password: str) -> bool:
    """Whether a new password has a length we take."""
    return MIN_PASSWORD_CHARS <= len(password) <= MAX_PASSWORD_CHARS


def hash_password(password: str) -> str:
    """The argon2id hash to store; refuses a password that is too short or long."""
    if not is_long_enough(password):
        raise InvalidField(field="password", reason=PASSWORD_RULE)
    return _hasher.hash(password)


def password_holds(password: str, stored: str | None) -> bool:
    """Whether the password is right. Takes as long for an unknown person as for a wrong password."""
    try:
        return _hasher.verify(stored or _of_nobody(), password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False
