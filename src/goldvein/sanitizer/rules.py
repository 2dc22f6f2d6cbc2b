"""The table of rules: what is looked for, with an example and a look-alike for each.

No example is written out: bodies are made by `_sample`, so that no scanner of a code host takes this file for a leak.
A pattern's group `secret` is what is redacted; without it, the whole match. Every repeat has a bound.
A pattern begins where one of the rule's keywords stands (in any case), or where its `locate` matches, and is tried
nowhere else. `locate` is written for RE2 over the text in Latin-1, other characters being `?`; it may find too much.
"""

import re
import string
from dataclasses import dataclass
from typing import Literal

from goldvein.sanitizer.national_ids import BY_FORM, BY_FORM_ALONE, expression_for
from goldvein.sanitizer.personal import IBAN_COUNTRIES

MIN_CUT_CHARS = 8
MAX_RUN_CHARS = 262_144  # a key that is longer than documented goes as a whole all the same
MIN_TELLING_CUT_CHARS = 3
TELLING_PREFIX_CHARS = 4

# Where a token may begin: not inside a word, unless the word is the end of an escape (\n, %3D, \u003d).
LEFT = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrtbf])|(?<=%[0-9A-Fa-f]{2})|(?<=\\u[0-9A-Fa-f]{4})|(?<=\\x[0-9A-Fa-f]{2}))"
LEFT_ENDINGS = (
    r"(?<![A-Za-z0-9]{0})",
    r"(?<=\\[nrtbf]{0})",
    r"(?<=%[0-9A-Fa-f][0-9A-Fa-f]{0})",
    r"(?<=\\u[0-9A-Fa-f]{{4}}{0})",
)
# Where a text may have been cut: its end, dots that say so, or a remark such as [truncated].
CUT = (
    r"(?=\Z|\.\.\.|\u2026|[ ]?\[\.\.\.|[ ]?[\[(<]{1,3}(?i:output |text |line )?"
    r"(?i:truncat|cut|omitted|snip|clipped|elided))"
)

ALNUM = "[A-Za-z0-9]"
WORD = "[A-Za-z0-9_]"
URLSAFE = "[A-Za-z0-9_-]"
DOTTED = "[A-Za-z0-9_.=-]"
BASE64 = "[A-Za-z0-9+/]"
PADDED = "[A-Za-z0-9+/=_-]"
LOWER = "[a-z0-9]"
UPPER = "[A-Z0-9]"
HEX = "[a-f0-9]"
HEX_DASH = "[a-f0-9-]"
DIGIT = "[0-9]"


Confidence = Literal["high", "medium", "low"]
Family = Literal["key", "word", "token", "run", "number"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One thing that is looked for.

    `confirm` names a predicate over (text, start, end). `body` is what follows the prefix of a vendor's key at least.
    `family` names the pass that looks for it (see `matching.py`); `heads` are the characters that `locate` or a number
    may begin with, and `begins` says so with one or two characters each. `backs`: how far before the located place a
    token begins. `needs`: one of these stands in every text that a rule of the families of runs or words can match.
    """

    id: str
    type: str
    description: str
    pattern: re.Pattern[str]
    keywords: tuple[str, ...]
    example: str
    counter_example: str
    confirm: str | None = None
    family: Family
    locate: str | None = None
    backs: tuple[int, ...] = (0,)
    heads: str = ""
    begins: str = ""
    needs: tuple[str, ...] = ()
    body: str = ""
    confidence: Confidence = "high"


def _sample(length: int, alphabet: str = ALNUM) -> str:
    """Make up a body: it steps through the alphabet, so that it is varied and the same every time."""
    letters = re.findall(alphabet, string.ascii_letters + string.digits)
    return "".join(letters[(place * 29 + 7 + place // len(letters)) % len(letters)] for place in range(length))


def _sample_uuid() -> str:
    """Make up a UUID."""
    return "-".join(_sample(length, HEX) for length in (8, 4, 4, 4, 12))


def _key(  # noqa: PLR0917 - rows of a table
    rule_id: str,
    description: str,
    prefixes: tuple[str, ...],
    alphabet: str,
    minimum: int,
    maximum: int = 512,
    *,
    confirm: str = "prefixed_value",
) -> Rule:
    """Make the rule for a key with a fixed prefix and a body of one alphabet; also one that the text's end has cut."""
    starts = "|".join(_at_left_edge(re.escape(prefix)) for prefix in prefixes)
    accepted = alphabet.replace("a-f0", "a-fA-F0")
    telling = all(_is_telling_prefix(prefix) for prefix in prefixes)
    shortest = min(MIN_TELLING_CUT_CHARS if telling else MIN_CUT_CHARS, minimum)
    return Rule(
        id=rule_id,
        type=rule_id,
        description=description,
        pattern=re.compile(
            f"(?:{starts})"
            f"(?:{accepted}{{{minimum},{max(maximum, MAX_RUN_CHARS)}}}+|{accepted}{{{shortest},{minimum}}}{CUT})"
        ),
        keywords=prefixes,
        example=f"item {prefixes[0]}{_sample(minimum, alphabet)} set",
        counter_example=f"item {prefixes[0]}{_sample(5, alphabet)} set",
        confirm=confirm,
        family="key",
        body=f"{accepted}{{{shortest}}}",
    )


def _is_telling_prefix(prefix: str) -> bool:
    """Tell a prefix that no word has, so that little of the body is proof enough where the text is cut."""
    return len(prefix) >= TELLING_PREFIX_CHARS and not prefix.isalpha()


def _at_left_edge(prefix: str) -> str:
    """Match a literal, then check that it begins a token: in this order the search for the literal is fast."""
    return prefix + "(?:" + "|".join(ending.format(prefix) for ending in LEFT_ENDINGS) + ")"


def _shape(  # noqa: PLR0917 - rows of a table
    rule_id: str,
    description: str,
    pattern: str,
    keywords: tuple[str, ...],
    example: str,
    counter_example: str,
    *,
    kind: str | None = None,
    confirm: str | None = None,
    family: Family = "word",
    locate: str | None = None,
    backs: tuple[int, ...] = (0,),
    heads: str = "",
    begins: str = "",
    needs: tuple[str, ...] = (),
    confidence: Confidence = "high",
) -> Rule:
    """Make a rule with a pattern of its own."""
    return Rule(
        id=rule_id,
        type=kind or rule_id,
        description=description,
        pattern=re.compile(pattern),
        keywords=keywords,
        example=example,
        counter_example=counter_example,
        confirm=confirm,
        family=family,
        locate=locate,
        backs=backs,
        heads=heads,
        begins=begins,
        needs=needs,
        confidence=confidence,
    )


# Commands that take a password after -p or the like, and words that a sentence tells a password with.
_COMMANDS = (
    r"(?:mysql|mysqldump|mysqladmin|mysqlimport|mariadb|mariadb-dump|sshpass|mongo|mongosh|mongodump|mongorestore|"
    r"clickhouse-client|docker login|podman login|helm registry login|az login|oc login|sqlcmd|bcp|isql|tsql|"
    r"ldapsearch|"
    r"ldapadd|ldapmodify|redis-cli|cqlsh|smbclient|htpasswd|7z|zip|unzip|rabbitmqadmin|influx|mosquitto_pub|"
    r"mosquitto_sub|xfreerdp|nmcli|neo4j-admin|cypher-shell|kinit|snmpget|snmpwalk|ipmitool|curlftpfs|arangosh)"
)
_LOGIN_COMMANDS = (
    r"(?:(?:docker|podman|helm registry|oc|nerdctl|crane|skopeo|az acr|buildah|az) login|redis-cli|sshpass|"
    r"sqlcmd|bcp|isql|"
    r"osql|unzip|zip|ldap(?:search|add|modify|delete|passwd)|cqlsh|mongosh?|mongodump|mongorestore|cypher-shell|"
    r"rabbitmqadmin|mosquitto_(?:pub|sub)|xfreerdp|ipmitool|net use)"
)
_SAYS_SO = (
    r"(?:password|passwd|passphrase|passwort|passcode|kennwort|pass|pwd|pw|contrase\xf1a|mot de passe|wachtwoord|"
    r"senha|parola|heslo|adgangskode|salasana|passord|l\xf6senord(?:et)?|jelsz\xf3|clave|api[ -]?key|secret)"
)


_OWN_KEYS = (
    _key("goldvein_key", "API key of goldvein", ("gv_live_", "gv_test_"), ALNUM, 20, 64),
    _key("webhook_secret", "signing secret in the Standard Webhooks form", ("whsec_",), PADDED, 20),
)

_CLOUD_KEYS = (
    _shape(
        "aws_access_key",
        "access key id of Amazon Web Services",
        r"(?:(?<![A-Za-z0-9/+])|(?<=\\[nrt]))(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])"
        rf"|{LEFT}(?:AKIA|ASIA)[A-Z0-9]{{8,16}}{CUT}",
        ("AKIA", "ASIA", "ABIA", "ACCA"),
        f"item {'ASIA'}{_sample(16, UPPER)}",
        f"item {'ASIA'}{_sample(15, UPPER)} set",
        confirm="prefixed_value",
    ),
    _key("aws_bedrock_key", "API key of Amazon Bedrock", ("ABSK",), PADDED, 60, 400),
    _key("aws_bedrock_session_key", "short API key of Amazon Bedrock", ("bedrock-api-key-",), PADDED, 40, 4096),
    _key("aws_marketplace_key", "key of Amazon Marketplace", ("amzn.mws.",), HEX_DASH, 36, 36),
    _shape(
        "azure_client_secret",
        "client secret of Microsoft Entra",
        r"(?<![A-Za-z0-9_~.-])[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}(?![A-Za-z0-9_~-])",
        (),
        f"value {_sample(3)}8Q~{_sample(34)} set",
        f"value {_sample(3)}8Q~{_sample(9)} set",
        confirm="prefixed_value",
        family="token",
        locate=r"[0-9]Q~[A-Za-z0-9_~.-]{8}",
        backs=(3,),
        heads=string.digits,
    ),
    _shape(
        "azure_account_key",
        "key in a connection string of Azure",
        r"(?i)\b(?:AccountKey|SharedAccessKey|SharedSecretValue|PrimaryKey|SecondaryKey)[ ]{0,2}=[ ]{0,2}"
        r"(?P<secret>[A-Za-z0-9+/%]{20,128}={0,2})",
        ("accountkey", "sharedaccesskey", "sharedsecretvalue", "primarykey", "secondarykey"),
        f"AccountName=a;AccountKey={_sample(86)}==;EndpointSuffix=core",
        "AccountName=a;AccountKey=<key>;EndpointSuffix=core",
        confirm="varied_value",
    ),
    _shape(
        "signed_url",
        "signature or session token in a signed URL",
        r"(?i)[?&;](?:amp;)?(?:sig|signature|x-amz-signature|x-amz-security-token|x-amz-credential|x-goog-signature|"
        r"x-goog-credential|awsaccesskeyid|skoid|hmac|policy|key-pair-id)=(?P<secret>[A-Za-z0-9%+/_=~.-]{16,4096})",
        (),
        f"https://a.example/b?se=2030&sig={_sample(43)}%3D&sp=r",
        "https://a.example/b?sig=none&sp=r",
        confirm="varied_value",
        locate=r"[?&;](?:amp;)?(?:sig|signature|x-amz-[a-z-]{8,16}|x-goog-[a-z]{8,12}|awsaccesskeyid|skoid|"
        r"hmac|policy|key-pair-id)=",
        heads="?&;",
    ),
    _key("google_api_key", "API key of Google", ("AIza",), URLSAFE, 35, 48),
    _key("google_access_token", "OAuth access token of Google", ("ya29.",), DOTTED, 20, 2048),
    _key("google_client_secret", "OAuth client secret of Google", ("GOCSPX-",), URLSAFE, 24, 40),
    _key("google_refresh_token", "OAuth refresh token of Google", ("1//0",), URLSAFE, 30, 256),
    _key("digitalocean_token", "token of DigitalOcean", ("dop_v1_", "doo_v1_", "dor_v1_"), HEX, 64, 64),
    _key("heroku_key", "API key of Heroku", ("HRKU-",), URLSAFE, 36, 80),
    _key("alibaba_key", "access key id of Alibaba Cloud", ("LTAI",), ALNUM, 16, 24, confirm="mixed_body"),
    _key("tencent_key", "secret id of Tencent Cloud", ("AKID",), ALNUM, 32, 40, confirm="mixed_body"),
    _key("yandex_key", "API key of Yandex Cloud", ("AQVN", "AJE"), URLSAFE, 35, 48, confirm="mixed_body"),
    _key("cloudflare_token", "token of Cloudflare", ("cfut_", "cfat_", "cfk_"), ALNUM, 40, 64),
    _key("cloudflare_origin_key", "origin CA key of Cloudflare", ("v1.0-",), HEX_DASH, 60, 200),
    _key("fly_token", "token of Fly.io", ("fo1_", "fm2_", "fm1r_", "fm1a_"), "[A-Za-z0-9+/=_,-]", 40, 4096),
    _key("vercel_token", "token of Vercel", ("vcp_", "vci_", "vca_", "vcr_", "vck_"), ALNUM, 24, 80),
    _key("supabase_token", "token of Supabase", ("sbp_",), HEX, 40, 64),
    _key("supabase_secret", "secret key of Supabase", ("sb_secret_",), URLSAFE, 22, 64),
    _key("netlify_token", "token of Netlify", ("nfp_", "nfc_", "nfo_", "nfu_"), ALNUM, 36, 48),
    _key("render_key", "API key of Render", ("rnd_",), ALNUM, 28, 40, confirm="mixed_body"),
    _key("scalingo_token", "token of Scalingo", ("tk-us-",), URLSAFE, 40, 64),
    _key("scaleway_key", "access key of Scaleway", ("SCW",), UPPER, 17, 17, confirm="mixed_body"),
    _key("tailscale_key", "key of Tailscale", ("tskey-",), URLSAFE, 20, 128),
    _key("ngrok_key", "API key of ngrok", ("ak_2",), ALNUM, 25, 60, confirm="mixed_body"),
    _key("openshift_token", "token of OpenShift", ("sha256~",), URLSAFE, 40, 48),
    _key("databricks_token", "token of Databricks", ("dapi", "dosed", "dkea"), HEX_DASH, 32, 36),
    _key("snowflake_token", "programmatic token of Snowflake", ("snowflake_pat_",), URLSAFE, 20),
    _key("planetscale_token", "credential of PlanetScale", ("pscale_",), DOTTED, 32, 80),
    _key("mongodb_atlas_secret", "service account secret of MongoDB Atlas", ("mdb_sa_sk_",), URLSAFE, 30, 80),
    _key("clickhouse_key", "secret key of ClickHouse Cloud", ("4b1d",), ALNUM, 38, 38, confirm="mixed_body"),
    _key(
        "terraform_token", "organisation token of Terraform Enterprise", ("at-",), ALNUM, 40, 80, confirm="mixed_body"
    ),
    _shape(
        "terraform_cloud_token",
        "token of HCP Terraform",
        LEFT
        + r"[A-Za-z0-9]{14}(?:\.atlasv1\.(?:[A-Za-z0-9_=-]{20,128}|[A-Za-z0-9_=-]{0,20}"
        + CUT
        + r")|\.atl(?:asv?1?)?"
        + CUT
        + ")",
        (),
        f"item {_sample(14)}.atlasv1.{_sample(64)}",
        f"item {_sample(14)}.atlasv1.none set",
        family="token",
        locate=r"\.atl",
        backs=(14,),
        heads=".",
    ),
    _key("pulumi_token", "token of Pulumi", ("pul-",), HEX, 40, 40),
    _key("vault_token", "token of HashiCorp Vault", ("hvs.", "hvb.", "hvr."), URLSAFE, 24, 400),
    _key("infracost_key", "API key of Infracost", ("ico-",), ALNUM, 32, 32),
    _key(
        "doppler_token",
        "token of Doppler",
        tuple(f"dp.{kind}." for kind in ("pt", "st", "ct", "sa", "scim", "audit")),
        DOTTED,
        36,
        80,
    ),
    _key("age_secret_key", "secret key of age", ("AGE-SECRET-KEY-1",), UPPER, 58, 58),
    _shape(
        "onepassword_token",
        "secret key of 1Password",
        LEFT + r"A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}",
        ("A3-",),
        "item A3-" + "-".join(_sample(length, UPPER) for length in (6, 11, 5, 5, 5)),
        "model A3-" + _sample(6, UPPER),
    ),
    _key("onepassword_service_token", "service account token of 1Password", ("ops_eyJ",), PADDED, 60, 2048),
    _key("infisical_token", "token of Infisical", ("st.",), "[a-f0-9.]", 60, 200, confirm="mixed_body"),
)

_CODE_KEYS = (
    _key("github_token", "token of GitHub", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), WORD, 30, 255),
    _key("github_fine_grained_token", "fine-grained token of GitHub", ("github_pat_",), WORD, 22, 255),
    _key(
        "gitlab_token",
        "token of GitLab",
        tuple(
            f"{kind}-"
            for kind in (
                "glpat",
                "gldt",
                "glrt",
                "glrtr",
                "glptt",
                "glsoat",
                "glft",
                "glimt",
                "glagent",
                "glcbt",
                "glffct",
                "gloas",
                "glwt",
            )
        ),
        DOTTED,
        20,
        320,
    ),
    _key("gitlab_runner_token", "registration token of GitLab", ("GR1348941",), URLSAFE, 20, 50),
    _key("bitbucket_token", "token of Bitbucket", ("ATBB", "ATCTT3x"), DOTTED, 24, 400, confirm="mixed_body"),
    _key("atlassian_token", "token of Atlassian", ("ATATT3x", "ATATT3", "ATSTT3"), "[A-Za-z0-9_=-]", 60, 400),
    _key("npm_token", "token of npm", ("npm_",), ALNUM, 36, 64),
    _key(
        "pypi_token",
        "token of PyPI",
        ("pypi-AgEIcHlwaS5vcmc", "pypi-AgENdGVzdC5weXBpLm9yZ", "pypi-"),
        URLSAFE,
        50,
        2048,
    ),
    _key("rubygems_key", "key of RubyGems", ("rubygems_",), HEX, 48, 48),
    _key("crates_token", "token of crates.io", ("cio",), ALNUM, 32, 32, confirm="mixed_body"),
    _key("clojars_token", "token of Clojars", ("CLOJARS_",), LOWER, 60, 60),
    _key("nuget_key", "key of NuGet", ("oy2",), LOWER, 43, 43),
    _key("docker_token", "token of Docker", ("dckr_pat_", "dckr_oat_"), URLSAFE, 27, 64),
    _key("circleci_token", "token of CircleCI", ("CCIPAT_", "CCIPRJ_"), WORD, 40, 100),
    _key("buildkite_token", "token of Buildkite", ("bkua_", "bkpt_", "bkct_", "bkaj_"), ALNUM, 30, 64),
    _key("octopus_key", "API key of Octopus Deploy", ("API-",), UPPER, 25, 40, confirm="mixed_body"),
    _key("harness_key", "API key of Harness", ("pat.", "sat."), "[A-Za-z0-9._-]", 60, 90, confirm="mixed_body"),
    _key("artifactory_key", "API key of Artifactory", ("AKCp",), ALNUM, 60, 80),
    _key("artifactory_reference_token", "reference token of Artifactory", ("cmVmdGtu",), ALNUM, 50, 80),
    _key("sonar_token", "token of SonarQube", ("squ_", "sqp_", "sqa_"), HEX, 40, 40),
    _key(
        "sourcegraph_token", "token of Sourcegraph", ("sgp_", "slk_", "sgd_"), "[a-f0-9_]", 40, 80, confirm="mixed_body"
    ),
    _key("snyk_token", "token of Snyk", ("snyk_",), DOTTED, 40, 400),
    _key("prefect_key", "API key of Prefect", ("pnu_", "pnb_"), ALNUM, 36, 36),
    _key("typeform_token", "token of Typeform", ("tfp_",), DOTTED, 40, 80),
    _key("readme_key", "API key of ReadMe", ("rdme_",), LOWER, 60, 80),
    _key("localstack_token", "token of LocalStack", ("ls-",), ALNUM, 32, 80, confirm="mixed_body"),
)

_MODEL_KEYS = (
    _key("anthropic_key", "API key of Anthropic", ("sk-ant-",), URLSAFE, 20, 256),
    _key("langfuse_key", "secret key of Langfuse", ("sk-lf-",), HEX_DASH, 36, 36),
    _key("openrouter_key", "API key of OpenRouter", ("sk-or-v1-", "sk-or-"), HEX, 40, 80),
    _key(
        "openai_key",
        "API key of OpenAI",
        ("sk-proj-", "sk-svcacct-", "sk-admin-", "sk-None-", "sess-"),
        URLSAFE,
        20,
        512,
        confirm="mixed_body",
    ),
    _shape(
        "openai_legacy_key",
        "API key in the form that OpenAI began and many copy",
        LEFT + rf"sk-(?:(?:[a-z]{{2,12}}-){{0,2}}[A-Za-z0-9]{{24,256}}|[A-Za-z0-9]{{8,64}}{CUT})",
        ("sk-",),
        f"item sk-{_sample(48)} set",
        "class sk-circle-fade-dot-container set",
        kind="openai_key",
        confirm="mixed_body",
    ),
    _key("huggingface_token", "token of Hugging Face", ("hf_",), ALNUM, 30, 64),
    _key("huggingface_organisation_token", "organisation token of Hugging Face", ("api_org_",), ALNUM, 30, 64),
    _key("groq_key", "API key of Groq", ("gsk_",), ALNUM, 40, 80),
    _key("replicate_token", "token of Replicate", ("r8_",), ALNUM, 36, 48),
    _key("xai_key", "API key of xAI", ("xai-",), ALNUM, 60, 100),
    _key("perplexity_key", "API key of Perplexity", ("pplx-",), ALNUM, 40, 64),
    _key("nvidia_key", "API key of NVIDIA", ("nvapi-",), URLSAFE, 40, 100),
    _key("langsmith_key", "API key of LangSmith", ("lsv2_",), "[a-z0-9_]", 40, 64),
    _key("pinecone_key", "API key of Pinecone", ("pcsk_",), WORD, 40, 100),
    _key("voyage_key", "API key of Voyage", ("pa-",), URLSAFE, 40, 60, confirm="mixed_body"),
    _key("jina_key", "API key of Jina", ("jina_",), URLSAFE, 50, 80),
    _key("tavily_key", "API key of Tavily", ("tvly-",), URLSAFE, 20, 64, confirm="mixed_body"),
    _key("firecrawl_key", "API key of Firecrawl", ("fc-",), HEX, 32, 32, confirm="mixed_body"),
    _key("elevenlabs_key", "API key of ElevenLabs", ("sk_",), HEX, 48, 64),
    _key("fireworks_key", "API key of Fireworks", ("fw_",), ALNUM, 22, 40, confirm="mixed_body"),
    _key("weights_and_biases_key", "API key of Weights & Biases", ("wandb_v1_",), WORD, 40, 100),
)

_MESSAGE_KEYS = (
    _key("slack_token", "token of Slack", tuple(f"xox{kind}-" for kind in "abceoprs"), "[A-Za-z0-9.-]", 10, 255),
    _key("slack_app_token", "app token of Slack", ("xapp-",), "[A-Za-z0-9-]", 10, 200, confirm="mixed_body"),
    _shape(
        "slack_webhook",
        "webhook of Slack",
        r"(?P<secret>(?:https?://)?hooks\.slack\.com/(?:services|workflows|"
        r"triggers)/(?:[A-Za-z0-9_/+-]{20,200}|[A-Za-z0-9_/+-]{3,20}" + CUT + "))",
        (),
        f"https://hooks.slack.com/services/T{_sample(9, UPPER)}/B{_sample(9, UPPER)}/{_sample(24)}",
        "https://hooks.slack.com/services/T000/B000/X and",
        kind="webhook_url",
        confirm="prefixed_value",
        locate=r"(?:https?://)?hooks\.slack\.com/",
        heads="h",
    ),
    _shape(
        "discord_webhook",
        "webhook of Discord",
        r"(?P<secret>(?:https?://)?discord(?:app)?\.com/api/(?:v[0-9]{1,2}/)?webhooks/[0-9]{15,22}"
        r"/[A-Za-z0-9_-]{40,100})",
        (),
        f"https://discord.com/api/webhooks/{_sample(18, DIGIT)}/{_sample(68)}",
        "https://discord.com/api/webhooks/1/none",
        kind="webhook_url",
        locate=r"(?:https?://)?discord(?:app)?\.com/api/",
        heads="hd",
    ),
    _shape(
        "office_webhook",
        "webhook of Microsoft Teams, Power Automate, Zapier, Make or Pipedream",
        r"(?:webhook\.office\.com/webhookb2/|hooks\.zapier\.com/hooks/catch/|hook\.[a-z0-9.]{2,12}\.make\.com/|"
        r"hook\.integromat\.com/|\.m\.pipedream\.net/|chat\.googleapis\.com/v1/spaces/)"
        r"(?P<secret>[A-Za-z0-9@/?=&%._-]{10,400})",
        (),
        f"https://acme.webhook.office.com/webhookb2/{_sample_uuid()}@{_sample_uuid()}/Incoming/{_sample(32, HEX)}",
        "https://acme.webhook.office.com/webhookb2/none",
        kind="webhook_url",
        locate=r"webhook\.office\.com/|hooks\.zapier\.com/|hook\.[a-z0-9.]{2,12}\.make\.com/|"
        r"hook\.integromat\.com/|\.m\.pipedream\.net/|chat\.googleapis\.com/",
        heads="whc.",
    ),
    _shape(
        "discord_token",
        "bot token of Discord",
        r"[MNO](?<![A-Za-z0-9_-][MNO])[A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}(?![A-Za-z0-9_-])",
        (),
        f"bot M{_sample(23)}.{_sample(6)}.{_sample(38)} on",
        "bot M.x.y on",
        confirm="mixed_body",
        family="token",
        locate=r"\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{8}",
        backs=(24, 25, 26, 27, 28),
        heads=".",
    ),
    _shape(
        "telegram_token",
        "bot token of Telegram",
        r"(?<![0-9A-Za-z])(?:bot)?(?P<secret>[0-9]{8,10}:A[A-Za-z0-9_-]{33,35})(?![A-Za-z0-9_-])",
        (),
        f"bot {_sample(9, DIGIT)}:AA{_sample(33)} on",
        "at 12345678:A1 on",
        confirm="varied_value",
        family="token",
        locate=r":A[A-Za-z0-9_-]{8}",
        backs=(8, 9, 10, 11, 12, 13),
        heads=":",
    ),
    _key("twilio_key", "API key of Twilio", ("SK",), HEX, 32, 32),
    _key("twilio_account", "account of Twilio, the user of its API", ("AC",), HEX, 32, 32),
    _key("sendgrid_key", "API key of SendGrid", ("SG.",), "[A-Za-z0-9_.-]", 40, 120, confirm="mixed_body"),
    _key("mailgun_key", "API key of Mailgun", ("key-",), HEX, 32, 32),
    _shape(
        "mailchimp_key",
        "API key of Mailchimp or Mandrill",
        r"(?<![A-Za-z0-9])(?:[a-f0-9]{32}-us[0-9]{1,2}|md-[A-Za-z0-9_-]{22})(?![A-Za-z0-9])",
        (),
        f"item {_sample(32, HEX)}-us12 set",
        f"item {_sample(31, HEX)}-us12 set",
        confirm="mixed_body",
        family="token",
        locate=r"-us[0-9]|\bmd-[A-Za-z0-9_-]{8}",
        backs=(0, 32),
        heads="-m",
    ),
    _key("brevo_key", "API key of Brevo", ("xkeysib-", "xsmtpsib-"), "[A-Za-z0-9-]", 60, 100),
    _key("resend_key", "API key of Resend", ("re_",), WORD, 28, 48, confirm="mixed_body"),
    _key("telnyx_key", "API key of Telnyx", ("KEY01",), WORD, 40, 64),
    _key("courier_key", "API key of Courier", ("pk_prod_", "dk_prod_"), UPPER, 24, 40, confirm="mixed_body"),
    _key("intercom_token", "token of Intercom", ("dG9rOg", "dG9rO"), PADDED, 40, 80),
    _key(
        "hubspot_token",
        "private app token of HubSpot",
        ("pat-na1-", "pat-eu1-", "pat-na2-", "pat-ap1-"),
        HEX_DASH,
        36,
        36,
    ),
    _key(
        "facebook_token",
        "access token of Facebook",
        ("EAAC", "EAAG", "EAAB", "EAAM", "EAAA", "EAAJ"),
        DOTTED,
        50,
        400,
        confirm="mixed_body",
    ),
    _key("instagram_token", "access token of Instagram", ("IGQV", "IGAA"), DOTTED, 50, 400, confirm="mixed_body"),
    _key("twitter_bearer_token", "bearer token of X", ("AAAAAAAAAAAAAAAAAAAAA",), "[A-Za-z0-9%]", 60, 200),
    _key("dropbox_token", "short-lived token of Dropbox", ("sl.",), URLSAFE, 100, 2048),
)

_BUSINESS_KEYS = (
    _key(
        "stripe_key",
        "secret key of Stripe",
        tuple(f"{kind}_{mode}_" for kind in ("sk", "rk") for mode in ("live", "test", "prod")),
        URLSAFE,
        16,
        255,
        confirm="mixed_body",
    ),
    _key("square_token", "token of Square", ("sq0atp-", "sq0csp-", "sq0idp-"), URLSAFE, 22, 64),
    _key(
        "shopify_token", "token of Shopify", ("shpat_", "shpca_", "shppa_", "shpss_", "shpua_"), "[A-Fa-f0-9]", 32, 64
    ),
    _key(
        "plaid_token",
        "token of Plaid",
        ("access-sandbox-", "access-development-", "access-production-"),
        HEX_DASH,
        36,
        36,
    ),
    _key("razorpay_key", "key of Razorpay", ("rzp_live_", "rzp_test_"), ALNUM, 14, 24, confirm="mixed_body"),
    _key(
        "flutterwave_key",
        "key of Flutterwave",
        ("FLWSECK-", "FLWSECK_TEST-", "FLWPUBK-", "FLWPUBK_TEST-", "FLWSECK_TEST"),
        "[A-Za-z0-9-]",
        12,
        64,
        confirm="mixed_body",
    ),
    _key("easypost_key", "API key of EasyPost", ("EZAK", "EZTK"), ALNUM, 54, 54),
    _key("shippo_token", "token of Shippo", ("shippo_live_", "shippo_test_"), HEX, 40, 40),
    _key("duffel_token", "token of Duffel", ("duffel_live_", "duffel_test_"), URLSAFE, 43, 43),
    _key("lob_key", "API key of Lob", ("live_", "test_"), HEX, 35, 35),
    _key("gocardless_token", "token of GoCardless", ("live_", "sandbox_"), URLSAFE, 40, 40, confirm="mixed_body"),
    _key("mercadopago_token", "token of Mercado Pago", ("APP_USR-",), "[A-Za-z0-9-]", 40, 100),
    _shape(
        "paypal_braintree_token",
        "access token of Braintree",
        r"access_token\$(?:production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32}",
        ("access_token$",),
        f"item access_token$production${_sample(16, LOWER)}${_sample(32, HEX)}",
        "item access_token$production$none",
    ),
    _key("linear_key", "API key of Linear", ("lin_api_", "lin_oauth_"), ALNUM, 32, 80),
    _key("notion_token", "token of Notion", ("ntn_", "secret_"), ALNUM, 40, 60),
    _shape(
        "airtable_token",
        "token of Airtable",
        r"pat(?<![A-Za-z0-9]pat)[A-Za-z0-9]{14}\.[a-f0-9]{64}",
        (),
        f"item pat{_sample(14)}.{_sample(64, HEX)}",
        "item pattern.none",
        family="token",
        locate=r"pat[A-Za-z0-9]{14}\.[a-f0-9]{8}",
        heads="p",
    ),
    _key("asana_token", "token of Asana", ("2/", "1/"), "[0-9/:a-f]", 45, 80, confirm="mixed_body"),
    _key("postman_key", "API key of Postman", ("PMAK-", "PMAT-"), "[A-Za-z0-9-]", 26, 64),
    _key("figma_token", "token of Figma", ("figd_", "figo_", "figor_"), URLSAFE, 30, 64),
    _key("frameio_token", "token of Frame.io", ("fio-u-",), "[A-Za-z0-9_=-]", 40, 80),
    _key("contentful_token", "management token of Contentful", ("CFPAT-",), URLSAFE, 40, 60),
    _key("adobe_secret", "client secret of Adobe", ("p8e-", "p8-"), URLSAFE, 32, 40, confirm="mixed_body"),
    _key("intra_school_secret", "client secret of Intra42", ("s-s4t2ud-", "s-s4t2af-"), HEX, 64, 64),
    _key(
        "settlemint_token",
        "token of SettleMint",
        ("sm_aat_", "sm_pat_", "sm_sat_"),
        ALNUM,
        16,
        32,
        confirm="mixed_body",
    ),
    _key("maxmind_key", "licence key of MaxMind", ("MMK_",), ALNUM, 29, 60),
    _shape(
        "maxmind_license",
        "licence key of MaxMind",
        LEFT + r"[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk",
        (),
        f"item {_sample(6)}_{_sample(29)}_mmk",
        "item none_mmk",
        kind="maxmind_key",
        family="token",
        locate=r"_mmk",
        backs=(36,),
        heads="_",
    ),
    _key(
        "authress_key",
        "access key of Authress",
        ("sc_", "ext_", "scauth_", "authress_"),
        "[A-Za-z0-9.=_/+-]",
        55,
        400,
        confirm="mixed_body",
    ),
    _key("mapbox_token", "secret token of Mapbox", ("sk.eyJ",), DOTTED, 60, 300),
    _key("clerk_key", "secret key of Clerk", ("sk_clerk_",), ALNUM, 24, 80),
    _key("posthog_key", "personal key of PostHog", ("phx_", "phs_"), WORD, 30, 64),
    _key("salesforce_token", "session of Salesforce", ("00D",), "[A-Za-z0-9!._]", 80, 200, confirm="mixed_body"),
    _key("zuplo_key", "API key of Zuplo", ("zpka_",), WORD, 30, 80),
)

_MORE_CLOUD_KEYS = (
    _key(
        "aws_session_token",
        "session token of Amazon Web Services",
        ("FwoGZXIvYXdz", "IQoJb3JpZ2lu", "FQoGZXIvYXdz"),
        BASE64,
        60,
        2048,
    ),
    _key("aws_appsync_key", "API key of AWS AppSync", ("da2-",), LOWER, 26, 26, confirm="mixed_body"),
    _shape(
        "azure_identifiable_key",
        "key of an Azure service with a signature inside",
        LEFT + r"[A-Za-z0-9+/]{44,76}(?:JQQJ99[A-Z0-9][A-L][A-Za-z0-9]{16,24}|(?:\+ASt|\+AMC|\+ARm|\+ACR|APIM|AzFu|"
        r"AzSe|AIoT|AzCa)[A-Za-z0-9+/]{5}[AQgw]?={0,2})(?![A-Za-z0-9+/])",
        (),
        f"item {_sample(52)}JQQJ99AKACYeBjFX{_sample(16)} set",
        "item JQQJ99AKACYeBjFX set",
        family="token",
        locate=r"JQQJ99|\+ASt|\+AMC|\+ARm|\+ACR|APIM|AzFu|AzSe|AIoT|AzCa",
        backs=(52, 76, 44, 42, 72),
        heads="J+A",
    ),
    _key(
        "firebase_messaging_key",
        "server key of Firebase Cloud Messaging",
        ("AAAA",),
        "[A-Za-z0-9_:-]",
        140,
        180,
        confirm="messaging_key",
    ),
    _key(
        "google_recaptcha_secret",
        "secret of reCAPTCHA",
        ("6Lc", "6Ld", "6Le", "6Lf"),
        URLSAFE,
        37,
        37,
        confirm="mixed_body",
    ),
    _key("railway_token", "token of Railway", ("rw_Fe26.2**",), "[A-Za-z0-9*_-]", 40, 600),
    _key("deno_token", "token of Deno Deploy", ("ddp_", "ddo_", "ddw_"), ALNUM, 30, 48),
    _key("neon_key", "API key of Neon", ("napi_",), LOWER, 40, 80),
    _key("xata_key", "API key of Xata", ("xau_",), ALNUM, 20, 64),
    _key("cockroach_key", "secret of CockroachDB Cloud", ("CCDB1_",), WORD, 40, 80),
    _key("aiven_password", "service password of Aiven", ("AVNS_",), URLSAFE, 15, 40),
    _key("aiven_token", "token of Aiven", ("aivenv1",), PADDED, 40, 400),
    _key("tinybird_token", "token of Tinybird", ("p.eyJ",), DOTTED, 60, 400),
    _key("dbt_token", "token of dbt Cloud", ("dbtc_", "dbtu_", "dbts_"), PADDED, 30, 80),
    _key("hashicorp_hcp_token", "token of HashiCorp Cloud", ("hcp.",), PADDED, 40, 400),
    _key("vault_legacy_token", "token of older HashiCorp Vaults", ("s.",), ALNUM, 24, 24, confirm="mixed_body"),
    _key("elastic_key", "API key of Elastic Cloud", ("essu_", "essa_"), PADDED, 40, 200),
    _key("dnsimple_token", "token of DNSimple", ("dnsimple_u_", "dnsimple_a_"), ALNUM, 30, 40),
    _key("porkbun_key", "API key of Porkbun", ("pk1_", "sk1_"), HEX, 64, 64),
    _key("defined_networking_key", "key of Defined Networking", ("dnkey-",), URLSAFE, 40, 90),
    _key("bitwarden_token", "machine token of Bitwarden", ("0.",), "[a-f0-9-]", 36, 36, confirm="hexadecimal_body"),
    _key(
        "yandex_token",
        "OAuth or IAM token of Yandex",
        ("y0_", "YCAJE", "YCM", "YCP", "y1_"),
        PADDED,
        20,
        400,
        confirm="mixed_body",
    ),
)

_MORE_CODE_KEYS = (
    _key(
        "depot_token",
        "token of Depot",
        ("depot_project_", "depot_org_", "depot_user_", "depot_"),
        ALNUM,
        32,
        80,
        confirm="mixed_body",
    ),
    _key(
        "packagist_token",
        "token of Packagist",
        ("packagist_ort_", "packagist_out_", "packagist_uut_", "packagist_"),
        HEX,
        40,
        90,
    ),
    _key("hex_key", "API key of Hex", ("hxtw_", "hxtp_"), HEX, 60, 90),
    _key("socket_key", "API key of Socket", ("sktsec_",), PADDED, 30, 100),
    _key("n_eight_n_key", "API key of n8n", ("n8n_api_",), ALNUM, 30, 200),
    _key("retool_token", "token of Retool", ("retool_",), ALNUM, 20, 64, confirm="mixed_body"),
    _key("inngest_key", "signing key of Inngest", ("signkey-prod-", "signkey-test-", "signkey-branch-"), HEX, 30, 80),
    _key("trigger_key", "secret key of Trigger.dev", ("tr_dev_", "tr_prod_", "tr_stg_", "tr_pat_"), ALNUM, 20, 64),
    _key("svix_key", "API key of Svix", ("testsk_", "svix_sk_"), DOTTED, 20, 80),
    _key("liveblocks_key", "secret key of Liveblocks", ("sk_dev_",), URLSAFE, 40, 100),
    _key("configcat_key", "SDK key of ConfigCat", ("configcat-sdk-1/",), "[A-Za-z0-9_/-]", 40, 60),
    _key("flagsmith_key", "server key of Flagsmith", ("ser.",), ALNUM, 20, 32, confirm="mixed_body"),
    _key("censys_key", "API key of Censys", ("censys_",), WORD, 28, 64),
    _key("checkly_key", "API key of Checkly", ("cu_",), HEX, 32, 32),
)

_MORE_MODEL_KEYS = (
    _key("anyscale_key", "API key of Anyscale", ("esecret_",), ALNUM, 24, 48),
    _key("cerebras_key", "API key of Cerebras", ("csk-",), LOWER, 40, 64),
    _key("together_key", "API key of Together", ("tgp_v1_",), URLSAFE, 36, 64),
    _key("runpod_key", "API key of RunPod", ("rpa_",), ALNUM, 36, 64),
    _key("llamaindex_key", "API key of LlamaCloud", ("llx-",), ALNUM, 40, 64),
    _key("e_two_b_key", "API key of E2B", ("e2b_",), HEX, 40, 64),
    _key("browserbase_key", "API key of Browserbase", ("bb_live_", "bb_test_"), URLSAFE, 20, 64),
    _key("friendli_token", "token of Friendli", ("flp_",), ALNUM, 40, 64),
    _key("mem_zero_key", "API key of Mem0", ("m0-",), ALNUM, 36, 48),
    _key("nomic_key", "API key of Nomic", ("nk-",), URLSAFE, 40, 48, confirm="mixed_body"),
    _key("apify_token", "token of Apify", ("apify_api_", "apify_proxy_"), ALNUM, 30, 48),
    _key("modal_token", "token of Modal", ("ak-", "as-"), ALNUM, 22, 22, confirm="mixed_body"),
    _key("cartesia_key", "API key of Cartesia", ("sk_car_",), ALNUM, 20, 40),
    _key("helicone_key", "API key of Helicone", ("sk-helicone-", "pk-helicone-"), URLSAFE, 20, 64),
    _key("scrapfly_key", "API key of Scrapfly", ("scp-live-", "scp-test-"), HEX, 32, 32),
    _key("braintrust_key", "API key of Braintrust", ("bt-st-",), ALNUM, 40, 64),
    _key("upstage_key", "API key of Upstage", ("up_",), ALNUM, 28, 40, confirm="mixed_body"),
)

_MORE_BUSINESS_KEYS = (
    _key("paddle_key", "API key of Paddle", ("pdl_live_apikey_", "pdl_sdbx_apikey_", "pdl_ntfset_"), WORD, 40, 90),
    _key("polar_token", "token of Polar", ("polar_oat_", "polar_pat_", "polar_at_", "polar_whs_"), ALNUM, 30, 80),
    _key("xendit_key", "secret key of Xendit", ("xnd_production_", "xnd_development_"), ALNUM, 40, 80),
    _key("midtrans_key", "server key of Midtrans", ("SB-Mid-server-", "Mid-server-"), URLSAFE, 20, 48),
    _key("omise_key", "secret key of Omise", ("skey_test_", "skey_"), LOWER, 17, 32, confirm="mixed_body"),
    _key("mollie_key", "API key of Mollie", ("live_", "test_"), ALNUM, 30, 34, confirm="mixed_body"),
    _key("adyen_key", "API key of Adyen", ("AQE",), "[A-Za-z0-9+/=^,.{}<>&*()-]", 120, 400, confirm="mixed_body"),
    _key(
        "checkout_key",
        "secret key of Checkout.com",
        ("sk_sbox_", "sk_test_", "sk_"),
        "[a-z0-9-]",
        30,
        48,
        confirm="mixed_body",
    ),
    _key("circle_key", "API key of Circle", ("TEST_API_KEY:", "LIVE_API_KEY:"), "[a-f0-9:]", 60, 80),
    _key("woocommerce_key", "consumer key of WooCommerce", ("ck_", "cs_"), HEX, 40, 40),
    _key("clickup_token", "token of ClickUp", ("pk_",), "[A-Z0-9_]", 36, 60, confirm="mixed_body"),
    _key("klaviyo_key", "private key of Klaviyo", ("pk_",), HEX, 34, 34),
    _key("trello_token", "token of Trello", ("ATTA",), ALNUM, 60, 80),
    _key("cal_key", "API key of Cal.com", ("cal_live_", "cal_test_", "cal_"), HEX, 30, 64),
    _key("tally_key", "API key of Tally", ("tly-",), ALNUM, 24, 64),
    _key("zoho_token", "token of Zoho", ("1000.",), "[a-f0-9.]", 65, 65),
    _key("close_key", "API key of Close", ("api_",), DOTTED, 40, 64, confirm="mixed_body"),
    _key("onesignal_key", "API key of OneSignal", ("os_v2_app_", "os_v2_org_"), LOWER, 60, 120),
    _key("beamer_key", "API key of Beamer", ("b_",), PADDED, 40, 48, confirm="mixed_body"),
    _key("teamwork_token", "token of Teamwork", ("tkn.v1_",), PADDED, 40, 120),
    _key("square_access_token", "access token of Square", ("EAAA", "EAAl"), URLSAFE, 22, 60, confirm="mixed_body"),
    _key("axiom_token", "token of Axiom", ("xaat-", "xapt-"), HEX_DASH, 36, 36),
    _key("pagerduty_token", "token of PagerDuty", ("pdus+", "pdeu+"), "[A-Za-z0-9_+-]", 20, 64),
    _key("honeybadger_key", "key of Honeybadger", ("hbp_", "hbr_"), ALNUM, 30, 48),
    _key("adafruit_key", "key of Adafruit IO", ("aio_",), ALNUM, 28, 28),
    _key("ubidots_token", "token of Ubidots", ("BBFF-", "BBUS-"), ALNUM, 30, 40),
    _key("stytch_secret", "secret of Stytch", ("secret-live-", "secret-test-"), PADDED, 32, 48),
    _key("onfido_token", "token of Onfido", ("api_live.", "api_sandbox.", "api_live_us."), "[A-Za-z0-9._-]", 32, 100),
    _key("persona_key", "API key of Persona", ("persona_production_", "persona_sandbox_"), HEX_DASH, 36, 36),
    _key("imagekit_key", "private key of ImageKit", ("private_",), PADDED, 27, 29, confirm="mixed_body"),
    _key("contentstack_token", "token of Contentstack", ("blt", "cs"), HEX, 32, 48, confirm="mixed_body"),
    _key("sanity_token", "token of Sanity", ("sk",), ALNUM, 150, 200, confirm="mixed_body"),
    _key("mapbox_temporary_token", "temporary token of Mapbox", ("tk.eyJ",), DOTTED, 60, 400),
    _key("ebay_token", "user token of eBay", ("v^1.1#",), "[A-Za-z0-9#^/+=]", 60, 2400),
    _key(
        "amazon_login_token",
        "token of Login with Amazon",
        ("Atza|", "Atzr|", "amzn1.oa2-cs.v1."),
        "[A-Za-z0-9_=+/-]",
        40,
        600,
    ),
    _key("nostr_key", "private key of Nostr", ("nsec1",), LOWER, 58, 58),
    _key("extended_private_key", "extended private key of a wallet", ("xprv", "yprv", "zprv", "tprv"), ALNUM, 100, 112),
    _shape(
        "wallet_import_key",
        "private key of a wallet in its import format",
        r"(?<![A-Za-z0-9])(?:5[HJK][1-9A-HJ-NP-Za-km-z]{49}|[KL][1-9A-HJ-NP-Za-km-z]{51})(?![A-Za-z0-9])",
        (),
        f"wif 5Kb8kLf9zgWQnogidDA76MzPL6TsZZY36hWXMssSzNy{'dYXYB9KF'} x",
        "wif 5Kb8kLf9zg x",
        family="token",
        locate=r"\b(?:5[HJK][1-9A-HJ-NP-Za-km-z]{49}|[KL][1-9A-HJ-NP-Za-km-z]{51})\b",
        confirm="mixed_body",
        heads="5KL",
    ),
    _shape(
        "deepl_key",
        "API key of DeepL",
        r"(?<![0-9a-f-])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}:(?:fx|dp)(?![A-Za-z0-9])",
        (),
        f"item {_sample_uuid()}:fx set",
        f"item {_sample_uuid()}:xf set",
        family="token",
        locate=r":(?:fx|dp)\b",
        backs=(36,),
        heads=":",
    ),
    _shape(
        "named_environment_token",
        "a token whose prefix names its maker and what it opens, as live or secret does",
        LEFT + r"[A-Za-z][A-Za-z0-9]{0,14}[_-](?:(?:live|test|prod|production|sandbox|secret|sk|pat|api|apikey|key|"
        r"token|access|private|admin|service)[_-]){1,3}"
        r"(?P<secret>[A-Za-z0-9]{20,256}+)(?![A-Za-z0-9])",
        (),
        f"use quux_access_{_sample(32)} now",
        "use quux_access_configuration_of_things now",
        kind="api_key",
        family="token",
        locate=r"\b[A-Za-z][A-Za-z0-9]*[_-](?:(?:live|test|prod|production|sandbox|secret|sk|pat|api|apikey|"
        r"key|token|access|private|admin|service)[_-])+[A-Za-z0-9]{10}",
        confirm="random_value",
        confidence="medium",
        heads=string.ascii_letters,
    ),
    _shape(
        "prefixed_token",
        "a long token of mixed letters and digits behind a short prefix",
        LEFT + r"(?!(?:msg|call|toolu|srvtoolu|req|resp|chatcmpl|run|thread|file|evt|item|batch|rs|fc|ws|step|conv|"
        r"pk|pub)_)[A-Za-z]{2,10}_[A-Za-z0-9]{30,256}+(?![A-Za-z0-9])",
        (),
        f"use quux_{_sample(36)} now",
        f"use msg_{_sample(36)} now",
        kind="api_key",
        family="token",
        locate=r"\b[A-Za-z]{2,10}_[A-Za-z0-9]{20}",
        confirm="mixed_token",
        confidence="low",
        heads=string.ascii_letters,
    ),
)

_STILL_MORE_KEYS = (
    _key("facebook_long_token", "long access token of Facebook", ("EAA",), ALNUM, 80, 400, confirm="mixed_body"),
    _key("slack_rotated_token", "rotated token of Slack", ("xoxe.xoxp-", "xoxe.xoxb-", "xoxe-1-"), PADDED, 20, 400),
    _key("matrix_token", "token of a Matrix server", ("syt_", "syr_"), WORD, 30, 200),
    _key("cursor_key", "API key of Cursor", ("key_",), HEX, 64, 128),
    _key("cursor_session_key", "user key of Cursor", ("crsr_",), HEX, 32, 80),
    _key("unkey_key", "root key of Unkey", ("unkey_",), ALNUM, 16, 64, confirm="mixed_body"),
    _key("wakatime_key", "API key of WakaTime", ("waka_",), HEX_DASH, 36, 36),
    _key("pubnub_secret", "secret key of PubNub", ("sec-c-",), PADDED, 36, 80),
    _key(
        "google_authorization_code", "authorization code of Google", ("4/0A",), URLSAFE, 40, 256, confirm="mixed_body"
    ),
    _key("google_storage_key", "access id of Google Cloud Storage", ("GOOG1E",), UPPER, 40, 64),
    _key("volcengine_key", "access key of Volcengine", ("AKLT",), URLSAFE, 30, 80, confirm="mixed_body"),
    _key(
        "digitalocean_spaces_key",
        "access key of DigitalOcean Spaces",
        ("DO00", "DO80"),
        UPPER,
        16,
        20,
        confirm="mixed_body",
    ),
    _key("exoscale_key", "API key of Exoscale", ("EXO",), HEX, 24, 32, confirm="mixed_body"),
    _key("upcloud_token", "token of UpCloud", ("ucat_",), UPPER, 20, 64),
    _key("akamai_token", "client or access token of Akamai", ("akab-",), URLSAFE, 24, 64, confirm="mixed_body"),
    _key("vercel_blob_token", "token of Vercel Blob", ("vercel_blob_rw_", "vercel_blob_ro_"), WORD, 30, 80),
    _key("bitbucket_server_token", "token of Bitbucket Data Center", ("BBDC-",), PADDED, 40, 64),
    _key("figma_other_token", "token of Figma", ("figu_", "figoh_", "figh_"), URLSAFE, 30, 64),
    _key("sentry_app_token", "integration token of Sentry", ("sntrya_", "sntryi_"), HEX, 60, 80),
    _key("linear_webhook_secret", "webhook secret of Linear", ("lin_wh_",), ALNUM, 24, 64),
    _key("shopify_other_token", "token of Shopify", ("shptka_", "shpit_", "shpsb_", "shprt_"), ALNUM, 24, 64),
    _key(
        "age_post_quantum_key",
        "hybrid secret key of age",
        ("AGE-SECRET-KEY-PQ-1", "AGE-PLUGIN-YUBIKEY-1"),
        UPPER,
        40,
        80,
    ),
    _key("mailersend_token", "token of MailerSend", ("mlsn.",), HEX, 60, 70),
    _key("tezos_key", "secret key of Tezos", ("edsk",), ALNUM, 50, 94, confirm="mixed_body"),
    _key(
        "cardano_key",
        "secret key of Cardano",
        ("ed25519_sk1", "ed25519e_sk1", "addr_xsk1", "root_xsk1", "acct_xsk1"),
        LOWER,
        50,
        180,
    ),
    _key("near_key", "secret key of NEAR", ("ed25519:",), ALNUM, 80, 90, confirm="mixed_body"),
    _key("sui_key", "private key of Sui", ("suiprivkey1",), LOWER, 50, 80),
    _key(
        "encrypted_wallet_key", "encrypted private key of a wallet", ("6PR", "6PY"), ALNUM, 55, 55, confirm="mixed_body"
    ),
    _key("lightning_macaroon", "macaroon of a Lightning node", ("0201036c6e64",), HEX, 100, 2048),
    _key(
        "macaroon",
        "macaroon",
        ("MDAxY2xvY2F0aW9u", "MDAxOGxvY2F0aW9u", "MDAyMWxvY2F0aW9u", "MDAxZGxvY2F0aW9u"),
        PADDED,
        60,
        4096,
    ),
    _key("kaggle_token", "token of Kaggle", ("KGAT_",), HEX, 32, 40),
    _key("brave_search_key", "API key of Brave Search", ("BSA",), URLSAFE, 28, 30, confirm="mixed_body"),
    _key("dify_key", "API key of Dify", ("app-", "dataset-"), ALNUM, 24, 24, confirm="mixed_body"),
    _key("voiceflow_key", "API key of Voiceflow", ("VF.DM.", "VF.WS."), DOTTED, 30, 60),
    _key("twelve_labs_key", "API key of Twelve Labs", ("tlk_",), UPPER, 24, 40),
    _key("turbopuffer_key", "API key of turbopuffer", ("tpuf_",), ALNUM, 28, 64),
    _key("vectara_key", "API key of Vectara", ("zut_", "zqt_", "zwt_"), URLSAFE, 36, 64, confirm="mixed_body"),
    _key("luma_key", "API key of Luma", ("luma-",), HEX_DASH, 36, 90, confirm="mixed_body"),
    _key("codeium_key", "service key of Windsurf", ("sk-ws-",), URLSAFE, 32, 128, confirm="mixed_body"),
    _key("langwatch_key", "API key of LangWatch", ("sk-lw-",), ALNUM, 32, 80),
    _key("botpress_token", "token of Botpress", ("bp_pat_", "bp_bak_"), ALNUM, 30, 64),
    _key("coralogix_key", "key of Coralogix", ("cxtp_", "cxup_"), ALNUM, 28, 40),
    _key("firehydrant_token", "token of FireHydrant", ("fhb-",), HEX, 32, 64, confirm="mixed_body"),
    _key("devcycle_key", "server key of DevCycle", ("dvc_server_",), "[A-Za-z0-9_-]", 30, 80),
    _key("census_token", "secret token of Census", ("secret-token:",), PADDED, 20, 64, confirm="mixed_body"),
    _key("fauna_key", "key of Fauna", ("fnAE", "fnAF", "fnAD"), URLSAFE, 36, 40, confirm="mixed_body"),
    _key("crunchy_key", "API key of Crunchy Bridge", ("cbkey_",), ALNUM, 30, 64),
    _key("edgedb_token", "token of EdgeDB", ("nbwt1_", "edbt_", "edbt1_"), DOTTED, 40, 400),
    _key("builder_key", "private key of Builder.io", ("bpk-",), HEX, 32, 32),
    _key("radar_key", "secret key of Radar", ("prj_live_sk_", "prj_test_sk_", "org_live_sk_"), HEX, 36, 48),
    _key("foursquare_key", "API key of Foursquare", ("fsq3",), PADDED, 40, 48, confirm="mixed_body"),
    _key("jsr_token", "token of JSR", ("jsrp_", "jsrd_"), ALNUM, 30, 64),
    _key("openvsx_token", "token of Open VSX", ("ovsxat_", "ovsxp_"), HEX_DASH, 36, 36),
    _key("percy_token", "token of Percy", ("web_", "app_", "auto_"), HEX, 64, 64),
    _key("chromatic_token", "token of Chromatic", ("chpt_",), ALNUM, 12, 24, confirm="mixed_body"),
    _key("gitbook_token", "token of GitBook", ("gb_api_",), ALNUM, 36, 48),
    _key("pinterest_token", "token of Pinterest", ("pina_", "pinr."), "[A-Za-z0-9_.-]", 40, 400, confirm="mixed_body"),
    _key("tiktok_token", "token of TikTok", ("act.", "rft.", "clt."), "[A-Za-z0-9!._-]", 40, 200, confirm="mixed_body"),
    _key("riot_key", "API key of Riot Games", ("RGAPI-",), HEX_DASH, 36, 36),
    _key("remote_token", "token of Remote", ("ra_live_", "ra_test_"), URLSAFE, 20, 80, confirm="mixed_body"),
    _key("salesloft_token", "token of Salesloft", ("v2_ak_",), WORD, 30, 90),
    _key("postgrid_key", "secret key of PostGrid", ("live_sk_", "test_sk_"), ALNUM, 20, 48, confirm="mixed_body"),
    _key("aftership_key", "API key of AfterShip", ("asat_",), ALNUM, 28, 48),
    _key("iex_key", "secret token of IEX Cloud", ("Tsk_",), HEX, 32, 32),
    _key("mintlify_key", "API key of Mintlify", ("mint_dsc_", "mint_"), ALNUM, 20, 64, confirm="mixed_body"),
    _key("arcade_key", "API key of Arcade", ("arc_",), ALNUM, 40, 64, confirm="mixed_body"),
    _key("coze_token", "token of Coze", ("pat_", "sat_"), ALNUM, 60, 80, confirm="mixed_body"),
    _key("northflank_token", "API key of Northflank", ("nf-",), DOTTED, 60, 400, confirm="mixed_body"),
    _key("hookdeck_key", "API key of Hookdeck", ("hkdk_",), ALNUM, 28, 64),
    _key("lambda_test_key", "access key of LambdaTest", ("LT_",), ALNUM, 40, 60, confirm="mixed_body"),
    _key("nylas_key", "API key of Nylas", ("nyk_v0_", "nyk_"), ALNUM, 40, 80),
    _key("knock_key", "secret key of Knock", ("knock_st_", "knock_sk_"), DOTTED, 20, 128, confirm="mixed_body"),
    _key("novu_key", "secret key of Novu", ("nv-",), HEX, 32, 64, confirm="mixed_body"),
    _key("sonar_other_token", "badge or global token of SonarQube", ("sqm_", "sqb_"), HEX, 40, 64),
    _key("wiz_token", "service secret of Wiz", ("wiz_",), ALNUM, 40, 128, confirm="mixed_body"),
    _key("gitguardian_token", "token of GitGuardian", ("ggtt-v-", "ggpat_"), ALNUM, 10, 80, confirm="mixed_body"),
    _key("semgrep_token", "token of Semgrep", ("sgp_",), ALNUM, 40, 80, confirm="mixed_body"),
    _key("expo_token", "token of Expo", ("exp_", "expo_pat_"), URLSAFE, 30, 64, confirm="mixed_body"),
    _key("turso_token", "token of Turso", ("turso_",), ALNUM, 30, 200, confirm="mixed_body"),
    _key(
        "ory_token",
        "token of Ory",
        ("ory_pat_", "ory_at_", "ory_rt_", "ory_ac_", "ory_st_", "ory_apikey_", "ory_wak_"),
        DOTTED,
        24,
        200,
    ),
    _key("lakefs_key", "secret of lakeFS Cloud", ("lakefs_",), ALNUM, 32, 80, confirm="mixed_body"),
    _key("plain_api_key", "key behind the word for it", ("apikey_",), ALNUM, 32, 128, confirm="mixed_body"),
    _key("teller_token", "access token of Teller", ("test_tkn_", "token_"), LOWER, 26, 40, confirm="mixed_body"),
    _key("increase_key", "API key of Increase", ("secret_key_", "sandbox_key_"), ALNUM, 20, 48, confirm="mixed_body"),
    _key("moov_key", "API key of Moov", ("moov_",), ALNUM, 30, 64, confirm="mixed_body"),
    _shape(
        "stellar_seed",
        "secret seed of Stellar",
        r"(?<![A-Za-z0-9])S[A-Z2-7]{55}(?![A-Za-z0-9])",
        (),
        f"item S{_sample(55, '[A-Z2-7]')} set",
        f"item S{_sample(54, '[A-Z2-7]')} set",
        family="token",
        locate=r"\bS[A-Z2-7]{55}\b",
        heads="S",
        confirm="mixed_body",
    ),
    _shape(
        "zhipu_key",
        "API key of Zhipu",
        r"(?<![A-Za-z0-9._-])[0-9a-f]{32}\.[A-Za-z0-9]{16}(?![A-Za-z0-9._-])",
        (),
        f"item {_sample(32, HEX)}.{_sample(16)} set",
        f"item {_sample(32, HEX)}.min.js set",
        family="token",
        locate=r"\b[0-9a-f]{32}\.[A-Za-z0-9]{16}\b",
        heads=string.digits + "abcdef",
        confirm="mixed_body",
    ),
    _shape(
        "fal_key",
        "API key of fal",
        r"(?<![0-9a-f-])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}:[0-9a-f]{32}(?![0-9A-Za-z])",
        (),
        f"item {_sample_uuid()}:{_sample(32, HEX)} set",
        f"item {_sample_uuid()}:{_sample(8, HEX)} set",
        family="token",
        locate=r"-[0-9a-f]{12}:[0-9a-f]{32}\b",
        heads="-",
        backs=(23,),
    ),
    _shape(
        "ghost_admin_key",
        "admin key of Ghost",
        r"(?<![0-9A-Za-z:])[0-9a-f]{24}:[0-9a-f]{64}(?![0-9A-Za-z])",
        (),
        f"item {_sample(24, HEX)}:{_sample(64, HEX)} set",
        f"item {_sample(12, HEX)}:{_sample(64, HEX)} set",
        family="token",
        locate=r"\b[0-9a-f]{24}:[0-9a-f]{64}\b",
        heads=string.digits + "abcdef",
    ),
    _shape(
        "apollo_key",
        "graph key of Apollo",
        r"(?<![A-Za-z0-9])(?:service|user):[A-Za-z0-9_.-]{1,64}:[A-Za-z0-9_-]{22}(?![A-Za-z0-9_-])",
        (),
        f"item service:shop:{_sample(22)} set",
        "item service:shop:current set",
        family="token",
        locate=r"\b(?:service|user):[A-Za-z0-9_.-]+:[A-Za-z0-9_-]{22}",
        heads="su",
        confirm="mixed_body",
    ),
    _shape(
        "ably_key",
        "API key of Ably",
        r"(?<![A-Za-z0-9._-])[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{6}:[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])",
        (),
        f"item {_sample(6)}.{_sample(6)}:{_sample(43)} set",
        f"item {_sample(6)}.{_sample(6)}:{_sample(9)} set",
        family="token",
        locate=r"\.[A-Za-z0-9_-]{6}:[A-Za-z0-9_-]{43}",
        heads=".",
        backs=(6,),
        confirm="mixed_body",
    ),
    _shape(
        "unleash_token",
        "API token of Unleash",
        r"(?<![A-Za-z0-9])(?:\*|[a-z0-9_-]{1,64}|\[\]):(?:\*|[a-z]{2,24})\.[0-9a-f]{56}(?![0-9a-z])",
        (),
        f"item default:development.{_sample(56, HEX)} set",
        "item default:development.none set",
        family="token",
        locate=r"(?:\*|\b[a-z0-9_-]+|\[\]):(?:\*|[a-z]+)\.[0-9a-f]{56}\b",
        heads=string.ascii_lowercase + string.digits + "*[_-",
    ),
    _shape(
        "line_channel_token",
        "channel token of LINE",
        r"[A-Za-z0-9+/]{120,180}1O/w1cDnyilFU=",
        (),
        f"item {_sample(152)}1O/w1cDnyilFU= set",
        "item 1O/w1cDnyilFU= set",
        family="run",
        locate=r"[A-Za-z0-9+/]{120}[A-Za-z0-9+/]*1O/w1cDnyilFU=",
        needs=("1O/w1cDnyilFU=",),
    ),
    _shape(
        "newrelic_license_key",
        "licence key of New Relic",
        r"(?<![0-9a-zA-Z])(?:eu01xx)?[0-9a-f]{30,36}NRAL(?![0-9A-Za-z])",
        (),
        f"item {_sample(36, HEX)}NRAL set",
        f"item {_sample(12, HEX)}NRAL set",
        family="token",
        locate=r"\b(?:eu01xx)?[0-9a-f]{30,36}NRAL\b",
        heads=string.digits + "abcdef",
    ),
    _shape(
        "rapidapi_key",
        "key of RapidAPI",
        r"(?<![0-9a-zA-Z])[0-9a-f]{10}msh[0-9a-f]{15}p1[0-9a-f]{6}jsn[0-9a-f]{12}(?![0-9A-Za-z])",
        (),
        f"item {_sample(10, HEX)}msh{_sample(15, HEX)}p1{_sample(6, HEX)}jsn{_sample(12, HEX)} set",
        f"item {_sample(10, HEX)}msh{_sample(15, HEX)} set",
        family="token",
        locate=r"\b[0-9a-f]{10}msh[0-9a-f]{10}",
        heads=string.digits + "abcdef",
    ),
)

_NEWER_KEYS = (
    _key("baidu_key", "signed key of Baidu Cloud", ("bce-v3/",), "[A-Za-z0-9/_-]", 40, 120, confirm="mixed_body"),
    _key("yandex_iam_token", "IAM token of Yandex Cloud", ("t1.",), DOTTED, 60, 1024, confirm="mixed_body"),
    _key("gemini_key", "newer API key of Gemini", ("AQ.",), URLSAFE, 40, 120, confirm="mixed_body"),
    _key("letta_key", "API key of Letta", ("sk-let-",), PADDED, 32, 400),
    _key("sumup_key", "secret key of SumUp", ("sup_sk_",), ALNUM, 24, 64),
    _key("cashfree_key", "secret of Cashfree", ("cfsk_ma_", "cfsk_"), WORD, 32, 90, confirm="mixed_body"),
    _key("slack_cookie", "cookie that opens a session of Slack", ("xoxd-",), "[A-Za-z0-9%+/=_-]", 20, 400),
    _key("stackhawk_key", "API key of StackHawk", ("hawk.",), "[A-Za-z0-9._-]", 30, 90, confirm="mixed_body"),
    _key("ngrok_credential", "tunnel credential of ngrok", ("cr_", "ssh_2"), ALNUM, 25, 40, confirm="mixed_body"),
    _key("dropbox_new_token", "token of Dropbox", ("sl.u.", "sl.B"), URLSAFE, 60, 2048, confirm="mixed_body"),
    _key("github_app_token", "older installation token of GitHub", ("v1.",), HEX, 40, 40),
    _key("arcgis_key", "API key of ArcGIS", ("AAPK", "AAPT"), DOTTED, 60, 400, confirm="mixed_body"),
    _key("jenkins_secret", "value that Jenkins encrypted with a key beside it", ("{AQAAABAAAA",), PADDED, 20, 8192),
    _shape(
        "convex_key",
        "deploy key of Convex",
        r"(?<![A-Za-z0-9])(?:prod|dev|preview|project):[a-z0-9:-]{3,80}\|[A-Za-z0-9+/=_-]{20,2048}",
        (),
        f"item prod:happy-otter-123|{_sample(60)} set",
        "item prod:happy-otter-123|none set",
        locate=r"(?:prod|dev|preview|project):[a-z0-9:-]+\|[a-z0-9]",
        begins="pr de",
        confirm="varied_value",
    ),
    _shape(
        "telnyx_longer_key",
        "API key of Telnyx",
        r"(?<![A-Za-z0-9])KEY[0-9A-Z]{24,48}_[A-Za-z0-9]{20,40}(?![A-Za-z0-9])",
        (),
        f"item KEY{_sample(32, UPPER)}_{_sample(22)} set",
        f"item KEY{_sample(32, UPPER)} set",
        kind="telnyx_key",
        family="token",
        locate=r"\bKEY[0-9A-Z]{24,48}_[A-Za-z0-9]{20}",
        confirm="mixed_body",
        heads="K",
    ),
    _shape(
        "uptimerobot_key",
        "API key of UptimeRobot",
        r"(?<![A-Za-z0-9])(?:u|m|ur)[0-9]{5,12}-[0-9a-f]{24,32}(?![0-9A-Za-z-])",
        (),
        f"item u{_sample(7, DIGIT)}-{_sample(24, HEX)} set",
        f"item u{_sample(7, DIGIT)}-{_sample(12, HEX)} set",
        family="token",
        locate=r"\b(?:u|m|ur)[0-9]+-[0-9a-f]{24}",
        confirm="mixed_body",
        heads="um",
    ),
    _shape(
        "ngrok_token",
        "token of ngrok",
        r"(?<![A-Za-z0-9_-])[0-9][A-Za-z0-9]{26}_[A-Za-z0-9]{21,22}(?![A-Za-z0-9_-])",
        (),
        f"item 2{_sample(26)}_{_sample(21)} set",
        f"item 2{_sample(26)}_{_sample(9)} set",
        family="token",
        locate=r"\b[0-9][A-Za-z0-9]{26}_[A-Za-z0-9]{21}",
        confirm="mixed_token",
        heads=string.digits,
    ),
    _shape(
        "okta_token",
        "API token of Okta",
        r"(?<![A-Za-z0-9_/+=-])00[A-Za-z0-9_-]{40}(?![A-Za-z0-9_/+=-])",
        (),
        f"item 00{_sample(40)} set",
        f"item 00{_sample(40, DIGIT)} set",
        family="token",
        locate=r"\b00[A-Za-z0-9_-]{40}",
        confirm="random_value",
        heads="0",
    ),
    _shape(
        "bitwarden_machine_token",
        "access token of a machine account of Bitwarden",
        r"(?<![A-Za-z0-9.])0\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.[A-Za-z0-9]{20,64}(?::[A-Za-z0-9+/]{20,64}={0,2})?",
        (),
        f"item 0.{_sample_uuid()}.{_sample(30)}:{_sample(22)}== set",
        f"item 0.{_sample_uuid()[:8]} set",
        kind="bitwarden_token",
        family="token",
        locate=r"\b0\.[0-9a-f]{8}-[0-9a-f]{4}-",
        heads="0",
    ),
    _shape(
        "azure_signed_key",
        "key of an Azure service, which names the service before its last characters",
        r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/_-]{30,88}(?:JQQJ99[A-Z0-9]{2}|AzFu|AzSe|AzCa|AIoT|APIM|AZEG|ACDb|\+AEh|"
        r"\+ASb|\+ABa|\+ASt|"
        r"\+ACR|\+ARm|\+AMC)(?:[A-Za-z0-9]{16,32}(?<=[0-9a-zA-Z]{20})|[A-Za-z0-9+/_-]{4,8}={0,2})(?![A-Za-z0-9+/=_-])",
        (),
        f"item {_sample(44)}AzFu{_sample(6)}== set",
        "item AzFunctions set",
        kind="azure_identifiable_key",
        family="token",
        locate=r"JQQJ99|(?:AzFu|AzSe|AzCa|AIoT|APIM|AZEG|ACDb|\+AEh|\+ASb|\+ABa|\+ASt|\+ACR|\+ARm|"
        r"\+AMC)[A-Za-z0-9+/_-]{4}",
        backs=(76, 56, 52, 46, 44, 42, 41, 40, 33, 32),
        heads="J+A",
        confirm="mixed_body",
    ),
)

_WATCH_KEYS = (
    _key("sentry_token", "token of Sentry", ("sntrys_", "sntryu_"), PADDED, 40, 400),
    _key("grafana_token", "token of Grafana", ("glc_", "glsa_"), PADDED, 32, 400),
    _key("grafana_key", "API key of Grafana", ("eyJrIjoi",), PADDED, 60, 400),
    _key(
        "newrelic_key",
        "key of New Relic",
        ("NRAK-", "NRAA-", "NRRA-", "NRIQ-", "NRII-", "NRSP-", "NRJS-"),
        "[A-Za-z0-9_-]",
        19,
        64,
    ),
    _key(
        "dynatrace_token",
        "token of Dynatrace",
        ("dt0c01.", "dt0s01.", "dt0s16.", "dt0s02.", "dt0s08."),
        "[A-Z0-9.]",
        80,
        100,
    ),
    _key("datadog_token", "token of Datadog", ("ddapp_", "ddpat_"), ALNUM, 30, 64),
    _key("honeycomb_key", "key of Honeycomb", ("hcaik_", "hcaic_", "hcbik_", "hcxik_", "hcamk_"), LOWER, 50, 70),
    _key("logfire_token", "token of Logfire", ("pylf_v1_",), WORD, 40, 80),
    _key("rootly_key", "API key of Rootly", ("rootly_",), HEX, 64, 64),
    _key("statsig_key", "secret of Statsig", ("secret-", "console-"), ALNUM, 40, 60, confirm="mixed_body"),
    _key("launchdarkly_key", "key of LaunchDarkly", ("sdk-", "api-", "mob-"), HEX_DASH, 36, 36),
)

_DOCUMENTS = (
    _shape(
        "private_key",
        "private key in armour",
        r"-----BEGIN (?:[A-Z0-9]{1,16} ){0,4}PRIVATE KEY(?: BLOCK)?-----"
        r"(?:(?!-----)[\s\S]){0,32768}+-----END (?:[A-Z0-9]{1,16} ){0,4}PRIVATE KEY(?: BLOCK)?-----",
        ("-----BEGIN ",),
        f"-----BEGIN {'OPENSSH'} PRIVATE KEY-----\n{_sample(64)}\n-----END {'OPENSSH'} PRIVATE KEY-----",
        f"-----BEGIN PUBLIC KEY-----\n{_sample(64)}\n-----END PUBLIC KEY-----",
    ),
    _shape(
        "private_key_cut",
        "private key cut before its end",
        r"-----BEGIN (?:[A-Z0-9]{1,16} ){0,4}PRIVATE KEY(?: BLOCK)?(?:-{1,5})?"
        r"(?:(?:[\s>|+]|\\{1,4}[nrt]){1,16}+"
        r"(?:[A-Za-z0-9+/=]{16,32768}|(?:Proc-Type|DEK-Info|Version|Comment|Hash):[^\n\\\"]{0,200}|"
        r"[A-Za-z0-9+/=]{1,64}(?=\\?[\"']|\Z|\.\.\.|\u2026|\n\n)))"
        r"{0,2048}+",
        ("-----BEGIN ",),
        f"-----BEGIN {'EC'} PRIVATE KEY-----\n{_sample(64)}\n{_sample(30)}",
        "-----BEGIN CERTIFICATE-----\nMIIB",
        kind="private_key",
    ),
    _shape(
        "putty_private_key",
        "private key of PuTTY",
        r"Private-Lines: [0-9]{1,4}(?:\s|\\[rn]){1,4}(?P<secret>(?:[A-Za-z0-9+/=]{1,80}(?:\s|\\[rn]){0,4}){1,2048}+)",
        ("Private-Lines: ",),
        f"Private-Lines: 2\n{_sample(64)}\n{_sample(64)}\n",
        "Private-Lines: none",
        kind="private_key",
    ),
    _shape(
        "private_key_tail",
        "private key cut before its beginning",
        r"(?P<secret>(?:[A-Za-z0-9+/=]{1,32768}+(?:[\s>|#*+]|\\{1,4}[rnt]){1,16}+){1,2048}+)"
        r"-----END (?:[A-Z0-9]{1,16} ){0,4}PRIVATE KEY",
        (),
        f"{_sample(40)}\n{_sample(64)}\n-----END {'EC'} PRIVATE KEY-----",
        f"{_sample(40)}\n{_sample(64)}\n-----END PUBLIC KEY-----",
        kind="private_key",
        family="run",
        locate=r"(?:[A-Za-z0-9+/=]+(?:[\s>|#*+]|\\+[rnt])+)+-----END (?:[A-Z0-9]+ )*PRIVATE KEY",
        needs=("PRIVATE KEY",),
    ),
    _shape(
        "jwt_tail",
        "JSON Web Token cut before its beginning",
        r"[A-Za-z0-9_-]{0,65536}+\.eyJ[A-Za-z0-9_-]{8,65536}+\.[A-Za-z0-9_-]{16,65536}+",
        (),
        f"{_sample(12)}.eyJ{_sample(60)}.{_sample(43)}",
        f"{_sample(12)}.{_sample(60)}.{_sample(43)}",
        kind="jwt",
        confirm="prefixed_value",
        family="run",
        locate=r"[A-Za-z0-9_-]*\.eyJ[A-Za-z0-9_-]{8}[A-Za-z0-9_-]*\.[A-Za-z0-9_-]{16}",
        needs=(".eyJ",),
    ),
    _shape(
        "jwt",
        "JSON Web Token",
        LEFT + r"eyJ[A-Za-z0-9_-]{8,65536}+(?:\.[A-Za-z0-9_-]{2,65536}+(?:\.[A-Za-z0-9_-]{0,65536}+){0,3}|"
        r"" + CUT + ")",
        ("eyJ",),
        f"item eyJ{_sample(33)}.eyJ{_sample(60)}.{_sample(43)}",
        f"item eyJ{_sample(5)} set",
        confirm="prefixed_value",
    ),
    _shape(
        "password_hash",
        "hash of a password",
        r"\$(?:2[abxy]?\$[0-9]{2}\$[./A-Za-z0-9]{20,60}|(?:apr1|1|5|6|y|7|sha1|argon2(?:id?|d)|"
        r"scrypt|pbkdf2-sha(?:1|256|512))"
        r"\$[A-Za-z0-9./=,$+_-]{20,256})",
        ("$2", "$apr1$", "$1$", "$5$", "$6$", "$y$", "$7$", "$argon2", "$scrypt$", "$pbkdf2", "$sha1$"),
        f"root:$6${_sample(8)}${_sample(60)}:",
        "cost $2 and $1",
    ),
)

_ADDRESSES_AND_HEADERS = (
    _shape(
        "url_password",
        "password in a URL or connection string",
        r":(?://|"
        r"\\/\\/)[^\s/:@\"'<>\\]{0,128}:(?P<secret>(?![0-9]{1,5}[/?#,])(?:[^\s\"'<>@\\]{1,512}"
        r"+@(?=[^\s\"'<>@/]{1,255}@))?[^\s\"'<>@\\]{1,512}+)@"
        r"(?=[A-Za-z0-9\[\]$({%_*.-])",
        (),
        f"postgresql+psycopg://app:{_sample(9)}@db.internal:5432/app",
        "postgresql://app:${DB_PASSWORD}@db.internal:5432/app",
        confirm="not_filler",
        locate=r":(?://|\\/\\/)[^\s/:@\"'<>\\]*:",
        heads=":",
        needs=("@",),
    ),
    _shape(
        "url_password_cut",
        "password in a URL that the end of the text has cut",
        r"(?P<scheme>[a-z][a-z0-9+.-]{1,20}):(?://|\\/\\/)[^\s/:@\"'<>\\?#]{0,128}:"
        rf"(?P<secret>(?![0-9]{{1,5}}(?![^\s.\u2026]))[^\s\"'<>@\\/,;]{{4,512}}?){CUT}",
        (),
        f"postgresql+psycopg://app:{_sample(9)}",
        "http://db.example:8080",
        confirm="cut_url_password",
        locate=r"[a-z][a-z0-9+.-]*:(?://|\\/\\/)[^\s/:@\"'<>\\?#]*:[^\s\"'<>@\\/,;]{4,}(?:\z|\.\.\.|\?|[ ]?[\[(<])",
        family="run",
    ),
    _shape(
        "url_user_token",
        "token in the place of the user of a URL",
        r"://(?P<secret>[A-Za-z0-9_.=-]{16,512}+)(?=(?::x-oauth-basic|:)?@)",
        (),
        f"https://{_sample(32)}@reports.example/1",
        "ssh://deploy@build.example/1",
        confirm="url_token",
        locate=r"://[A-Za-z0-9_.=-]{16,}(?::x-oauth-basic|:)?@",
        heads=":",
        needs=("@",),
    ),
    _shape(
        "authorization",
        "credentials of an Authorization header",
        r"(?i)authorization\\{0,3}[\"'`]?\]?\s{0,4}(?:[:=]|=>|,(?=\s{0,4}\\{0,3}[\"'`]))\s{0,4}[bfru]?\\{0,3}[\"'`]?"
        r"(?:(?:digest|hawk|aws4-hmac-sha256|oauth|signature|mac)[ \t]{1,4}(?P<secret>[^\n\\]{8,4096})"
        r"|(?:[a-z][a-z0-9_-]{1,24}[ \t:]{1,4})?(?P<value>[^\s\"'`\\,;<>(){}\[\]$]{6,16384}))",
        ("authorization",),
        f"Authorization: ApiKey {_sample(24)}",
        "Authorization: Bearer <token>",
        confirm="authorization_value",
    ),
    _shape(
        "bearer_token",
        "token after the word Bearer",
        r"(?i)\bbearer[ \t\"':=+]{1,4}(?P<secret>[A-Za-z0-9._~+/=:|-]{16,16384})",
        ("bearer",),
        f"send bearer {_sample(32)} with it",
        "the bearer of-good-news-has-arrived",
        confirm="credential_body",
    ),
    _shape(
        "basic_credentials",
        "credentials after the word Basic",
        r"\b[Bb]asic (?P<secret>[A-Za-z0-9+/]{12,1024}={0,2})(?![A-Za-z0-9])",
        ("basic ",),
        f"header Basic {_sample(30)}==",
        "Basic understanding of things",
        confirm="credential_body",
    ),
    _shape(
        "set_cookie",
        "value of a cookie that is set",
        r"(?i)set-cookie\\{0,3}[\"']?\]?\s{0,4}[:=,]\s{0,4}\\{0,3}[\"']?[^\s=;\"'\\,]{1,128}"
        r"=(?P<secret>[^\s;\"'\\,]{6,4096})",
        ("set-cookie",),
        f"Set-Cookie: session={_sample(24)}; Path=/; HttpOnly",
        "Set-Cookie: theme=dark; Path=/",
        kind="cookie",
        confirm="not_filler",
    ),
    _shape(
        "cookie",
        "cookies of a request",
        r"(?i)\bcookie\\{0,3}[\"']?\]?\s{0,4}[:=]\s{0,4}\\{0,3}[\"']?"
        r"(?P<secret>[A-Za-z0-9_.$%-]{1,128}=[^\s;\"'\\]{1,4096}"
        r"(?:;[ ]{0,2}[A-Za-z0-9_.$%-]{1,128}=[^\s;\"'\\]{0,4096}){0,64})",
        ("cookie",),
        f"cookie: sid={_sample(24)}; lang=en",
        "cookie: theme=dark",
        confirm="cookie_value",
    ),
)

_COMMANDS_AND_FILES = (
    _shape(
        "curl_user",
        "user and password of a curl or wget command",
        r"(?:\s|=)(?:-u|--user|--proxy-user|-U)(?:[ \t]{1,4}|"
        r"=)?[\"']?[^\s:\"'@/\\]{1,128}:(?P<secret>[^\s\"'\\]{2,512})",
        (),
        f"curl -s -u alice:{_sample(9)} https://api.example",
        "docker run -u 1000:1000 image",
        confirm="not_numeric",
        locate=r"[\s=](?:-u|--user|--proxy-user)[ \t=\"'A-Za-z]",
        heads=" \t\r\n=",
    ),
    _shape(
        "short_password_flag",
        "password after -p of a database or login command",
        r"\b"
        + _COMMANDS
        + r"\b[^\n|&;]{0,256}?\s(?:-p|-P|-w|-a|-pass)(?:[ \t]{1,2}|=)?(?P<secret>\"(?![,:\]}\s])[^\"\n\\]{3,128}\"|"
        r"'[^'\"\n\\]{3,128}'|[^\s\"'\\-][^\s\"'\\]{3,128})",
        (),
        f"mysql -h db -u root -p'{_sample(9)}' shop",
        "mysql -h db -u root -p shop_production",
        kind="password",
        confirm="flag_password",
        family="token",
        locate=_COMMANDS + r"[ \t]",
        heads=string.ascii_lowercase + "7",
    ),
    _shape(
        "password_flag_of_command",
        "password after the flag of a command whose flag takes nothing else",
        r"\b(?:(?:docker|podman|helm registry|oc|nerdctl|crane|skopeo|az acr|buildah) login\b[^\n|&;]{0,256}?\s-p|"
        r"az login\b[^\n|&;]{0,256}?\s-p|redis-cli\b[^\n|&;]{0,256}?\s-a|sshpass\b[^\n|&;]{0,64}?\s?-p|"
        r"(?:sqlcmd|bcp|isql|osql|unzip|zip)\b[^\n|&;]{0,256}?\s-P|ldap(?:search|add|modify|delete|"
        r"passwd)\b[^\n|&;]{0,256}?\s-w|"
        r"(?:cqlsh|mongosh?|mongodump|mongorestore|cypher-shell|rabbitmqadmin)\b[^\n|&;]{0,256}?\s-p|"
        r"mosquitto_(?:pub|sub)\b[^\n|&;]{0,256}?\s-P|xfreerdp\b[^\n|&;]{0,256}?\s/p:|ipmitool\b[^\n|&;]{0,256}?\s-P|"
        r"net use\b[^\n|&;]{0,128}?\s/user:[^\s]{1,64})[ \t=]{0,2}"
        r"(?P<secret>\"[^\"\n\\]{3,128}\"|'[^'\"\n\\]{3,128}'|[^\s\"'\\-][^\s\"'\\]{2,128})",
        (),
        f"redis-cli -h cache.example -a {_sample(12)} ping",
        "docker login -u deploy -p $PASSWORD",
        kind="password",
        confirm="flag_word",
        confidence="medium",
        family="token",
        locate=_LOGIN_COMMANDS + r"[ \t]",
        heads=string.ascii_lowercase + "7",
    ),
    _shape(
        "user_percent_password",
        "user%password of an smb command",
        r"\s-U[ \t]{0,2}[\"']?[^\s%\"']{1,64}%(?P<secret>[^\s\"'\\]{3,128})",
        (),
        f"smbclient //files/share -U bob%{_sample(9)}",
        "date -U %Y",
        kind="password",
        confirm="not_filler",
        family="token",
        locate=r"\s-U[ \t\"']{0,2}[^\s%\"']+%",
        heads=" \t\r\n\f\v",
    ),
    _shape(
        "openssl_password",
        "password given to openssl",
        r"-(?:pass|passin|passout)[ \t]{1,2}[\"']?pass:(?P<secret>[^\s\"'\\]{1,128})",
        ("-pass",),
        f"openssl enc -pass pass:{_sample(9)} -in a",
        "openssl enc -pass env:KEY -in a",
        kind="password",
        confirm="not_filler",
    ),
    _shape(
        "sudo_password",
        "password piped into sudo or passwd",
        r"\becho[ \t]{1,2}(?:-[en]{1,2}[ \t])?(?P<secret>\"(?![,:\]}\s])[^\"\n\\]{3,128}\"|'[^'\"\n\\]{3,128}'|"
        r"[^\s\"'\\|$]{3,128})[ \t]{0,2}\|[ \t]{0,2}"
        r"(?:sudo[ \t]{1,2}-S|passwd|docker login|chpasswd|kinit)",
        ("echo ", "echo\t"),
        f"echo '{_sample(9)}' | sudo -S apt update",
        "echo $PASS | sudo -S apt update",
        kind="password",
        confirm="not_filler",
    ),
    _shape(
        "password_in_prose",
        "password told in a sentence",
        r"(?i)(?<![\w:-])(?<!checksum/)(?<!\bis a )" + _SAYS_SO + r"(?![\w-])"
        r"(?:[ \t]{1,4}(?:for|of|to|on|f\u00fcr|von)(?:[ \t]{1,2}[\w.@-]{1,32}){1,5}?)?"
        r"[ \t]{0,2}(?:\b(?:is|was|ist|war|lautet|es|est|to|now|set to|\u00e8|\u00e9|\u00e4r|er|on)\b|"
        r"[:=])?[ \t]{0,2}(?:[:=][ \t]{0,2})?(?<=[ \t:=])"
        r"(?P<secret>\\?\"[^\s\"\\]{4,128}\\?\"|'[^\s']{4,128}'|`[^\s`]{4,128}`|"
        r"[^\s\"'`<>{}()\[\]\\,;|&]{5,128}[^\s\"'`<>{}()\[\]\\,;|&.!?:])",
        (),
        "you can log in with user app and password Xk_29dfTq.",
        "the password for the account is stored hashed",
        kind="password",
        confirm="told_password",
        locate=_SAYS_SO + r"[ \t:=]",
        begins="pa pw ke co mo wa se he ad sa l\xf6 je cl ap",
        confidence="medium",
    ),
    _shape(
        "identified_by",
        "password of a user that SQL makes",
        r"(?i)identified[ ](?:with[ ][\w']{1,40}[ ])?by[ ](?:password[ ])?(?P<secret>\\?\"[^\"\s\\]{3,128}|"
        r"\\?'[^'\"\s\\]{3,128})",
        ("identified ",),
        f"create user app identified by '{_sample(12)}'",
        "create user app identified by '${PASSWORD}'",
        kind="password",
        confirm="quoted_password",
        confidence="medium",
    ),
    _shape(
        "set_with_space",
        "value of a variable or setting that a space separates from its name",
        r"(?:(?:ENV|setenv)[ \t]{1,4}[A-Z0-9_]{0,40}(?:PASSWORD|PASSWD|PASS|PWD|SECRET|TOKEN|KEY)[A-Z0-9_]{0,8}"
        r"|requirepass|masterauth)"
        r"[ \t]{1,4}(?P<secret>[^\s\"'$<{=\\][^\s\"'\\]{3,256})",
        ("ENV ", "setenv ", "requirepass ", "masterauth "),
        f"ENV DB_PASSWORD {_sample(10)}",
        "ENV DB_PASSWORD $PASSWORD",
        kind="password",
        confirm="flag_word",
        confidence="medium",
    ),
    _shape(
        "wifi_code",
        "password of a wireless network in the text of its code",
        r"WIFI:[^\n]{0,80}?;P:(?P<secret>[^;\n\"\\]{4,64});",
        ("WIFI:",),
        f"WIFI:S:home;T:WPA;P:{_sample(12)};;",
        "WIFI:S:home;T:nopass;;",
        kind="password",
        confirm="not_filler",
    ),
    _shape(
        "go_connection_string",
        "password in a connection string of Go",
        r"(?<![A-Za-z0-9_])[A-Za-z0-9_.-]{1,64}:(?P<secret>[^\s@:/\"']{2,128})@(?:tcp|udp|unix)\(",
        (),
        f"app:{_sample(10)}@tcp(db.example:3306)/shop",
        "app:${DB_PASSWORD}@tcp(db.example:3306)/shop",
        kind="password",
        confirm="not_filler",
        family="run",
        locate=r"[A-Za-z0-9_.-]+:[^\s@:/\"']+@(?:tcp|udp|unix)\(",
        needs=("@tcp(", "@udp(", "@unix("),
    ),
    _shape(
        "oracle_login",
        "password in a login of Oracle",
        r"(?i)(?:jdbc:oracle:[a-z0-9]{1,8}:|sqlplus[ \t]{1,4}(?:-[a-z]{1,8}[ \t]{1,4}){0,3}|exp(?:dp)?[ \t]|"
        r"imp(?:dp)?[ \t])"
        r"[A-Za-z0-9_$#]{1,64}/(?P<secret>[^\s@\"'/]{2,128})@",
        ("jdbc:oracle:", "sqlplus ", "expdp ", "impdp "),
        f"sqlplus scott/{_sample(9)}@orcl",
        "sqlplus scott/$PASSWORD@orcl",
        kind="password",
        confirm="not_filler",
    ),
    _shape(
        "assigned_token",
        "letters and digits at random, alone behind a name at the start of a line",
        r"(?:(?<=\n)|(?<!.))[ \t]{0,16}(?:export[ \t]{1,4}|-[ \t]{1,4})?"
        r"[\"']?[A-Za-z_][A-Za-z0-9_.-]{1,64}[\"']?[ \t]{0,4}[:=][ \t]{0,4}"
        r"[\"']?(?P<secret>[A-Za-z0-9]{28,72})(?=[\"']?,?[ \t]{0,4}(?:\r?\n|\Z))",
        (),
        f"quuxly = {_sample(32, LOWER)}\n",
        f"checksum = {_sample(32, LOWER)}\n",
        kind="token",
        confirm="assigned_token",
        confidence="low",
        family="run",
        locate=r"(?m)^[ \t]*(?:export[ \t]+|-[ \t]+)?"
        r"[\"']?[A-Za-z_][A-Za-z0-9_.-]*[\"']?[ \t]*[:=][ \t]*[\"']?[A-Za-z0-9]{28}",
    ),
    _shape(
        "netrc",
        "password of a .netrc entry",
        r"\blogin[ \t\r\n]{1,8}[^\s\"'\\]{1,128}(?:[ \t\r\n]|"
        r"\\[nrt]){1,8}password[ \t\r\n]{1,8}(?P<secret>[^\s\"'\\]{1,512})",
        ("login ", "login\t", "login\n", "login\r", "login\\"),
        f"machine api.example login alice password {_sample(9)}",
        "login form password <password>",
        kind="password",
        confirm="not_filler",
    ),
    _shape(
        "pgpass",
        "password of a .pgpass line",
        r"(?m)(?:^|(?<=\\n)|(?<=\"))(?:[A-Za-z0-9_.*-]{1,128}):(?:[0-9]{2,5}|"
        r"\*):[A-Za-z0-9_.*-]{1,64}:[A-Za-z0-9_.*@-]{1,64}:(?P<secret>[^\s\"\\]{3,128})",
        (),
        f"db.internal:5432:app:alice:{_sample(12)}",
        "12:30:15:20:99:17",
        kind="password",
        confirm="pgpass_password",
        family="run",
        locate=r"[A-Za-z0-9_.*-]+:(?:[0-9]{2,5}|\*):[A-Za-z0-9_.*-]+:[A-Za-z0-9_.*@-]+:[^\s:]",
    ),
)

_BLANK = " \u00a0\u2009\u202f"
_DASH = r"\u2010-\u2013-"
_EXTENSION = r"(?:[ ,;]{0,2}(?:x|ext\.?|extension|\#|poste|int\.|wew\.|klapka|\u0434\u043e\u0431\.?)[ .:]?[0-9]{1,6})?"
_NO_NUMBER_BEFORE = r"(?<![\w.+/-])(?<![0-9]{2}[ ])"
# Forms that phone numbers have and hardly anything else, of countries that begin them with a nought or a bracket.
_WRITTEN_PHONES = (
    r"0[1-9](?:[ .-][0-9]{2}){4}",
    r"\(0[0-9]{1,5}\)[ /-]{0,2}[0-9]{2,5}(?:[ -]?[0-9]{2,5}){1,3}",
    r"0[1-9][0-9]{1,4}[ ]?/[ ]?[0-9]{3,5}[ -]?[0-9]{2,5}",
    r"0[1-9][0-9]{2,3}[ ][0-9]{6,8}",
    r"0[1-9][0-9]{2,3}[ ][0-9]{3}[ ][0-9]{3,4}",
    r"0[1-9][0-9]?[ ][0-9]{4}[ ][0-9]{4}",
    r"0[1-9][0-9]?[ ][0-9]{3}[ ][0-9]{3,4}",
    r"0[1-9][0-9]{0,2}-[0-9]{3,4}-[0-9]{4}",
    r"0[1-9][0-9]{0,2}-[1-9][0-9]{5,7}",
    r"0[1-9][0-9]{0,2}-[0-9]{2,3}[ ][0-9]{2,3}[ ][0-9]{2}(?:[ ][0-9]{2})?",
    r"0[1-9][0-9]{1,2}[ ][0-9]{3}[ -][0-9]{2}[ -][0-9]{2}",
    r"\([1-9][0-9]\)[ ]?9?[0-9]{4}[- ][0-9]{4}",
    r"\([2-9][0-9]{2}\)[ ]?[2-9][0-9]{2}[-. ][0-9]{4}",
    r"\([1-9][0-9]{2}\)[ ]?[0-9]{3}-[0-9]{2}-[0-9]{2}",
    r"(?:1-)?[2-9][0-9]{2}-[0-9]{3}-[0-9]{4}",
    r"(?:1\.)?[2-9][0-9]{2}\.[2-9][0-9]{2}\.[0-9]{4}",
    r"8[ -]?\(?[1-9][0-9]{2}\)?[ -][0-9]{3}[ -][0-9]{2}[ -]?[0-9]{2}",
    r"1[3-9][0-9][ -][0-9]{4}[ -][0-9]{4}",
    r"[67][0-9]{2}(?:[ ][0-9]{2}){3}",
)
# A day, numbers only: 1985-03-12, 12.3.1985, 12/03/85, 19850312 and with the signs of East Asia.
_NUMERIC_DATE = (
    r"(?:(?:19|20)[0-9]{2}(?:-[01]?[0-9]-[0-3]?[0-9]|/[01]?[0-9]/[0-3]?[0-9]|\.[ ]?[01]?[0-9]\.[ ]?[0-3]?[0-9]"
    r"|[01][0-9][0-3][0-9]|[\u5e74\ub144][ ]?[01]?[0-9][\u6708\uc6d4][ ]?[0-3]?[0-9][\u65e5\uc77c])"
    r"|[0-3]?[0-9](?:-[0-3]?[0-9]-|/[0-3]?[0-9]/|\.[ ]?[0-3]?[0-9]\.[ ]?|[ ][0-3]?[0-9][ ])"
    r"(?:(?:19|20)[0-9]{2}|[0-9]{2}))"
    r"(?:T[0-9][0-9:.]{4,16}Z?)?(?![\w]|[-/.][0-9]|[ ][0-9]{1,2}:)"
)
_WRITTEN_DATE = (
    r"(?:[0-3]?[0-9](?:st|nd|rd|th|er|\.|\u00ba)?[ -](?:de[ ]|of[ ])?[^\W\d_]{3,12}\.?,?[ -]"
    r"(?:de[ ]|del[ ])?(?:19|20)[0-9]{2}|[^\W\d_]{3,12}\.?[ ][0-3]?[0-9](?:st|nd|rd|th)?,?[ ](?:19|20)[0-9]{2})(?![\w])"
)
_BIRTH_WORDS = (
    r"(?:(?<![^\W_])(?:born|dob|bday|geb\.|n\u00e9e?[ ]le|nat[oa][ ]il)"
    r"|birth|geboren|geburt\w{2,6}|geboortedatum|naissance|nacimiento|nacid[oa]|nascid[oa]|nascimento|data di nascita"
    r"|f\u00f6dd|f\u00f6delsedatum|f\u00f8dt|f\u00f8dselsdato|syntynyt|syntym\u00e4aika|urodz\w{2,6}|narozen\w{0,2}"
    r"|sz\u00fclet\w{2,6}|tarihi|data na\u0219terii)"
)
# Told by their names: what stands between name and value, and the words for "number".
_NUMBER_WORD = r"(?:[ _.-]{0,2}(?:numbers?|num|nummer|no|nr|n[\u00ba\u00b0o]|\#|num[e\u00e9]ro|n[u\u00fa]mero)\.?){0,2}"
_TELLS = _NUMBER_WORD + r"\\?[\"'`]?[ \t]{0,4}(?:is|was|ist|est|es|:|=|-|\#)?[ \t]{0,4}\\?[\"'`]?"
_ACCOUNT_WORDS = (
    r"(?:bank[ _-]?)?(?:account|acct)[ _-]?(?:number|num|no|nr|\#)|sort[ _-]?code|routing[ _-]?(?:number|no|\#)"
    r"|(?:aba|ach)[ _-](?:number|no|routing)|bsb|blz|bankleitzahl|konto(?:nummer|[ -]?nr)"
    r"|rekeningnummer|num[e\u00e9]ro de compte|n[u\u00fa]mero de cuenta|clabe|cbu|conta corrente|numer konta|rachunek"
    r"|\u00edslo \u00fa\u010dtu|cislo uctu|sz\u00e1mlasz\u00e1m|hesap no|tilinumero|ifsc"
)
_DOCUMENT_WORDS = (
    r"passports?|passeport|reisepass(?:nummer)?|pasaporte|passaporto|passaporte|paspoort(?:nummer)?|"
    r"paszport\w{0,2}|passi?nummer"
    r"|driv(?:ing|er'?s?)[ _-]?licen[cs]e|f\u00fchrerschein(?:nummer)?|permis de conduire|patente di guida"
    r"|carnet de conducir|rijbewijs(?:nummer)?|prawo jazdy|k\u00f6rkort|personalausweis(?:nummer)?|ausweisnummer"
)

_WORD_VALUE = r"(?P<secret>\"[^\"\n\\]{3,256}\"|'[^'\"\n\\]{3,256}'|[^\s\"'\\<$({-][^\s\"'\\]{2,256})"
# Lines of configuration in which a blank separates the name from the secret.
_DIRECTIVES = (
    r"(?:bindpw|rootpw|imappassword|smtppassword|proxypassword|r[ow]community6?|snmp-server community|"
    r"enable (?:secret|password)|(?:tacacs|radius)-server (?:host [^\n]{1,64} )?key|crypto isakmp key|"
    r"psk ascii|neighbor [^ \n]{1,64} password|ip ospf authentication-key|"
    r"ip ospf message-digest-key [0-9]{1,3} md5|username [^ \n]{1,64} (?:privilege [0-9]{1,2} )?(?:secret|password)|"
    r"user [^ \n]{1,64} (?:insecure-)?password|d-i passwd/[a-z-]{4,16} password|pre-shared-key(?: ascii-text)?|"
    r"authentication-key|ppp (?:chap|pap) password|fastcgi_param [A-Z_]{0,40}(?:PASS|PASSWORD|SECRET|TOKEN|KEY)|"
    r"SetEnv [A-Z_]{0,40}(?:PASS|PASSWORD|SECRET|TOKEN|KEY)|IdentityAgentPassword)"
)
_DIRECTIVE_STARTS = (
    r"(?:bindpw|rootpw|imappassword|smtppassword|proxypassword|r[ow]community|snmp-server community|"
    r"enable (?:secret|password)|"
    r"(?:tacacs|radius)-server|crypto isakmp key|psk ascii|neighbor [^ \n]+ password|ip ospf|"
    r"username [^ \n]+ (?:privilege|secret|password) |"
    r"user [^ \n]+ (?:insecure-)?password|d-i passwd/|pre-shared-key|authentication-key|ppp |fastcgi_param |setenv |"
    r"identityagentpassword)"
)
_CREDENTIAL_CALLS = (
    r"(?:\.login|\bauth|\bAuth|HTTPBasicAuth|BasicAuth|HTTPDigestAuth|aiohttp\.BasicAuth|NetworkCredential|"
    r"SetBasicAuth|"
    r"UsernamePassword(?:Credentials?|AuthenticationToken)?|PasswordAuthentication|getConnection|mysqli?_connect|"
    r"mysqli|PDO|pg_connect|ldap_bind|ftp_login|simple_bind_s|BasicAWSCredentials|AWSBasicCredentials\.create|"
    r"StaticCredentialsProvider|NewStaticCredentials|NewStaticCredentialsProvider|BasicCredentials|wifi\.begin|"
    r"WiFi\.begin|"
    r"basicAuth|basic_auth|setBasicAuth|authenticate|PlainAuth|Credentials\.basic|loginUser|signIn|PSCredential)"
)
_LEARNT_LATIN = (
    r"(?:passwor[dt]|passwd|passphrase|passcode|kennwort|contrase\xf1a|mot de passe|wachtwoord|senha|parola|heslo|"
    r"adgangskode|salasana|passord|l\xf6senord|jelsz\xf3|clave)"
)

_MORE_COMMANDS_AND_FILES = (
    _shape(
        "password_on_standard_input",
        "password that a command reads from a here-string",
        r"<<<[ ]{0,2}(?:[\"']?[\w.-]{1,32}:)?" + _WORD_VALUE,
        ("<<<",),
        f"kinit alice <<< {_sample(9)}",
        'grep -c x <<< "$text"',
        kind="password",
        confirm="told_password",
        confidence="medium",
    ),
    _shape(
        "password_piped",
        "password piped into a command that sets or asks for one",
        r"\b(?:echo|printf)[ \t]{1,2}(?:-[en]{1,2}[ \t]{1,2})?(?:[\"']%[^\"'\n]{1,32}[\"'][ \t](?:[\w.-]{1,32}[ \t])?)?"
        r"(?P<secret>\"[^\"\n$]{3,256}\"|'[^'\n]{3,256}'|[^\s\"'|$]{3,256})[ \t]{0,2}\|[ \t]{0,2}"
        r"(?:sudo[ \t]{1,2}(?:-[a-zA-Z][ \t]{1,2}){0,3})?(?:/usr/s?bin/)?"
        r"(?:chpasswd|smbpasswd|passwd|cryptsetup|kinit|gpg|docker login|podman login|helm registry|su\b|openconnect|"
        r"vncpasswd|saslpasswd2|htpasswd|gh auth login|glab auth login|npm login|vault login)",
        ("echo ", "printf "),
        f"echo 'bob:{_sample(9)}' | sudo chpasswd",
        "echo $PASS | sudo chpasswd",
        kind="password",
        confirm="quoted_password",
    ),
    _shape(
        "login_argument",
        "password behind the user in an argument of a transfer command",
        r"\b(?:(?:https?|xhs?)[ ][^\n|;]{0,64}?(?:-a|--auth)[ =][\"']?[^\s:\"']{1,64}:|lftp\b[^\n|"
        r";]{0,64}?-u[ ][^\s,]{1,64},|"
        r"(?:curl|wget)[^\n|;]{0,128}?[ ]-U[ ][\"']?[^\s:\"']{1,64}:)(?P<secret>[^\s\"'\\$]{3,128})",
        (),
        f"http -a bob:{_sample(9)} GET api.example",
        "http -a $LOGIN GET api.example",
        kind="password",
        confirm="not_numeric",
        locate=r"(?:https?|xhs?)[ ](?:-|get|post|put)|lftp[ ]",
        begins="ht xh lf",
    ),
    _shape(
        "snmp_community",
        "community or pass phrase of an SNMP command",
        r"\bsnmp[a-z]{3,10}\b[^\n|;]{0,128}?[ ]-[cA][ ]{0,2}" + _WORD_VALUE,
        (),
        f"snmpwalk -v2c -c {_sample(9)} host.example",
        "snmpwalk -v2c -c public host.example",
        kind="password",
        confirm="community",
        locate=r"snmp[a-z]+[ ]+-",
        begins="sn",
    ),
    _shape(
        "snmp_privacy",
        "second pass phrase of an SNMP command",
        r"\bsnmp[a-z]{3,10}\b[^\n|;]{0,128}?[ ]-X[ ]{0,2}" + _WORD_VALUE,
        (),
        f"snmpget -v3 -A x -X {_sample(9)} host.example",
        "snmpget -v3 -X $KEY host.example",
        kind="password",
        confirm="community",
        locate=r"snmp[a-z]+[ ]+-",
        begins="sn",
    ),
    _shape(
        "windows_command_password",
        "password in the place that a command of Windows has for it",
        r"(?i)\b(?:net[ ]user[ ][\w.\\-]{1,64}[ ]|net[ ]use[ ](?:[a-z*]:?[ ])?\\\\[^\s]{1,128}[ ](?!/)|"
        r"schtasks\b[^\n|;]{0,256}?[ ]/rp[ ]|psexec(?:64)?\b[^\n|;]{0,256}?[ ]-p[ ]|cmdkey\b[^\n|;]{0,256}?/pass:|"
        r"wmic\b[^\n|;]{0,256}?/password:|runas\b[^\n|;]{0,256}?/pass:)" + _WORD_VALUE,
        ("net user ", "net use ", "schtasks ", "psexec", "cmdkey ", "wmic "),
        f"net user bob {_sample(9)} /add",
        "net user bob /delete",
        kind="password",
        confirm="flag_word",
    ),
    _shape(
        "password_argument",
        "password as the last of a command's arguments",
        r"\b(?:htpasswd[ ]-[a-zA-Z]{0,4}b[a-zA-Z]{0,4}[ ](?:[^\s]{1,128}[ ])?[\w.@-]{1,64}|"
        r"wpa_passphrase[ ][\"']?[^\s\"']{1,32}[\"']?|"
        r"gh secret set [A-Z0-9_]{1,64}[^\n|;]{0,64}?(?:--body|-b)|"
        r"consul kv put [^\s]{0,128}(?:pass|secret|token|key)[^\s]{0,32}|"
        r"ConvertTo-SecureString(?:[ ]-String)?|(?:(?<=\n)|(?<=> )|"
        r"(?<!.))AUTH(?=[ ][^\s]{1,256}(?:[ ][^\s]{1,256})?[ ]{0,4}(?:\r?\n|\Z)))[ =]{1,2}" + _WORD_VALUE,
        (),
        f"htpasswd -bc users.txt bob {_sample(9)}",
        "ConvertTo-SecureString $Password -AsPlainText",
        kind="password",
        confirm="flag_word",
        locate=r"htpasswd[ ]-|wpa_passphrase[ ]|gh secret set[ ]|consul kv put[ ]|convertto-securestring[ ]|auth[ ]",
        begins="ht wp gh co au",
    ),
    _shape(
        "directive",
        "secret of a line of configuration, behind a blank",
        r"(?i)" + _DIRECTIVES + r"[ \t]{1,8}(?:--[a-z]{1,16}[ \t]){0,2}(?:[0-9][ \t]{1,2})?" + _WORD_VALUE,
        (),
        f"snmp-server community {_sample(9)} RO",
        "enable password protection",
        kind="password",
        confirm="directive_value",
        locate=_DIRECTIVE_STARTS,
        begins="bi ro im sm pr rw sn en ta ra cr ps ne ip us d- au pp fa se id",
    ),
    _shape(
        "secret_of_peers",
        "pre-shared key or password of a VPN's or dial-up's file of secrets",
        r":[ \t]{1,4}(?:PSK|EAP|XAUTH|NTLM)[ \t]{1,4}" + _WORD_VALUE,
        (),
        f'10.0.0.1 : PSK "{_sample(12)}"',
        "mode : PSK (WPA2)",
        kind="password",
        confirm="flag_word",
        locate=r":[ \t]+(?:psk|eap|xauth|ntlm)[ \t]",
        heads=":",
    ),
    _shape(
        "login_beside_host",
        "user and password of a mail relay, a proxy's page or a cache's user",
        r"(?:\]:[0-9]{2,5}[ \t]{1,8}[^\s:]{1,64}:|\bstats auth [^\s:]{1,64}:|\buser [^\s]{1,64} on [^\n>]{0,64}>|"
        r"\bhttp_auth:[ ][^\s:]{1,64}:|static:[^\s:]{1,64}:)(?P<secret>[^\s\"'\\]{3,128})",
        (),
        f"stats auth bob:{_sample(9)}",
        "stats auth on",
        kind="password",
        confirm="not_filler",
        locate=r"\]:[0-9]+[ \t]|stats auth[ ]|user[ ][^\s]+[ ]on[ ]|http_auth:[ ]|static:[^\s:]+:",
        begins="]: st us ht",
    ),
    _shape(
        "first_boot_passwords",
        "list of users and passwords that a machine sets at its first boot",
        r"chpasswd:\s{1,32}(?:expire:[ ]\w{1,8}\s{1,32})?list:[ ]?[|>]?-?\s{1,32}"
        r"(?P<secret>(?:-[ ]{1,3})?[\w.-]{1,32}:[^\s]{3,128}(?:\s{1,32}(?:-[ ]{1,3})?[\w.-]{1,32}:[^\s]{3,128}){0,32})",
        ("chpasswd:",),
        f"chpasswd:\n  list: |\n    bob:{_sample(9)}\n",
        "chpasswd:\n  expire: false\n",
        kind="password",
    ),
    _shape(
        "login_call",
        "password behind the user in the arguments of a call",
        _CREDENTIAL_CALLS + r"[ ]{0,1}[=(]\s{0,32}\(?(?:[^()\n\"',]{1,64},\s{0,32}){0,2}"
        r"(?:\w{1,16}[ ]?=[ ]?)?(?:[@rub]{0,2}[\"'][^\"'\n]{0,160}[\"'],\s{0,32}(?:\w{1,16}[ ]?[=:][ ]?)?){1,2}"
        r"[@rub]{0,2}(?P<secret>\"[^\"\n]{4,160}\"|'[^'\n]{4,160}')",
        (),
        f'smtp.login("bob", "{_sample(9)}")',
        'smtp.login("bob", password)',
        kind="password",
        confirm="call_password",
        confidence="medium",
        locate=_CREDENTIAL_CALLS.replace(r"\b", "") + r"[ ]?[=(]",
        begins=".l au ht ba ai ne se us pa ge my pd pg ld ft si aw st wi pl cr lo",
    ),
    _shape(
        "signing_call",
        "key in the arguments of a call that signs, encrypts or types it in",
        r"(?:createHmac\([ ]{0,4}[\"'][\w-]{1,24}[\"'],[ ]{0,4}|jwt\.(?:sign|verify|encode|"
        r"decode)\((?:[^\"'\n,]|\{[^{}\n]{0,256}\}){1,256},[ ]{0,4}|"
        r"hmac\.new\([ ]{0,4}b?|Fernet\([ ]{0,4}b?|AES\.new\([ ]{0,4}b?|SecretKeySpec\([ ]{0,4}|"
        r"HmacSHA256\([^\"'\n]{1,64},[ ]{0,4}|"
        r"(?:[Pp]ass|[Pp]wd|[Tt]oken|[Ss]ecret)[\w\"')\]#]{0,24}(?:\.(?:send_keys|sendKeys|fill|type|setValue|"
        r"typeText)\(|,)[ ]{0,4}(?=[\"'][^\"'\n]{4,160}[\"']\))|"
        r"\bsend[ ](?:--[ ])?)(?P<secret>\"[^\"\n\\]{4,160}(?:\"|\\)|'[^'\n]{4,160}')",
        (),
        f"crypto.createHmac('sha256', '{_sample(24)}')",
        "jwt.verify(token, 'secret')",
        kind="secret",
        confirm="call_password",
        confidence="medium",
        locate=r"createhmac\(|jwt\.(?:sign|verify|encode|decode)\(|hmac\.new\(|fernet\(|aes\.new\(|"
        r"secretkeyspec\(|hmacsha256\(|"
        r"(?:pass|pwd|token|secret)[\w\"')\]#]*\.(?:send_keys|sendkeys|fill|type|setvalue)\(|(?:pass|"
        r"pwd)[\w#\"']*,[ ][\"']|send[ ](?:--[ ])?\"",
        begins="cr jw hm fe ae se pa pw to",
    ),
    _shape(
        "identified_by_word",
        "password of a user that SQL makes, without quotes",
        r"(?i)identified[ ]by[ ](?P<secret>[A-Za-z][\w#$!.]{4,64})",
        ("identified by ",),
        f"connect to bob identified by Xk{_sample(9)}7",
        "a user identified by their name",
        kind="password",
        confirm="told_password",
    ),
    _shape(
        "grant_parameter",
        "code, verifier, assertion or ticket that is changed for a token",
        r"(?<![\w.-])(?:code|code_verifier|ticket|oauth_verifier|SAMLResponse|SAMLRequest|SAMLart|assertion|"
        r"client_assertion|subject_token|actor_token|device_code|id_token_hint|"
        r"offline\?data)=(?P<secret>[A-Za-z0-9%+/_=.~-]{20,65536})",
        (),
        f"https://app.example/callback?code={_sample(40)}&state=x",
        "https://app.example/callback?code=not_allowed",
        kind="token",
        confirm="grant_value",
        confidence="medium",
        locate=r"(?:code|code_verifier|ticket|oauth_verifier|saml(?:response|request|art)|assertion|client_assertion|"
        r"subject_token|actor_token|device_code|id_token_hint)=[A-Za-z0-9%_-]|offline\?data=",
        begins="co ti oa sa as cl su ac de id of",
    ),
    _shape(
        "websocket_protocol",
        "token sent as a protocol of a web socket",
        r"(?i)sec-websocket-protocol:[ ]{0,4}[^\n]{0,64}?(?P<secret>[A-Za-z0-9._-]{24,4096})",
        ("sec-websocket-protocol:",),
        f"Sec-WebSocket-Protocol: bearer, {_sample(40)}",
        "Sec-WebSocket-Protocol: graphql-transport-ws",
        kind="token",
        confirm="random_value",
    ),
    _shape(
        "json_web_key",
        "private or symmetric part of a JSON Web Key",
        r"(?P<quote>\\{0,7}[\"'])(?:d|p|q|dp|dq|qi|"
        r"k)(?P=quote)\s{0,4}:\s{0,4}(?P=quote)(?P<secret>[A-Za-z0-9_-]{22,8192})",
        (),
        f'{{"kty": "oct", "k": "{_sample(43)}"}}',
        f'{{"kty": "EC", "x": "{_sample(43)}"}}',
        kind="private_key",
        confirm="web_key_part",
        family="run",
        locate=r"\\*[\"'](?:d|p|q|dp|dq|qi|k)\\*[\"']\s*:\s*\\*[\"'][A-Za-z0-9_-]",
    ),
    _shape(
        "kubernetes_secret",
        "value of a Kubernetes Secret",
        r"[ \t]{1,32}[\w.-]{1,128}:[ ]{1,4}[\"']?(?P<secret>[A-Za-z0-9+/]{8,65536}={0,2})[\"']?(?=\s|\Z)",
        (),
        f"kind: Secret\ndata:\n  db-url: {_sample(22)}==\n",
        "kind: Secret\nmetadata:\n  namespace: production-cluster\n",
        kind="secret",
        confirm="kubernetes_value",
        family="run",
        locate=r"(?m)^[ \t]+[\w.-]+:[ ]+[\"']?[A-Za-z0-9+/]{8,}={0,2}[\"']?[ \t]*\r?$",
        needs=("Secret",),
        confidence="medium",
    ),
    _shape(
        "recovery_phrase",
        "words that open a wallet",
        r"(?i)(?:mnemonic|(?:seed|recovery|secret|backup|wallet)[ _-]?(?:recovery[ _-])?(?:phrase|words|seed)|"
        r"(?:metamask|ledger|trezor|phantom)(?:'s)?[ ](?:seed|words))[^\n:=]{0,32}?(?:[:=]|[ ]is\b|\n)\s{0,8}\\?[\"'`]?"
        r"(?P<secret>(?-i:[a-z]{3,8})(?:[ ,\n]{1,3}(?-i:[a-z]{3,8})){11,23})(?![A-Za-z])",
        (),
        "mnemonic: " + " ".join(("ripple", "salmon", "garlic", "violin") * 3),
        "seed phrase: the words that open your wallet",
        confirm="phrase_words",
        locate=r"mnemonic|(?:seed|recovery|secret|backup|wallet)[ _-]?(?:recovery[ _-])?(?:phrase|words|seed)|"
        r"(?:metamask|ledger|trezor|phantom)(?:'s)?[ ](?:seed|words)",
        begins="mn se re ba wa me le tr ph",
    ),
    _shape(
        "recovery_codes",
        "list of codes that stand in for a second factor",
        r"(?i)(?:recovery|backup|scratch|emergency|rescue)[ _-]?codes?[^\n]{0,64}\n\s{0,8}"
        r"(?P<secret>(?:(?:[0-9]{1,2}[.)][ ]|[-*][ ])?[A-Za-z0-9]{4,12}(?:[- ][A-Za-z0-9]{4,8}){0,3}\s{1,16}){1,31}"
        r"(?:[0-9]{1,2}[.)][ ]|[-*][ ])?[A-Za-z0-9]{4,12}(?:[- ][A-Za-z0-9]{4,8}){0,3})",
        (),
        "Recovery codes:\nab12c-9dk3f\n77xk2-p0w4e\n",
        "Backup codes\nare shown once only\n",
        confirm="code_list",
        locate=r"(?:recovery|backup|scratch|emergency|rescue)[ _-]?codes?",
        begins="re ba sc em",
    ),
    _shape(
        "one_time_code",
        "code or PIN told in a message",
        r"(?i)(?:(?:verification|security|confirmation|one[- ]time|login|sign[- ]in|authentication|2fa|otp|sms|"
        r"access)[ -]"
        r"(?:code|passcode|pin)\b[^\n0-9]{0,40}?(?:\bis\b|:)|(?-i:\bPIN)(?:[ -]?code)?[ ]?(?:\bis\b|:))[ ]{0,2}"
        r"(?P<secret>[0-9]{4,8}|[0-9]{3}[ -][0-9]{3})(?![\w-]|\.[0-9])",
        (),
        "Your verification code is 480913.",
        "the security code is checked in 3 steps",
        locate=r"(?:verification|security|confirmation|one[- ]time|login|sign[- ]in|authentication|2fa|otp|sms|"
        r"access)[ -]"
        r"(?:code|passcode|pin)\b|\bPIN\b",
        begins="ve se co on lo si au 2f ot sm ac pi",
        confidence="medium",
    ),
    _shape(
        "password_hash_of_directory",
        "hash of a password in a form of directories, frameworks and databases",
        r"\{(?:SSHA|SHA|SMD5|SSHA256|SSHA512|SHA256|SHA512|CRYPT|PBKDF2|BLF-CRYPT|ARGON2I?D?)[0-9]{0,4}\}"
        r"[A-Za-z0-9+/=$.,-]{16,512}|\b(?:scrypt:[0-9:]{5,24}|pbkdf2:sha[0-9]{1,3}:[0-9]{1,9}|"
        r"pbkdf2_sha[0-9]{1,3}\$[0-9]{1,9}|"
        r"bcrypt_sha256\$|argon2\$argon2id?|sha1|md5)\$[A-Za-z0-9+/=$.,-]{16,512}|"
        r"SCRAM-SHA-(?:1|256)\$[0-9]{3,8}:[A-Za-z0-9+/=:$]{40,256}|\$[PHS]\$[A-Za-z0-9./]{25,60}|"
        r":[0-9]{3,7}:(?P<secret>[0-9a-fA-F]{32}:[0-9a-fA-F]{32})(?=:::)|\$krb5[a-z0-9]{2,8}\$[^\s]{32,4096}",
        (),
        "userPassword: {SSHA}" + _sample(32),
        "userPassword: {SSHA}none",
        kind="password_hash",
        locate=r"\{(?:ssha|sha|smd5|crypt|pbkdf2|blf-crypt|argon2)[a-z0-9]*\}|scrypt:[0-9]|pbkdf2:sha|pbkdf2_sha|"
        r"bcrypt_sha256\$|argon2\$|sha1\$|md5\$|scram-sha-|\$[phs]\$|:[0-9]{3,7}:[0-9a-f]{8}|\$krb5",
        begins="{s {c {p {b {a sc pb bc ar sh md $p $h $s :0 :1 :2 :3 :4 :5 :6 :7 :8 :9 $k",
    ),
    _shape(
        "digest_login",
        "hash of a password in a file of digest logins",
        r"(?<=[\w.@-]):[\w .@-]{1,64}:(?P<secret>[0-9a-f]{32})(?=\s|\Z)",
        (),
        f"bob:private files:{_sample(32, HEX)}\n",
        f"image:latest:{_sample(31, HEX)}\n",
        kind="password_hash",
        confirm="digest_hash",
        confidence="medium",
        locate=r":[\w .@-]+:[0-9a-f]{32}",
        heads=":",
    ),
    _shape(
        "password_asked",
        "password behind a question for it, or on the line below its name",
        r"(?i)\b"
        + _LEARNT_LATIN
        + r"\b(?:[^\n:=\"`|<>{}()\[\]]{1,80}:[ \t]{1,4}|[ ]?:\*{0,2}[ \t]{0,4}\r?\n[ \t]{0,16}(?:>[ ])?)"
        r"(?P<secret>[^\s\"'`<>{}()\[\]\\,|&][^\s\"'`<>{}()\[\]\\,|&]{5,128})[ \t]{0,4}(?=\r?\n|\Z)",
        (),
        f"bob@host.example's password: {_sample(9)}\n",
        "Password for the page: see below\n",
        kind="password",
        confirm="told_password",
        confidence="medium",
        locate=_LEARNT_LATIN + r"(?:[ ](?:for|of|is|on|f\xfcr|de|para|per|voor)[ ]|[ ]?:)",
        begins="pa ke co mo wa se he ad sa l\xf6 je cl",
    ),
    _shape(
        "login_told",
        "user and password behind a word for both",
        r"(?i)\b(?:credentials?|creds|log-?ins?|zugangsdaten|anmeldedaten|zugang|identifiants|acceso|credenciales|"
        r"credenziali|inloggegevens)\b[^\n:=]{0,32}?(?:[:=]|\b(?:is|are|sind)\b)[ \t]{0,4}[\"'`]?[\w.@+-]{1,64}"
        r"[ ]{0,2}[/:|][ ]{0,2}(?P<secret>[^\s\"'`<>{}()\[\]\\,;|&/][^\s\"'`<>{}()\[\]\\,;|&]{4,128})",
        (),
        f"credentials: bob / Xk{_sample(9)}7",
        "credentials: user / group",
        kind="password",
        confirm="told_password",
        locate=r"(?:credentials?|creds|log-?ins?|zugangsdaten|anmeldedaten|zugang|identifiants|acceso|credenciales|"
        r"credenziali|inloggegevens)(?:[ ]?[:=]|[ ](?:is|are|sind|for|f\xfcr)[ ])",
        begins="cr lo za an zu id ac in",
        confidence="medium",
    ),
    _shape(
        "used_as_password",
        "secret told before its name",
        r"(?i)\b(?:use|with|and|try|enter|type|usa|nutze|nimm)[ ](?P<secret>`[^`\n]{5,512}`|"
        r"[\"'][^\"'\n]{5,512}[\"']|[^\s\"'`]{6,512})"
        r"[ ](?:as|als|como)[ ](?:[\w-]{1,16}[ ]){0,4}?(?:password|passphrase|passwort|pass|token|secret|key|pw|pwd|"
        r"passwd|credential)\b",
        (),
        f"try it with {_sample(12)} as the password",
        "use it as the password",
        kind="password",
        confirm="told_password",
        confidence="medium",
        locate=r"(?i)\b(?:use|with|and|try|enter|type|usa|nutze|nimm)[ ][^\s]+[ ](?:as|als|como)[ ]",
        family="run",
    ),
    _shape(
        "key_body",
        "body of a private key whose first and last line are gone",
        r"(?<![A-Za-z0-9+/])(?:MII[C-J][A-Za-z0-9+/]{2}IBAA(?:KC|KB)|MII[C-J][A-Za-z0-9+/]{2}IBADANBgkqhkiG9w|"
        r"MH(?:c|Q)CAQEE|MIGHAgEAMBMGByqGSM49|MC4CAQAwBQYDK2Vw|MIHuAgEAMBAGByqGSM49|b3BlbnNzaC1rZXktdjE|"
        r"RWRTY0Iy|RWQSCk)[A-Za-z0-9+/=]{24,65536}(?:(?:\r?\n|\\n)[A-Za-z0-9+/=]{1,128}){0,512}",
        (),
        "item MIIEpAIBAAKC" + _sample(64) + " set",
        "item MIICIjANBgkqhkiG9w set",
        kind="private_key",
        locate=r"MII[C-J][A-Za-z0-9+/]{2}IBA(?:AK[CB]|DAN)|MH[cQ]CAQEE|MIGHAgEA|MC4CAQAwBQ|MIHuAgEA|"
        r"b3BlbnNzaC1rZXktdjE|"
        r"RWRTY0Iy|RWQSCk",
        begins="mi mh mc b3 rw",
    ),
    _shape(
        "delivery_address",
        "address that whoever knows it can send to or read from",
        r"(?:outlook\.office(?:365)?\.com/webhook/|hc-ping\.com/|"
        r"maker\.ifttt\.com/(?:trigger/[\w-]{1,64}/(?:json/)?)?(?:with|use)/(?:key/)?|"
        r"open\.(?:feishu\.cn|larksuite\.com)/open-apis/bot/v2/hook/|qyapi\.weixin\.qq\.com/cgi-bin/webhook/send\?key=|"
        r"api\.netlify\.com/build_hooks/|api\.vercel\.com/v1/integrations/deploy/|"
        r"api\.render\.com/deploy/[\w-]{1,64}\?key=|"
        r"collectors?\.[\w.]{0,24}sumologic\.com/receiver/v1/http/|logs-01\.loggly\.com/(?:inputs|bulk)/|"
        r"alert\.victorops\.com/integrations/generic/[0-9]{1,16}/alert/|automation\.atlassian\.com/pro/hooks/|"
        r"(?:infura\.io|alchemy\.com)/(?:v2|v3|nft/v[23]|ws/v3)/|\.quiknode\.pro/|rpc\.ankr\.com/[\w-]{1,32}/|"
        r"calendar\.google\.com/calendar/ical/[^\s/]{1,128}/private-|"
        r"api\.cloudflare\.com/client/v4/pages/webhooks/deploy_hooks/|"
        r"uptime\.betterstack\.com/api/v1/heartbeat/|push\.statuscake\.com/\?PK=|"
        r"/api/(?:stacks/)?webhooks/(?=[0-9a-f]{8}-)|"
        r"/hooks/(?=[a-z0-9]{26}(?![a-z0-9])))(?P<secret>[A-Za-z0-9@/?=&%._+-]{10,400})",
        (),
        f"https://hc-ping.com/{_sample_uuid()}",
        "https://hc-ping.com/ping",
        kind="webhook_url",
        locate=r"outlook\.office(?:365)?\.com/webhook/|hc-ping\.com/|maker\.ifttt\.com/|open\.(?:feishu\.cn|"
        r"larksuite\.com)/|"
        r"qyapi\.weixin\.qq\.com/|api\.netlify\.com/build_hooks/|api\.vercel\.com/v1/integrations/|"
        r"api\.render\.com/deploy/|"
        r"collectors?\.[\w.]*sumologic\.com/|logs-01\.loggly\.com/|alert\.victorops\.com/|"
        r"automation\.atlassian\.com/pro/|"
        r"(?:infura\.io|alchemy\.com)/|\.quiknode\.pro/|rpc\.ankr\.com/|calendar\.google\.com/calendar/ical/|"
        r"api\.cloudflare\.com/client/v4/pages/|uptime\.betterstack\.com/|push\.statuscake\.com/|"
        r"/api/(?:stacks/)?webhooks/|"
        r"/hooks/[a-z0-9]{10}",
        begins="ou hc ma op qy ap co lo al au in .q rp ca up pu /a /h",
        confirm="address_token",
    ),
)

_PERSONAL = (
    _shape(
        "email",
        "mail address",
        r"(?:(?:(?<=\\[nrtbf])|(?<![\w.%+\\-]))(?:[\w.%+-]|(?<=\w)'(?=\w)){1,64}|"
        r"(?<![\w.%+\\-])\"[^\"\\\n@]{1,64}\")(?:@|"
        r"%40)(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}(?:xn--[a-z0-9-]{2,58}[a-z0-9]|[^\W\d_]{2,24})(?![\w-])",
        (),
        "write to bob.k+x@mail.example.org now",
        "see icon@2x.png and git@host.example",
        confirm="email_address",
        family="run",
        locate=r"(?:[\w.%+\x80-\xff-]+(?:'[\w.%+\x80-\xff-]+)?|\"[^\"\n@]+\")(?:@|%40)[\w\x80-\xff?]",
        needs=("@", "%40"),
    ),
    _shape(
        "email_spelled",
        "mail address with its signs spelled out",
        r"(?i)\b[\w.+-]{1,64}[ ]{0,2}(?:[\[({<][ ]?at[ ]?[\])}>][ ]{0,2}"
        r"(?:[a-z0-9-]{1,63}[ ]{0,2}(?:[\[({<][ ]?dot[ ]?[\])}>]|"
        r"\.|[ ]dot[ ])[ ]{0,2}){1,4}[a-z]{2,12}"
        r"|[ ]at[ ](?:[a-z0-9-]{1,63}[ ]dot[ ]){1,3}"
        r"(?:com|org|net|edu|gov|info|io|de|fr|es|it|nl|uk|eu|ch|pl|br|jp))(?![\w-])",
        (),
        "write to bob [at] example [dot] org now",
        "look at the dot in example.org",
        kind="email",
        family="run",
        locate=r"(?i)[\w.+-]+[ ]?(?:[ ]?[\[({<][ ]?at[ ]?[\])}>]|[ ]at[ ][a-z0-9-]+[ ]dot[ ])",
        needs=("[at", "(at", "{at", "<at", "[AT", "(AT", "[ at", "( at", " dot "),
    ),
    _shape(
        "phone_international",
        "phone number with its country code",
        rf"(?:\+(?<![\w+]\+)\(?[1-9](?:[{_BLANK}().{_DASH}/]{{0,3}}[0-9]){{7,14}}"
        rf"|00(?<![\w.+-]00)(?<![0-9][ ]00)[1-9][0-9]{{0,3}}[{_BLANK}().{_DASH}/]{{1,3}}(?!00)[0-9]"
        rf"(?:[{_BLANK}().{_DASH}/]{{0,3}}[0-9]){{5,12}})"
        rf"{_EXTENSION}(?![\w@])",
        (),
        "call +49 30 5557 4242 now",
        "sum +1 +2 and +1234",
        kind="phone",
        confirm="international_phone",
        family="number",
        heads="+0",
    ),
    _shape(
        "pin",
        "PIN or one-time code beside its name",
        r"(?i)(?<![a-z0-9])(?:pin|otp)(?:[_-]?code)?\\{0,7}[\"']?[ \t]{0,4}[:=][ \t]{0,4}\\{0,7}[\"']?"
        r"(?P<secret>[0-9]{4,8})(?![\w.-])",
        tuple(
            f"{name}{ending}" for name in ("pin", "otp") for ending in ('"', "'", "\\", ":", "=", " =", "_code", "code")
        ),
        '{"pin": 739201}',
        "gpio_pin = 17, spin: 7392 and pin: 2026-11-21",
        confidence="medium",
    ),
    _shape(
        "card_security_code",
        "security code of a payment card beside its name",
        r"(?i)(?<![a-z0-9])(?:cvv2?|cvc2?)\\{0,7}[\"']?[ \t]{0,4}[:=][ \t]{0,4}\\{0,7}[\"']?"
        r"(?P<secret>[0-9]{3,4})(?![\w.-])",
        ("cvv", "cvc"),
        '{"cvv": 482}',
        "cvv: 48, cvc_length = 3",
        confidence="medium",
    ),
    _shape(
        "ssn",
        "social security number of the United States",
        r"[0-9](?<![\w.+-][0-9])[0-9]{2}-[0-9]{2}-[0-9]{4}(?![\w-])",
        (),
        "ssn 536-22-8714 on file",
        "part 000-22-8714 in stock",
        confirm="social_security_number",
        family="number",
        heads=string.digits,
    ),
    _shape(
        "phone_written",
        "phone number in a national form that hardly anything else has",
        rf"{_NO_NUMBER_BEFORE}(?:{'|'.join(_WRITTEN_PHONES)}){_EXTENSION}(?![\w@]|[ .-][0-9])",
        (),
        "at (415) 555-2671 today",
        "at 115-555-2671 today",
        kind="phone",
        confirm="written_phone",
        family="number",
        heads="(0123456789",
    ),
    _shape(
        "national_id",
        "identity, tax or insurance number of a country, by its form and check digit",
        rf"(?<![\w.-])(?:{expression_for(BY_FORM_ALONE)})(?![\w]|[ .-][0-9])",
        (),
        "lot 811218-9876",
        "lot 811218-9877",
        confirm="national_id",
        family="number",
        heads=string.digits + string.ascii_letters,
    ),
    _shape(
        "told_national_id",
        "identity, tax or insurance number of a country, after a word that says so",
        rf"(?<![\w.-])(?:{expression_for(BY_FORM)}|[0-9](?:[ ./-]?[0-9]){{6,14}})(?![\w]|[.-][0-9])",
        (),
        "BSN: 111222333",
        "order: 111222333",
        kind="national_id",
        confirm="told_national_id",
        family="number",
        heads=string.digits + string.ascii_letters,
    ),
    _shape(
        "card",
        "payment card number",
        r"[0-9](?<![\w.-][0-9])(?:[0-9]{12,18}|[0-9]{3}(?:[ \u00a0.-][0-9]{4}){3}(?:[ \u00a0.-][0-9]{3})?"
        r"|[0-9]{3}[ \u00a0.-][0-9]{6}[ \u00a0.-][0-9]{4,5}|[0-9]{7}[ -][0-9]{8})(?![\w]|[ -][0-9]{4})",
        (),
        "card 4242 4242 4242 4242 ok",
        "card 4242 4242 4242 4241 no",
        confirm="card_number",
        family="number",
        heads=string.digits,
    ),
    _shape(
        "iban",
        "international bank account number",
        r"(?i)(?<![A-Za-z0-9_])(?:"
        + "|".join(
            rf"(?:{'|'.join(sorted(countries))})[0-9]{{2}}(?:[ \u00a0-]?[A-Z0-9]){{{length - 4}}}"
            for length, countries in sorted(IBAN_COUNTRIES.items())
        )
        + r")(?![A-Za-z0-9])",
        (),
        "IBAN DE89 3704 0044 0532 0130 00",
        "IBAN DE88 3704 0044 0532 0130 00",
        confirm="iban",
        family="number",
        heads=string.ascii_letters,
    ),
    _shape(
        "phone_national",
        "phone number in any national form, after a word that says so",
        rf"(?i)[(0-9](?<![\w.+-][(0-9])[0-9(){_BLANK}.{_DASH}/]{{5,22}}[0-9]{_EXTENSION}(?![\w@]|[.-][0-9])",
        (),
        "Telefon: 30 5557 4242",
        "order 30 5557 4242",
        kind="phone",
        confirm="national_phone",
        family="number",
        heads="(0123456789",
    ),
    _shape(
        "birth_date",
        "day of birth in numbers, after a word that says so",
        rf"(?<![\w.-]){_NUMERIC_DATE}",
        (),
        "dob,plan: 1985-03-12",
        "due,plan: 1985-03-12",
        confirm="birth_date",
        family="number",
        heads=string.digits,
    ),
    _shape(
        "told_birth_date",
        "day of birth, written out or in numbers, right after a word that says so",
        rf"(?i){_BIRTH_WORDS}(?:[ _-]?(?:day|date|at|on|am|den|le|el|em|il|dne|dnia))?[^\w]{{0,8}}"
        rf"(?:on|am|den|le|el|em|il|is|dne|dnia|the)?\\?[\"'` \n:=]{{0,4}}(?P<secret>{_WRITTEN_DATE}|{_NUMERIC_DATE})",
        (
            "birth",
            "born",
            "dob",
            "bday",
            "gebor",
            "geb.",
            "geburt",
            "naissance",
            "n\u00e9",
            "naci",
            "nasc",
            "data di nascita",
            "nato il",
            "nata il",
            "f\u00f6d",
            "f\u00f8d",
            "synty",
            "urodz",
            "naroz",
            "sz\u00fclet",
            "tarihi",
            "data na",
        ),
        "Born: 12 March 1985",
        "Built: 12 March 1985",
        kind="birth_date",
    ),
    _shape(
        "bank_account",
        "account number, sort code or routing number, after its name",
        rf"(?i)(?:{_ACCOUNT_WORDS}){_TELLS}(?P<secret>[0-9](?:[ /-]?[0-9]){{5,29}}|[A-Z]{{4}}0[A-Z0-9]{{6}})(?![\w])",
        (
            "account",
            "acct",
            "sort",
            "routing",
            "bsb",
            "blz",
            "bankleitzahl",
            "konto",
            "rekening",
            "num\u00e9ro de c",
            "numero de c",
            "n\u00famero de c",
            "clabe",
            "cbu",
            "conta corrente",
            "numer konta",
            "rachunek",
            "\u00edslo",
            "cislo uctu",
            "sz\u00e1mlasz",
            "hesap no",
            "tilinum",
            "ifsc",
        ),
        "sort code: 12-34-56",
        "source code: 12-34-56",
        confirm="any_number",
        locate=r"(?:aba|ach)[ _-](?:n|r)",
        begins="ab ac",
    ),
    _shape(
        "identity_document",
        "number of a passport, an identity card or a driving licence, after its name",
        rf"(?i)(?:{_DOCUMENT_WORDS}){_TELLS}"
        rf"(?P<secret>(?=[A-Z -]{{0,16}}[0-9](?:[A-Z -]{{0,6}}[0-9]){{3}})[A-Z0-9](?:[ -]?[A-Z0-9]){{5,19}})(?![\w])",
        (
            "passp",
            "passe",
            "reisepass",
            "pasap",
            "passap",
            "paspo",
            "paszp",
            "passi",
            "passn",
            "driv",
            "f\u00fchrers",
            "permis de c",
            "patente di",
            "carnet de c",
            "rijbewijs",
            "prawo jazdy",
            "k\u00f6rkort",
            "personalausw",
            "ausweis",
        ),
        "passport no. X1234567",
        "passport office 42",
        confirm="document_number",
    ),
    _shape(
        "ipv4",
        "public IPv4 address",
        r"[0-9](?<![\w.][0-9])(?<![^0-9]-[0-9])[0-9]{0,2}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}(?!\w|"
        r"-(?![0-9]{1,3}\.[0-9])|\.[0-9])",
        (),
        "from 8.8.4.4 port 53",
        "from 192.168.1.7, version 1.2.3.4 and v4.3.2.1",
        kind="ip_address",
        confirm="public_address",
        family="number",
        heads=string.digits,
    ),
    _shape(
        "ipv6",
        "public IPv6 address",
        r"[0-9A-Fa-f](?:(?<![\w:.][0-9A-Fa-f])|"
        r"(?<=IPv6:[0-9A-Fa-f]))[0-9A-Fa-f]{0,3}:(?:[0-9A-Fa-f]{1,4}:){0,6}:?(?:[0-9A-Fa-f]{1,4}"
        r":){0,5}[0-9A-Fa-f]{0,4}(?![\w:])",
        (),
        "from 2a00:1450:4001:82b::200e port 53",
        "at 12:30:45 from fe80::1 and 2001:db8::1",
        kind="ip_address",
        confirm="public_address",
        family="number",
        heads=string.hexdigits,
    ),
)

_DIALOGUES_AND_FILES = (
    _shape(
        "bundler_credential",
        "user and password that Bundler sends to a host",
        r"(?i)(?:bundle config[ ](?:set[ ])?(?:--(?:global|local)[ ])?(?!--)[\w.-]{3,128}[ ]|"
        r"\bBUNDLE_[A-Z0-9_]{3,128}[\"']?[ ]?[:=][ ]?)"
        r"[\"']?(?P<secret>[\w.@%+-]{1,64}:(?!//)[^\s\"'\\]{3,256})",
        ("bundle config ", "bundle_"),
        f"bundle config gems.example bob:{_sample(9)}",
        "bundle config gems.example https://mirror.example",
        kind="password",
        confirm="not_filler",
    ),
    _shape(
        "gossip_key",
        "key with which the members of a cluster encrypt what they tell each other",
        r"(?i)(?<![\w.])encrypt\\{0,7}[\"']?[ \t]{0,8}(?:[:=]|[ \t])[ \t]{0,8}\\{0,7}[\"']?"
        r"(?P<secret>[A-Za-z0-9+/]{22}==|[A-Za-z0-9+/]{43}=|[A-Za-z0-9+/]{32})(?![A-Za-z0-9+/=])",
        ('encrypt"', "encrypt =", "encrypt=", "encrypt ", "encrypt:", "encrypt'", "encrypt\\"),
        f'"encrypt": "{_sample(43)}="',
        '"encrypt": "true"',
        kind="secret",
        confirm="random_value",
    ),
    _shape(
        "wallet_file",
        "encrypted private key in the file of a wallet",
        r"(?i)ciphertext\\{0,7}[\"']\s{0,8}:\s{0,8}\\{0,7}[\"'](?P<secret>[0-9a-f]{32,4096})",
        ("ciphertext",),
        f'{{"kdf": "scrypt", "ciphertext": "{_sample(64, HEX)}"}}',
        '{"kdf": "scrypt", "ciphertext": "none"}',
        kind="private_key",
        confirm="wallet_part",
    ),
    _shape(
        "chat_login",
        "password told to a service of a chat network",
        r"(?i)(?:nickserv[ ]:?|/ns[ ]|/msg[ ][\w-]{1,32}[ ])(?:identify|ghost|recover)[ ](?:[^\s]{1,32}[ ])?"
        r"(?P<secret>[^\s]{4,128})(?=[ ]?(?:\r?\n|\Z))",
        ("nickserv ", "/ns ", "/msg "),
        f"/msg NickServ IDENTIFY bob {_sample(9)}",
        "/msg NickServ HELP identify",
        kind="password",
        confirm="not_filler",
    ),
    _shape(
        "dialogue_password",
        "password that a mail, file or chat client sends on a line of its own",
        r"(?:(?<=\n)|(?<!.)|(?<=[:>] )|(?<=\\n))PASS[ ]:?(?P<secret>[^\s]{3,128})(?=[ ]?(?:\r?\n|\\r|\Z))",
        (),
        f"USER bob\nPASS {_sample(9)}\n",
        "USER bob\nPASS $PASSWORD\n",
        kind="password",
        confirm="dialogue_password",
        locate=r"\bpass[ ][^\s]+[ ]?(?:\r?\n|\\r|$)",
        begins="pa",
    ),
    _shape(
        "mailbox_login",
        "password in the command with which a mail client logs in",
        r"(?i)login[ ]\\?\"?[^\s\"]{1,128}\"?[ ](?P<secret>\\?\"[^\"\n]{3,128}\"|[^\s\"]{3,128})(?=[ ]?(?:\r?\n|"
        r"\\r|\Z))",
        (),
        f"a001 LOGIN bob {_sample(9)}\n",
        "b LOGIN bob $PASSWORD\n",
        kind="password",
        confirm="tagged_command",
        locate=r"\blogin[ ][^\s]+[ ][^\s]+[ ]?(?:\r?\n|\\r|$)",
        begins="lo",
    ),
    _shape(
        "mail_authentication",
        "credentials in base64 that a mail client sends",
        r"(?i)(?:auth(?:enticate)?[ ](?:plain|login|xoauth2|oauthbearer)(?:[ ]|[ ]?\r?\n(?:s:[ ])?(?:334|"
        r"\+)[ ]?\r?\n(?:c:[ ])?)|"
        r"334[ ]UGFzc3dvcmQ6\r?\n(?:c:[ ])?)(?P<secret>[A-Za-z0-9+/]{8,8192}={0,2})(?![A-Za-z0-9])",
        ("auth plain", "auth login", "auth xoauth2", "auth oauthbearer", "authenticate ", "334 UGFzc3dvcmQ6"),
        f"AUTH PLAIN {_sample(30)}==",
        "250-AUTH PLAIN LOGIN",
        kind="basic_credentials",
        confirm="sent_base64",
    ),
    _shape(
        "vpn_key",
        "key of a VPN in armour",
        r"-----BEGIN OpenVPN [\w -]{4,40}-----(?P<secret>(?:(?:\s|\\[rn]){1,4}[A-Za-z0-9+/=]{8,128}){1,128})",
        ("-----BEGIN OpenVPN",),
        f"-----BEGIN OpenVPN {'Static'} key V1-----\n{_sample(32, HEX)}\n{_sample(32, HEX)}\n",
        f"-----BEGIN OpenVPN {'Static'} key V1-----\n...\n",
        kind="private_key",
    ),
    _shape(
        "vpn_login",
        "password on the second line of a VPN's login",
        r"<auth-user-pass>(?:\s|\\[rn]){1,4}[^\s<\\]{1,128}(?:\s|\\[rn]){1,4}(?P<secret>[^\s<\\]{1,256})",
        ("<auth-user-pass>",),
        f"<auth-user-pass>\nbob\n{_sample(9)}\n</auth-user-pass>",
        "<auth-user-pass>\n</auth-user-pass>",
        kind="password",
        confirm="not_filler",
    ),
    _shape(
        "passphrase_of_words",
        "words with blanks between them as a pass phrase",
        r"(?i)(?:pass ?phrase|mantra)(?-i:[A-Za-z]{0,8})(?:[ ](?:for|of|to|"
        r"on)[ ][^\n:=\"'`]{1,40})?\\{0,3}[\"'`*]{0,3}[ ]{0,2}"
        r"(?:[:=]|\bis\b)\*{0,2}[ ]{0,2}\\{0,3}[\"'`]?(?P<secret>(?-i:[a-z]{2,14}(?:[ ][a-z]{2,14}){3,11}))"
        r"(?=\\{0,3}[\"'`]|[ ]{0,2}[.,;]?(?:\r?\n|\\n|\Z)|[ ][-(])",
        ("passphrase", "pass phrase"),
        "passphrase: ripple salmon garlic violin",
        "passphrase: the words that open your key",
        kind="password",
        confirm="spoken_words",
        confidence="medium",
    ),
    _shape(
        "stored_by_length",
        "password in a file that writes the length of each name and value before it",
        r"password(?:\r?\n|\\n)V [0-9]{1,4}(?:\r?\n|\\n)(?P<secret>[^\s\\]{1,512})",
        (),
        f"K 8\npassword\nV 9\n{_sample(9)}\nEND\n",
        "K 8\npassword\nEND\n",
        kind="password",
        locate=r"password(?:\r?\n|\\n)V [0-9]",
        begins="pa",
    ),
    _shape(
        "defined_secret",
        "key or salt that PHP defines",
        r"(?i)define\([ ]{0,4}[\"'][A-Z0-9_]{0,40}(?:KEY|SALT|SECRET|PASSWORD|TOKEN)[\"'],[ ]{0,24}"
        r"(?P<secret>'(?:[^'\n\\]|\\.){16,256}'|\"(?:[^\"\n\\]|\\.){16,256}\")",
        ("define(",),
        f"define( 'AUTH_KEY',  '{_sample(20)}!{_sample(9)}#;*(~ %{_sample(9)}' );",
        "define( 'AUTH_KEY',  'put your unique phrase here' );",
        kind="secret",
        confirm="defined_value",
    ),
    _shape(
        "call_of_variable_user",
        "password behind a variable in the arguments of a call",
        r"(?:\.login|getConnection|\bauth[ ]?=[ ]?|HTTPBasicAuth|simple_bind_s|_Oracle\.connect|"
        r"NetworkCredential|PlainAuth)"
        r"\(\s{0,32}(?:[^()\n\"',]{1,64},\s{0,32}|[@rub]{0,2}[\"'][^\"'\n]{0,160}[\"'],\s{0,32}){1,3}"
        r"[@rub]{0,2}(?P<secret>\"[^\"\n]{4,160}\"|'[^'\n]{4,160}')(?=\s{0,32}[,)])",
        (),
        f'smtp.login(USER, "{_sample(9)}")',
        'smtp.login(USER, "password")',
        kind="password",
        confirm="login_argument",
        confidence="medium",
        locate=r"\.login\(|getconnection\(|auth[ ]?=[ ]?\(|httpbasicauth\(|simple_bind_s\(|_oracle\.connect\(|"
        r"networkcredential\(|plainauth\(",
        begins=".l ge au ht si _o ne pl",
    ),
    _shape(
        "typed_answer",
        "what a script types when it is asked for a password",
        r"send(?:_user)?[ ](?:--[ ])?\\?\"(?P<secret>[^\"\n\\$]{4,160})\\{1,2}[rn]",
        ('send "', 'send -- "', 'send \\"'),
        f'expect "Password:"\nsend "{_sample(9)}\\r"',
        f'expect "Name:"\nsend "{_sample(9)}\\r"'.replace(_sample(9), "quit"),
        kind="password",
        confirm="asked_before",
    ),
    _shape(
        "build_password",
        "password of a key store in a file of Gradle",
        r"(?:store|key)Password[ ]{1,4}(?P<secret>\"[^\"\n$]{4,128}\"|'[^'\n$]{4,128}')",
        ("storepassword ", "keypassword "),
        f"storePassword '{_sample(9)}'",
        "storePassword 'password'",
        kind="password",
        confirm="quoted_password",
    ),
    _shape(
        "build_field",
        "secret that a build writes into a constant",
        r"(?i)(?:buildConfigField|resValue)[ (]{1,2}[\"']string[\"'],[ ]{0,2}[\"'][\w.]{0,48}(?:KEY|SECRET|"
        r"TOKEN|PASS|PWD|AUTH)"
        r"[\w.]{0,16}[\"'],[ ]{0,2}[\"'\\]{1,4}(?P<secret>[^\s\"'\\]{8,512})",
        ("buildconfigfield", "resvalue"),
        f'buildConfigField "String", "API_KEY", "\\"{_sample(24)}\\""',
        'buildConfigField "String", "API_KEY", "API_KEY_NAME"',
        kind="secret",
        confirm="told_password",
    ),
    _shape(
        "mail_relay_login",
        "user and password of a mail relay",
        r"(?i)\b(?:smtp|relay|mail|mx)[\w.-]{0,64}\.[a-z]{2,12}(?::[0-9]{2,5})?[ \t]{1,16}[^\s:]{1,64}:"
        r"(?P<secret>[^\s\"'\\/][^\s\"'\\]{3,128})(?=[ \t]?(?:\r?\n|\Z))",
        (),
        f"smtp.example.net bob:{_sample(9)}\n",
        "mail.example.net said: none\n",
        kind="password",
        confirm="told_password",
        locate=r"(?:smtp|relay|mail|mx)[\w.-]*\.[a-z]+(?::[0-9]+)?[ \t]+[^\s:]+:[^\s]",
        begins="sm re ma mx",
    ),
    _shape(
        "reversible_password",
        "password of a network device in its form that can be turned back",
        r"(?:password|key|key-string|secret)[ ]7[ ](?P<secret>[0-9]{2}[0-9A-Fa-f]{6,126}|"
        r"[0-9A-F]{8,128})(?![0-9A-Za-z])",
        ("password 7 ", "key 7 ", "key-string 7 ", "secret 7 "),
        f"key-string 7 08{_sample(12, '[A-F0-9]')}",
        "key 7 opens",
        kind="password",
    ),
    _shape(
        "management_user",
        "pass phrases of a user who manages a network",
        r"(?i)(?:createUser[ ][^\s]{1,64}[ ](?:md5|sha[-0-9]{0,4})[ ]|snmp-server user [^\n]{1,64} auth (?:md5|"
        r"sha[-0-9]{0,4})[ ])"
        r"(?P<secret>(?:\"[^\"\n]{4,128}\"|[^\s\"]{4,128})(?:[ ](?:priv[ ])?(?:des|aes[-0-9]{0,4})(?:[ ](?:128|"
        r"192|256))?[ ]"
        r"(?:\"[^\"\n]{4,128}\"|[^\s\"]{4,128}))?)",
        ("createuser ", "snmp-server user "),
        f'createUser bob SHA "{_sample(9)}" AES "{_sample(9)}"',
        "createUser bob",
        kind="password",
    ),
    _shape(
        "cookie_file",
        "value of a cookie in a file of cookies",
        r"\t(?:TRUE|FALSE)\t[0-9]{1,12}\t[^\t\n]{1,128}\t(?P<secret>[^\s]{16,4096})",
        (),
        f".a.example\tTRUE\t/\tTRUE\t0\tsid\t{_sample(24)}\n",
        ".a.example\tTRUE\t/\tTRUE\t0\ttheme\tdark\n",
        kind="cookie",
        confirm="cookie_file_value",
        family="run",
        locate=r"\t(?:TRUE|FALSE)\t[0-9]+\t[^\t\n]+\t[^\s]",
        needs=("\tTRUE\t", "\tFALSE\t"),
    ),
    _shape(
        "prompt_login",
        "password at the prompt of a cache",
        r"(?i)(?:redis|:[0-9]{2,5}(?:\[[0-9]{1,2}\])?)>[ ]auth[ ]"
        r"(?P<secret>[^\s]{3,256}(?:[ ][^\s]{3,256})?)(?=[ ]?(?:\r?\n|\\n|\Z))",
        (),
        f"127.0.0.1:6379> auth bob {_sample(9)}\nOK\n",
        "127.0.0.1:6379> auth $PASSWORD\n",
        kind="password",
        confirm="not_filler",
        locate=r"(?:redis|:[0-9]+(?:\[[0-9]+\])?)>[ ]auth[ ]",
        begins="re :",
    ),
    _shape(
        "unseal_key",
        "key that opens a vault",
        r"(?i)(?:(?:unseal|recovery) key [0-9]{1,2}:[ ]{1,4}|"
        r"operator unseal[ ]{1,4}(?:-[\w=-]{1,32}[ ]){0,2})(?P<secret>[A-Za-z0-9+/]{32,128}={0,2})",
        ("unseal key ", "recovery key ", "operator unseal "),
        f"Unseal Key 1: {_sample(43)}=",
        "Unseal Key 1: (hidden)",
        kind="secret",
        confirm="varied_value",
    ),
    _shape(
        "listed_codes",
        "codes that stand in for a second factor, on one line or in quotes",
        r"(?i)(?:recovery|backup|scratch|emergency|"
        r"rescue)[ _-]?codes?\\{0,3}[\"']?[^\n:=]{0,24}[:=\n]\s{0,16}\[?\s{0,16}"
        r"(?P<secret>(?:-[ ])?[\"'`\\]{0,3}[A-Za-z0-9]{4,12}(?:-[A-Za-z0-9]{4,8}){0,3}[\"'`\\]{0,3}"
        r"(?:[,;\s]\s{0,16}(?:-[ ])?[\"'`\\]{0,3}[A-Za-z0-9]{4,12}(?:-[A-Za-z0-9]{4,8}){0,3}[\"'`\\]{0,3}){1,31})",
        (),
        "recovery codes: ab12c9dk, 77xk2p0w, 1k2j3h4g",
        "recovery codes: none, some",
        kind="recovery_codes",
        confirm="code_row",
        locate=r"(?:recovery|backup|scratch|emergency|rescue)[ _-]?codes?",
        begins="re ba sc em",
    ),
    _shape(
        "set_in_a_shell",
        "value of a variable that a shell sets with blanks",
        r"(?i)\b(?:set[ ](?:-{1,2}[a-z]{1,12}[ ]){1,3}|setx[ ](?:/m[ ])?)(?=[\w]{0,64}(?:PASS|PWD|SECRET|TOKEN|"
        r"KEY|AUTH|CRED|CERTIFICATE))"
        r"[A-Z_][\w]{1,64}[ ](?P<secret>\"[^\"\n$]{6,512}\"|'[^'\n]{6,512}'|[^\s\"'$;(][^\s\"';]{5,512})",
        (),
        f"set -gx API_TOKEN {_sample(32, HEX)}",
        "set -gx API_TOKEN $argv",
        kind="secret",
        confirm="set_value",
        locate=r"\bset(?:x|[ ]-{1,2}[a-z]+)[ ]",
        begins="se",
    ),
)

RULES: tuple[Rule, ...] = (
    *_OWN_KEYS,
    *_CLOUD_KEYS,
    *_CODE_KEYS,
    *_MODEL_KEYS,
    *_MESSAGE_KEYS,
    *_BUSINESS_KEYS,
    *_MORE_CLOUD_KEYS,
    *_MORE_CODE_KEYS,
    *_MORE_MODEL_KEYS,
    *_MORE_BUSINESS_KEYS,
    *_STILL_MORE_KEYS,
    *_NEWER_KEYS,
    *_WATCH_KEYS,
    *_DOCUMENTS,
    *_ADDRESSES_AND_HEADERS,
    *_COMMANDS_AND_FILES,
    *_MORE_COMMANDS_AND_FILES,
    *_DIALOGUES_AND_FILES,
    *_PERSONAL,
)
