"""Options of commands, files that hold logins, and passwords told in a sentence."""

import string

from goldvein.sanitizer.rules.rule import LOWER, sample, shape

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

COMMANDS_AND_FILES = (
    shape(
        "curl_user",
        "user and password of a curl or wget command",
        r"(?:\s|=)(?:-u|--user|--proxy-user|-U)(?:[ \t]{1,4}|"
        r"=)?[\"']?[^\s:\"'@/\\]{1,128}:(?P<secret>[^\s\"'\\]{2,512})",
        (),
        f"curl -s -u alice:{sample(9)} https://api.example",
        "docker run -u 1000:1000 image",
        confirm="not_numeric",
        locate=r"[\s=](?:-u|--user|--proxy-user)[ \t=\"'A-Za-z]",
        heads=" \t\r\n=",
    ),
    shape(
        "short_password_flag",
        "password after -p of a database or login command",
        r"\b"
        + _COMMANDS
        + r"\b[^\n|&;]{0,256}?\s(?:-p|-P|-w|-a|-pass)(?:[ \t]{1,2}|=)?(?P<secret>\"(?![,:\]}\s])[^\"\n\\]{3,128}\"|"
        r"'[^'\"\n\\]{3,128}'|[^\s\"'\\-][^\s\"'\\]{3,128})",
        (),
        f"mysql -h db -u root -p'{sample(9)}' shop",
        "mysql -h db -u root -p shop_production",
        kind="password",
        confirm="flag_password",
        family="token",
        locate=_COMMANDS + r"[ \t]",
        heads=string.ascii_lowercase + "7",
    ),
    shape(
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
        f"redis-cli -h cache.example -a {sample(12)} ping",
        "docker login -u deploy -p $PASSWORD",
        kind="password",
        confirm="flag_word",
        confidence="medium",
        family="token",
        locate=_LOGIN_COMMANDS + r"[ \t]",
        heads=string.ascii_lowercase + "7",
    ),
    shape(
        "user_percent_password",
        "user%password of an smb command",
        r"\s-U[ \t]{0,2}[\"']?[^\s%\"']{1,64}%(?P<secret>[^\s\"'\\]{3,128})",
        (),
        f"smbclient //files/share -U bob%{sample(9)}",
        "date -U %Y",
        kind="password",
        confirm="not_filler",
        family="token",
        locate=r"\s-U[ \t\"']{0,2}[^\s%\"']+%",
        heads=" \t\r\n\f\v",
    ),
    shape(
        "openssl_password",
        "password given to openssl",
        r"-(?:pass|passin|passout)[ \t]{1,2}[\"']?pass:(?P<secret>[^\s\"'\\]{1,128})",
        ("-pass",),
        f"openssl enc -pass pass:{sample(9)} -in a",
        "openssl enc -pass env:KEY -in a",
        kind="password",
        confirm="not_filler",
    ),
    shape(
        "sudo_password",
        "password piped into sudo or passwd",
        r"\becho[ \t]{1,2}(?:-[en]{1,2}[ \t])?(?P<secret>\"(?![,:\]}\s])[^\"\n\\]{3,128}\"|'[^'\"\n\\]{3,128}'|"
        r"[^\s\"'\\|$]{3,128})[ \t]{0,2}\|[ \t]{0,2}"
        r"(?:sudo[ \t]{1,2}-S|passwd|docker login|chpasswd|kinit)",
        ("echo ", "echo\t"),
        f"echo '{sample(9)}' | sudo -S apt update",
        "echo $PASS | sudo -S apt update",
        kind="password",
        confirm="not_filler",
    ),
    shape(
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
        begins="adgan api clave contr heslo jelsz kennw l\xf6sen mot parol pass pw salas secre senha wacht",
        confidence="medium",
    ),
    shape(
        "identified_by",
        "password of a user that SQL makes",
        r"(?i)identified[ ](?:with[ ][\w']{1,40}[ ])?by[ ](?:password[ ])?(?P<secret>\\?\"[^\"\s\\]{3,128}|"
        r"\\?'[^'\"\s\\]{3,128})",
        ("identified ",),
        f"create user app identified by '{sample(12)}'",
        "create user app identified by '${PASSWORD}'",
        kind="password",
        confirm="quoted_password",
        confidence="medium",
    ),
    shape(
        "set_with_space",
        "value of a variable or setting that a space separates from its name",
        r"(?:(?:ENV|setenv)[ \t]{1,4}[A-Z0-9_]{0,40}(?:PASSWORD|PASSWD|PASS|PWD|SECRET|TOKEN|KEY)[A-Z0-9_]{0,8}"
        r"|requirepass|masterauth)"
        r"[ \t]{1,4}(?P<secret>[^\s\"'$<{=\\][^\s\"'\\]{3,256})",
        tuple(name + blank for name in ("ENV", "setenv", "requirepass", "masterauth") for blank in " \t"),
        f"ENV DB_PASSWORD {sample(10)}",
        "ENV DB_PASSWORD $PASSWORD",
        kind="password",
        confirm="flag_word",
        confidence="medium",
    ),
    shape(
        "wifi_code",
        "password of a wireless network in the text of its code",
        r"WIFI:[^\n]{0,80}?;P:(?P<secret>[^;\n\"\\]{4,64});",
        ("WIFI:",),
        f"WIFI:S:home;T:WPA;P:{sample(12)};;",
        "WIFI:S:home;T:nopass;;",
        kind="password",
        confirm="not_filler",
    ),
    shape(
        "go_connection_string",
        "password in a connection string of Go",
        r"(?<![A-Za-z0-9_])[A-Za-z0-9_.-]{1,64}:(?P<secret>[^\s@:/\"']{2,128})@(?:tcp|udp|unix)\(",
        (),
        f"app:{sample(10)}@tcp(db.example:3306)/shop",
        "app:${DB_PASSWORD}@tcp(db.example:3306)/shop",
        kind="password",
        confirm="not_filler",
        family="run",
        locate=r"[A-Za-z0-9_.-]+:[^\s@:/\"']+@(?:tcp|udp|unix)\(",
        needs=("@tcp(", "@udp(", "@unix("),
    ),
    shape(
        "oracle_login",
        "password in a login of Oracle",
        r"(?i)(?:jdbc:oracle:[a-z0-9]{1,8}:|sqlplus[ \t]{1,4}(?:-[a-z]{1,8}[ \t]{1,4}){0,3}|(?:exp|imp)dp[ \t]|"
        r"(?<![\w-])(?:exp|imp)[ \t])"
        r"[A-Za-z0-9_$#]{1,64}/(?P<secret>[^\s@\"'/]{2,128})@",
        ("jdbc:oracle:", *(name + blank for name in ("sqlplus", "expdp", "impdp", "exp", "imp") for blank in " \t")),
        f"sqlplus scott/{sample(9)}@orcl",
        "sqlplus scott/$PASSWORD@orcl",
        kind="password",
        confirm="not_filler",
    ),
    shape(
        "assigned_token",
        "letters and digits at random, alone behind a name at the start of a line",
        r"(?:(?<=\n)|(?<!.))[ \t]{0,16}(?:export[ \t]{1,4}|-[ \t]{1,4})?"
        r"[\"']?[A-Za-z_][A-Za-z0-9_.-]{1,64}[\"']?[ \t]{0,4}[:=][ \t]{0,4}"
        r"[\"']?(?P<secret>[A-Za-z0-9]{28,72})(?=[\"']?,?[ \t]{0,4}(?:\r?\n|\Z))",
        (),
        f"quuxly = {sample(32, LOWER)}\n",
        f"checksum = {sample(32, LOWER)}\n",
        kind="token",
        confirm="assigned_token",
        confidence="low",
        family="run",
        locate=r"(?m)^[ \t]*(?:export[ \t]+|-[ \t]+)?"
        r"[\"']?[A-Za-z_][A-Za-z0-9_.-]*[\"']?[ \t]*[:=][ \t]*[\"']?[A-Za-z0-9]{28}",
    ),
    shape(
        "netrc",
        "password of a .netrc entry",
        r"\blogin[ \t\r\n]{1,8}[^\s\"'\\]{1,128}(?:[ \t\r\n]|"
        r"\\[nrt]){1,8}password[ \t\r\n]{1,8}(?P<secret>[^\s\"'\\]{1,512})",
        ("login ", "login\t", "login\n", "login\r", "login\\"),
        f"machine api.example login alice password {sample(9)}",
        "login form password <password>",
        kind="password",
        confirm="not_filler",
    ),
    shape(
        "pgpass",
        "password of a .pgpass line",
        r"(?m)(?:^|(?<=\\n)|(?<=\"))(?:[A-Za-z0-9_.*-]{1,128}):(?:[0-9]{2,5}|"
        r"\*):[A-Za-z0-9_.*-]{1,64}:[A-Za-z0-9_.*@-]{1,64}:(?P<secret>[^\s\"\\]{3,128})",
        (),
        f"db.internal:5432:app:alice:{sample(12)}",
        "12:30:15:20:99:17",
        kind="password",
        confirm="pgpass_password",
        family="run",
        locate=r"[A-Za-z0-9_.*-]+:(?:[0-9]{2,5}|\*):[A-Za-z0-9_.*-]+:[A-Za-z0-9_.*@-]+:[^\s:]",
    ),
)
