"""Private keys, JWTs and other documents."""

from goldvein.sanitizer.rules.rule import CUT, LEFT, sample, shape

DOCUMENTS = (
    shape(
        "private_key",
        "private key in armour",
        r"-----BEGIN (?:[A-Z0-9]{1,16} ){0,4}PRIVATE KEY(?: BLOCK)?-----"
        r"(?:(?!-----)[\s\S]){0,32768}+-----END (?:[A-Z0-9]{1,16} ){0,4}PRIVATE KEY(?: BLOCK)?-----",
        ("-----BEGIN ",),
        f"-----BEGIN {'OPENSSH'} PRIVATE KEY-----\n{sample(64)}\n-----END {'OPENSSH'} PRIVATE KEY-----",
        f"-----BEGIN PUBLIC KEY-----\n{sample(64)}\n-----END PUBLIC KEY-----",
    ),
    shape(
        "private_key_cut",
        "private key cut before its end",
        r"-----BEGIN (?:[A-Z0-9]{1,16} ){0,4}PRIVATE KEY(?: BLOCK)?(?:-{1,5})?"
        r"(?:(?:[\s>|+]|\\{1,4}[nrt]){1,16}+"
        r"(?:[A-Za-z0-9+/=]{16,32768}|(?:Proc-Type|DEK-Info|Version|Comment|Hash):[^\n\\\"]{0,200}|"
        r"[A-Za-z0-9+/=]{1,64}(?=\\?[\"']|\Z|\.\.\.|\u2026|\n\n)))"
        r"{0,2048}+",
        ("-----BEGIN ",),
        f"-----BEGIN {'EC'} PRIVATE KEY-----\n{sample(64)}\n{sample(30)}",
        "-----BEGIN CERTIFICATE-----\nMIIB",
        kind="private_key",
    ),
    shape(
        "putty_private_key",
        "private key of PuTTY",
        r"Private-Lines: [0-9]{1,4}(?:\s|\\[rn]){1,4}(?P<secret>(?:[A-Za-z0-9+/=]{1,80}(?:\s|\\[rn]){0,4}){1,2048}+)",
        ("Private-Lines: ",),
        f"Private-Lines: 2\n{sample(64)}\n{sample(64)}\n",
        "Private-Lines: none",
        kind="private_key",
    ),
    shape(
        "private_key_tail",
        "private key cut before its beginning",
        r"(?P<secret>(?:[A-Za-z0-9+/=]{1,32768}+(?:[\s>|#*+]|\\{1,4}[rnt]){1,16}+){1,2048}+)"
        r"-----END (?:[A-Z0-9]{1,16} ){0,4}PRIVATE KEY",
        (),
        f"{sample(40)}\n{sample(64)}\n-----END {'EC'} PRIVATE KEY-----",
        f"{sample(40)}\n{sample(64)}\n-----END PUBLIC KEY-----",
        kind="private_key",
        family="run",
        locate=r"(?:[A-Za-z0-9+/=]+(?:[\s>|#*+]|\\+[rnt])+)+-----END (?:[A-Z0-9]+ )*PRIVATE KEY",
        needs=("PRIVATE KEY",),
    ),
    shape(
        "jwt_tail",
        "JSON Web Token cut before its beginning",
        r"[A-Za-z0-9_-]{0,65536}+\.eyJ[A-Za-z0-9_-]{8,65536}+\.[A-Za-z0-9_-]{16,65536}+",
        (),
        f"{sample(12)}.eyJ{sample(60)}.{sample(43)}",
        f"{sample(12)}.{sample(60)}.{sample(43)}",
        kind="jwt",
        confirm="prefixed_value",
        family="run",
        locate=r"[A-Za-z0-9_-]*\.eyJ[A-Za-z0-9_-]{8}[A-Za-z0-9_-]*\.[A-Za-z0-9_-]{16}",
        needs=(".eyJ",),
    ),
    shape(
        "jwt",
        "JSON Web Token",
        LEFT + r"eyJ[A-Za-z0-9_-]{8,65536}+(?:\.[A-Za-z0-9_-]{2,65536}+(?:\.[A-Za-z0-9_-]{0,65536}+){0,3}|"
        r"" + CUT + ")",
        ("eyJ",),
        f"item eyJ{sample(33)}.eyJ{sample(60)}.{sample(43)}",
        f"item eyJ{sample(5)} set",
        confirm="prefixed_value",
    ),
    shape(
        "password_hash",
        "hash of a password",
        r"\$(?:2[abxy]?\$[0-9]{2}\$[./A-Za-z0-9]{20,60}|(?:apr1|1|5|6|y|7|sha1|argon2(?:id?|d)|"
        r"scrypt|pbkdf2-sha(?:1|256|512))"
        r"\$[A-Za-z0-9./=,$+_-]{20,256})",
        ("$2", "$apr1$", "$1$", "$5$", "$6$", "$y$", "$7$", "$argon2", "$scrypt$", "$pbkdf2", "$sha1$"),
        f"root:$6${sample(8)}${sample(60)}:",
        "cost $2 and $1",
    ),
)
