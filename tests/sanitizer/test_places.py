"""Secrets known by where they stand: tables, markup, lines of configuration, calls, messages in other scripts."""

import json

import pytest

from goldvein.sanitizer import sanitize_text

RANDOM = "a8F3kd92" + "LLsk2093" + "kdkfQ7"
PASSWORD = "Quarz" + "!77kette"


@pytest.mark.parametrize(
    "text",
    [
        "name,user,password\nwiki,bob,{}\n",
        "name;user;passwort\nwiki;bob;{}\n",
        '"id","user","password"\n"7","bob","{}"\n',
        "host\tuser\tpassword\ndb\tbob\t{}\n",
        "| User | Password |\n|---|---|\n| bob | `{}` |\n",
        "| Field | Value |\n|---|---|\n| Password | {} |\n",
        " id | username | password\n----+------+------\n 1 | bob | {}\n(1 row)\n",
        "USER  PASSWORD\nbob   {}\n",
        "INSERT INTO users (name, password) VALUES ('bob', '{}');",
        '<input value="{}" type="hidden" name="user[password]">',
        '<property name="password"><value>{}</value></property>',
        '<entry key="db.password">{}</entry>',
        "<key>Password</key>\n<string>{}</string>",
        '<wsse:Password Type="PasswordText">{}</wsse:Password>',
        "--- a/app.yml\n+++ b/app.yml\n+password: {}\n",
        "echo 'bob:{}' | sudo chpasswd",
        "kinit bob <<< '{}'",
        "net use Z: \\\\files\\share {} /user:bob",
        "snmpget -v3 -u bob -A {} host.example sysName",
        "ConvertTo-SecureString {} -AsPlainText -Force",
        'smtp.login("bob", "{}")',
        '$login = New-Object PSCredential("bob", "{}")',
        "schtasks.exe /create /ru bob /rp {} /tn job",
        "runas /user:bob /pass:{} cmd",
        "exp scott/{}@orcl file=all.dmp",
        "ENV\tDB_PASSWORD\t{}",
        'expect "Password:"\nsend_user -- "{}\\r"',
        'page.fill("#password", "{}")',
        "enable secret {}",
        "user bob on >{} ~* +@all",
        "stats auth bob:{}",
        "bob@db.example's password: {}\nLast login: Mon\n",
        "credentials: bob / {}",
        "use {} as the password",
        "\u043f\u0430\u0440\u043e\u043b\u044c: {}",
        "\u5bc6\u7801\uff1a{}",
        "\u30d1\u30b9\u30ef\u30fc\u30c9\u306f\u300c{}\u300d\u3067\u3059",
        "password \u2192 {}",
        "a001 LOGIN bob {}\r\na001 OK",
        "USER bob\nPASS {}\n",
        "/msg NickServ IDENTIFY bob {}",
        "127.0.0.1:6379> auth bob {}\n",
        "bundle config gems.example bob:{}",
        "K 8\npassword\nV 14\n{}\nEND",
        "<Password>\n<Value>{}</Value>\n</Password>",
        "<auth-user-pass>\nbob\n{}\n</auth-user-pass>",
        'getConnection(\n    "jdbc:h2:mem:a",\n    "bob",\n    "{}")',
        "smtp.login(USER, '{}')",
    ],
)
def test_a_password_goes_wherever_it_stands(text: str) -> None:
    assert PASSWORD in text.format(PASSWORD)
    assert PASSWORD not in sanitize_text(text.format(PASSWORD))


@pytest.mark.parametrize(
    "text",
    [
        "service,api_key\nmail,{0}\nmaps,{0}\n",
        '<meta name="csrf-token" content="{0}">',
        '<add key="ApiKey" value="{0}" />',
        '{{"ParameterKey": "ApiToken", "ParameterValue": "{0}"}}',
        'const key = process.env.API_KEY || "{0}";',
        'api_key <- "{0}"',
        'std::string api_key{{"{0}"}};',
        "https://app.example/callback?code={0}{0}&state=x",
        '{{"kty": "oct", "k": "{0}"}}',
        "createHmac('sha256', '{0}')",
        "the Quuxly token for staging is {0}",
        "> can you send me the Quuxly key?\nSure: {0}",
        "Klucz (QUUXLY_API_KEY): {0}",
        "QUUXLY_API_KEY\u306f\u300c{0}\u300d\u3067\u3059",
        "Set {{{{QUUXLY_TOKEN}}}} to:\n{{noformat}}\n{0}\n{{noformat}}",
        "<dt>QUUXLY_TOKEN</dt><dd>{0}</dd>",
        'variable "quuxly_token" {{\n  type = string\n  default = "{0}"\n}}',
        "QUUXLY_TOKEN ?= {0}\n",
        "set -gx QUUXLY_TOKEN {0}",
    ],
)
def test_a_generated_key_goes_wherever_it_stands(text: str) -> None:
    assert RANDOM not in sanitize_text(text.format(RANDOM))


def test_a_table_in_a_string_of_json_is_a_table() -> None:
    written = json.dumps({"content": f"id,user,password\n7,bob,{PASSWORD}\n"})
    assert PASSWORD not in sanitize_text(written)
    assert json.loads(sanitize_text(written))


def test_all_rows_of_a_column_go_and_the_other_columns_stay() -> None:
    table = f"user,password,city\nbob,{PASSWORD},Ulm\nann,plum-Tree-204,Bern\n"
    cleaned = sanitize_text(table)
    assert cleaned == "user,password,city\nbob,[REDACTED:password_1],Ulm\nann,[REDACTED:password_2],Bern\n"


@pytest.mark.parametrize(
    "text",
    [
        "| Field | Type | Meaning |\n|---|---|---|\n| password | string | What the user types |\n| token | uuid4 | Sent once |\n",
        "from app.auth import Token, password\nfrom app.models import User, Group\n",
        "call(user, password,\n     host, port)\n",
        "'ssh2_password',\n'ssh2_connect',\n'ssh2_exec',\n",
        "columns: id, password, created\n",
        '<input type="password" name="password" placeholder="Your password">',
        '<label for="password">Password</label><input name="password" value="">',
        '<string name="password">Mot de passe</string>',
        '<option value="token">Token</option>',
        '{"password": "Kennwort", "forgot": "Kennwort vergessen?", "api_key": "API-Schl\u00fcssel"}',
        '{"password": "Mot de passe oubli\u00e9 ?"}',
        "struct Login {\n    api_key: Zeroizing<Vec<u8>>,\n    password: SecretString,\n}\n",
        "class Form(Base):\n    password: SecretStr\n    token: OAuthToken\n",
        "10:00:01 cache miss for session:48213\n2026-03-01T10:00:02Z next\n",
        "['NSURLSession', 'NSURLSessionToken', 'NSURLSessionTaskMetrics']",
        "enable password protection for the page",
        'smtp.login("bob", os.environ["SMTP_PASSWORD"])',
        "jwt.verify(token, process.env.JWT_SECRET)",
        "INSERT INTO users (name, password) VALUES (?, ?)",
        "the code=200 and state=done of https://app.example/callback?code=not_found",
        "Backup codes\nare shown once only\nand expire\n",
        "\u043f\u0430\u0440\u043e\u043b\u044c \u0445\u0440\u0430\u043d\u0438\u0442\u0441\u044f \u043a\u0430\u043a sha256",
        "\u5bc6\u7801\u4f7f\u7528 bcrypt \u52a0\u5bc6",
        "use it as the password field",
        "Rotate the api token\n0f3a9b1c2d4e5f60718293a4b5c6d7e8f9012345 Another subject",
        "api_key.py 0f3a9b1c2d4e5f60718293a4b5c6d7e8f9012345",
        "the token service runs commit 0f3a9b1c2d4e5f60718293a4b5c6d7e8f9012345",
        "merge token parser 0f3a9b1c2d4e5f60718293a4b5c6d7e8f9012345 into main",
        "Bump secret scanner action to 0f3a9b1c2d4e5f60718293a4b5c6d7e8f9012345",
        "docker pull registry/auth-token:0f3a9b1c2d4e5f60718293a4b5c6d7e8f9012345",
        'secret "db-secret" created (0b5f7a8e-9c1d-4e2f-a3b4-5c6d7e8f9a0b)',
        "see secret manager at v1beta1alpha2/projects.secrets",
        "the cache key is 0f3a9b1c2d4e5f60718293a4b5c6d7e8f9012345",
        "class _X25519PrivateKey(X25519PrivateKey):",
        "from auth import AuthorizationCodeGrant as OAuth2AuthorizationCodeGrant",
        "PASS tests/login.test.js\nPASS tests/token.test.js\n",
        "250-AUTH PLAIN LOGIN\n",
        "passphrase: the words that you have to type in\n",
        'send "quit\\r"',
        'token_pattern = r"[A-Za-z0-9_.+-]+@[A-Za-z0-9-]+#(?:x|y)!"',
        "styles = {Token: '#dcdccc', Error: '#e37170'}",
        "--password options are passed on",
    ],
)
def test_it_leaves_tables_markup_labels_and_code_without_a_secret(text: str) -> None:
    assert sanitize_text(text) == text
