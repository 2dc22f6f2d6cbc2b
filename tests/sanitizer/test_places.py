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
        "styles = {Token: '#dcdccc', Error: '#e37170'}",
        "--password options are passed on",
    ],
)
def test_it_leaves_tables_markup_labels_and_code_without_a_secret(text: str) -> None:
    assert sanitize_text(text) == text
