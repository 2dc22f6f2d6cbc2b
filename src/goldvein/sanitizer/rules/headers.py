"""URLs, connection strings and headers."""

from goldvein.sanitizer.rules.rule import CUT, sample, shape

ADDRESSES_AND_HEADERS = (
    shape(
        "url_password",
        "password in a URL or connection string",
        r":(?://|"
        r"\\/\\/)[^\s/:@\"'<>\\]{0,128}:(?P<secret>(?![0-9]{1,5}[/?#,])(?:[^\s\"'<>@\\]{1,512}"
        r"+@(?=[^\s\"'<>@/]{1,255}@))?[^\s\"'<>@\\]{1,512}+)@"
        r"(?=[A-Za-z0-9\[\]$({%_*.-])",
        (),
        f"postgresql+psycopg://app:{sample(9)}@db.internal:5432/app",
        "postgresql://app:${DB_PASSWORD}@db.internal:5432/app",
        confirm="not_filler",
        locate=r":(?://|\\/\\/)[^\s/:@\"'<>\\]*:",
        heads=":",
        needs=("@",),
    ),
    shape(
        "url_password_cut",
        "password in a URL that the end of the text has cut",
        r"(?P<scheme>[a-z][a-z0-9+.-]{1,20}):(?://|\\/\\/)[^\s/:@\"'<>\\?#]{0,128}:"
        rf"(?P<secret>(?![0-9]{{1,5}}(?![^\s.\u2026]))[^\s\"'<>@\\/,;]{{4,512}}?){CUT}",
        (),
        f"postgresql+psycopg://app:{sample(9)}",
        "http://db.example:8080",
        confirm="cut_url_password",
        locate=r"[a-z][a-z0-9+.-]*:(?://|\\/\\/)[^\s/:@\"'<>\\?#]*:[^\s\"'<>@\\/,;]{4,}(?:\z|\.\.\.|\?|[ ]?[\[(<])",
        family="run",
    ),
    shape(
        "url_user_token",
        "token in the place of the user of a URL",
        r"://(?P<secret>[A-Za-z0-9_.=-]{16,512}+)(?=(?::x-oauth-basic|:)?@)",
        (),
        f"https://{sample(32)}@reports.example/1",
        "ssh://deploy@build.example/1",
        confirm="url_token",
        locate=r"://[A-Za-z0-9_.=-]{16,}(?::x-oauth-basic|:)?@",
        heads=":",
        needs=("@",),
    ),
    shape(
        "authorization",
        "credentials of an Authorization header",
        r"(?i)authorization\\{0,3}[\"'`]?\]?\s{0,4}(?:[:=]|=>|,(?=\s{0,4}\\{0,3}[\"'`]))\s{0,4}[bfru]?\\{0,3}[\"'`]?"
        r"(?:(?:digest|hawk|aws4-hmac-sha256|oauth|signature|mac)[ \t]{1,4}(?P<secret>[^\n\\]{8,4096})"
        r"|(?:[a-z][a-z0-9_-]{1,24}[ \t:]{1,4})?(?P<value>[^\s\"'`\\,;<>(){}\[\]$]{6,16384}))",
        ("authorization",),
        f"Authorization: ApiKey {sample(24)}",
        "Authorization: Bearer <token>",
        confirm="authorization_value",
    ),
    shape(
        "bearer_token",
        "token after the word Bearer",
        r"(?i)\bbearer[ \t\"':=+]{1,4}(?P<secret>[A-Za-z0-9._~+/=:|-]{16,16384})",
        ("bearer",),
        f"send bearer {sample(32)} with it",
        "the bearer of-good-news-has-arrived",
        confirm="credential_body",
    ),
    shape(
        "basic_credentials",
        "credentials after the word Basic",
        r"\b[Bb]asic (?P<secret>[A-Za-z0-9+/]{12,1024}={0,2})(?![A-Za-z0-9])",
        ("basic ",),
        f"header Basic {sample(30)}==",
        "Basic understanding of things",
        confirm="credential_body",
    ),
    shape(
        "set_cookie",
        "value of a cookie that is set",
        r"(?i)set-cookie\\{0,3}[\"']?\]?\s{0,4}[:=,]\s{0,4}\\{0,3}[\"']?[^\s=;\"'\\,]{1,128}"
        r"=(?P<secret>[^\s;\"'\\,]{6,4096})",
        ("set-cookie",),
        f"Set-Cookie: session={sample(24)}; Path=/; HttpOnly",
        "Set-Cookie: theme=dark; Path=/",
        kind="cookie",
        confirm="not_filler",
    ),
    shape(
        "cookie",
        "cookies of a request",
        r"(?i)\bcookie\\{0,3}[\"']?\]?\s{0,4}[:=]\s{0,4}\\{0,3}[\"']?"
        r"(?P<secret>[A-Za-z0-9_.$%-]{1,128}=[^\s;\"'\\]{1,4096}"
        r"(?:;[ ]{0,2}[A-Za-z0-9_.$%-]{1,128}=[^\s;\"'\\]{0,4096}){0,64})",
        ("cookie",),
        f"cookie: sid={sample(24)}; lang=en",
        "cookie: theme=dark",
        confirm="cookie_value",
    ),
)
