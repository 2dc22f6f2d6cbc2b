"""Lines of configuration, arguments of calls, and more commands and files."""

from goldvein.sanitizer.rules.rule import ARGUMENT, HEX, sample, sample_uuid, shape

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

MORE_COMMANDS_AND_FILES = (
    shape(
        "password_on_standard_input",
        "password that a command reads from a here-string",
        r"<<<[ ]{0,2}(?:[\"']?[\w.-]{1,32}:)?" + _WORD_VALUE,
        ("<<<",),
        f"kinit alice <<< {sample(9)}",
        'grep -c x <<< "$text"',
        kind="password",
        confirm="told_password",
        confidence="medium",
    ),
    shape(
        "password_piped",
        "password piped into a command that sets or asks for one",
        r"\b(?:echo|printf)[ \t]{1,2}(?:-[en]{1,2}[ \t]{1,2})?(?:[\"']%[^\"'\n]{1,32}[\"'][ \t](?:[\w.-]{1,32}[ \t])?)?"
        r"(?P<secret>\"[^\"\n$]{3,256}\"|'[^'\n]{3,256}'|[^\s\"'|$]{3,256})[ \t]{0,2}\|[ \t]{0,2}"
        r"(?:sudo[ \t]{1,2}(?:-[a-zA-Z][ \t]{1,2}){0,3})?(?:/usr/s?bin/)?"
        r"(?:chpasswd|smbpasswd|passwd|cryptsetup|kinit|gpg|docker login|podman login|helm registry|su\b|openconnect|"
        r"vncpasswd|saslpasswd2|htpasswd|gh auth login|glab auth login|npm login|vault login)",
        ("echo ", "echo\t", "printf ", "printf\t"),
        f"echo 'bob:{sample(9)}' | sudo chpasswd",
        "echo $PASS | sudo chpasswd",
        kind="password",
        confirm="quoted_password",
    ),
    shape(
        "login_argument",
        "password behind the user in an argument of a transfer command",
        r"\b(?:(?:https?|xhs?)[ ][^\n|;]{0,64}?(?:-a|--auth)[ =][\"']?[^\s:\"']{1,64}:|lftp\b[^\n|"
        r";]{0,64}?-u[ ][^\s,]{1,64},|"
        r"(?:curl|wget)[^\n|;]{0,128}?[ ]-U[ ][\"']?[^\s:\"']{1,64}:)(?P<secret>[^\s\"'\\$]{3,128})",
        (),
        f"http -a bob:{sample(9)} GET api.example",
        "http -a $LOGIN GET api.example",
        kind="password",
        confirm="not_numeric",
        locate=r"(?:https?|xhs?)[ ](?:-|get|post|put)|lftp[ ]",
        begins="http lftp xh",
    ),
    shape(
        "snmp_community",
        "community or pass phrase of an SNMP command",
        r"\bsnmp[a-z]{3,10}\b[^\n|;]{0,128}?[ ]-[cA][ ]{0,2}" + _WORD_VALUE,
        (),
        f"snmpwalk -v2c -c {sample(9)} host.example",
        "snmpwalk -v2c -c public host.example",
        kind="password",
        confirm="community",
        locate=r"snmp[a-z]+[ ]+-",
        begins="snmp",
    ),
    shape(
        "snmp_privacy",
        "second pass phrase of an SNMP command",
        r"\bsnmp[a-z]{3,10}\b[^\n|;]{0,128}?[ ]-X[ ]{0,2}" + _WORD_VALUE,
        (),
        f"snmpget -v3 -A x -X {sample(9)} host.example",
        "snmpget -v3 -X $KEY host.example",
        kind="password",
        confirm="community",
        locate=r"snmp[a-z]+[ ]+-",
        begins="snmp",
    ),
    shape(
        "windows_command_password",
        "password in the place that a command of Windows has for it",
        r"(?i)\b(?:net[ ]user[ ][\w.\\-]{1,64}[ ]|net[ ]use[ ](?:[a-z*]:?[ ])?\\\\[^\s]{1,128}[ ](?!/)|"
        r"schtasks\b[^\n|;]{0,256}?[ ]/rp[ ]|psexec(?:64)?\b[^\n|;]{0,256}?[ ]-p[ ]|cmdkey\b[^\n|;]{0,256}?/pass:|"
        r"wmic\b[^\n|;]{0,256}?/password:|runas\b[^\n|;]{0,256}?/pass:)" + _WORD_VALUE,
        ("net user ", "net use ", "schtasks", "psexec", "cmdkey", "wmic", "runas"),
        f"net user bob {sample(9)} /add",
        "net user bob /delete",
        kind="password",
        confirm="flag_word",
    ),
    shape(
        "password_argument",
        "password as the last of a command's arguments",
        r"\b(?:htpasswd[ ]-[a-zA-Z]{0,4}b[a-zA-Z]{0,4}[ ](?:[^\s]{1,128}[ ])?[\w.@-]{1,64}|"
        r"wpa_passphrase[ ][\"']?[^\s\"']{1,32}[\"']?|"
        r"gh secret set [A-Z0-9_]{1,64}[^\n|;]{0,64}?(?:--body|-b)|"
        r"consul kv put [^\s]{0,128}(?:pass|secret|token|key)[^\s]{0,32}|"
        r"ConvertTo-SecureString(?:[ ]-String)?|(?:(?<=\n)|(?<=> )|"
        r"(?<!.))AUTH(?=[ ][^\s]{1,256}(?:[ ][^\s]{1,256})?[ ]{0,4}(?:\r?\n|\Z)))[ =]{1,2}" + _WORD_VALUE,
        (),
        f"htpasswd -bc users.txt bob {sample(9)}",
        "ConvertTo-SecureString $Password -AsPlainText",
        kind="password",
        confirm="flag_word",
        locate=r"htpasswd[ ]-|wpa_passphrase[ ]|gh secret set[ ]|consul kv put[ ]|convertto-securestring[ ]|auth[ ]",
        begins="auth consu conve gh htpas wpa_p",
    ),
    shape(
        "directive",
        "secret of a line of configuration, behind a blank",
        r"(?i)" + _DIRECTIVES + r"[ \t]{1,8}(?:--[a-z]{1,16}[ \t]){0,2}(?:[0-9][ \t]{1,2})?" + _WORD_VALUE,
        (),
        f"snmp-server community {sample(9)} RO",
        "enable password protection",
        kind="password",
        confirm="directive_value",
        locate=_DIRECTIVE_STARTS,
        begins="authe bindp crypt d-i enabl fastc ident imapp ip neigh ppp "
        "pre-s proxy psk radiu rocom rootp rwcom seten smtpp snmp- tacac user",
    ),
    shape(
        "secret_of_peers",
        "pre-shared key or password of a VPN's or dial-up's file of secrets",
        r":[ \t]{1,4}(?:PSK|EAP|XAUTH|NTLM)[ \t]{1,4}" + _WORD_VALUE,
        (),
        f'10.0.0.1 : PSK "{sample(12)}"',
        "mode : PSK (WPA2)",
        kind="password",
        confirm="flag_word",
        locate=r":[ \t]+(?:psk|eap|xauth|ntlm)[ \t]",
        heads=":",
    ),
    shape(
        "login_beside_host",
        "user and password of a mail relay, a proxy's page or a cache's user",
        r"(?:\]:[0-9]{2,5}[ \t]{1,8}[^\s:]{1,64}:|\bstats auth [^\s:]{1,64}:|\buser [^\s]{1,64} on [^\n>]{0,64}>|"
        r"\bhttp_auth:[ ][^\s:]{1,64}:|static:[^\s:]{1,64}:)(?P<secret>[^\s\"'\\]{3,128})",
        (),
        f"stats auth bob:{sample(9)}",
        "stats auth on",
        kind="password",
        confirm="not_filler",
        locate=r"\]:[0-9]+[ \t]|stats auth[ ]|user[ ][^\s]+[ ]on[ ]|http_auth:[ ]|static:[^\s:]+:",
        begins="]: http_ stati stats user",
    ),
    shape(
        "first_boot_passwords",
        "list of users and passwords that a machine sets at its first boot",
        r"chpasswd:\s{1,32}(?:expire:[ ]\w{1,8}\s{1,32})?list:[ ]?[|>]?-?\s{1,32}"
        r"(?P<secret>(?:-[ ]{1,3})?[\w.-]{1,32}:[^\s]{3,128}(?:\s{1,32}(?:-[ ]{1,3})?[\w.-]{1,32}:[^\s]{3,128}){0,32})",
        ("chpasswd:",),
        f"chpasswd:\n  list: |\n    bob:{sample(9)}\n",
        "chpasswd:\n  expire: false\n",
        kind="password",
    ),
    shape(
        "login_call",
        "password behind the user in the arguments of a call",
        _CREDENTIAL_CALLS + rf"[ ]{{0,1}}[=(]\s{{0,32}}+(?:\(\s{{0,96}}+)?(?:{ARGUMENT}){{0,2}}"
        r"(?:\w{1,16}[ ]?=[ ]?)?(?:[@rub]{0,2}[\"'][^\"'\n]{0,160}[\"'],\s{0,32}(?:\w{1,16}[ ]?[=:][ ]?)?){1,2}"
        r"[@rub]{0,2}(?P<secret>\"[^\"\n]{4,160}\"|'[^'\n]{4,160}')",
        (),
        f'smtp.login("bob", "{sample(9)}")',
        'smtp.login("bob", password)',
        kind="password",
        confirm="call_password",
        confidence="medium",
        locate=_CREDENTIAL_CALLS.replace(r"\b", "") + r"[ ]?[=(]",
        begins=".logi aioht auth awsba basic crede ftp_l getco httpb httpd ldap_ login "
        "mysql netwo newst passw pdo pg_co plain pscre setba signi simpl stati usern wifi.",
    ),
    shape(
        "signing_call",
        "key in the arguments of a call that signs, encrypts or types it in",
        r"(?:createHmac\([ ]{0,4}[\"'][\w-]{1,24}[\"'],[ ]{0,4}|jwt\.(?:sign|verify|encode|"
        r"decode)\((?:[^\"'\n,]|\{[^{}\n\"',]{0,256}[\"',][^{}\n]{0,256}\}){1,256},[ ]{0,4}|"
        r"hmac\.new\([ ]{0,4}b?|Fernet\([ ]{0,4}b?|AES\.new\([ ]{0,4}b?|SecretKeySpec\([ ]{0,4}|"
        r"HmacSHA256\([^\"'\n]{1,64},[ ]{0,4}|"
        r"(?:[Pp]ass|[Pp]wd|[Tt]oken|[Ss]ecret)[\w\"')\]#]{0,24}(?:\.(?:send_keys|sendKeys|fill|type|setValue|"
        r"typeText)\(|,)[ ]{0,4}(?=[\"'][^\"'\n]{4,160}[\"']\))|"
        r"\bsend[ ](?:--[ ])?)(?P<secret>\"[^\"\n\\]{4,160}(?:\"|\\)|'[^'\n]{4,160}')",
        (),
        f"crypto.createHmac('sha256', '{sample(24)}')",
        "jwt.verify(token, 'secret')",
        kind="secret",
        confirm="call_password",
        confidence="medium",
        locate=r"createhmac\(|jwt\.(?:sign|verify|encode|decode)\(|hmac\.new\(|fernet\(|aes\.new\(|"
        r"secretkeyspec\(|hmacsha256\(|"
        r"(?:pass|pwd|token|secret)[\w\"')\]#]*\.(?:send_keys|sendkeys|fill|type|setvalue)\(|(?:pass|"
        r"pwd)[\w#\"']*,[ ][\"']|send[ ](?:--[ ])?\"",
        begins="aes.n creat ferne hmac. hmacs jwt.d jwt.e jwt.s jwt.v pass pwd secre send token",
    ),
    shape(
        "identified_by_word",
        "password of a user that SQL makes, without quotes",
        r"(?i)identified[ ]by[ ](?P<secret>[A-Za-z][\w#$!.]{4,64})",
        ("identified by ",),
        f"connect to bob identified by Xk{sample(9)}7",
        "a user identified by their name",
        kind="password",
        confirm="told_password",
    ),
    shape(
        "grant_parameter",
        "code, verifier, assertion or ticket that is changed for a token",
        r"(?<![\w.-])(?:code|code_verifier|ticket|oauth_verifier|SAMLResponse|SAMLRequest|SAMLart|assertion|"
        r"client_assertion|subject_token|actor_token|device_code|id_token_hint|"
        r"offline\?data)=(?P<secret>[A-Za-z0-9%+/_=.~-]{20,65536})",
        (),
        f"https://app.example/callback?code={sample(40)}&state=x",
        "https://app.example/callback?code=not_allowed",
        kind="token",
        confirm="grant_value",
        confidence="medium",
        locate=r"(?:code|code_verifier|ticket|oauth_verifier|saml(?:response|request|art)|assertion|client_assertion|"
        r"subject_token|actor_token|device_code|id_token_hint)=[A-Za-z0-9%_-]|offline\?data=",
        begins="actor asser clien code= code_ devic id_to oauth offli samla samlr subje ticke",
    ),
    shape(
        "websocket_protocol",
        "token sent as a protocol of a web socket",
        r"(?i)sec-websocket-protocol:[ ]{0,4}[^\n]{0,64}?(?P<secret>[A-Za-z0-9._-]{24,4096})",
        ("sec-websocket-protocol:",),
        f"Sec-WebSocket-Protocol: bearer, {sample(40)}",
        "Sec-WebSocket-Protocol: graphql-transport-ws",
        kind="token",
        confirm="random_value",
    ),
    shape(
        "json_web_key",
        "private or symmetric part of a JSON Web Key",
        r"(?P<quote>\\{0,7}[\"'])(?:d|p|q|dp|dq|qi|"
        r"k)(?P=quote)\s{0,4}:\s{0,4}(?P=quote)(?P<secret>[A-Za-z0-9_-]{22,8192})",
        (),
        f'{{"kty": "oct", "k": "{sample(43)}"}}',
        f'{{"kty": "EC", "x": "{sample(43)}"}}',
        kind="private_key",
        confirm="web_key_part",
        family="run",
        locate=r"\\*[\"'](?:d|p|q|dp|dq|qi|k)\\*[\"']\s*:\s*\\*[\"'][A-Za-z0-9_-]",
    ),
    shape(
        "kubernetes_secret",
        "value of a Kubernetes Secret",
        r"[ \t]{1,32}[\w.-]{1,128}:[ ]{1,4}[\"']?(?P<secret>[A-Za-z0-9+/]{8,65536}={0,2})[\"']?(?=\s|\Z)",
        (),
        f"kind: Secret\ndata:\n  db-url: {sample(22)}==\n",
        "kind: Secret\nmetadata:\n  namespace: production-cluster\n",
        kind="secret",
        confirm="kubernetes_value",
        family="run",
        locate=r"(?m)^[ \t]+[\w.-]+:[ ]+[\"']?[A-Za-z0-9+/]{8,}={0,2}[\"']?[ \t]*\r?$",
        needs=("Secret",),
        confidence="medium",
    ),
    shape(
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
        begins="backu ledge metam mnemo phant recov secre seed trezo walle",
    ),
    shape(
        "recovery_codes",
        "list of codes that stand in for a second factor",
        r"(?i)(?:recovery|backup|scratch|emergency|rescue)[ _-]?codes?[^\n]{0,64}\n\s{0,8}"
        r"(?P<secret>(?:[0-9]{1,2}[.)][ ]|[-*][ ])?[A-Za-z0-9]{4,12}(?:[- ][A-Za-z0-9]{4,8}){0,3}"
        r"(?:\s{1,16}(?:[0-9]{1,2}[.)][ ]|[-*][ ])?[A-Za-z0-9]{4,12}(?:[- ][A-Za-z0-9]{4,8}){0,3}){1,31}+)",
        (),
        "Recovery codes:\nab12c-9dk3f\n77xk2-p0w4e\n",
        "Backup codes\nare shown once only\n",
        confirm="code_list",
        locate=r"(?:recovery|backup|scratch|emergency|rescue)[ _-]?codes?",
        begins="backu emerg recov rescu scrat",
    ),
    shape(
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
        begins="2fa acces authe confi login one otp pin secur sign sms verif",
        confidence="medium",
    ),
    shape(
        "password_hash_of_directory",
        "hash of a password in a form of directories, frameworks and databases",
        r"\{(?:SSHA|SHA|SMD5|SSHA256|SSHA512|SHA256|SHA512|CRYPT|PBKDF2|BLF-CRYPT|ARGON2I?D?)[0-9]{0,4}\}"
        r"[A-Za-z0-9+/=$.,-]{16,512}|\b(?:scrypt:[0-9:]{5,24}|pbkdf2:sha[0-9]{1,3}:[0-9]{1,9}|"
        r"pbkdf2_sha[0-9]{1,3}\$[0-9]{1,9}|"
        r"bcrypt_sha256\$|argon2\$argon2id?|sha1|md5)\$[A-Za-z0-9+/=$.,-]{16,512}|"
        r"SCRAM-SHA-(?:1|256)\$[0-9]{3,8}:[A-Za-z0-9+/=:$]{40,256}|\$[PHS]\$[A-Za-z0-9./]{25,60}|"
        r":[0-9]{3,7}:(?P<secret>[0-9a-fA-F]{32}:[0-9a-fA-F]{32})(?=:::)|\$krb5[a-z0-9]{2,8}\$[^\s]{32,4096}",
        (),
        "userPassword: {SSHA}" + sample(32),
        "userPassword: {SSHA}none",
        kind="password_hash",
        locate=r"\{(?:ssha|sha|smd5|crypt|pbkdf2|blf-crypt|argon2)[a-z0-9]*\}|scrypt:[0-9]|pbkdf2:sha|pbkdf2_sha|"
        r"bcrypt_sha256\$|argon2\$|sha1\$|md5\$|scram-sha-|\$[phs]\$|:[0-9]{3,7}:[0-9a-f]{8}|\$krb5",
        begins="$h$ $krb5 $p$ $s$ :0 :1 :2 :3 :4 :5 :6 :7 :8 :9 "
        "argon bcryp md5$ pbkdf scram scryp sha1$ {argo {blf- {cryp {pbkd {sha {smd5 {ssha",
    ),
    shape(
        "digest_login",
        "hash of a password in a file of digest logins",
        r"(?<=[\w.@-]):[\w .@-]{1,64}:(?P<secret>[0-9a-f]{32})(?=\s|\Z)",
        (),
        f"bob:private files:{sample(32, HEX)}\n",
        f"image:latest:{sample(31, HEX)}\n",
        kind="password_hash",
        confirm="digest_hash",
        confidence="medium",
        locate=r":[\w .@-]+:[0-9a-f]{32}",
        heads=":",
    ),
    shape(
        "password_asked",
        "password behind a question for it, or on the line below its name",
        r"(?i)\b"
        + _LEARNT_LATIN
        + r"\b(?:[^\n:=\"`|<>{}()\[\]]{1,80}:[ \t]{1,4}|[ ]?:\*{0,2}[ \t]{0,4}\r?\n[ \t]{0,16}(?:>[ ])?)"
        r"(?P<secret>[^\s\"'`<>{}()\[\]\\,|&][^\s\"'`<>{}()\[\]\\,|&]{5,128})[ \t]{0,4}(?=\r?\n|\Z)",
        (),
        f"bob@host.example's password: {sample(9)}\n",
        "Password for the page: see below\n",
        kind="password",
        confirm="told_password",
        confidence="medium",
        locate=_LEARNT_LATIN + r"(?:[ ](?:for|of|is|on|f\xfcr|de|para|per|voor)[ ]|[ ]?:)",
        begins="adgan clave contr heslo jelsz kennw l\xf6sen mot parol passc passo passp passw salas senha wacht",
    ),
    shape(
        "login_told",
        "user and password behind a word for both",
        r"(?i)\b(?:credentials?|creds|log-?ins?|zugangsdaten|anmeldedaten|zugang|identifiants|acceso|credenciales|"
        r"credenziali|inloggegevens)\b[^\n:=]{0,32}?(?:[:=]|\b(?:is|are|sind)\b)[ \t]{0,4}[\"'`]?[\w.@+-]{1,64}"
        r"[ ]{0,2}[/:|][ ]{0,2}(?P<secret>[^\s\"'`<>{}()\[\]\\,;|&/][^\s\"'`<>{}()\[\]\\,;|&]{4,128})",
        (),
        f"credentials: bob / Xk{sample(9)}7",
        "credentials: user / group",
        kind="password",
        confirm="told_password",
        locate=r"(?:credentials?|creds|log-?ins?|zugangsdaten|anmeldedaten|zugang|identifiants|acceso|credenciales|"
        r"credenziali|inloggegevens)(?:[ ]?[:=]|[ ](?:is|are|sind|for|f\xfcr)[ ])",
        begins="acces anmel crede creds ident inlog log-i login zugan",
        confidence="medium",
    ),
    shape(
        "used_as_password",
        "secret told before its name",
        r"(?i)\b(?:use|with|and|try|enter|type|usa|nutze|nimm)[ ](?P<secret>`[^`\n]{5,512}`|"
        r"[\"'][^\"'\n]{5,512}[\"']|[^\s\"'`]{6,512})"
        r"[ ](?:as|als|como)[ ](?:[\w-]{1,16}[ ]){0,4}?(?:password|passphrase|passwort|pass|token|secret|key|pw|pwd|"
        r"passwd|credential)\b",
        (),
        f"try it with {sample(12)} as the password",
        "use it as the password",
        kind="password",
        confirm="told_password",
        confidence="medium",
        locate=r"(?i)\b(?:use|with|and|try|enter|type|usa|nutze|nimm)[ ][^\s]+[ ](?:as|als|como)[ ]",
        family="run",
    ),
    shape(
        "key_body",
        "body of a private key whose first and last line are gone",
        r"(?<![A-Za-z0-9+/])(?:MII[C-J][A-Za-z0-9+/]{2}IBAA(?:KC|KB)|MII[C-J][A-Za-z0-9+/]{2}IBADANBgkqhkiG9w|"
        r"MH(?:c|Q)CAQEE|MIGHAgEAMBMGByqGSM49|MC4CAQAwBQYDK2Vw|MIHuAgEAMBAGByqGSM49|b3BlbnNzaC1rZXktdjE|"
        r"RWRTY0Iy|RWQSCk)[A-Za-z0-9+/=]{24,65536}(?:(?:\r?\n|\\n)[A-Za-z0-9+/=]{1,128}){0,512}",
        (),
        "item MIIEpAIBAAKC" + sample(64) + " set",
        "item MIICIjANBgkqhkiG9w set",
        kind="private_key",
        locate=r"MII[C-J][A-Za-z0-9+/]{2}IBA(?:AK[CB]|DAN)|MH[cQ]CAQEE|MIGHAgEA|MC4CAQAwBQ|MIHuAgEA|"
        r"b3BlbnNzaC1rZXktdjE|"
        r"RWRTY0Iy|RWQSCk",
        begins="b3blb mc4ca mhcca mhqca migha mihua mii rwqsc rwrty",
    ),
    shape(
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
        f"https://hc-ping.com/{sample_uuid()}",
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
        begins=".quik /api/ /hook alche alert api.c api.n api.r api.v autom calen "
        "colle hc-pi infur logs- maker open. outlo push. qyapi rpc.a uptim",
        confirm="address_token",
    ),
)
