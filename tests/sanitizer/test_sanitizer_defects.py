"""The defects of the reference system that concern the sanitizer, each by its number."""

import json
import string

import pytest

import goldvein.sanitizer
from goldvein.sanitizer import SANITIZER_VERSION, sanitize, sanitize_text

BASE62 = string.ascii_letters + string.digits


def made_up(length: int, letters: str = BASE62) -> str:
    return "".join(letters[(place * 17 + 5 + place // len(letters)) % len(letters)] for place in range(length))


@pytest.mark.parametrize(
    "name",
    ["password", "db_password", "apiKey", "client_secret", "dbPassword", "x-api-key", "passphrase", "access_token"],
)
def test_defect_32_quoted_names_are_recognised_in_json(name: str) -> None:
    text = json.dumps({"user": "bob", name: "hunter2-" + made_up(4), "port": 5432})
    cleaned = json.loads(sanitize_text(text))
    assert cleaned["user"] == "bob"
    assert cleaned["port"] == 5432
    assert cleaned[name].startswith("[REDACTED:")


def test_defect_32_quoted_names_are_recognised_in_json_inside_json() -> None:
    text = json.dumps({"stdout": json.dumps({"password": "hunter2", "user": "bob"})})
    inner = json.loads(json.loads(sanitize_text(text))["stdout"])
    assert inner == {"password": "[REDACTED:password]", "user": "bob"}


def test_defect_32_single_quotes_and_numbers_are_recognised() -> None:
    assert sanitize_text("{'password': 'hunter2'}") == "{'password': '[REDACTED:password]'}"
    assert sanitize_text('{"password": 123456, "a": 1}') == '{"password": "[REDACTED:password]", "a": 1}'


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("DB_PASSWORD=hunter2", "DB_PASSWORD=[REDACTED:password]"),
        ("export DB_PASSWORD='hunter2'", "export DB_PASSWORD='[REDACTED:password]'"),
        ("MYSQL_ROOT_PASSWORD: hunter2", "MYSQL_ROOT_PASSWORD: [REDACTED:password]"),
        ("PGPASSWORD=hunter2 psql -h db", "PGPASSWORD=[REDACTED:password] psql -h db"),
        (f"AWS_SECRET_ACCESS_KEY={made_up(40)}", "AWS_SECRET_ACCESS_KEY=[REDACTED:secret]"),
        (f"aws_secret_access_key = {made_up(40)}", "aws_secret_access_key = [REDACTED:secret]"),
        (f"STRIPE_API_KEY={made_up(30)}", "STRIPE_API_KEY=[REDACTED:secret]"),
        (f"spring.datasource.password={made_up(12)}", "spring.datasource.password=[REDACTED:password]"),
    ],
)
def test_defect_33_upper_case_and_prefixed_names_are_recognised(line: str, expected: str) -> None:
    assert sanitize_text(line) == expected


@pytest.mark.parametrize("environment", ["live", "test"])
def test_defect_34_own_keys_are_recognised(environment: str) -> None:
    key = f"gv_{environment}_" + made_up(50)
    assert sanitize_text(f"use {key} here") == "use [REDACTED:goldvein_key] here"
    assert sanitize_text(f"cut {key[:28]}") == "cut [REDACTED:goldvein_key]"
    assert sanitize_text(f"cut {key[:28]} in the middle") == "cut [REDACTED:goldvein_key] in the middle"


def test_defect_34_own_signing_secrets_are_recognised() -> None:
    assert sanitize_text("sign with whsec_" + made_up(43) + "=") == "sign with [REDACTED:webhook_secret]"


@pytest.mark.parametrize(
    "scheme",
    [
        "postgres",
        "postgresql",
        "postgresql+psycopg",
        "mysql",
        "mongodb+srv",
        "redis",
        "rediss",
        "amqp",
        "amqps",
        "https",
        "ftp",
    ],
)
def test_defect_35_only_the_password_of_a_url_goes(scheme: str) -> None:
    url = f"{scheme}://app:{{}}@db.internal:5432/shop?x=1"
    assert sanitize_text("at " + url.format("s3cr3t/x")) == "at " + url.format("[REDACTED:url_password]")


def test_defect_35_urls_with_a_password_alone_are_recognised() -> None:
    assert sanitize_text("redis://:s3cr3t@cache:6379/0") == "redis://:[REDACTED:url_password]@cache:6379/0"


def test_defect_35_urls_without_a_password_stay() -> None:
    for url in (
        "postgresql://db.internal:5432/shop",
        "https://a.example:8443/x@y",
        "redis://cache:6379",
        "git@host.example:a/b",
    ):
        assert sanitize_text(url) == url


@pytest.mark.parametrize("label", ["", "RSA ", "EC ", "DSA ", "OPENSSH ", "ENCRYPTED "])
@pytest.mark.parametrize("cut", [False, True])
def test_defect_36_private_keys_are_recognised_also_when_cut(label: str, cut: bool) -> None:
    body = "\n".join(made_up(64) for _ in range(4)) + "\n" + made_up(20)
    end = "" if cut else f"\n-----END {label}PRIVATE KEY-----\nafter"
    assert sanitize_text(f"before\n-----BEGIN {label}PRIVATE KEY-----\n{body}{end}") == (
        "before\n[REDACTED:private_key]" + ("" if cut else "\nafter")
    )


def test_defect_36_a_cut_pgp_key_inside_json_is_recognised() -> None:
    text = json.dumps(
        {"key": "-----BEGIN PGP " + "PRIVATE KEY BLOCK-----\n\n" + made_up(64) + "\n" + made_up(30), "n": 1}
    )
    assert json.loads(sanitize_text(text)) == {"key": "[REDACTED:private_key]", "n": 1}


def test_defect_36_public_keys_and_certificates_stay() -> None:
    text = f"-----BEGIN CERTIFICATE-----\n{made_up(64)}\n-----END CERTIFICATE-----\n-----BEGIN PUBLIC KEY-----\n{made_up(64)}"
    assert sanitize_text(text) == text


@pytest.mark.parametrize(
    ("secret", "kind"),
    [
        ("ASIA" + made_up(16, string.ascii_uppercase + "234567"), "aws_access_key"),
        ("sk-svcacct-" + made_up(20) + "-" + made_up(20) + "_" + made_up(20), "openai_key"),
        ("sk-proj-" + made_up(10) + "-" + made_up(20) + "_" + made_up(30), "openai_key"),
        ("sk_live_" + made_up(24), "stripe_key"),
        ("rk_live_" + made_up(24), "stripe_key"),
        ("xoxb-" + made_up(12, string.digits) + "-" + made_up(24), "slack_token"),
        ("AIza" + made_up(35), "google_api_key"),
        ("eyJ" + made_up(33) + ".eyJ" + made_up(40) + "." + made_up(43), "jwt"),
    ],
)
def test_defect_37_keys_of_vendors_are_recognised(secret: str, kind: str) -> None:
    assert sanitize_text(f"found {secret} there") == f"found [REDACTED:{kind}] there"
    assert sanitize_text(f'{{"out": "a\\n{secret}\\n"}}') == f'{{"out": "a\\n[REDACTED:{kind}]\\n"}}'


@pytest.mark.parametrize("scheme", ["bearer", "Bearer", "BEARER", "Basic", "Token", "ApiKey"])
def test_defect_37_authorization_of_any_scheme_and_case_is_recognised(scheme: str) -> None:
    credential = made_up(32)
    for header in ("Authorization", "authorization", "PROXY-AUTHORIZATION"):
        assert (
            sanitize_text(f"{header}: {scheme} {credential}\r\n") == f"{header}: {scheme} [REDACTED:authorization]\r\n"
        )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mail bob@example.org today", "mail [REDACTED:email] today"),
        ("call +49 30 5557 4242 today", "call [REDACTED:phone] today"),
        ("Telefon: 030 5557 4242", "Telefon: [REDACTED:phone]"),
        ("card 4242 4242 4242 4242", "card [REDACTED:card]"),
        ("DE89 3704 0044 0532 0130 00", "[REDACTED:iban]"),
        ("GB82WEST12345698765432", "[REDACTED:iban]"),
        ("ssn 536-22-8714", "ssn [REDACTED:ssn]"),
        ("from 8.8.4.4 on", "from [REDACTED:ip_address] on"),
        ("from 2a00:1450:4001:82b::200e on", "from [REDACTED:ip_address] on"),
    ],
)
def test_defect_38_personal_data_is_recognised(text: str, expected: str) -> None:
    assert sanitize_text(text) == expected


def test_defect_39_findings_are_kept_with_type_place_and_version_but_no_value() -> None:
    text = "mail bob@example.org, DB_PASSWORD: hunter2"
    result = sanitize(text)
    assert [(finding.type, text[finding.start : finding.end]) for finding in result.findings] == [
        ("email", "bob@example.org"),
        ("password", "hunter2"),
    ]
    assert result.version == SANITIZER_VERSION == goldvein.sanitizer.SANITIZER_VERSION
    assert "hunter2" not in repr(result.findings)
    assert "bob@" not in repr(result)


def test_defect_39_a_second_look_changes_nothing() -> None:
    once = sanitize_text("mail bob@example.org and eve@example.org, DB_PASSWORD: hunter2")
    assert sanitize(once).text == once
    assert sanitize(once).findings == ()


@pytest.mark.parametrize("kept", [12, 16, 20, 30])
def test_defect_41_a_secret_that_the_end_of_the_text_cuts_is_recognised(kept: int) -> None:
    for prefix in ("ghp_", "sk-proj-", "glpat-", "sk-ant-", "gv_live_"):
        text = ("x " * 490 + prefix + made_up(40))[: 980 + len(prefix) + kept]
        assert sanitize_text(text).endswith("]")
        assert made_up(40)[:6] not in sanitize_text(text)


def test_defect_41_a_secret_beyond_the_first_thousand_characters_is_recognised() -> None:
    text = "word " * 5000 + "ghp_" + made_up(36)
    assert sanitize_text(text) == "word " * 5000 + "[REDACTED:github_token]"
