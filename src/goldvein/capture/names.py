"""Names are stored as they come, so one that looks like a secret is refused."""

from functools import lru_cache

from goldvein.errors import InvalidField
from goldvein.sanitizer import sanitize_text


def need_clean_names(**names: str | None) -> None:
    """Raise InvalidField for the first name in which the sanitizer finds something."""
    for name, value in names.items():
        if value is not None and not _is_clean(value):
            raise InvalidField(field=name, reason="looks like a secret or personal data; send a plain name")


@lru_cache(maxsize=16_384)  # tools, models and sessions repeat, so that the hot path does not pay for this
def _is_clean(name: str) -> bool:
    return sanitize_text(name) == name
