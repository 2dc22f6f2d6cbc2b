"""Secrets by context: a name that says secret, beside a value that is no placeholder, reference, type or call.

Steps for each name: 1. widen a stem such as `pass` or `key` to the whole name; 2. classify the name as strong (its
value goes even if it is a plain word), weak (the value must look generated) or nothing; 3. read what joins name and
value (`=`, `": "`, `=>`, a flag's space, an argument's comma, ...); 4. read the value in its quotes or without;
5. ask whether the value can be a secret. Each step looks at a bounded piece of text.
"""

import re
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import NamedTuple

from goldvein.sanitizer.checks import (
    has_digit,
    is_camel_case,
    is_filler,
    is_jumbled,
    is_made_of_words,
    is_symbol_soup,
    is_uuid,
    looks_random,
    remembered,
    words,
)
from goldvein.sanitizer.linear import Linear, readable
from goldvein.sanitizer.matching import Match
from goldvein.sanitizer.rules import Confidence

MAX_NAME_CHARS = 64
MAX_LISTED_VALUES = 64
MAX_VALUE_CHARS = 65_536
MAX_JUDGED_CHARS = 512
MIN_WORD_SECRET_CHARS = 4
_LINE_START_CHARS = 40
MANY_NAMES = 32
# How far from a name is read: before it, between it and its value (`_JOIN` and what may open a value), and after that.
READ_BEFORE_CHARS = 64
READ_BESIDE_CHARS = 384
READ_BEYOND_CHARS = 384
PIECE_CHARS = 1280
MIN_SHORT_KEY_CHARS = 8
MAX_SHORT_KEY_CHARS = 32
MIN_ALTERNATIONS = 3
MIN_KEY_CHARS = 6
MIN_CODE_WORD_CHARS = 5
MIN_PLAIN_KEY_CHARS = 8

_NAME_RIGHT = re.compile(r"[A-Za-z0-9_.\u00f1-]{0,64}")
_NAME_PARTS = re.compile(r"[A-Z]{1,64}(?![a-z])|[A-Z]?[a-z\u00f1]{1,64}|[0-9]{1,64}")
_NAME_CHARS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-\u00f1"


_BEFORE_A_WORD = frozenset({"", " ", "\t", "\n", '"', "'"})
_BRACKETS = frozenset("([")
_QUOTES = frozenset("\"'`")
_CLOSING = {quote: re.compile(rf"(?<!\\){quote}") for quote in _QUOTES}
_BLANK = re.compile(r"\s")


class Strength(Enum):
    """How much a name says: `PASSWORD` any value, `KEY` any value that is not a plain word, `WEAK` generated ones."""

    PASSWORD = "password"  # noqa: S105 - the name of a class
    KEY = "secret"
    WEAK = "token"


_PASSWORD_PARTS = words(
    """
    password passwd passphrase passcode passwort kennwort contrase\u00f1a contrasena senha pwd pswd passw pass
    passwds passwords pgpassword userpass dbpass dbpassword mypassword rootpass adminpass userpassword
    requirepass masterauth psk motdepasse pw sshpass keypass storepass wachtwoord mdp clave parola haslo heslo
    salasana adgangskode losenord l\u00f6senord passord jelszo sifre kodeord lozinka geslo sifra pasahitza contrasenya
    rootpw bindpw userpw adminpw
    ftppass srcstorepass deststorepass authtok
    """
)
_PASSWORD_ENDINGS = ("password", "passwd", "passphrase", "passwort", "kennwort", "passcode")
_KEY_COMPOUNDS = words(
    """
    apikey apitoken apisecret apppassword accesskey secretkey privatekey clientsecret authtoken accesstoken
    refreshtoken bearertoken authkey signingkey signingsecret encryptionkey masterkey accountkey sharedkey
    webhooksecret sessionsecret sessiontoken idtoken servicekey licensekey consumersecret consumerkey
    appsecret appkey sharedsecret subscriptionkey deploykey securitytoken tokensecret jwtsecret hmackey
    hmacsecret cryptkey cipherkey sshkey authcode oauthtoken bottoken usertoken deploytoken personaltoken
    privatetoken secrettoken privateaccess apiaccess xauthtoken csrftoken xsrftoken secretaccess
    authorizationtoken functionskey hostkey adminkey rootkey
    writekey ingestionkey integrationkey routingkey publishtoken presharedkey privkey codeverifier devicecode
    appcertificate samlresponse samlrequest rediscliauth authsalt accesscode hostkeydata clientkeydata
    """
)
_KEY_COMPOUND = Linear("|".join(sorted(_KEY_COMPOUNDS)))
_KEY_PARTS = words(
    """
    secret secrets credential credentials creds cred apikey apikeys dsn
    """
)
_WEAK_PARTS = words(
    """
    token tokens key keys jsessionid phpsessid sessid auth authorization signature
    sig jwt session sessionid sid bearer salt pat pin otp
    cookie authtok tok oauth
    """
)
# How the value is written, at the end of a name.
_WRITTEN_AS = words("b base hex")
# Words after which a name speaks about the secret and does not hold it.
_ABOUT_ENDINGS = words(
    """
    url uri urls endpoint path file filename filepath dir directory name names type types length len size
    count counts limit limits field fields policy policies expiry expires expiration expire ttl id ids arn
    label labels placeholder hint regex pattern format validator validation error errors message messages msg
    required enabled disabled min max ref prompt input form page reset strength algorithm alg algo method
    methods provider manager class at in date time version index scope scopes issuer audience location header
    headers store storage rotation age lifetime duration budget usage used limiter bucket cost price rate per
    status state mode kind schema table column attempts retries history minlength maxlength attribute attr
    handler service helper factory resolver callback function func fn error changed updated created exists
    valid invalid missing verified verify checker check is has needed present visible visibility toggle group
    groups order prefix suffix separator delimiter lookup map mapping spec rule rules event events down up
    timeout timeouts iterations interval delay hashers backend backends scheme encryption window threshold
    cooldown seconds minutes hours days ms
    press code codes board frame frames word words points range ranges set sets size bits bit pair words
    stream cache param params parameter parameters sha digest fingerprint thumbprint kid
    """
)
_ABOUT_PARTS = words(
    """
    public primary foreign cache sort partition idempotency dedupe hot shortcut max min num count total prompt
    completion next previous continuation page cursor tokenizer tokenize keyboard keyword unique composite
    natural surrogate index storage object i18n translation locale react query metric dict json row column
    hash sort range registry lookup author authors authored sigma signal signals signed significant design
    sign keyframes keyframe passed passes passing passenger passport compass bypass passive passthrough
    passthru
    """
)
# Headers whose values the table reads: they have parts.
_NAMES_WITH_RULES = frozenset({"cookie", "setcookie"})
_CODES_THAT_OPEN = words("devicecode accesscode authorizationcode authcode recoverycode backupcode")
_WORDS_IN_KEY = words(
    "monkey donkey turkey whiskey hockey jockey turnkey lackey hickey mickey rickey flunkey malarkey smokey hokey pokey"
)
_PUBLIC_PARTS = frozenset({"public", "publishable"})
_LIMITS = frozenset({"min", "max", "minimum", "maximum"})
_UI_WORDS = re.compile(
    r"(?i)\b(?:password|passwd|passphrase|token|secret|key|enter|your|please|must|the|is|are|"
    r"required|invalid|login|forgot|field|user)\b"
)

_SPEAKS_OF_SECRETS = re.compile(
    r"(?i)key|token|secret|pass|auth|cred|header|bearer|required|optional|string|value|name|"
    r"valid|config|default|type|generat"
)

_QUOTE_AFTER_NAME = (
    r"\\{0,7}[\"'`]?(?:\[[0-9]{0,5}\]|\)?\]|\}\}|\*\*|</?[a-z]{1,10}>|\)(?=[ ](?:\|\||\?\?|or)[ ])|"
    r"[ \t]{1,4}[Aa]s[ \t]{1,4}String)?"
)
_JOIN = re.compile(
    _QUOTE_AFTER_NAME
    + r"""
    (?:
      \\{0,7}["']?[ \t]{0,4}(?:,(?:\s|\\n){0,32}|(?:\s|\\n){1,32})\\{0,7}["']?(?:[A-Za-z]{0,12}[Vv]alue)
        \\{0,7}["']?[ \t]{0,4}[:=][ \t]{0,4}
      | [ \t]{0,4}\{(?:\s|\\n){1,32}(?:value|default)[ \t]{0,16}=[ \t]{0,4}
      | [ \t]{0,32}(?P<sign>:=|=>|->|<-|\u2192|\|\|=?|\?\?=?|\?=|!={1,2}|={1,3}|:{1,2}(?!/)|or(?=[ ]["']))
        (?:\*\*)?[ \t]{0,32}
        (?:(?:\\|[|>][-+]?)[ ]?\n[ \t]{1,64})?
        (?P<pretty>\n[ \t]{1,64}(?=["']))?
      | [ \t]{0,4},[ \t]{0,8}(?P<comma>(?=\\{0,7}["'`]))
      | [({][ \t]{0,4}(?P<call>(?=\\{0,7}["'`]))
      | (?P<flag>[ \t]{1,8})
      | (?P<xml>>[ \t]{0,8})
    )
    """,
    re.VERBOSE,
)
_LIST = re.compile(_QUOTE_AFTER_NAME + r"[ \t]{0,8}[:=][ \t]{0,8}\[\s{0,64}")
_NEXT_LISTED = re.compile(r"\\{0,7}[\"'`]\s{0,16},\s{0,64}")
_ANNOTATION = re.compile(
    r"(?:Optional\[str\]|str(?:[ ]\|[ ]None)?|string|String|bytes|SecretStr|&(?:'static )?str|"
    r"const char\*?|any)[ \t]{0,4}=[ \t]{0,4}"
)
_VALUE_PREFIX = re.compile(
    r"(?:[bBrRfFuUN@$]{1,2}(?=[\"'])|(?:SecretStr|String|str|Secret|Buffer\.from|bytes|encode|"
    r"new String)\((?=\\{0,7}[\"'`]))"
)
_OPENER = re.compile(r"\"\"\"|'''|\\{0,7}[\"'`]")
_BARE = re.compile(r"[^\s\"'`<>,;&|(){}\[\]\\]{1,1024}+")
_BARE_LINE = re.compile(r"(?:[^\s\"'`\\]|\\(?![nrtu\"'\\\n])){1,1024}+")
_REST_OF_RUN = re.compile(r"[^\s\"'`\\]{1,262144}+")
_LINE_START = re.compile(
    r"(?:\A|[\n\r]|\\n|\\r|\"|')[ \t+>#-]{0,16}(?:(?:export|set|setx|env|ENV|ARG|declare -x|-e|"
    r"--env|--build-arg|--from-literal=?|local|const|let|var)[ \t]{1,4}|--from-literal=)?\Z"
)
_INDENTS = " \t+>#-"
# What can stand before the indents: the line's beginning, or the last letter of one of the words.
_ENDS_BEFORE_NAME = frozenset({"", *"\n\rnr\"'=texvVGgl"})
_LINE_END = re.compile(r"[ \t]{0,8}(?:[#;][^\n]{0,200})?(?:\Z|[\n\r]|\\[nr]|\\{0,7}[\"'])")
_EXPRESSION = re.compile(r"[A-Za-z_$][\w$]{0,64}(?:(?:\.|->|::|\?\.)[A-Za-z_$][\w$]{0,64}){1,8}\Z")
_STRUCTURE = re.compile(
    r"\s{0,64}(?:\\{0,7}[\"']|[,:\]}]|\)(?:[\s);,:\]}.]|\Z)|\Z)|[ ][A-Za-z_]\w{0,32}\Z"
    r"|[ ]?[+.&][ ]?[A-Za-z_$][\w.$]{0,64}[ ]?(?:\)|;)"
)
_LETTER_OR_DIGIT = re.compile(r"[^\W_]")
_SYSTEM_PATH = re.compile(r"(?:~|/(?:home|root|etc|usr|var|tmp|Users|opt|srv|mnt|run|app|data))/")
_CODE_WORDS = re.compile(r"[A-Z]{0,4}[a-z]{1,24}[0-9]?|[A-Z]{2,12}[0-9]?|[_.]")
_VARIABLE_OF_SECRET = re.compile(r"[a-z]{1,24}(?:_[a-z]{1,24}){0,3}_(?:password|passwd|secret|token|key)")
_WORD_AND_DIGIT = re.compile(r"[a-z]{2,16}[0-9]")
_FUNCTION_WORD_BEFORE = re.compile(
    r"(?i)\b(?:and|or|the|with|option|options|to|in|of|via|using|use|see|flag|switch)\s{1,8}\Z"
)
_CALL = re.compile(r"[A-Za-z_$][\w$.:>-]{0,128}[(\[].{0,1024}[)\]]?\Z", re.DOTALL)
_IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z_$]{0,64}\Z")
_NAMED_CODE = re.compile(r"[A-Za-z_$][\w$]{0,64}\Z")
_URL = re.compile(r"(?:[a-z][a-z0-9+.-]{1,20}:)?//")
_PATH = re.compile(r"(?:~|\.{1,2})?/(?:[\w.@-]{1,64}/){1,16}[\w.@-]{0,128}\Z")
_ALTERNATION = re.compile(r"(?<=[0-9])[A-Za-z]|(?<=[A-Za-z])[0-9]")
_TOLD = re.compile(
    r"(?P<verb>(?:is|was)[ \t]{1,4})?(?P<value>[A-Za-z0-9][A-Za-z0-9_./+=~-]{15,512}+)(?=[\s\"',;)]|[.!?](?:\s|\Z)|\Z)"
)
_YEAR = re.compile(r"[A-Za-z][0-9]{2,6}\Z")
_PHRASE = re.compile(r"[a-z]{2,16}(?: [a-z]{2,16}){1,24}")
_GENERIC = re.compile(r"&?[A-Za-z_][\w:.]{0,64}<[\w<>:&', \[\]]{1,128}>")
_TYPE_NAME = re.compile(r"[A-Z][a-z]{1,24}(?:[A-Z][a-z]{1,24}){1,4}\Z")
_PLAIN_HEX = re.compile(r"[0-9a-fA-F]{1,512}")
_NUMBER = re.compile(r"-?[0-9]{1,32}(?:\.[0-9]{1,32})?\Z")


@remembered
def classify_name(name: str) -> Strength | None:
    """Say how much a name tells about the value beside it; None when it says nothing or speaks about a secret."""
    parts = [part.lower() for part in _NAME_PARTS.findall(name)]
    while len(parts) > 1 and (parts[-1].isdigit() or parts[-1] in _WRITTEN_AS):
        parts.pop()
    flat = "".join(parts)
    if flat in _CODES_THAT_OPEN:
        return Strength.KEY
    if not parts or parts[-1] in _ABOUT_ENDINGS or parts[-1] in _WORDS_IN_KEY or parts[0] in _LIMITS:
        return None
    if flat in _NAMES_WITH_RULES:
        return None
    strength = None
    if not _PASSWORD_PARTS.isdisjoint(parts) or any(part.endswith(_PASSWORD_ENDINGS) for part in parts):
        strength = Strength.PASSWORD
    elif not _PUBLIC_PARTS.isdisjoint(parts):
        strength = None
    elif not _KEY_PARTS.isdisjoint(parts) or _KEY_COMPOUND.search(readable(flat)) is not None:
        strength = Strength.KEY
    elif _ABOUT_PARTS.isdisjoint(parts) and (
        not _WEAK_PARTS.isdisjoint(parts) or flat.endswith(("token", "secret", "key"))
    ):
        strength = Strength.WEAK
    return strength


def _name_around(text: str, start: int, end: int) -> tuple[int, int]:
    """Widen a stem to the name it stands in."""
    before = text[max(0, start - MAX_NAME_CHARS) : start]
    start -= len(before) - len(before.rstrip(_NAME_CHARS))
    match = _NAME_RIGHT.match(text, end)
    end = match.end() if match else end
    if start and text[start - 1] == "\\" and text[start] in "nrtbf":
        start += 1
    return start, end


def _quoted_value(text: str, start: int, opener: str) -> tuple[int, int]:
    """Find the inside of a quoted string; up to the end of the line if the quote is never closed.

    An opener with backslashes stands in a string itself: a quote with fewer of them ends both.
    """
    begin = start + len(opener)
    limit = min(len(text), begin + MAX_VALUE_CHARS)
    quote = opener.lstrip("\\")
    depth = len(opener) - len(quote)
    end = text.find(quote, begin, limit)
    while end >= 0:
        slashes = 0
        while end - slashes > begin and text[end - slashes - 1] == "\\":
            slashes += 1
        if depth and slashes <= depth:
            return begin, end - slashes
        if not depth and slashes % 2 == 0:
            return begin, end
        end = text.find(quote, end + 1, limit)
    line_end = text.find("\n", begin, limit)
    return begin, line_end if line_end >= 0 else limit


def find_context_secrets(text: str, places: Iterable[tuple[int, int]]) -> Iterator[Match]:
    """Yield the values beside names that say secret. `places` are where such names may stand, from left to right."""
    resume = tried = 0
    for place, _ in places:
        if place < resume:
            continue
        name_start, name_end = _name_around(text, place, place + 1)
        resume = name_end
        name = text[name_start:name_end].rstrip(".-")
        strength = classify_name(name)
        if strength is None or _is_in_a_run(text, name_start):
            continue
        if text[name_start - 1 : name_start] == text[name_start + len(name) : name_start + len(name) + 1] == ":":
            continue  # a part of a name with colons, such as an ARN
        tried += 1
        beside = _value_beside if tried <= MANY_NAMES else _value_again
        span = beside(text, name_start, name_start + len(name), strength)
        spans = [span] if span else _values_listed(text, name_start + len(name), strength)
        for start, end in spans:
            resume = max(resume, end)
            sure: Confidence = "high" if looks_random(text[start : min(end, start + MAX_JUDGED_CHARS)]) else "medium"
            yield Match(type=strength.value, start=start, end=end, rule=f"context_{strength.value}", confidence=sure)


def _value_again(text: str, name_start: int, name_end: int, strength: Strength) -> tuple[int, int] | None:
    """Do the same for a text of many names, which repeat themselves: each piece of it is judged once.

    A piece counts only if nothing in it can lead beyond its end: a blank ends values without quotes, and each kind of
    quote that could open a value stands again, unescaped, to close it. Without a blank it can still say no: a long run
    is judged by its beginning.
    """
    begin = name_start - READ_BEFORE_CHARS
    if begin < 0:
        return _value_beside(text, name_start, name_end, strength)
    piece = text[begin : name_end + PIECE_CHARS]
    counts, span = _value_in_piece(piece, READ_BEFORE_CHARS, name_end - begin, strength)
    if not counts:
        return _value_beside(text, name_start, name_end, strength)
    return (span[0] + begin, span[1] + begin) if span else None


@remembered
def _value_in_piece(
    piece: str, name_start: int, name_end: int, strength: Strength
) -> tuple[bool, tuple[int, int] | None]:
    """Tell whether a piece counts, and what it gives."""
    settled = name_end + READ_BESIDE_CHARS
    last = len(piece) - READ_BEYOND_CHARS
    for quote, closing in _CLOSING.items():
        if piece.find(quote, name_end, settled) >= 0 and not closing.search(piece, settled, last):
            return False, None
    span = _value_beside(piece, name_start, name_end, strength)
    return span is None or _BLANK.search(piece, settled, last) is not None, span


def _is_in_a_run(text: str, name_start: int) -> bool:
    """Tell a name inside base64 or a path; the sign of an added line stands before a name, too."""
    before = text[max(0, name_start - 3) : name_start]
    return before[-1:] == "/" or (before[-1:] == "+" and before != "+" and not before.endswith(("\n+", "\\n+")))


def _value_beside(text: str, name_start: int, name_end: int, strength: Strength) -> tuple[int, int] | None:
    """Find the span of the secret that belongs to the name, or None."""
    join = _JOIN.match(text, name_end)
    if join is None:
        return None
    start = join.end()
    annotation = _ANNOTATION.match(text, start) if join["sign"] else None
    if annotation:
        start = annotation.end()
    prefix = _VALUE_PREFIX.match(text, start)
    if prefix:
        start = prefix.end()
    opener = _OPENER.match(text, start)
    if join["xml"] is not None and (opener is not None or text[name_start - 1 : name_start] != "<"):
        return None
    if opener is not None:
        if join["flag"] is not None and text[name_start] == "-":
            begin, end = _quoted_value(text, start, opener[0])
            return (begin, end) if can_be_secret(text[begin:end], strength, quoted=True) else None
        return _accept_quoted(text, start, opener[0], join, strength)
    listed = join["flag"] is None and text[start : start + 1] in _BRACKETS  # a list, a group, a placeholder
    if prefix or annotation or listed or join["comma"] is not None or join["call"] is not None:
        return None
    return _accept_bare(text, name_start, start, join, strength)


def _values_listed(text: str, name_end: int, strength: Strength) -> Iterator[tuple[int, int]]:
    """Yield the secrets of a list under the name. A password is judged as a key: messages stand in lists too."""
    opening = _LIST.match(text, name_end)
    judged = Strength.KEY if strength is Strength.PASSWORD else strength
    place = opening.end() if opening else len(text)
    for _ in range(MAX_LISTED_VALUES):
        opener = _OPENER.match(text, place)
        if opener is None:
            return
        begin, end = _quoted_value(text, place, opener[0])
        if can_be_secret(text[begin:end], judged, quoted=True):
            yield begin, end
        following = _NEXT_LISTED.match(text, end)
        if following is None:
            return
        place = following.end()


def _accept_quoted(
    text: str, start: int, opener: str, join: re.Match[str], strength: Strength
) -> tuple[int, int] | None:
    """Decide about a value in quotes."""
    begin, end = _quoted_value(text, start, opener)
    value = text[begin:end]
    if _STRUCTURE.match(value):
        return None  # the quote closes a string that ends with the name, as in ["PASSWORD=", 5]
    if opener == "`" and " " in value and join["sign"] == "=":
        return None  # what a command prints
    if join["comma"] is not None and (is_camel_case(value) or _WORD_AND_DIGIT.fullmatch(value)):
        return None  # one more name of a list
    if join["sign"] is None and (join["comma"] is not None or join["call"] is not None or join["flag"] is not None):
        strength = Strength.KEY if strength is Strength.PASSWORD else Strength.WEAK
    return (begin, end) if can_be_secret(value, strength, quoted=True) else None


def can_be_secret(value: str, strength: Strength, *, quoted: bool) -> bool:
    """Tell whether a value under a name of this strength is taken for a secret."""
    if is_filler(value) or not _LETTER_OR_DIGIT.search(value) or _SYSTEM_PATH.match(value):
        return False
    if strength is Strength.WEAK:
        return (
            looks_random(value)
            or is_symbol_soup(value)
            or _is_short_key(value)
            or (quoted and (is_uuid(value) or (is_jumbled(value) and not is_camel_case(value))))
        )
    if _URL.match(value) or _PATH.match(value):
        return False
    if " " in value.strip() and not is_symbol_soup(value) and (strength is not Strength.PASSWORD or _is_label(value)):
        return looks_random(value.rpartition(" ")[2])
    if strength is Strength.KEY:
        return len(value) >= MIN_KEY_CHARS and (
            looks_random(value)
            or (has_digit(value) and not _EXPRESSION.match(value))
            or (value.isascii() and not is_made_of_words(value) and not is_camel_case(value))
            or (len(value) >= MIN_PLAIN_KEY_CHARS and value.isalpha() and not _SPEAKS_OF_SECRETS.search(value))
        )
    named = _VARIABLE_OF_SECRET.fullmatch(value) or (value.startswith("--") and is_made_of_words(value))
    return not named and not (_UI_WORDS.search(value) and is_made_of_words(value) and not has_digit(value))


def _is_label(value: str) -> bool:
    """Tell what a page says about a password, in any language, from a phrase of lower-case words or one with digits."""
    if _UI_WORDS.search(value):
        return True
    return not has_digit(value) and not (value.isascii() and _PHRASE.fullmatch(value))


class _Surroundings(NamedTuple):
    """What stands around a value without quotes."""

    sign: str
    tight: bool
    name_quoted: bool
    whole_line: bool
    in_query: bool
    flag: bool
    following: str
    shouted: bool

    @property
    def environment_line(self) -> bool:
        """NAME=value and nothing else on the line."""
        return self.whole_line and self.tight and self.sign == "="


def _accept_bare(
    text: str, name_start: int, start: int, join: re.Match[str], strength: Strength
) -> tuple[int, int] | None:
    """Decide about a value without quotes: a line of a file, a flag, a query parameter, an expression of code."""
    if join["flag"] is not None:
        return _accept_flag(text, name_start, start, strength)
    sign = join["sign"] or ""
    tight = not sign or join.end() == join.start("sign") + len(sign)
    line_shaped = _begins_line(text, name_start)
    name_quoted = join[0].lstrip("\\")[:1] in _QUOTES
    to_line_end = line_shaped and not name_quoted and (tight or ":" in sign)
    match = (_BARE_LINE if to_line_end else _BARE).match(text, start)
    if match is None:
        return None
    begin, end = match.span()
    if end - begin >= MAX_JUDGED_CHARS:
        return _accept_long(text, begin, end, strength)
    loose = ",;:.)" if tight and sign == "=" else ",;:.!?)"
    while end > begin and text[end - 1] in loose:
        end -= 1
    around = _Surroundings(
        sign=sign,
        tight=tight,
        name_quoted=name_quoted,
        # A comma ends an argument; no file of settings has one there.
        whole_line=line_shaped and match[0][-1] != "," and _LINE_END.match(text, match.end()) is not None,
        in_query=tight and text[name_start - 1 : name_start] in {"?", "&", ";"},
        flag=tight and text[name_start] == "-",
        following=text[match.end() : match.end() + 1],
        shouted=tight
        and sign == "="
        and text[name_start - 1 : name_start] in _BEFORE_A_WORD
        and text[name_start : join.start()].isupper(),
    )
    value = text[begin:end]
    if value == text[name_start : join.start()]:
        return None
    if _is_code(value, around) or _is_weak_evidence(value, around, strength):
        return None
    as_quoted = around.environment_line or around.in_query
    return (begin, end) if can_be_secret(value, strength, quoted=as_quoted) else None


def _begins_line(text: str, place: int) -> bool:
    """Tell whether nothing but indents and words that declare something stand before a place on its line."""
    low = max(0, place - _LINE_START_CHARS)
    before = text[low:place].rstrip(_INDENTS)
    return before[-1:] in _ENDS_BEFORE_NAME and _LINE_START.search(text, low, place) is not None


def _is_code(value: str, around: _Surroundings) -> bool:
    """Tell a call, an attribute, a variable: what code writes where a secret would stand."""
    if (
        around.following in {"(", "["}
        or _CALL.match(value)
        or (around.sign == ":" and _GENERIC.match(value))
        or _is_word_of_code(value, around)
    ):
        return True
    if _EXPRESSION.match(value):
        # Words with points between them and two digits at the end are a password that someone made up.
        return not (
            looks_random(value)
            or ((around.environment_line or around.shouted) and _has_digit_and_letter(value))
            or _YEAR.search(value)
        )
    told = (
        (around.whole_line and (around.tight or around.sign == ":")) or around.in_query or around.flag or around.shouted
    )
    if _IDENTIFIER.match(value):
        if around.sign == ":" and not around.tight and (_TYPE_NAME.match(value) or _is_type(value)):
            return True
        return not told and not is_jumbled(value)
    assigned = around.sign in {"=", ":="} and not around.tight and not around.whole_line
    return assigned and _NAMED_CODE.match(value) is not None and not looks_random(value)


def _is_word_of_code(value: str, around: _Surroundings) -> bool:
    """Tell a negation, the word in capitals that a flag's help shows for its value, a name with digits in it."""
    return (
        (around.sign in {"||", "??"} and value.startswith("!"))
        or (around.flag and value.isupper() and value.replace("_", "").isalpha() and not is_jumbled(value))
        or (
            around.sign in {"=", ":"}
            and not around.tight
            and (not around.whole_line or _EXPRESSION.match(value) is not None)
            and _is_code_words(value)
        )
    )


def _is_code_words(value: str) -> bool:
    """Tell names of programs that have digits between their words, such as OAuth2Session."""
    parts = _CODE_WORDS.findall(value)
    return (
        bool(parts)
        and "".join(parts) == value
        and value[-1].isalpha()
        and value.lower() != value
        and len(value) >= MIN_CODE_WORD_CHARS * sum(part.isalnum() for part in parts)
    )


def _is_type(value: str) -> bool:
    """Tell the name of a class: capitals at its beginning and inside, and nothing that is no word."""
    return value[0].isupper() and value[1:].lower() != value[1:] and is_camel_case(value)


def _is_weak_evidence(value: str, around: _Surroundings, strength: Strength) -> bool:
    """Tell a value that is too short, a word of a sentence, or a number under a name that is no password."""
    if len(value) < MIN_WORD_SECRET_CHARS:
        return True
    mixed = _has_digit_and_letter(value)
    in_sentence = around.sign == ":" and not (around.whole_line or around.tight or around.name_quoted)
    if in_sentence and not mixed:
        return True
    if strength is Strength.PASSWORD:
        return False
    if _NUMBER.match(value):
        return True
    return strength is Strength.KEY and not (looks_random(value) or mixed or around.environment_line)


def _accept_long(text: str, begin: int, end: int, strength: Strength) -> tuple[int, int] | None:
    """Decide about a run too long to judge as a whole: its beginning decides, and all of it goes."""
    head = text[begin : begin + MAX_JUDGED_CHARS]
    if strength is not Strength.PASSWORD and not looks_random(head):
        return None
    rest = _REST_OF_RUN.match(text, end)
    return begin, rest.end() if rest else end


def _accept_flag(text: str, name_start: int, start: int, strength: Strength) -> tuple[int, int] | None:
    """Decide about `--password value`: the name must be a flag of a command."""
    if text[name_start : name_start + 1] != "-":
        return _accept_told(text, start, strength)
    match = _BARE_LINE.match(text, start)
    if match is None or match[0][0] in "-|<>&\\":
        return None
    before = text[max(0, name_start - 2) : name_start].rstrip("\\")[-1:]
    value = match[0]
    if before.isalnum() or (
        _is_word(value) and _FUNCTION_WORD_BEFORE.search(text[max(0, name_start - 16) : name_start])
    ):
        return None  # no flag at all, or a sentence about one
    if strength is Strength.PASSWORD:
        accepted = len(value) >= MIN_WORD_SECRET_CHARS and not is_filler(value)
    else:
        judged = Strength.WEAK if strength is Strength.WEAK else Strength.KEY
        accepted = can_be_secret(value, judged, quoted=True) and has_digit(value)
    return match.span() if accepted else None


def _is_word(value: str) -> bool:
    """Tell a word of a sentence, with the sign that may follow it."""
    word = value.rstrip(".,;:")
    return word.isalpha() and word.islower()


def _accept_told(text: str, start: int, strength: Strength) -> tuple[int, int] | None:
    """Decide about `SECRET_KEY value` and `the token is value`: nothing but the value can prove it."""
    match = _TOLD.match(text, start)
    if match is None or strength is Strength.PASSWORD:
        return None
    value = match["value"]
    if not looks_random(value) or is_uuid(value) or is_filler(value):
        return None
    if _PLAIN_HEX.fullmatch(value) and (strength is Strength.WEAK or match["verb"] is None):
        return None
    return match.span("value") if has_digit(value) else None


def _is_short_key(value: str) -> bool:
    """Tell letters and digits so mixed that they are no word, version or identifier of a program."""
    return (
        MIN_SHORT_KEY_CHARS <= len(value) <= MAX_SHORT_KEY_CHARS
        and value.isascii()
        and value.isalnum()
        and len(_ALTERNATION.findall(value)) >= MIN_ALTERNATIONS
        and not is_made_of_words(value)
    )


@remembered
def _has_digit_and_letter(value: str) -> bool:
    """Tell mixed characters: no word, no number."""
    return has_digit(value) and any(character.isalpha() for character in value)
