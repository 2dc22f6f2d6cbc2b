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
        "standards version to 3.7.2.0, section 7.3.2.4, fixes since 1.6.0.5",
        "2.2.2.1. Unix platforms",
        "Chrome/120.0.0.0 and 196.0.0.0",
        "1.3.6.1.4.1.311.21.20",
        "Phone book 2011-2022, call log 2014-06-24 and 1990 - 1994",
        "Clause 252.227-7013 of the contract",
        "<0043 0043 0053> 0063 0043 0053",
        "20916 5326 5356 5365 5366 5367",
        "call order 12345678, phone reference 5550001234",
        "arn:aws:ssm-contacts:us-east-1:111122223333:contact/abc",
        "arrives 12 March 2026, due 2026-03-12",
        "epoch 1700000000, 1700000000000, snowflake 175928847299117063",
        "00:1b:44:11:3a:b7 and 0x7ffeefbff5c8",
        "look at the dot in example.org, meet at noon dot the i",
        "978-3-16-148410-0 ISBN 9783161484100",
        "52.520008, 13.404954 and -0.1277583",
        "Telefon 169.254.1.7",
        "20240131-1 and 3.0-20240131",
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
        ("card 4242.4242.4242.4242 09/27", "card [REDACTED:card] 09/27"),
        ("iban de89370400440532013000 ok", "iban [REDACTED:iban] ok"),
        ("DE89-3704-0044-0532-0130-00 BIC COBADEFF", "[REDACTED:iban] BIC COBADEFF"),
        ('"bob smith"@mail.example.org', "[REDACTED:email]"),
        ("mail bob@mail.xn--p1ai, ok", "mail [REDACTED:email], ok"),
        ("bob [at] mail [dot] example [dot] org", "[REDACTED:email]"),
        ("bob at example dot com", "[REDACTED:email]"),
        ("mailto:bob%40mail.example.org?subject=x", "mailto:[REDACTED:email]?subject=x"),
        ("tel=+41 79 871 27 60 rejected", "tel=[REDACTED:phone] rejected"),
        ("(+370) 612 34567", "([REDACTED:phone]"),
        ("00420 702 914 177", "[REDACTED:phone]"),
        ("+49\u00a030\u00a05557\u00a04242", "[REDACTED:phone]"),
        ("TEL;TYPE=CELL:0612345678", "TEL;TYPE=CELL:[REDACTED:phone]"),
        ("<telefone>11 91234-5678</telefone>", "<telefone>[REDACTED:phone]</telefone>"),
        ("WhatsApp 612345678", "WhatsApp [REDACTED:phone]"),
        ("see (11) 91234-5678 or 090-1234-5678", "see [REDACTED:phone_1] or [REDACTED:phone_2]"),
        ("ip=31.63.62.207 ok", "ip=[REDACTED:ip_address] ok"),
        ("<client>31.63.62.207</client>", "<client>[REDACTED:ip_address]</client>"),
        ("ssh root@31.63.62.207", "ssh root@[REDACTED:ip_address]"),
        ("Received: from x ([IPv6:2a00:1450:4001::200e])", "Received: from x ([IPv6:[REDACTED:ip_address]])"),
        ("::ffff:31.63.62.207", "::ffff:[REDACTED:ip_address]"),
        ("nameserver 9.9.9.10", "nameserver [REDACTED:ip_address]"),
        ("Born: 12 March 1985.", "Born: [REDACTED:birth_date]."),
        ("n\u00e9e le 03/12/1985", "n\u00e9e le [REDACTED:birth_date]"),
        ("geboren am 12.3.1985", "geboren am [REDACTED:birth_date]"),
        ("BDAY:19850312", "BDAY:[REDACTED:birth_date]"),
        ("\u751f\u5e74\u6708\u65e5: 1985\u5e743\u670812\u65e5", "\u751f\u5e74\u6708\u65e5: [REDACTED:birth_date]"),
        (
            "sort code 12-34-56, account number 12345678",
            "sort code [REDACTED:bank_account_1], account number [REDACTED:bank_account_2]",
        ),
        ("Passport No: X1234567", "Passport No: [REDACTED:identity_document]"),
        ("Reisepassnummer C01X00T47", "Reisepassnummer [REDACTED:identity_document]"),
    ],
)
def test_it_redacts_personal_data_and_nothing_beside_it(text: str, expected: str) -> None:
    assert sanitize_text(text) == expected
