"""What people and agents paste: the texts a marked value is put into.

A named carrier takes the words of the value's name ("db password"), a bare one only the value. Both take the value
already marked, and quote nothing: values are made so that they need no quoting there.
"""

import json
from collections.abc import Callable
from random import Random
from urllib.parse import quote

from benchmarks.sanitizer import words
from benchmarks.sanitizer.samples import coin, fill, map_between_marks, uuid

Words = tuple[str, ...]
NamedCarrier = Callable[[Random, Words, str], str]
BareCarrier = Callable[[Random, str], str]


def upper(name: Words) -> str:
    """As in DB_PASSWORD."""
    return "_".join(name).upper()


def snake(name: Words) -> str:
    """As in db_password."""
    return "_".join(name)


def camel(name: Words) -> str:
    """As in dbPassword."""
    return name[0] + "".join(word.capitalize() for word in name[1:])


def pascal(name: Words) -> str:
    """As in DbPassword."""
    return "".join(word.capitalize() for word in name)


def kebab(name: Words) -> str:
    """As in db-password."""
    return "-".join(name)


def dotted(name: Words) -> str:
    """As in db.password."""
    return ".".join(name)


def env_file(random: Random, name: Words, value: str) -> str:
    """A file of environment variables."""
    quoted = random.choice(("", '"', "'"))
    lines = [
        f"APP_ENV={random.choice(('production', 'staging'))}",
        f"PORT={random.randint(3000, 9000)}",
        "LOG_LEVEL=info",
    ]
    lines.insert(random.randrange(4), f"{upper(name)}={quoted}{value}{quoted}")
    return f"# {random.choice(words.SERVICES)}\n" + "\n".join(lines) + "\n"


def shell_export(random: Random, name: Words, value: str) -> str:
    """A transcript in which the variable is set."""
    quoted = random.choice(("", '"', "'"))
    return f"{words.shell_line(random)}\n$ export {upper(name)}={quoted}{value}{quoted}\n{words.shell_line(random)}\n"


def shell_inline(random: Random, name: Words, value: str) -> str:
    """A variable before its command."""
    return f"dev@box:~/{random.choice(words.SERVICES)}$ {upper(name)}={value} python -m {random.choice(words.SERVICES)} serve\nlistening\n"


def printenv(random: Random, name: Words, value: str) -> str:
    """What `env` prints."""
    return f"$ env | sort\nHOME=/home/dev\nLANG=C.UTF-8\n{upper(name)}={value}\nPWD=/srv/{random.choice(words.SERVICES)}\nSHLVL=1\n"


def json_result(random: Random, name: Words, value: str) -> str:
    """The JSON a tool returned."""
    key = random.choice((camel, snake, upper, kebab))(name)
    body = {"id": uuid(random), "service": random.choice(words.SERVICES), key: value, "retries": random.randint(0, 5)}
    return json.dumps(body, ensure_ascii=False, indent=random.choice((None, 2)))


def json_nested(random: Random, name: Words, value: str) -> str:
    """JSON with depth."""
    auth = {"enabled": True, random.choice((camel, snake))(name): value}
    return json.dumps(
        {"tool": "read_config", "result": {"items": [{"name": random.choice(words.SERVICES), "auth": auth}]}},
        ensure_ascii=False,
    )


def json_in_json(random: Random, name: Words, value: str) -> str:
    """JSON inside a string of JSON, as tool results are."""
    inner = json.dumps({snake(name): value, "region": "eu-central-1"}, ensure_ascii=False)
    return json.dumps(
        {"type": "tool_result", "tool_use_id": fill(random, "toolu_{n24}"), "content": inner}, ensure_ascii=False
    )


def yaml_file(random: Random, name: Words, value: str) -> str:
    """YAML, quoted or not."""
    quoted = random.choice(("", '"', "'"))
    key = random.choice((snake, camel, kebab))(name)
    return f"{random.choice(words.SERVICES)}:\n  replicas: {random.randint(1, 9)}\n  {key}: {quoted}{value}{quoted}\n  timeout: 30s\n"


def toml_file(random: Random, name: Words, value: str) -> str:
    """TOML."""
    return f'[{random.choice(words.SERVICES)}]\nworkers = {random.randint(1, 16)}\n{snake(name)} = "{value}"\ndebug = false\n'


def properties(random: Random, name: Words, value: str) -> str:
    """Java properties."""
    service = random.choice(words.SERVICES)
    return f"server.port={random.randint(8000, 9999)}\n{service}.{dotted(name)}={value}\n{service}.cache.ttl=3600\n"


def ini_file(random: Random, name: Words, value: str) -> str:
    """An ini file with blanks around the sign."""
    return f"[{random.choice(words.SERVICES)}]\nregion = eu-west-1\n{snake(name)} = {value}\noutput = json\n"


def python_code(random: Random, name: Words, value: str) -> str:
    """An assignment in Python."""
    left = random.choice((upper, snake))(name)
    return f'import os\n\n\ndef {words.identifier(random)}(limit: int = {random.randint(5, 99)}):\n    {left} = "{value}"\n    return connect({left}, limit)\n'


def python_call(random: Random, name: Words, value: str) -> str:
    """A keyword argument."""
    return f'client = {pascal((random.choice(words.SERVICES),))}Client(\n    region="eu",\n    {snake(name)}="{value}",\n    timeout={random.randint(3, 60)},\n)\n'


def javascript_code(random: Random, name: Words, value: str) -> str:
    """A constant or a field in JavaScript."""
    if coin(random):
        return f"const {camel(name)} = '{value}';\nexport async function {camel(tuple(words.identifier(random).split('_')))}() {{\n  return fetch(url);\n}}\n"
    return f"module.exports = {{\n  mode: 'production',\n  {camel(name)}: \"{value}\",\n  retries: {random.randint(1, 5)},\n}};\n"


def go_code(random: Random, name: Words, value: str) -> str:
    """A struct in Go."""
    return f'cfg := &Config{{\n\tAddr:    ":{random.randint(3000, 9000)}",\n\t{pascal(name)}: "{value}",\n\tWorkers: {random.randint(1, 16)},\n}}\n'


def java_code(random: Random, name: Words, value: str) -> str:
    """A constant or a setter in Java."""
    if coin(random):
        return f'public class Settings {{\n    private static final String {upper(name)} = "{value}";\n    private int retries = {random.randint(1, 9)};\n}}\n'
    return f'{random.choice(words.SERVICES)}.setTimeout({random.randint(5, 60)});\n{random.choice(words.SERVICES)}.set{pascal(name)}("{value}");\n'


def ruby_code(random: Random, name: Words, value: str) -> str:
    """A hash in Ruby."""
    arrow = random.choice(
        (f":{snake(name)} => '{value}'", f"{snake(name)}: '{value}'", f"'{snake(name)}' => \"{value}\"")
    )
    return f"{random.choice(words.SERVICES).capitalize()}.configure(\n  region: 'eu',\n  {arrow}\n)\n"


def php_code(random: Random, name: Words, value: str) -> str:
    """An array or a constant in PHP."""
    line = random.choice(
        (
            f"define('{upper(name)}', '{value}');",
            f"$config['{snake(name)}'] = '{value}';",
            f"    '{snake(name)}' => '{value}',",
        )
    )
    return f"<?php\n// {random.choice(words.SERVICES)}\n{line}\n"


def csharp_code(random: Random, name: Words, value: str) -> str:
    """A field in C#."""
    return (
        f'private const string {pascal(name)} = "{value}";\nprivate readonly int _retries = {random.randint(1, 9)};\n'
    )


def rust_code(random: Random, name: Words, value: str) -> str:
    """A constant in Rust."""
    return f'const {upper(name)}: &str = "{value}";\n\nfn {words.identifier(random)}(limit: usize) -> Result<(), Error> {{\n    Ok(())\n}}\n'


def terraform(random: Random, name: Words, value: str) -> str:
    """An attribute in Terraform."""
    return f'resource "app_service" "{random.choice(words.SERVICES)}" {{\n  region      = "eu-west-1"\n  {snake(name)} = "{value}"\n  replicas    = {random.randint(1, 9)}\n}}\n'


def compose_file(random: Random, name: Words, value: str) -> str:
    """The environment of a composed service."""
    entry = random.choice((f"      - {upper(name)}={value}", f"      {upper(name)}: {value}"))
    return f"services:\n  {random.choice(words.SERVICES)}:\n    image: registry.local/app:{random.randint(1, 9)}.{random.randint(0, 20)}\n    environment:\n{entry}\n"


def dockerfile(random: Random, name: Words, value: str) -> str:
    """A layer that sets it."""
    return f'FROM python:3.12-slim\nWORKDIR /app\n{random.choice(("ENV", "ARG"))} {upper(name)}={value}\nCMD ["python", "-m", "{random.choice(words.SERVICES)}"]\n'


def kubernetes_env(random: Random, name: Words, value: str) -> str:
    """A container's variable: name and value on two lines."""
    return f'    spec:\n      containers:\n      - name: {random.choice(words.SERVICES)}\n        env:\n        - name: {upper(name)}\n          value: "{value}"\n        - name: WORKERS\n          value: "4"\n'


def workflow_file(random: Random, name: Words, value: str) -> str:
    """A step of a pipeline."""
    return f"    - name: {random.choice(words.VERBS)}\n      run: ./ci/{random.choice(words.VERBS)}.sh\n      env:\n        {upper(name)}: {value}\n"


def git_diff(random: Random, name: Words, value: str) -> str:
    """A change that takes it out or brings it in."""
    sign = random.choice("+-")
    return f'diff --git a/config.py b/config.py\nindex {fill(random, "{h7}")}..{fill(random, "{h7}")} 100644\n@@ -1,4 +1,4 @@\n import os\n{sign}{upper(name)} = "{value}"\n DEBUG = False\n'


def log_field(random: Random, name: Words, value: str) -> str:
    """A log that says too much."""
    form = random.choice(
        (f"{snake(name)}={value}", f'{snake(name)}="{value}"', f"{snake(name)}: {value}", f"'{snake(name)}': '{value}'")
    )
    return f"{words.log_line(random)}\n{words.stamp(random)} DEBUG connecting with {form}, attempt={random.randint(1, 5)}\n{words.log_line(random)}\n"


def markdown_table(random: Random, name: Words, value: str) -> str:
    """A row of a table of settings."""
    return f"## Setup of {random.choice(words.SERVICES)}\n\n| Setting | Value |\n|---|---|\n| region | eu-west-1 |\n| {snake(name)} | `{value}` |\n"


def markdown_list(random: Random, name: Words, value: str) -> str:
    """An item of a list."""
    return f"{words.sentence(random)}\n\n- host: {words.host(random)}\n- **{' '.join(name)}**: `{value}`\n"


def prose(random: Random, name: Words, value: str) -> str:
    """A sentence that names it."""
    said = " ".join(name)
    form = random.choice(
        (f"The {said} is {value}", f"here's the {said}: {value}", f"Use `{value}` as {said}", f"my {said} = {value}")
    )
    return f"{words.sentence(random)} {form}\n{words.sentence(random)}"


def curl_header(random: Random, name: Words, value: str) -> str:
    """A request with a header of that name."""
    header = "X-" + "-".join(word.capitalize() for word in name)
    return f"$ curl -sS https://{words.host(random)}/v1/{random.choice(words.NOUNS)}s -H '{header}: {value}' -H 'Accept: application/json'\n{{\"ok\":true}}\n"


def query_string(random: Random, name: Words, value: str) -> str:
    """A parameter of a URL."""
    sent = map_between_marks(value, lambda part: quote(part, safe=""))
    return f"GET https://{words.host(random)}/v1/{random.choice(words.NOUNS)}?page={random.randint(1, 9)}&{snake(name)}={sent}&limit=50 HTTP/1.1\n"


def html_form(random: Random, name: Words, value: str) -> str:
    """A field of a form."""
    return f'<form method="post" action="/{random.choice(words.VERBS)}">\n  <input type="hidden" name="{snake(name)}" value="{value}">\n  <button>Save</button>\n</form>\n'


def csv_file(random: Random, name: Words, value: str) -> str:
    """A column with that heading."""
    return f"id,service,{snake(name)},region\n{random.randint(1, 99)},{random.choice(words.SERVICES)},{value},eu\n"


def flag(random: Random, name: Words, value: str) -> str:
    """A long option."""
    sign = random.choice((" ", "="))
    return f"$ {random.choice(words.SERVICES)}ctl --region eu --{kebab(name)}{sign}{value} {random.choice(words.VERBS)}\ndone in {random.randint(1, 9)}s\n"


def stack_trace(random: Random, name: Words, value: str) -> str:
    """The variables a debugger prints with a trace."""
    return f"Traceback (most recent call last):\n  File \"/srv/app/{random.choice(words.SERVICES)}.py\", line {random.randint(9, 400)}, in {words.identifier(random)}\n    raise ConnectionError(url)\nLocals: {{'retries': 3, '{snake(name)}': '{value}'}}\nConnectionError: timed out\n"


def xml_element(random: Random, name: Words, value: str) -> str:
    """An element or an attribute of XML."""
    form = random.choice((f"<{camel(name)}>{value}</{camel(name)}>", f'<add key="{pascal(name)}" value="{value}" />'))
    return f"<configuration>\n  <service>{random.choice(words.SERVICES)}</service>\n  {form}\n</configuration>\n"


def sql_row(random: Random, name: Words, value: str) -> str:
    """A row that is written."""
    return f"UPDATE settings SET {snake(name)} = '{value}', updated_at = now() WHERE id = {random.randint(1, 999)};\n"


def bare_log(random: Random, value: str) -> str:
    """A log that prints it without a name."""
    return f"{words.log_line(random)}\n{words.stamp(random)} ERROR rejected by upstream: {value} is not active\n{words.log_line(random)}\n"


def bare_chat(random: Random, value: str) -> str:
    """A message."""
    return f"{words.sentence(random)} try it with {value} and tell me what you get. {words.sentence(random)}"


def bare_bearer(random: Random, value: str) -> str:
    """A bearer header."""
    return f'curl https://{words.host(random)}/v1/{random.choice(words.NOUNS)}s \\\n  -H "Authorization: Bearer {value}" \\\n  -d \'{{"limit": {random.randint(1, 99)}}}\'\n'


def bare_trace(random: Random, value: str) -> str:
    """The message of an exception."""
    return f"  File \"app/{random.choice(words.SERVICES)}.py\", line {random.randint(9, 400)}, in {words.identifier(random)}\nValueError: cannot {random.choice(words.VERBS)} '{value}'\n"


def bare_shell(random: Random, value: str) -> str:
    """What a command printed."""
    return f"$ cat notes-{random.randint(1, 9)}.txt\n{value}\n{words.shell_line(random)}\n"


def bare_comment(random: Random, value: str) -> str:
    """A comment in code."""
    return f"def {words.identifier(random)}():\n    # old one: {value}\n    return {random.randint(1, 99)}\n"


def bare_list(random: Random, value: str) -> str:
    """An element of an array."""
    return json.dumps({"args": ["--verbose", value, random.choice(words.SERVICES)]}, ensure_ascii=False)


def bare_markdown(random: Random, value: str) -> str:
    """A block of code in a document."""
    return f"{words.sentence(random)}\n\n```\n{value}\n```\n\n{words.sentence(random)}\n"


NAMED: tuple[NamedCarrier, ...] = (
    *(env_file, shell_export, shell_inline, printenv, json_result, json_nested, json_in_json, yaml_file, toml_file),
    *(properties, ini_file, python_code, python_call, javascript_code, go_code, java_code, ruby_code, php_code),
    *(csharp_code, rust_code, terraform, compose_file, dockerfile, kubernetes_env, workflow_file, git_diff, log_field),
    *(markdown_table, markdown_list, prose, curl_header, query_string, html_form, csv_file, flag, stack_trace),
    *(xml_element, sql_row),
)
BARE: tuple[BareCarrier, ...] = (
    *(bare_log, bare_chat, bare_bearer, bare_trace, bare_shell, bare_comment, bare_list, bare_markdown),
)
