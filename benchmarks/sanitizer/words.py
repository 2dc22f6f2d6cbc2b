"""Made-up words, names and lines that the texts are filled with."""

from random import Random

from benchmarks.sanitizer.samples import fill, uuid

SERVICES = (
    *("billing", "orders", "search", "ingest", "mailer", "catalog", "reports", "gateway", "scheduler", "profiles"),
    *("thumbnails", "invoices", "shipping", "webhooks", "analytics", "inventory"),
)
VERBS = ("fetch", "load", "render", "parse", "merge", "resolve", "publish", "archive", "index", "validate", "rotate")
NOUNS = ("record", "invoice", "session", "report", "bucket", "queue", "batch", "window", "cursor", "widget", "page")
LEVELS = ("INFO", "DEBUG", "WARN", "ERROR")
FIRST_NAMES = {
    "en": ("Olive", "Ned", "Harriet", "Walter", "June", "Miles", "Ivy", "Rupert"),
    "de": ("Greta", "Jürgen", "Anke", "Sören", "Heike", "Bärbel", "Lutz", "Dörte"),
    "fr": ("Élodie", "Gaëlle", "Thierry", "Benoît", "Margaux", "Loïc", "Solène", "Rémi"),
    "es": ("Íñigo", "Lucía", "Begoña", "Álvaro", "Nuria", "Ramón", "Inés", "Rocío"),
    "it": ("Fiorella", "Ettore", "Ilaria", "Niccolò", "Ginevra", "Corrado", "Elisa", "Tullio"),
    "nl": ("Maartje", "Joost", "Femke", "Sjoerd", "Anouk", "Wouter", "Lotte", "Ruben"),
    "pl": ("Zofia", "Łukasz", "Bożena", "Wiesław", "Kinga", "Grzegorz", "Agnieszka", "Marek"),
    "sv": ("Åsa", "Björn", "Linnéa", "Östen", "Maj", "Torbjörn", "Sigrid", "Ulf"),
}
LAST_NAMES = {
    "en": ("Thornbury", "Ashdown", "Pickering", "Holloway", "Marsden", "Wakefield"),
    "de": ("Brückner", "Vogelsang", "Hölzel", "Krämer", "Westermann", "Süßmilch"),
    "fr": ("Lefèvre", "Charpentier", "Beaulieu", "Rousselot", "Fontaine", "Mercier"),
    "es": ("Zubizarreta", "Ibáñez", "Cervera", "Quintana", "Muñoz", "Aranda"),
    "it": ("Bevilacqua", "Santangelo", "Rinaldi", "Montefiori", "D'Amico", "Colonna"),
    "nl": ("Hoekstra", "Vermeulen", "de Graaf", "Dijkstra", "Kuipers", "van Loon"),
    "pl": ("Wójcik", "Zieliński", "Dąbrowska", "Kamiński", "Sikora", "Pawlak"),
    "sv": ("Åkesson", "Lindqvist", "Sjögren", "Hedlund", "Nyström", "Ekström"),
}
COMPANY_ROOTS = (
    "nordwind",
    "lumenta",
    "brightloom",
    "kestrelworks",
    "oakline",
    "vantoro",
    "sunforge",
    "halvik",
    "mirado",
)
COMPANY_ENDS = ("-logistik", "-labs", "-group", "", "-consulting", "systems", "-energie", "-studio")
TOP_DOMAINS = ("com", "de", "fr", "es", "it", "nl", "pl", "se", "co.uk", "io", "org", "net", "eu", "com.br", "ch", "at")


def identifier(random: Random) -> str:
    """A name as code has them."""
    return f"{random.choice(VERBS)}_{random.choice(NOUNS)}"


def domain(random: Random) -> str:
    """The domain of a made-up company."""
    return f"{random.choice(COMPANY_ROOTS)}{random.choice(COMPANY_ENDS)}.{random.choice(TOP_DOMAINS)}"


def host(random: Random) -> str:
    """A host inside such a company."""
    return f"{random.choice(('api', 'db', 'cache', 'eu-1', 'staging', 'mq'))}.{random.choice(COMPANY_ROOTS)}.internal"


def stamp(random: Random) -> str:
    """A time as logs write it."""
    day = f"2026-{random.randint(1, 12):02}-{random.randint(1, 28):02}"
    return f"{day}T{random.randint(0, 23):02}:{random.randint(0, 59):02}:{random.randint(0, 59):02}.{random.randint(0, 999):03}Z"


def log_line(random: Random) -> str:
    """A line of a log that holds nothing of anyone."""
    return random.choice(
        (
            f"{stamp(random)} {random.choice(LEVELS)} {random.choice(SERVICES)} {identifier(random)} took {random.randint(1, 900)} ms",
            f"{stamp(random)} INFO request_id={uuid(random)} status={random.choice((200, 201, 204, 404))} bytes={random.randint(80, 90000)}",
            f"[{random.choice(SERVICES)}] {random.choice(VERBS)} {random.choice(NOUNS)} #{random.randint(1, 9999)} ok",
            f"{stamp(random)} DEBUG {random.choice(SERVICES)} cache miss for {random.choice(NOUNS)}:{random.randint(10, 99999)}",
        )
    )


def shell_line(random: Random) -> str:
    """A command that needs no secret."""
    return random.choice(
        (
            f"$ git log --oneline -{random.randint(1, 9)}",
            f"$ kubectl -n {random.choice(SERVICES)} get pods",
            "$ npm run build -- --mode production",
            f"$ docker compose up -d {random.choice(SERVICES)}",
            f"$ python -m {random.choice(SERVICES)}.{random.choice(VERBS)} --dry-run --limit {random.randint(5, 500)}",
            f"$ ls -la /srv/{random.choice(SERVICES)}/releases/{fill(random, '{h7}')}",
        )
    )


def sentence(random: Random) -> str:
    """A sentence of a document or a conversation."""
    return random.choice(
        (
            f"The {random.choice(SERVICES)} service must {random.choice(VERBS)} each {random.choice(NOUNS)} before the deploy.",
            f"Could you look at why {random.choice(SERVICES)} does not {random.choice(VERBS)} the {random.choice(NOUNS)}?",
            f"After the upgrade the {random.choice(NOUNS)} is empty, although the {random.choice(NOUNS)} before it is fine.",
            f"It worked on staging with {random.randint(2, 40)} workers and failed in production.",
            f"See the section on how to {random.choice(VERBS)} a {random.choice(NOUNS)} for the details.",
            f"I ran it {random.randint(2, 9)} times and the {random.choice(NOUNS)} came out different each time.",
        )
    )
