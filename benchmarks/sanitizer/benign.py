"""Texts in which nothing may change, made to look like secrets where real texts do.

Each function is one kind; `BENIGN` names them by their own names. What looks like a key here is an identifier, a
digest, an image, a reference to a secret, a placeholder or talk about secrets.
"""

import hashlib
import json
from base64 import b64encode
from collections.abc import Callable
from random import Random

from benchmarks.sanitizer import words
from benchmarks.sanitizer.samples import coin, fill, uuid


def _lines(random: Random, low: int, high: int, line: Callable[[Random], str]) -> str:
    return "\n".join(line(random) for _ in range(random.randint(low, high))) + "\n"


def _version(random: Random) -> str:
    return f"{random.randint(0, 30)}.{random.randint(0, 40)}.{random.randint(0, 20)}"


def _digest(random: Random, name: str = "sha256") -> str:
    return hashlib.new(name, random.randbytes(16)).hexdigest()


def _integrity(random: Random) -> str:
    return "sha512-" + b64encode(random.randbytes(64)).decode()


def _package(random: Random) -> str:
    scope = random.choice(("", "", "@types/", "@babel/", f"@{random.choice(words.SERVICES)}/"))
    return scope + "-".join(random.sample((*words.VERBS, *words.NOUNS), 2))


def python_code(random: Random) -> str:
    """Functions that read, check and pass secrets around."""
    verb, noun, service = random.choice(words.VERBS), random.choice(words.NOUNS), random.choice(words.SERVICES)
    body = random.choice(
        (
            f'    password = getpass.getpass("Password for {service}: ")\n    token = create_token(user, password)\n    return token\n',
            f"    api_key = settings.{service}_api_key\n    if not api_key:\n        raise MissingKey({service!r})\n    return Client(api_key=api_key, timeout={random.randint(3, 60)})\n",
            '    secret = os.environ["APP_SECRET"]\n    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()\n    return hmac.compare_digest(digest, signature)\n',
            f"    token: str | None = None\n    for {noun} in {verb}_all(limit={random.randint(10, 900)}):\n        token = {noun}.next_token\n    return token\n",
            "    hashed_password = hash_password(form.password)\n    user = User(name=form.name, password=hashed_password)\n    session.add(user)\n",
            f'    key = f"{{tenant}}:{{{noun}_id}}"\n    tokens = [word.lower() for word in text.split()]\n    return cache.get(key) or len(tokens)\n',
        )
    )
    return f'import os\n\nfrom {service}.auth import PasswordHasher, TokenError\n\n\ndef {verb}_{noun}(user, form=None, *, text=""):\n    """{verb.capitalize()} the {noun}."""\n{body}'


def javascript_code(random: Random) -> str:
    """The same in a browser."""
    noun = random.choice(words.NOUNS)
    body = random.choice(
        (
            f"const token = localStorage.getItem('{noun}Token');\nheaders.set('Authorization', `Bearer ${{token}}`);\n",
            "const { username, password, confirmPassword } = req.body;\nif (password !== confirmPassword) {\n  return res.status(400).json({ error: 'passwords_do_not_match' });\n}\n",
            f"const apiKey = process.env.{noun.upper()}_API_KEY ?? config.apiKey;\nif (!apiKey) throw new Error('apiKey is required');\n",
            f'<input type="password" name="password" placeholder="Enter your password" value={{{noun}.password}} />\n',
            "this.passwordControl = new FormControl('', [Validators.required, Validators.minLength(12)]);\n",
            f"export const {noun}Schema = z.object({{ password: z.string().min(8), token: z.string().uuid() }});\n",
        )
    )
    return f"import {{ {random.choice(words.VERBS)} }} from './{random.choice(words.SERVICES)}';\n\n{body}"


def typed_code(random: Random) -> str:
    """Declarations whose names say secret and whose values are types."""
    noun = random.choice(words.NOUNS).capitalize()
    return random.choice(
        (
            f'type {noun}Config struct {{\n\tPassword    string `json:"password"`\n\tAccessToken *string `json:"access_token,omitempty"`\n\tSecretKey   []byte\n}}\n',
            f"public class {noun} {{\n    private String password;\n    private final SecretKey secretKey;\n    public void setPassword(String password) {{ this.password = password; }}\n}}\n",
            f"interface {noun} {{\n  password: string;\n  apiKey?: string | undefined;\n  token: Promise<AccessToken>;\n  clientSecret: SecretReference;\n}}\n",
            f"pub struct {noun} {{\n    pub password: Option<String>,\n    pub token: SecretString,\n    api_key: Zeroizing<Vec<u8>>,\n}}\n",
            f"CREATE TABLE {noun.lower()}s (\n  id bigint PRIMARY KEY,\n  password_hash varchar(255) NOT NULL,\n  api_token uuid DEFAULT gen_random_uuid(),\n  secret text\n);\n",
            f"class {noun}(BaseModel):\n    password: SecretStr\n    token: str = Field(min_length=32, max_length=64)\n    api_key: Annotated[str, Depends(api_key_header)]\n",
        )
    )


def references(random: Random) -> str:
    """Configuration that says where the secret is, and not what."""
    name = random.choice(words.SERVICES)
    return random.choice(
        (
            f"env:\n  {name.upper()}_TOKEN: ${{{{ secrets.{name.upper()}_TOKEN }}}}\n  DB_PASSWORD: ${{DB_PASSWORD}}\n",
            f"password: {{{{ .Values.{name}.password | quote }}}}\nexistingSecret: {name}-credentials\n",
            f"        valueFrom:\n          secretKeyRef:\n            name: {name}-secrets\n            key: api-token\n",
            f'variable "{name}_password" {{\n  type      = string\n  sensitive = true\n}}\npassword = var.{name}_password\n',
            f"MasterUserPassword: !Sub '{{{{resolve:secretsmanager:{name}-db:SecretString:password}}}}'\n",
            f"spring.datasource.password=${{DB_PASSWORD:}}\napp.token=${{vault.{name}.token}}\n",
            f'password = data.vault_generic_secret.{name}.data["password"]\nsecret_arn = aws_secretsmanager_secret.{name}.arn\n',
            f"op read op://{name}/database/password\nexport API_KEY=$(pass show {name}/api-key)\n",
            f'connection = f"postgresql://{{user}}:{{password}}@{{host}}/{name}"\n',
            f"DATABASE_URL=postgres://${{DB_USER}}:${{DB_PASSWORD}}@db:5432/{name}\n",
        )
    )


_STAND_INS = (
    *("<your-token>", "<YOUR_API_KEY>", "your-api-key-here", "YOUR_TOKEN", "changeme", "CHANGE_ME", "xxxxxxxxxxxxxxxx"),
    *(
        "********",
        "...",
        "$OPENAI_KEY",
        "${API_TOKEN}",
        "%(token)s",
        "{{ token }}",
        "{token}",
        "[REDACTED]",
        "null",
        "None",
    ),
    *(
        "<redacted>",
        "REPLACE_ME",
        "dummy",
        "example",
        "placeholder",
        "sk-...",
        "ghp_xxxxxxxxxxxxxxxxxxxx",
        "SET_ME_LATER",
    ),
    *(
        "your_password",
        "***",
        "<secret>",
        "undefined",
        "true",
        "XXXX-XXXX-XXXX",
        "insert-key-here",
        'os.environ["API_KEY"]',
    ),
)


def placeholders(random: Random) -> str:
    """Where a value would stand, something that says so."""
    value, name = (
        random.choice(_STAND_INS),
        random.choice(("API_KEY", "token", "DB_PASSWORD", "client_secret", "password")),
    )
    service = random.choice(words.SERVICES)
    return random.choice(
        (
            f"# copy to .env and fill in\n{name.upper()}={value}\nAPP_ENV=development\n",
            f"{service}:\n  {name.lower()}: {value}\n  region: eu\n",
            f"curl https://{service}.example.com/v1 -H 'Authorization: Bearer {value}'\n",
            f"Set `{name}` to `{value}` and restart {service}.\n",
            f'{{"{name}": "{value}", "service": "{service}"}}\n' if '"' not in value else f"{name} = {value}\n",
            f"$ export {name.upper()}={value}\n$ {service} serve\n",
        )
    )


def prose_on_secrets(random: Random) -> str:
    """People talk about passwords without saying one."""
    service = random.choice(words.SERVICES)
    return random.choice(
        (
            f"The password must be at least {random.randint(8, 20)} characters long and contain a digit. Passwords are hashed with argon2id; the token: see the wiki.",
            f"I rotated the secret for {service} yesterday. The new password is in the vault, and the token expires in {random.randint(2, 90)} days.",
            f"Authentication uses Basic authentication over TLS or a Bearer token. If the token is invalid, {service} answers 401.",
            f"Password: required, string. Secret: optional, see secret management. Token type: bearer. Key: the name of the {random.choice(words.NOUNS)}.",
            f"Forgot your password? Password reset links for {service} are valid for {random.randint(10, 60)} minutes. Access token: none needed for public routes.",
            f"We never log secrets, credentials or API keys; the key: value pairs of the {random.choice(words.NOUNS)} are counted only.",
            "Why is the password field empty? Because the browser clears it; the authorization header is sent once per session.",
            f"token = a piece of text; a secret = something you do not tell; the private key stays on the {random.choice(words.NOUNS)} server.",
        )
    )


def documentation(random: Random) -> str:
    """A page of a manual."""
    service = random.choice(words.SERVICES)
    rows = "\n".join(
        f"| `{words.identifier(random)}` | {random.choice(('string', 'integer', 'boolean'))} | {words.sentence(random)} |"
        for _ in range(4)
    )
    return f"# {service.capitalize()}\n\n{words.sentence(random)} {words.sentence(random)}\n\n| Field | Type | Meaning |\n|---|---|---|\n{rows}\n\n```sh\n{words.shell_line(random)[2:]}\n```\n\nSee https://docs.{words.domain(random)}/en/{_version(random)}/{random.choice(words.NOUNS)}s.html#{random.choice(words.VERBS)}-{random.choice(words.NOUNS)}\n"


def service_log(random: Random) -> str:
    """A stretch of a log, with private addresses."""

    def access(chance: Random) -> str:
        address = f"10.{chance.randint(0, 255)}.{chance.randint(0, 255)}.{chance.randint(1, 254)}"
        return f'{address} - - [01/Mar/2026:10:{chance.randint(10, 59)}:{chance.randint(10, 59)} +0000] "GET /{chance.choice(words.NOUNS)}/{chance.randint(1, 99999)} HTTP/1.1" 200 {chance.randint(100, 99999)}'

    return _lines(random, 4, 14, random.choice((words.log_line, access)))


def trace_log(random: Random) -> str:
    """Spans of a trace with their numbers."""

    def span(chance: Random) -> str:
        return f'{words.stamp(chance)} trace_id={fill(chance, "{h32}")} span_id={fill(chance, "{h16}")} parent={fill(chance, "{h16}")} name="{words.identifier(chance)}" duration={chance.randint(1, 900)}us'

    return _lines(random, 3, 9, span)


def stack_trace(random: Random) -> str:
    """A traceback about a token that is not one."""
    frames = "".join(
        f'  File "/usr/lib/python3.12/site-packages/{random.choice(words.SERVICES)}/{random.choice(words.NOUNS)}.py", line {random.randint(9, 900)}, in {words.identifier(random)}\n    return self.{random.choice(words.VERBS)}(token, *args)\n'
        for _ in range(3)
    )
    return f"Traceback (most recent call last):\n{frames}jwt.exceptions.InvalidTokenError: Not enough segments (object at 0x7f{fill(random, '{h10}')})\n"


def npm_lock(random: Random) -> str:
    """A lock file with integrity values."""
    entries = {
        f"node_modules/{_package(random)}": {
            "version": _version(random),
            "resolved": f"https://packages.example/{_package(random)}/-/x-{_version(random)}.tgz",
            "integrity": _integrity(random),
        }
        for _ in range(random.randint(2, 6))
    }
    return json.dumps({"lockfileVersion": 3, "packages": entries}, indent=2)


def yarn_lock(random: Random) -> str:
    """Another form of it."""

    def entry(chance: Random) -> str:
        name = _package(chance)
        return f'"{name}@^{_version(chance)}":\n  version "{_version(chance)}"\n  resolved "https://registry.yarnpkg.com/{name}/-/{name}-{_version(chance)}.tgz#{_digest(chance, "sha1")}"\n  integrity {_integrity(chance)}\n'

    return _lines(random, 2, 5, entry)


def python_lock(random: Random) -> str:
    """Hashes of wheels."""

    def entry(chance: Random) -> str:
        hashes = " \\\n".join(f"    --hash=sha256:{_digest(chance)}" for _ in range(chance.randint(1, 4)))
        return f"{chance.choice(words.NOUNS)}-{chance.choice(words.VERBS)}=={_version(chance)} \\\n{hashes}"

    return _lines(random, 2, 5, entry)


def toml_lock(random: Random) -> str:
    """Packages with a checksum."""

    def entry(chance: Random) -> str:
        return f'[[package]]\nname = "{chance.choice(words.NOUNS)}"\nversion = "{_version(chance)}"\nsource = "registry+https://github.com/rust-lang/crates.io-index"\nchecksum = "{_digest(chance)}"\n'

    return _lines(random, 2, 5, entry)


def go_sum(random: Random) -> str:
    """Hashes of modules."""

    def entry(chance: Random) -> str:
        end = chance.choice(("", "/go.mod"))
        return f"github.com/{chance.choice(words.SERVICES)}/{chance.choice(words.NOUNS)} v{_version(chance)}{end} h1:{b64encode(chance.randbytes(32)).decode()}"

    return _lines(random, 3, 9, entry)


def git_history(random: Random) -> str:
    """Commits and what changed."""

    def entry(chance: Random) -> str:
        return chance.choice(
            (
                f"{_digest(chance, 'sha1')[:7]} {chance.choice(words.VERBS).capitalize()} the {chance.choice(words.NOUNS)} once",
                f"commit {_digest(chance, 'sha1')}\nDate:   Sun Mar 1 10:{chance.randint(10, 59)}:00 2026 +0100\n\n    {chance.choice(words.VERBS).capitalize()} the token bucket",
                f"index {_digest(chance, 'sha1')[:10]}..{_digest(chance, 'sha1')[:10]} 100644",
                f"{_digest(chance, 'sha1')} refs/heads/{chance.choice(words.SERVICES)}-{chance.randint(1, 99)}",
            )
        )

    return _lines(random, 3, 8, entry)


def digests(random: Random) -> str:
    """Checksums as programs print them."""

    def entry(chance: Random) -> str:
        name = f"{chance.choice(words.NOUNS)}-{_version(chance)}.tar.gz"
        return chance.choice(
            (
                f"{_digest(chance)}  {name}",
                f"MD5 ({name}) = {_digest(chance, 'md5')}",
                f"registry.local/{chance.choice(words.SERVICES)}@sha256:{_digest(chance)}",
                f"SHA512({name})= {_digest(chance, 'sha512')}",
                f'ETag: "{_digest(chance, "md5")}"',
                f'"sha1": "{_digest(chance, "sha1")}",',
                f'<script src="/{name}.js" integrity="sha384-{b64encode(chance.randbytes(48)).decode()}" crossorigin="anonymous"></script>',
            )
        )

    return _lines(random, 2, 7, entry)


def fingerprints(random: Random) -> str:
    """Public halves of keys."""
    return random.choice(
        (
            f"256 SHA256:{b64encode(random.randbytes(32)).decode().rstrip('=')} dev@box (ED25519)\n",
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + fill(random, "{b43}") + " dev@box\n",
            f"Serial Number: {':'.join(fill(random, '{h2}') for _ in range(16))}\n",
            "-----BEGIN PUBLIC "
            "KEY-----\n"
            + fill(random, "MIIBIjANBgkqhkiG9w0B{b44}")
            + "\n"
            + fill(random, "{b64}")
            + "\n-----END PUBLIC "
            + "KEY-----\n",
            "-----BEGIN CERTIFI"
            "CATE-----\n" + fill(random, "MIID{b60}\n{b64}\n{b64}\n{b40}==") + "\n-----END CERTIFI" + "CATE-----\n",
        )
    )


def identifiers(random: Random) -> str:
    """Numbers that name things."""

    def entry(chance: Random) -> str:
        return chance.choice(
            (
                f'"request_id": "{uuid(chance)}",',
                f"arn:aws:s3:::{chance.choice(words.SERVICES)}-{chance.choice(words.NOUNS)}-{chance.randint(1, 99)}",
                f"toolu_{fill(chance, '{n24}')}",
                f"{chance.choice(words.NOUNS)}_id={uuid(chance)}",
                f"pod/{chance.choice(words.SERVICES)}-{fill(chance, '{h9}')}-{fill(chance, '{a5}')} 1/1 Running",
                f"ObjectId('{fill(chance, '{h24}')}')",
                f"i-0{fill(chance, '{h16}')}  subnet-0{fill(chance, '{h16}')}",
                f'"cursor": "{b64encode(uuid(chance).encode()).decode()}"',
                f"01J{fill(chance, '{A23}').replace('I', 'J').replace('L', 'K').replace('O', 'P').replace('U', 'V')}",
            )
        )

    return _lines(random, 2, 8, entry)


def images(random: Random) -> str:
    """Pictures in the text."""
    data = b64encode(b"\x89PNG\r\n\x1a\n" + random.randbytes(random.randint(120, 900))).decode()
    return random.choice(
        (
            f'<img alt="logo" src="data:image/png;base64,{data}">\n',
            f".logo {{ background: url(data:image/png;base64,{data}) no-repeat; }}\n",
            json.dumps({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}),
            f"![chart](data:image/png;base64,{data})\n",
        )
    )


def drawings(random: Random) -> str:
    """Paths and colours."""
    path = " ".join(
        f"{random.choice('MLCQ')}{random.randint(0, 99)}.{random.randint(0, 99)} {random.randint(0, 99)}"
        for _ in range(20)
    )
    return f'<svg viewBox="0 0 24 24" fill="#{fill(random, "{h6}")}"><path d="{path}"/></svg>\n:root {{ --accent: #{fill(random, "{h6}")}; }}\n'


def minified(random: Random) -> str:
    """A script without its blanks."""
    functions = "".join(
        f'function {fill(random, "{l1}")}({fill(random, "{l1}")}){{return {fill(random, "{l1}")}.token||{fill(random, "{l1}")}.password?{random.randint(1, 99)}:"{random.choice(words.NOUNS)}"}}'
        for _ in range(8)
    )
    return f"!function(e,t){{{functions}}}(this,document);\n//# sourceMappingURL=app.{fill(random, '{h8}')}.js.map\n"


def numbers(random: Random) -> str:
    """Tables, versions, sizes and times."""

    def entry(chance: Random) -> str:
        return chance.choice(
            (
                "  ".join(f"{chance.uniform(0, 1e4):.{chance.randint(1, 8)}f}" for _ in range(5)),
                f"{chance.choice(words.NOUNS)}: {_version(chance)} -> {_version(chance)} ({chance.randint(1, 10**9)} bytes)",
                f"epoch={chance.randint(1_700_000_000, 1_800_000_000)} ms={chance.randint(1_700_000_000_000, 1_800_000_000_000)}",
                f"ticket {chance.randint(10**5, 10**6)} of 2026-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}, lines {chance.randint(1, 900)}-{chance.randint(901, 1900)}",
                f"0x{fill(chance, '{h8}')}: {' '.join(fill(chance, '{h4}') for _ in range(8))}",
            )
        )

    return _lines(random, 3, 9, entry)


def addresses(random: Random) -> str:
    """Hosts that are nobody's: loopback, private, documentation; and remotes that look like mail."""

    def entry(chance: Random) -> str:
        return chance.choice(
            (
                f"listening on 127.0.0.1:{chance.randint(3000, 9999)} and [::1]:{chance.randint(3000, 9999)}",
                f"upstream 192.168.{chance.randint(0, 255)}.{chance.randint(1, 254)}:{chance.randint(3000, 9999)} fd00::{fill(chance, '{h2}')}",
                f"allow 10.{chance.randint(0, 255)}.0.0/16; deny 172.16.{chance.randint(0, 255)}.0/24;",
                f"example: 203.0.113.{chance.randint(1, 254)} and 198.51.100.{chance.randint(1, 254)} and 2001:db8::{fill(chance, '{h4}')}",
                f"origin\tgit@github.com:{chance.choice(words.SERVICES)}/{chance.choice(words.NOUNS)}.git (fetch)",
                f"npm install {chance.choice(words.NOUNS)}@{_version(chance)} @{chance.choice(words.SERVICES)}/{chance.choice(words.NOUNS)}@latest",
                f"@app.route('/{chance.choice(words.NOUNS)}')  # {chance.choice(words.SERVICES)}@v{chance.randint(1, 9)}",
            )
        )

    return _lines(random, 2, 7, entry)


def tool_result(random: Random) -> str:
    """A JSON answer that holds nothing of anyone."""
    items = [
        {
            "id": uuid(random),
            "name": words.identifier(random),
            "tokens": random.randint(1, 9999),
            "key": random.choice(words.NOUNS),
            "has_password": coin(random),
        }
        for _ in range(random.randint(1, 5))
    ]
    return json.dumps(
        {
            "usage": {"input_tokens": random.randint(1, 99999), "max_tokens": 4096},
            "next_page_token": None,
            "items": items,
        },
        indent=random.choice((None, 2)),
    )


def translations(random: Random) -> str:
    """Labels of a form in several languages."""
    labels = {
        "password": random.choice(("Password", "Passwort", "Mot de passe", "Contraseña", "Wachtwoord", "Hasło")),
        "password_hint": random.choice(("At least 12 characters", "Mindestens 12 Zeichen", "Au moins 12 caractères")),
        "forgot_password": random.choice(("Forgot your password?", "Passwort vergessen?", "Mot de passe oublié ?")),
        "api_key": random.choice(("API key", "API-Schlüssel", "Clé API")),
        "token_expired": random.choice(("Your session has expired", "Sitzung abgelaufen", "Session expirée")),
    }
    return json.dumps(labels, ensure_ascii=False, indent=2)


def conversation(random: Random) -> str:
    """Questions and answers about work."""
    return "\n".join(
        f"{random.choice(('user', 'assistant'))}: {words.sentence(random)}" for _ in range(random.randint(2, 6))
    )


BENIGN: dict[str, Callable[[Random], str]] = {
    function.__name__: function
    for function in (
        *(python_code, javascript_code, typed_code, references, placeholders, prose_on_secrets, documentation),
        *(service_log, trace_log, stack_trace, npm_lock, yarn_lock, python_lock, toml_lock, go_sum, git_history),
        *(digests, fingerprints, identifiers, images, drawings, minified, numbers, addresses, tool_result),
        *(translations, conversation),
    )
}
