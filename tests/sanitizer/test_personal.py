import pytest

from goldvein.sanitizer import sanitize_text


@pytest.mark.parametrize(
    "text",
    [
        "icon@2x.png and git@github.com:a/b.git and @types/node@18.1.0",
        "id 550e8400-e29b-41d4-a716-446655440000",
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "version 1.2.3.4, v5.6.7.8, requests==2.31.0.1",
        "127.0.0.1 10.0.0.1 192.168.1.1 172.16.0.1 169.254.1.1 192.0.2.1 198.51.100.1 203.0.113.9 0.0.0.0",
        "::1 fe80::1 fd00::1 2001:db8::1",
        "2024-01-31T10:11:12Z and 20240131101112",
        "order 1234567890123456",
        "data:image/png;base64," + "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ" * 4,
        "std::vector<int> a::b::c 12:30:45",
        "price 1,234,567.89 and 3.14159265358979",
    ],
)
def test_it_leaves_what_is_not_personal(text: str) -> None:
    assert sanitize_text(text) == text


def test_numbers_in_json_become_strings_so_that_it_still_parses() -> None:
    assert sanitize_text('{"card": 4242424242424242, "n": [4111111111111111]}') == (
        '{"card": "[REDACTED:card_1]", "n": ["[REDACTED:card_2]"]}'
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("write bob+news@mail.example.com, please", "write [REDACTED:email], please"),
        ("phone: (415) 555-2671", "phone: [REDACTED:phone]"),
        ("tel. +44 (0)20 7946 0958", "tel. [REDACTED:phone]"),
        ("http://8.8.8.8:80/x", "http://[REDACTED:ip_address]:80/x"),
        ("3782 822463 10005", "[REDACTED:card]"),
    ],
)
def test_it_redacts_personal_data_and_nothing_beside_it(text: str, expected: str) -> None:
    assert sanitize_text(text) == expected
