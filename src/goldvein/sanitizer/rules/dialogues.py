"""Dialogues, prompts and files of programs."""

from goldvein.sanitizer.rules.rule import ARGUMENT, HEX, sample, shape

DIALOGUES_AND_FILES = (
    shape(
        "bundler_credential",
        "user and password that Bundler sends to a host",
        r"(?i)(?:bundle config[ ](?:set[ ])?(?:--(?:global|local)[ ])?(?!--)[\w.-]{3,128}[ ]|"
        r"\bBUNDLE_[A-Z0-9_]{3,128}[\"']?[ ]?[:=][ ]?)"
        r"[\"']?(?P<secret>[\w.@%+-]{1,64}:(?!//)[^\s\"'\\]{3,256})",
        ("bundle config ", "bundle_"),
        f"bundle config gems.example bob:{sample(9)}",
        "bundle config gems.example https://mirror.example",
        kind="password",
        confirm="not_filler",
    ),
    shape(
        "gossip_key",
        "key with which the members of a cluster encrypt what they tell each other",
        r"(?i)(?<![\w.])encrypt\\{0,7}[\"']?[ \t]{0,8}(?:[:=]|[ \t])[ \t]{0,8}\\{0,7}[\"']?"
        r"(?P<secret>[A-Za-z0-9+/]{22}==|[A-Za-z0-9+/]{43}=|[A-Za-z0-9+/]{32})(?![A-Za-z0-9+/=])",
        ('encrypt"', "encrypt =", "encrypt=", "encrypt ", "encrypt\t", "encrypt:", "encrypt'", "encrypt\\"),
        f'"encrypt": "{sample(43)}="',
        '"encrypt": "true"',
        kind="secret",
        confirm="random_value",
    ),
    shape(
        "wallet_file",
        "encrypted private key in the file of a wallet",
        r"(?i)ciphertext\\{0,7}[\"']\s{0,8}:\s{0,8}\\{0,7}[\"'](?P<secret>[0-9a-f]{32,4096})",
        ("ciphertext",),
        f'{{"kdf": "scrypt", "ciphertext": "{sample(64, HEX)}"}}',
        '{"kdf": "scrypt", "ciphertext": "none"}',
        kind="private_key",
        confirm="wallet_part",
    ),
    shape(
        "chat_login",
        "password told to a service of a chat network",
        r"(?i)(?:nickserv[ ]:?|/ns[ ]|/msg[ ][\w-]{1,32}[ ])(?:identify|ghost|recover)[ ](?:[^\s]{1,32}[ ])?"
        r"(?P<secret>[^\s]{4,128})(?=[ ]?(?:\r?\n|\Z))",
        ("nickserv ", "/ns ", "/msg "),
        f"/msg NickServ IDENTIFY bob {sample(9)}",
        "/msg NickServ HELP identify",
        kind="password",
        confirm="not_filler",
    ),
    shape(
        "dialogue_password",
        "password that a mail, file or chat client sends on a line of its own",
        r"(?:(?<=\n)|(?<!.)|(?<=[:>] )|(?<=\\n))PASS[ ]:?(?P<secret>[^\s]{3,128})(?=[ ]?(?:\r?\n|\\r|\Z))",
        (),
        f"USER bob\nPASS {sample(9)}\n",
        "USER bob\nPASS $PASSWORD\n",
        kind="password",
        confirm="dialogue_password",
        locate=r"\bpass[ ][^\s]+[ ]?(?:\r?\n|\\r|$)",
        begins="pass",
    ),
    shape(
        "mailbox_login",
        "password in the command with which a mail client logs in",
        r"(?i)login[ ]\\?\"?[^\s\"]{1,128}\"?[ ](?P<secret>\\?\"[^\"\n]{3,128}\"|[^\s\"]{3,128})(?=[ ]?(?:\r?\n|"
        r"\\r|\Z))",
        (),
        f"a001 LOGIN bob {sample(9)}\n",
        "b LOGIN bob $PASSWORD\n",
        kind="password",
        confirm="tagged_command",
        locate=r"\blogin[ ][^\s]+[ ][^\s]+[ ]?(?:\r?\n|\\r|$)",
        begins="login",
    ),
    shape(
        "mail_authentication",
        "credentials in base64 that a mail client sends",
        r"(?i)(?:auth(?:enticate)?[ ](?:plain|login|xoauth2|oauthbearer)(?:[ ]|[ ]?\r?\n(?:s:[ ])?(?:334|"
        r"\+)[ ]?\r?\n(?:c:[ ])?)|"
        r"334[ ]UGFzc3dvcmQ6\r?\n(?:c:[ ])?)(?P<secret>[A-Za-z0-9+/]{8,8192}={0,2})(?![A-Za-z0-9])",
        ("auth plain", "auth login", "auth xoauth2", "auth oauthbearer", "authenticate ", "334 UGFzc3dvcmQ6"),
        f"AUTH PLAIN {sample(30)}==",
        "250-AUTH PLAIN LOGIN",
        kind="basic_credentials",
        confirm="sent_base64",
    ),
    shape(
        "vpn_key",
        "key of a VPN in armour",
        r"-----BEGIN OpenVPN [\w -]{4,40}-----(?P<secret>(?:(?:\s|\\[rn]){1,4}[A-Za-z0-9+/=]{8,128}){1,128})",
        ("-----BEGIN OpenVPN",),
        f"-----BEGIN OpenVPN {'Static'} key V1-----\n{sample(32, HEX)}\n{sample(32, HEX)}\n",
        f"-----BEGIN OpenVPN {'Static'} key V1-----\n...\n",
        kind="private_key",
    ),
    shape(
        "vpn_login",
        "password on the second line of a VPN's login",
        r"<auth-user-pass>(?:\s|\\[rn]){1,4}[^\s<\\]{1,128}(?:\s|\\[rn]){1,4}(?P<secret>[^\s<\\]{1,256})",
        ("<auth-user-pass>",),
        f"<auth-user-pass>\nbob\n{sample(9)}\n</auth-user-pass>",
        "<auth-user-pass>\n</auth-user-pass>",
        kind="password",
        confirm="not_filler",
    ),
    shape(
        "passphrase_of_words",
        "words with blanks between them as a pass phrase",
        r"(?i)(?:pass ?phrase|mantra)(?-i:[A-Za-z]{0,8})(?:[ ](?:for|of|to|"
        r"on)[ ][^\n:=\"'`]{1,40})?\\{0,3}[\"'`*]{0,3}[ ]{0,2}"
        r"(?:[:=]|\bis\b)\*{0,2}[ ]{0,2}\\{0,3}[\"'`]?(?P<secret>(?-i:[a-z]{2,14}(?:[ ][a-z]{2,14}){3,11}))"
        r"(?=\\{0,3}[\"'`]|[ ]{0,2}[.,;]?(?:\r?\n|\\n|\Z)|[ ][-(])",
        ("passphrase", "pass phrase", "mantra"),
        "passphrase: ripple salmon garlic violin",
        "passphrase: the words that open your key",
        kind="password",
        confirm="spoken_words",
        confidence="medium",
    ),
    shape(
        "stored_by_length",
        "password in a file that writes the length of each name and value before it",
        r"password(?:\r?\n|\\n)V [0-9]{1,4}(?:\r?\n|\\n)(?P<secret>[^\s\\]{1,512})",
        (),
        f"K 8\npassword\nV 9\n{sample(9)}\nEND\n",
        "K 8\npassword\nEND\n",
        kind="password",
        locate=r"password(?:\r?\n|\\n)V [0-9]",
        begins="passw",
    ),
    shape(
        "defined_secret",
        "key or salt that PHP defines",
        r"(?i)define\([ ]{0,4}[\"'][A-Z0-9_]{0,40}(?:KEY|SALT|SECRET|PASSWORD|TOKEN)[\"'],[ ]{0,24}"
        r"(?P<secret>'(?:[^'\n\\]|\\.){16,256}'|\"(?:[^\"\n\\]|\\.){16,256}\")",
        ("define(",),
        f"define( 'AUTH_KEY',  '{sample(20)}!{sample(9)}#;*(~ %{sample(9)}' );",
        "define( 'AUTH_KEY',  'put your unique phrase here' );",
        kind="secret",
        confirm="defined_value",
    ),
    shape(
        "call_of_variable_user",
        "password behind a variable in the arguments of a call",
        r"(?:\.login|getConnection|\bauth[ ]?=[ ]?|HTTPBasicAuth|simple_bind_s|_Oracle\.connect|"
        r"NetworkCredential|PlainAuth)"
        rf"\(\s{{0,96}}+(?:{ARGUMENT}|[@rub]{{0,2}}[\"'][^\"'\n]{{0,160}}[\"'],\s{{0,96}}+){{1,3}}"
        r"[@rub]{0,2}(?P<secret>\"[^\"\n]{4,160}\"|'[^'\n]{4,160}')(?=\s{0,32}[,)])",
        (),
        f'smtp.login(USER, "{sample(9)}")',
        'smtp.login(USER, "password")',
        kind="password",
        confirm="login_argument",
        confidence="medium",
        locate=r"\.login\(|getconnection\(|auth[ ]?=[ ]?\(|httpbasicauth\(|simple_bind_s\(|_oracle\.connect\(|"
        r"networkcredential\(|plainauth\(",
        begins=".logi _orac auth getco httpb netwo plain simpl",
    ),
    shape(
        "typed_answer",
        "what a script types when it is asked for a password",
        r"send(?:_user)?[ ](?:--[ ])?\\?\"(?P<secret>[^\"\n\\$]{4,160})\\{1,2}[rn]",
        tuple(
            f"{name} {dashes}{quote}"
            for name in ("send", "send_user")
            for dashes in ("", "-- ")
            for quote in ('"', '\\"')
        ),
        f'expect "Password:"\nsend "{sample(9)}\\r"',
        f'expect "Name:"\nsend "{sample(9)}\\r"'.replace(sample(9), "quit"),
        kind="password",
        confirm="asked_before",
    ),
    shape(
        "build_password",
        "password of a key store in a file of Gradle",
        r"(?:store|key)Password[ ]{1,4}(?P<secret>\"[^\"\n$]{4,128}\"|'[^'\n$]{4,128}')",
        ("storepassword ", "keypassword "),
        f"storePassword '{sample(9)}'",
        "storePassword 'password'",
        kind="password",
        confirm="quoted_password",
    ),
    shape(
        "build_field",
        "secret that a build writes into a constant",
        r"(?i)(?:buildConfigField|resValue)[ (]{1,2}[\"']string[\"'],[ ]{0,2}[\"'][\w.]{0,48}(?:KEY|SECRET|"
        r"TOKEN|PASS|PWD|AUTH)"
        r"[\w.]{0,16}[\"'],[ ]{0,2}[\"'\\]{1,4}(?P<secret>[^\s\"'\\]{8,512})",
        ("buildconfigfield", "resvalue"),
        f'buildConfigField "String", "API_KEY", "\\"{sample(24)}\\""',
        'buildConfigField "String", "API_KEY", "API_KEY_NAME"',
        kind="secret",
        confirm="told_password",
    ),
    shape(
        "mail_relay_login",
        "user and password of a mail relay",
        r"(?i)\b(?:smtp|relay|mail|mx)[\w.-]{0,64}\.[a-z]{2,12}(?::[0-9]{2,5})?[ \t]{1,16}[^\s:]{1,64}:"
        r"(?P<secret>[^\s\"'\\/][^\s\"'\\]{3,128})(?=[ \t]?(?:\r?\n|\Z))",
        (),
        f"smtp.example.net bob:{sample(9)}\n",
        "mail.example.net said: none\n",
        kind="password",
        confirm="told_password",
        locate=r"(?:smtp|relay|mail|mx)[\w.-]*\.[a-z]+(?::[0-9]+)?[ \t]+[^\s:]+:[^\s]",
        begins="mail mx relay smtp",
    ),
    shape(
        "reversible_password",
        "password of a network device in its form that can be turned back",
        r"(?:password|key|key-string|secret)[ ]7[ ](?P<secret>[0-9]{2}[0-9A-Fa-f]{6,126}|"
        r"[0-9A-F]{8,128})(?![0-9A-Za-z])",
        ("password 7 ", "key 7 ", "key-string 7 ", "secret 7 "),
        f"key-string 7 08{sample(12, '[A-F0-9]')}",
        "key 7 opens",
        kind="password",
    ),
    shape(
        "management_user",
        "pass phrases of a user who manages a network",
        r"(?i)(?:createUser[ ][^\s]{1,64}[ ](?:md5|sha[-0-9]{0,4})[ ]|snmp-server user [^\n]{1,64} auth (?:md5|"
        r"sha[-0-9]{0,4})[ ])"
        r"(?P<secret>(?:\"[^\"\n]{4,128}\"|[^\s\"]{4,128})(?:[ ](?:priv[ ])?(?:des|aes[-0-9]{0,4})(?:[ ](?:128|"
        r"192|256))?[ ]"
        r"(?:\"[^\"\n]{4,128}\"|[^\s\"]{4,128}))?)",
        ("createuser ", "snmp-server user "),
        f'createUser bob SHA "{sample(9)}" AES "{sample(9)}"',
        "createUser bob",
        kind="password",
    ),
    shape(
        "cookie_file",
        "value of a cookie in a file of cookies",
        r"\t(?:TRUE|FALSE)\t[0-9]{1,12}\t[^\t\n]{1,128}\t(?P<secret>[^\s]{16,4096})",
        (),
        f".a.example\tTRUE\t/\tTRUE\t0\tsid\t{sample(24)}\n",
        ".a.example\tTRUE\t/\tTRUE\t0\ttheme\tdark\n",
        kind="cookie",
        confirm="cookie_file_value",
        family="run",
        locate=r"\t(?:TRUE|FALSE)\t[0-9]+\t[^\t\n]+\t[^\s]",
        needs=("\tTRUE\t", "\tFALSE\t"),
    ),
    shape(
        "prompt_login",
        "password at the prompt of a cache",
        r"(?i)(?:redis|:[0-9]{2,5}(?:\[[0-9]{1,2}\])?)>[ ]auth[ ]"
        r"(?P<secret>[^\s]{3,256}(?:[ ][^\s]{3,256})?)(?=[ ]?(?:\r?\n|\\n|\Z))",
        (),
        f"127.0.0.1:6379> auth bob {sample(9)}\nOK\n",
        "127.0.0.1:6379> auth $PASSWORD\n",
        kind="password",
        confirm="not_filler",
        locate=r"(?:redis|:[0-9]+(?:\[[0-9]+\])?)>[ ]auth[ ]",
        begins=": redis",
    ),
    shape(
        "unseal_key",
        "key that opens a vault",
        r"(?i)(?:(?:unseal|recovery) key [0-9]{1,2}:[ ]{1,4}|"
        r"operator unseal[ ]{1,4}(?:-[\w=-]{1,32}[ ]){0,2})(?P<secret>[A-Za-z0-9+/]{32,128}={0,2})",
        ("unseal key ", "recovery key ", "operator unseal "),
        f"Unseal Key 1: {sample(43)}=",
        "Unseal Key 1: (hidden)",
        kind="secret",
        confirm="varied_value",
    ),
    shape(
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
        begins="backu emerg recov rescu scrat",
    ),
    shape(
        "set_in_a_shell",
        "value of a variable that a shell sets with blanks",
        r"(?i)\b(?:set[ ](?:-{1,2}[a-z]{1,12}[ ]){1,3}|setx[ ](?:/m[ ])?)(?=[\w]{0,64}(?:PASS|PWD|SECRET|TOKEN|"
        r"KEY|AUTH|CRED|CERTIFICATE))"
        r"[A-Z_][\w]{1,64}[ ](?P<secret>\"[^\"\n$]{6,512}\"|'[^'\n]{6,512}'|[^\s\"'$;(][^\s\"';]{5,512})",
        (),
        f"set -gx API_TOKEN {sample(32, HEX)}",
        "set -gx API_TOKEN $argv",
        kind="secret",
        confirm="set_value",
        locate=r"\bset(?:x|[ ]-{1,2}[a-z]+)[ ]",
        begins="set",
    ),
)
