"""Secrets known by the place they stand in: headers, URLs, files with a fixed layout, options of well-known programs.

Each function gives a marked text of its kind; `STRUCTURES` names them by their own names.
"""

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from random import Random
from urllib.parse import quote

from benchmarks.sanitizer import words
from benchmarks.sanitizer.forms import password, url_password
from benchmarks.sanitizer.samples import coin, fill, mark, uuid

_DASHES = "-" * 5


def _user(random: Random) -> str:
    return random.choice(("admin", "deploy", "svc_orders", "app", "root", "reporting", "ci-bot"))


def _in_base64(text: str) -> str:
    return b64encode(text.encode()).decode()


def _jwt(random: Random) -> str:
    """A signed token with a header and claims that decode."""
    header = json.dumps({"alg": random.choice(("HS256", "RS256", "ES256")), "typ": "JWT"}, separators=(",", ":"))
    claims = json.dumps(
        {"sub": uuid(random), "iat": random.randint(1_700_000_000, 1_790_000_000)}, separators=(",", ":")
    )
    parts = (urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in (header, claims))
    return ".".join((*parts, fill(random, "{w43}")))


def _pem(random: Random, label: str, lines: int) -> tuple[str, str, str]:
    """The first line, the body and the last line of an armoured key."""
    body = "\n".join(fill(random, "{b64}") for _ in range(lines)) + "\n" + fill(random, "{b30}") + "=="
    return f"{_DASHES}BEGIN {label}{_DASHES}", body, f"{_DASHES}END {label}{_DASHES}"


def _armoured(random: Random, label: str, lines: int) -> str:
    first, body, last = _pem(random, label, lines)
    return f"$ cat key\n{first}\n{mark(body)}\n{last}\n{words.shell_line(random)}\n"


def rsa_private_key(random: Random) -> str:
    """The traditional form."""
    return _armoured(random, "RSA PRIVATE " + "KEY", 12)


def ec_private_key(random: Random) -> str:
    """A short one."""
    return _armoured(random, "EC PRIVATE " + "KEY", 2)


def openssh_private_key(random: Random) -> str:
    """The form of OpenSSH."""
    return _armoured(random, "OPENSSH PRIVATE " + "KEY", 6)


def pkcs8_private_key(random: Random) -> str:
    """The form without an algorithm in its label."""
    return _armoured(random, "PRIVATE " + "KEY", 14)


def encrypted_private_key(random: Random) -> str:
    """One under a passphrase."""
    return _armoured(random, "ENCRYPTED PRIVATE " + "KEY", 10)


def pgp_private_key(random: Random) -> str:
    """The block of PGP, with its checksum line."""
    first, body, last = _pem(random, "PGP PRIVATE " + "KEY BLOCK", 8)
    return f"{first}\n\n{mark(body + chr(10) + fill(random, '={b4}'))}\n{last}\n"


def private_key_without_end(random: Random) -> str:
    """A key cut before its last line."""
    first, body, _ = _pem(random, "RSA PRIVATE " + "KEY", 9)
    return f"{words.sentence(random)}\n{first}\n{mark(body[: random.randint(200, 500)])}"


def private_key_in_json(random: Random) -> str:
    """The key of a service account, its line breaks escaped."""
    first, body, last = _pem(random, "PRIVATE " + "KEY", 12)
    escaped = body.replace("\n", "\\n")
    inside = f'"private_key": "{first}\\n{mark(escaped)}\\n{last}\\n"'
    return (
        f'{{\n  "type": "service_account",\n  "project_id": "{random.choice(words.SERVICES)}-prod",\n  {inside}\n}}\n'
    )


def jwt_bearer(random: Random) -> str:
    """A signed token in a header."""
    return f"GET /v1/{random.choice(words.NOUNS)}s HTTP/1.1\nHost: {words.host(random)}\nAuthorization: Bearer {mark(_jwt(random))}\n"


def jwt_alone(random: Random) -> str:
    """A signed token in a message."""
    return f"{words.sentence(random)} the cookie holds {mark(_jwt(random))} after login"


def opaque_bearer(random: Random) -> str:
    """A bearer token without a form of its own."""
    scheme = random.choice(("Bearer", "bearer", "BEARER"))
    return f"> authorization: {scheme} {mark(fill(random, '{w32-60}'))}\n> accept: */*\n< HTTP/2 200\n"


def basic_header(random: Random) -> str:
    """User and password in base64."""
    both = _in_base64(f"{_user(random)}:{password(random)}")
    return f"curl -s https://{words.host(random)}/metrics -H 'Authorization: Basic {mark(both)}'\n"


def token_scheme(random: Random) -> str:
    """Schemes that some services have for themselves."""
    scheme = random.choice(("Token", "ApiKey", "Key", "token", "SSWS", "GenieKey"))
    return f'headers = {{"Authorization": "{scheme} {mark(fill(random, "{h40}"))}", "Accept": "application/json"}}\n'


def token_equals_scheme(random: Random) -> str:
    """A scheme with a parameter."""
    return f'Authorization: Token token="{mark(fill(random, "{n32}"))}"\nContent-Type: application/json\n'


def digest_signature(random: Random) -> str:
    """A signed request to an object store."""
    scope = (
        f"20260301/eu-west-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature={mark(fill(random, '{h64}'))}"
    )
    return f"Authorization: AWS4-HMAC-SHA256 Credential={mark(fill(random, 'AKIA{Z16}'))}/{scope}\n"


def api_key_header(random: Random) -> str:
    """A header that is a key."""
    name = random.choice(
        ("X-Api-Key", "x-api-key", "X-Auth-Token", "apikey", "Api-Key", "X-Vault-Token", "PRIVATE-TOKEN")
    )
    return f'curl https://{words.host(random)}/v2/{random.choice(words.NOUNS)} -H "{name}: {mark(fill(random, "{n32}"))}"\n'


def cookie_header(random: Random) -> str:
    """A session sent by a browser."""
    name = random.choice(("sessionid", "session", "JSESSIONID", "connect.sid", "PHPSESSID", "auth_token"))
    return f"GET /account HTTP/1.1\nHost: {words.host(random)}\nCookie: theme=dark; {name}={mark(fill(random, '{a32}'))}; lang=en\n"


def set_cookie_header(random: Random) -> str:
    """A session given by a server."""
    return f"HTTP/1.1 302 Found\nSet-Cookie: session={mark(fill(random, '{w64}'))}; Path=/; HttpOnly; SameSite=Lax\nLocation: /home\n"


def connection_string(random: Random) -> str:
    """A database and its password in one line."""
    scheme = random.choice(
        (
            "postgres",
            "postgresql",
            "mysql",
            "mongodb",
            "mongodb+srv",
            "redis",
            "rediss",
            "amqp",
            "amqps",
            "postgresql+psycopg",
        )
    )
    port = random.choice((":5432", ":3306", ":27017", ""))
    address = f"{scheme}://{_user(random)}:{mark(url_password(random))}@{words.host(random)}{port}/{random.choice(words.SERVICES)}"
    return random.choice(
        (f"DATABASE_URL={address}\n", f'engine = create_engine("{address}")\n', f"could not connect to {address}\n")
    )


def connection_string_quoted(random: Random) -> str:
    """A password with escaped signs."""
    secret = quote(fill(random, "{n6}") + random.choice("@/:#?") + fill(random, "{n6}"), safe="")
    return f"url: postgres://{_user(random)}:{mark(secret)}@{words.host(random)}/{random.choice(words.SERVICES)}?sslmode=require\n"


def password_only_url(random: Random) -> str:
    """A store that has no users."""
    return f"CACHE=rediss://:{mark(url_password(random))}@{words.host(random)}:6379/0\n"


def jdbc_parameters(random: Random) -> str:
    """User and password as parameters."""
    return f"jdbc:postgresql://{words.host(random)}:5432/{random.choice(words.SERVICES)}?user={_user(random)}&password={mark(url_password(random))}&ssl=true\n"


def ado_connection(random: Random) -> str:
    """Pairs with semicolons."""
    name = random.choice(("Password", "Pwd", "PWD"))
    return f'"Default": "Server=tcp:{words.host(random)},1433;Database={random.choice(words.SERVICES)};User ID={_user(random)};{name}={mark(url_password(random))};Encrypt=True;"\n'


def azure_storage(random: Random) -> str:
    """The connection string of a storage account."""
    key = mark(fill(random, "{b86}=="))
    return f"DefaultEndpointsProtocol=https;AccountName={random.choice(words.SERVICES)};AccountKey={key};EndpointSuffix=core.windows.net\n"


def basic_auth_url(random: Random) -> str:
    """A remote with its password."""
    return f"$ git clone https://{_user(random)}:{mark(url_password(random))}@git.{words.domain(random)}/{random.choice(words.SERVICES)}.git\nCloning into '.'...\n"


def ftp_url(random: Random) -> str:
    """The same for files."""
    scheme = random.choice(("ftp", "sftp", "smb", "ldap"))
    return f"rsync target {scheme}://{_user(random)}:{mark(url_password(random))}@{words.host(random)}/backup\n"


def token_in_query(random: Random) -> str:
    """A token that the server logs."""
    name = random.choice(("access_token", "token", "api_key", "apikey", "key", "auth", "sig", "client_secret"))
    return f'10.0.0.8 - - "GET /v1/{random.choice(words.NOUNS)}?{name}={mark(fill(random, "{n40}"))}&page=2 HTTP/1.1" 200 512\n'


def signed_url(random: Random) -> str:
    """A link that opens what it names."""
    credential = "X-Amz-Credential=" + mark(fill(random, "ASIA{Z16}")) + "%2F20260301%2Feu-west-1%2Fs3%2Faws4_request"
    return f"https://bucket.s3.amazonaws.com/{random.choice(words.NOUNS)}.csv?X-Amz-Algorithm=AWS4-HMAC-SHA256&{credential}&X-Amz-Expires=900&X-Amz-Signature={mark(fill(random, '{h64}'))}\n"


def shared_access_signature(random: Random) -> str:
    """The same of another store."""
    signature = quote(fill(random, "{b43}="), safe="")
    return f"https://{random.choice(words.SERVICES)}.blob.core.windows.net/data?sv=2025-01-05&ss=b&srt=co&sp=rl&se=2026-12-31&sig={mark(signature)}\n"


def chat_webhook(random: Random) -> str:
    """An address that is a secret."""
    if coin(random):
        return "webhook = https://hooks.slack.com/" + "services/" + mark(fill(random, "T{A10}/B{A10}/{n24}")) + "\n"
    return "url: https://discord.com/api/webhooks/" + fill(random, "1{d18}") + "/" + mark(fill(random, "{w68}")) + "\n"


def netrc(random: Random) -> str:
    """Logins of a user, on one line or three."""
    gap = random.choice((" ", "\n  "))
    return f"machine {words.host(random)}{gap}login {_user(random)}{gap}password {mark(password(random))}\n"


def pgpass(random: Random) -> str:
    """Five fields, the last a password."""
    return f"$ cat ~/.pgpass\n{words.host(random)}:5432:{random.choice(words.SERVICES)}:{_user(random)}:{mark(url_password(random))}\n"


def npmrc(random: Random) -> str:
    """A registry's token."""
    value = random.choice((fill(random, "npm_{n36}"), uuid(random)))
    return f"registry=https://npm.{words.domain(random)}/\n//npm.{words.domain(random)}/:_authToken={mark(value)}\nalways-auth=true\n"


def npmrc_auth(random: Random) -> str:
    """The older form."""
    return f"_auth={mark(_in_base64(_user(random) + ':' + password(random)))}\nstrict-ssl=true\n"


def pypirc(random: Random) -> str:
    """An index to upload to."""
    return f"[internal]\nrepository = https://pypi.{words.domain(random)}\nusername = {_user(random)}\npassword = {mark(password(random))}\n"


def docker_config(random: Random) -> str:
    """Logins of a registry."""
    both = _in_base64(f"{_user(random)}:{password(random)}")
    return f'{{\n  "auths": {{\n    "registry.{words.domain(random)}": {{\n      "auth": "{mark(both)}"\n    }}\n  }}\n}}\n'


def kubeconfig_token(random: Random) -> str:
    """A user of a cluster."""
    return f"users:\n- name: {_user(random)}\n  user:\n    token: {mark(fill(random, '{w48}'))}\n"


def kubeconfig_key(random: Random) -> str:
    """A user's private key in base64."""
    first, body, last = _pem(random, "RSA PRIVATE " + "KEY", 6)
    return f"users:\n- name: {_user(random)}\n  user:\n    client-key-data: {mark(_in_base64(first + chr(10) + body + chr(10) + last))}\n"


def kubernetes_secret(random: Random) -> str:
    """Values in base64."""
    name = random.choice(("password", "api-key", "token", "db-url", "tls.key", "client_secret"))
    return f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: {random.choice(words.SERVICES)}\ntype: Opaque\ndata:\n  {name}: {mark(_in_base64(password(random)))}\n"


def terraform_state(random: Random) -> str:
    """What a state file keeps."""
    attributes = {
        "identifier": random.choice(words.SERVICES),
        "username": _user(random),
        "password": mark(password(random)),
    }
    body = {
        "type": "aws_db_instance",
        "name": "main",
        "instances": [{"attributes": attributes, "sensitive_attributes": []}],
    }
    return json.dumps({"version": 4, "resources": [body]}, indent=2, ensure_ascii=False)


def htpasswd(random: Random) -> str:
    """A hash that can be tried offline."""
    form = random.choice(("$apr1$" + "{n8}${n22}", "$2y$10$" + "{n53}", "$2b$12$" + "{n53}"))
    return f"{_user(random)}:{mark(fill(random, form))}\n"


def shadow_line(random: Random) -> str:
    """The hash of a Unix user."""
    return f"{_user(random)}:{mark(fill(random, '$6${n16}${n86}'))}:19700:0:99999:7:::\n"


def password_option(random: Random) -> str:
    """A long option."""
    program = random.choice(
        ("mysqldump --user app", "mongo --username app", "helm registry login r.local -u app", "vault login")
    )
    return f"$ {program} --password{random.choice((' ', '='))}{mark(password(random))} > /dev/null\n"


def mysql_option(random: Random) -> str:
    """A short option with its value attached."""
    quoted = random.choice(("", "'"))
    return f"$ mysql -h {words.host(random)} -u {_user(random)} -p{quoted}{mark(url_password(random))}{quoted} -e 'select 1'\n"


def curl_user(random: Random) -> str:
    """User and password as one argument."""
    return f"$ curl {random.choice(('-u ', '--user '))}{_user(random)}:{mark(url_password(random))} https://{words.host(random)}/health\n"


def sshpass(random: Random) -> str:
    """A password for a program that should not have one."""
    return f"$ sshpass -p '{mark(password(random))}' ssh {_user(random)}@{words.host(random)}\n"


def docker_login(random: Random) -> str:
    """A login of a registry on a command line."""
    return f"$ docker login -u {_user(random)} -p {mark(url_password(random))} registry.{words.domain(random)}\nLogin Succeeded\n"


def password_variable(random: Random) -> str:
    """A variable that a program reads."""
    name, rest = random.choice(
        (
            ("PGPASSWORD", "psql -h db"),
            ("MYSQL_PWD", "mysql -u app"),
            ("SSHPASS", "sshpass -e ssh host"),
            ("RESTIC_PASSWORD", "restic backup /srv"),
            ("REDISCLI_AUTH", "redis-cli ping"),
        )
    )
    return f"$ {name}={mark(url_password(random))} {rest}\n"


def redis_option(random: Random) -> str:
    """A password as a short option."""
    return f"$ redis-cli -h {words.host(random)} -a {mark(url_password(random))} info\n"


def openssl_pass(random: Random) -> str:
    """A password with a word before it."""
    return f"$ openssl rsa -in key.pem -passin pass:{mark(url_password(random))} -out plain.pem\n"


def git_credentials(random: Random) -> str:
    """The store of git."""
    return f"$ cat ~/.git-credentials\nhttps://{_user(random)}:{mark(fill(random, 'ghp_{n36}'))}@github.com\n"


def aws_credentials(random: Random) -> str:
    """Both halves of a key."""
    return f"[default]\naws_access_key_id = {mark(fill(random, 'AKIA{Z16}'))}\naws_secret_access_key = {mark(fill(random, '{b40}'))}\nregion = eu-west-1\n"


def aws_sts_answer(random: Random) -> str:
    """A temporary key with its session."""
    body = {
        "AccessKeyId": mark(fill(random, "ASIA{Z16}")),
        "SecretAccessKey": mark(fill(random, "{b40}")),
        "SessionToken": mark(fill(random, "IQoJb3JpZ2luX2Vj{b300}")),
    }
    return json.dumps({"Credentials": body | {"Expiration": "2026-03-01T12:00:00Z"}}, indent=4, ensure_ascii=False)


def wordpress_salt(random: Random) -> str:
    """Constants of a site."""
    return f"define( 'DB_NAME', '{random.choice(words.SERVICES)}' );\ndefine( 'DB_PASSWORD', '{mark(password(random))}' );\ndefine( 'AUTH_KEY', '{mark(fill(random, '{n64}'))}' );\n"


def maven_server(random: Random) -> str:
    """A server of a build."""
    return f"<server>\n  <id>{random.choice(words.SERVICES)}</id>\n  <username>{_user(random)}</username>\n  <password>{mark(url_password(random))}</password>\n</server>\n"


def wifi_passphrase(random: Random) -> str:
    """A network's."""
    return f'network={{\n  ssid="{random.choice(words.SERVICES)}"\n  psk="{mark(password(random))}"\n}}\n'


def otp_seed(random: Random) -> str:
    """The seed of one-time passwords."""
    return f"otpauth://totp/{random.choice(words.SERVICES)}:{_user(random)}?secret={mark(fill(random, '{Z32}'))}&issuer={random.choice(words.SERVICES)}\n"


def html_password_field(random: Random) -> str:
    """A field that a browser hides."""
    return f'<label>Password</label>\n<input type="password" name="pw" value="{mark(url_password(random))}" autocomplete="off">\n'


def sql_user(random: Random) -> str:
    """A statement that makes a user."""
    form = random.choice(
        (
            "CREATE USER '{}'@'%' IDENTIFIED BY '{}';",
            "ALTER ROLE {} WITH LOGIN PASSWORD '{}';",
            "CREATE ROLE {} PASSWORD '{}' LOGIN;",
        )
    )
    return (
        form.format(_user(random), mark(password(random))) + "\nGRANT SELECT ON ALL TABLES IN SCHEMA public TO app;\n"
    )


def form_body(random: Random) -> str:
    """A token request."""
    return f"POST /oauth/token HTTP/1.1\nContent-Type: application/x-www-form-urlencoded\n\ngrant_type=client_credentials&client_id={random.choice(words.SERVICES)}&client_secret={mark(fill(random, '{n40}'))}&scope=read\n"


def token_answer(random: Random) -> str:
    """The answer to it."""
    body = {
        "access_token": mark(fill(random, "{w64}")),
        "token_type": "Bearer",
        "expires_in": 3600,
        "refresh_token": mark(fill(random, "{w48}")),
    }
    return json.dumps(body, ensure_ascii=False)


def asked_password(random: Random) -> str:
    """A password typed into a transcript."""
    return f"$ ssh {_user(random)}@{words.host(random)}\n{_user(random)}@{words.host(random)}'s password: {mark(password(random))}\nLast login: Mon\n"


def chpasswd(random: Random) -> str:
    """A pair piped into a program."""
    return f"$ echo '{_user(random)}:{mark(url_password(random))}' | sudo chpasswd\n"


STRUCTURES: dict[str, Callable[[Random], str]] = {
    function.__name__: function
    for function in (
        *(rsa_private_key, ec_private_key, openssh_private_key, pkcs8_private_key, encrypted_private_key),
        *(pgp_private_key, private_key_without_end, private_key_in_json, jwt_bearer, jwt_alone, opaque_bearer),
        *(basic_header, token_scheme, token_equals_scheme, digest_signature, api_key_header, cookie_header),
        *(set_cookie_header, connection_string, connection_string_quoted, password_only_url, jdbc_parameters),
        *(ado_connection, azure_storage, basic_auth_url, ftp_url, token_in_query, signed_url),
        *(shared_access_signature, chat_webhook, netrc, pgpass, npmrc, npmrc_auth, pypirc, docker_config),
        *(kubeconfig_token, kubeconfig_key, kubernetes_secret, terraform_state, htpasswd, shadow_line),
        *(password_option, mysql_option, curl_user, sshpass, docker_login, password_variable, redis_option),
        *(openssl_pass, git_credentials, aws_credentials, aws_sts_answer, wordpress_salt, maven_server),
        *(wifi_passphrase, otp_seed, html_password_field, sql_user, form_body, token_answer, asked_password),
        *(chpasswd,),
    )
}
