import base64

import pytest

from goldvein.sanitizer import sanitize_text
from goldvein.sanitizer.context import Strength, classify_name

RANDOM = "a8F3kd92" + "LLsk2093" + "kdkfQ7"


@pytest.mark.parametrize(
    "text",
    [
        "the password is stored hashed",
        "token count: 512",
        "max_tokens: 4096",
        "tokens: 1234",
        '"max_tokens": 4096, "total_tokens": 123456',
        "password: str",
        "def login(user: str, password: str = None) -> Token:",
        'password = os.environ["DB_PASSWORD"]',
        "const password = process.env.DB_PASSWORD;",
        "api_key=$OPENAI_KEY",
        "password: ${DB_PASSWORD}",
        "password: {{ vault_password }}",
        "api_key: <your-token>",
        "password: changeme",
        "password=xxxx",
        "password: ****",
        '"password": null',
        '"password": None',
        '"secret": true',
        '"token": "string"',
        "password = getpass()",
        "login(user, password=password)",
        "if (password === confirmPassword) {",
        "const token = req.headers.token;",
        'primary_key="id", cache_key="user_profile_page"',
        "Forgot your password? Enter your password below.",
        '"password": "Enter your password"',
        "keyboard: qwertz, monkey: banana, author: someone",
        "passed: 12, bypass: true, compass: north",
        "token_type: Bearer",
        "public_key: " + RANDOM,
        "key: value",
        "password_file: /run/secrets/db_password",
    ],
)
def test_it_leaves_what_only_speaks_of_secrets(text: str) -> None:
    assert sanitize_text(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('connect(password="hunter2")', 'connect(password="[REDACTED:password]")'),
        ("password = 'hunter2'", "password = '[REDACTED:password]'"),
        ('password: str = "hunter2"', 'password: str = "[REDACTED:password]"'),
        ("dbPassword: hunter2", "dbPassword: [REDACTED:password]"),
        ("deploy --password hunter2 --force", "deploy --password [REDACTED:password] --force"),
        (f"deploy --token={RANDOM}", "deploy --token=[REDACTED:token]"),
        (f"https://a.example/b?token={RANDOM}&x=1", "https://a.example/b?token=[REDACTED:token]&x=1"),
        (f"X-Api-Key: {RANDOM}", "X-Api-Key: [REDACTED:secret]"),
        (f'os.environ["API_KEY"] = "{RANDOM}"', 'os.environ["API_KEY"] = "[REDACTED:secret]"'),
        ("- name: DB_PASSWORD\n  value: hunter2", "- name: DB_PASSWORD\n  value: [REDACTED:password]"),
        ("<password>hunter2</password>", "<password>[REDACTED:password]</password>"),
        ("Server=db;User=sa;Password=hunter2;Timeout=3", "Server=db;User=sa;Password=[REDACTED:password];Timeout=3"),
        ("mysql -u root -p'hunter2' shop", "mysql -u root -p'[REDACTED:password]' shop"),
        ("curl -u bob:s3cr3t! https://a.example", "curl -u bob:[REDACTED:curl_user] https://a.example"),
        (f"//registry.example/:_authToken={RANDOM}", "//registry.example/:_authToken=[REDACTED:secret]"),
        ('"password": "pa\\"ss w0rd"', '"password": "[REDACTED:password]"'),
        ("the password is hunter2.", "the password is [REDACTED:password]."),
        ('<add key="ApiKey" value="' + RANDOM + '" />', '<add key="ApiKey" value="[REDACTED:secret]" />'),
        ('{"name":"DB_PASSWORD","value":"hunter2"}', '{"name":"DB_PASSWORD","value":"[REDACTED:password]"}'),
        (
            'variable "db_password" {\n  default = "hunter2"\n}',
            'variable "db_password" {\n  default = "[REDACTED:password]"\n}',
        ),
        ("ENV DB_PASSWORD hunter2", "ENV DB_PASSWORD [REDACTED:password]"),
        ("PGPASSWORD=velvetgiraffe psql", "PGPASSWORD=[REDACTED:password] psql"),
        ("password: |\n  hunter2", "password: |\n  [REDACTED:password]"),
        (f"TOOL SECRET_KEY {RANDOM} set", "TOOL SECRET_KEY [REDACTED:secret] set"),
        ("a%3D1%26password%3Dhunter2%26x%3D1", "a%3D1%26password%3D[REDACTED:password]%26x%3D1"),
    ],
)
def test_it_redacts_the_value_and_nothing_beside_it(text: str, expected: str) -> None:
    assert sanitize_text(text) == expected


@pytest.mark.parametrize(
    ("name", "strength"),
    [
        ("password", Strength.PASSWORD),
        ("DB_PASSWORD", Strength.PASSWORD),
        ("dbPassword2", Strength.PASSWORD),
        ("passwordHint", None),
        ("AWS_SECRET_ACCESS_KEY", Strength.KEY),
        ("x-api-key", Strength.KEY),
        ("secret_name", None),
        ("token", Strength.WEAK),
        ("token_count", None),
        ("primaryKey", None),
        ("author", None),
    ],
)
def test_names_are_classified_by_what_they_say(name: str, strength: Strength | None) -> None:
    assert classify_name(name) is strength


def test_a_secret_recognised_once_is_redacted_where_nothing_names_it() -> None:
    text = f"api_key={RANDOM}\nlogged: {RANDOM} ok"
    assert sanitize_text(text) == "api_key=[REDACTED:secret]\nlogged: [REDACTED:secret] ok"


@pytest.mark.parametrize(
    "written",
    [
        "gh\u200bp_" + "a1B2c3" * 6,
        "ghp_a1B2\x1b[0mc3" + "a1B2c3" * 5,
        "\\u0067hp_" + "a1B2c3" * 6,
        "ghp_" + "a1B2c3" * 3 + '" + "' + "a1B2c3" * 3,
    ],
)
def test_a_secret_written_otherwise_is_redacted(written: str) -> None:
    assert sanitize_text(f'x "{written}" y') == 'x "[REDACTED:github_token]" y'


def test_base64_of_a_text_with_a_secret_is_redacted_as_a_whole() -> None:
    hidden = base64.b64encode(b"user=bob password=hunter2-x").decode()
    harmless = base64.b64encode(b"the quick brown fox jumps over").decode()
    assert sanitize_text(f"data: {hidden}, {harmless}") == f"data: [REDACTED:password], {harmless}"


@pytest.mark.parametrize(
    "text",
    [
        "pw = getpass.getpass('Password: ')",
        "print(f'password={password!r}')",
        "PASSWORD_RESET_TIMEOUT = 3600",
        "The --user and --password switches have been renamed",
        "--passwd=FICHIER lit le fichier",
        "Enter passphrase for key '/home/dev/.ssh/id_ed25519': ",
        "monkey: " + "a94a8fe5" * 5,
        "checksum/secret: " + "a94a8fe5" * 8,
        "password=%DB_PASSWORD%",
        'password = "__password__"',
        "DB_PASSWORD=@Microsoft.KeyVault(SecretUri=https://a.example/secrets/DbPassword/)",
        'access_token = "Invalid:%s:%s"',
        "score\n0.84147098...",
        "ssh " + "AAAAC3NzaC1lZDI1NTE5AAAA" + "I2k8f0Qw9LrT5vXyZbNcMdGhJkPq",
        '{"password": "Salas\u00f5na"}',
        "        ldap_pass=ldappass,\n        retries=3,",
        "flow: oauth_flow: OAuth2PasswordBearer.tokenUrl",
        "API_KEY=ghp_" + "x" * 36,
        "carbon (= 6.18.13.136), iron (>> 7.8.22.161)",
    ],
)
def test_what_only_looks_like_a_value_stays(text: str) -> None:
    assert sanitize_text(text) == text
