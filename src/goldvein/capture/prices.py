"""What a use may have cost: list prices as data, with the day they were read.

US dollars for a million tokens (input, output), from the public price pages of Anthropic, OpenAI and Google. An
estimate: caching, batch discounts and long-context surcharges are not in it. A model that is not listed has no price.
"""

import re
from decimal import Decimal
from functools import lru_cache
from typing import Final

PRICES_AS_OF: Final = "2025-11-01"

_PRICES: Final[dict[str, tuple[str, str]]] = {
    "claude-opus-4-5": ("5", "25"),
    "claude-opus-4-1": ("15", "75"),
    "claude-opus-4": ("15", "75"),
    "claude-sonnet-4-5": ("3", "15"),
    "claude-sonnet-4": ("3", "15"),
    "claude-3-7-sonnet": ("3", "15"),
    "claude-3-5-sonnet": ("3", "15"),
    "claude-haiku-4-5": ("1", "5"),
    "claude-3-5-haiku": ("0.80", "4"),
    "gpt-5": ("1.25", "10"),
    "gpt-5-mini": ("0.25", "2"),
    "gpt-5-nano": ("0.05", "0.40"),
    "gpt-4.1": ("2", "8"),
    "gpt-4.1-mini": ("0.40", "1.60"),
    "gpt-4.1-nano": ("0.10", "0.40"),
    "gpt-4o": ("2.50", "10"),
    "gpt-4o-mini": ("0.15", "0.60"),
    "o3": ("2", "8"),
    "o4-mini": ("1.10", "4.40"),
    "gemini-2.5-pro": ("1.25", "10"),
    "gemini-2.5-flash": ("0.30", "2.50"),
}
_TOKENS_PER_PRICE: Final = Decimal(1_000_000)
# What clients put around the name: a provider before it, a date, a snapshot or a context size after it.
_AROUND_NAME: Final = re.compile(
    r"^(?:.*/)?(?:(?:us|eu|apac|global)\.)?(?:anthropic\.|openai\.)?|(?:[@-](?:20\d{6}|20\d\d-\d\d-\d\d|latest))?(?:-v\d+:\d+)?(?:\[1m\])?$"
)


def estimate_cost(model_name: str, input_tokens: int | None, output_tokens: int | None) -> Decimal | None:
    """The exact product of tokens and list price in US dollars; None for a model without a listed price."""
    prices = _prices_of(model_name)
    if prices is None:
        return None
    for_input, for_output = prices
    return (for_input * (input_tokens or 0) + for_output * (output_tokens or 0)) / _TOKENS_PER_PRICE


@lru_cache(maxsize=1024)
def _prices_of(model_name: str) -> tuple[Decimal, Decimal] | None:
    prices = _PRICES.get(_AROUND_NAME.sub("", model_name.lower()))
    return None if prices is None else (Decimal(prices[0]), Decimal(prices[1]))
