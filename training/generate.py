"""Generated sentences and records with their labels: every slot of a template is filled and known."""

from __future__ import annotations

import random
import re
import string
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from training import people
from training.sets import Document

SCOPE = frozenset({"PERSON", "LOCATION", "ADDRESS", "ORG", "DATE", "ID", "PHONE", "EMAIL", "USERNAME"})
_SLOT = re.compile(r"\{(\w+)\}")
_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
}
_COUNTRIES = {
    "de": "Deutschland Österreich Frankreich Italien Spanien Polen Ungarn Griechenland Belgien Dänemark Russland Türkei Indien China Brasilien",
    "fr": "France Allemagne Italie Espagne Belgique Suisse Turquie Pologne Russie Grèce Hongrie Roumanie Portugal Maroc Algérie",
    "es": "España Francia Alemania Italia Portugal México Argentina Chile Colombia Perú Turquía Rusia Polonia Grecia Marruecos",
    "it": "Italia Francia Germania Spagna Svizzera Austria Polonia Turchia Russia Grecia Romania Brasile Cina India Egitto",
}
# Organisations named for a place (@) or a person (#), as each language names them.
_NAMED = {
    "de": "Stadtwerke @|Universitätsklinikum @|Sparkasse @|Volksbank @|Universität @|Klinikum @|FC @|SV @|TSV @|SC @|VfB @|Stadt @|Bistum @|Theater @|"
    "Oper @|Hochschule @|Polizei @|# Verlag|#-Verlag|Verlag #|Autohaus #|#-Stiftung|# Bau GmbH|# & Söhne|#-Werke|#-Gruppe|Bäckerei #|Kanzlei #|Galerie #",
    "it": "Banca Popolare di @|Università di @|Comune di @|Ospedale di @|Cassa di Risparmio di @|Procura di @|Teatro di @|Calcio @|@ Calcio|AC @|US @|"
    "Diocesi di @|Azienda Trasporti @|Edizioni #|Fondazione #|Officine #|Gruppo #|Fratelli #|Studio #|Liceo #|Trattoria #|Cantine #|Istituto #",
    "fr": "université de @|mairie de @|CHU de @|tribunal de @|Banque de @|FC @|Olympique de @|Stade de @|Éditions #|Fondation #|Groupe #|Établissements #|Cabinet #",
    "es": "Universidad de @|Ayuntamiento de @|Hospital de @|Caja de @|Diputación de @|Real @|CD @|UD @|Editorial #|Fundación #|Grupo #|Hermanos #|Bodegas #",
}
_UNIVERSITY = {"it": "Università di", "fr": "université de", "es": "Universidad de"}
_ROLES = (
    "minister|foreign minister|president|mayor|governor|senator|judge|prosecutor|lawyer|spokesman|spokeswoman|general|colonel|bishop|coach|striker|"
    "goalkeeper|director|manager|chairman|chief executive|professor|surgeon|nurse|journalist|editor|author|actor|singer|farmer|witness|neighbour"
).split("|")
_ORG_HEADS = (
    "Global United First National Northern Pacific Atlantic Blue Green Red Silver Golden Prime Royal Central Metro Summit Delta Apex Nova Alpha "
    "Omega Vertex Quantum Crystal Phoenix Pioneer Liberty Heritage Sunrise Evergreen Horizon Coastal Mountain River Stone Iron Bright Clear Open"
).split()
_ORG_CORES = (
    "Bank Energy Systems Foods Motors Airlines Insurance Media Software Logistics Pharma Steel Textiles Capital Partners Networks Labs Robotics "
    "Health Dynamics Electric Telecom Mining Paper Hotels Records Studios Press Broadcasting Petroleum Consulting Analytics Foundation Institute"
).split()
_ORG_TAILS = {
    "en": ("Inc.", "Inc", "Ltd", "LLC", "Corp.", "Group", "plc", "Company", "& Co.", "& Sons", "Holdings", "Services"),
    "de": ("GmbH", "AG", "KG", "GmbH & Co. KG", "SE", "e.V."), "fr": ("SA", "SARL", "SAS", "et Fils"),
    "es": ("S.A.", "S.L.", "e Hijos", "S.A.U."), "it": ("S.p.A.", "S.r.l.", "e Figli"),
}  # fmt: skip
# Widely known organisations, as they are written in news and posts.
_KNOWN_ORGS = (
    "Google|Apple|Microsoft|Amazon|Facebook|Twitter|YouTube|Netflix|Tesla|IBM|Intel|Oracle|Samsung|Sony|Nokia|Siemens|Bosch|BMW|Volkswagen|Toyota|Honda|"
    "BBC|CNN|NBC|Fox News|Reuters|Associated Press|New York Times|Washington Post|The Guardian|NASA|FBI|CIA|NATO|UN|United Nations|European Union|EU|"
    "World Bank|IMF|WHO|UNESCO|UNICEF|Red Cross|Greenpeace|Amnesty International|Interpol|Walmart|Target|Starbucks|McDonald's|Burger King|Subway|Costco|"
    "Ikea|Visa|Mastercard|PayPal|Goldman Sachs|JP Morgan|Citigroup|Deutsche Bank|Barclays|HSBC|Credit Suisse|Enron|Shell|BP|Exxon|Gazprom|Total|Boeing|"
    "Airbus|Lufthansa|Ryanair|Delta|Delta Air Lines|United Airlines|FedEx|UPS|DHL|Pfizer|Bayer|Novartis|Roche|Nestle|Unilever|Nike|Adidas|Disney|Warner Bros|"
    "Manchester United|Chelsea|Arsenal|Liverpool|Real Madrid|Barcelona|Bayern|Juventus|Inter|AC Milan|Lakers|Yankees|Red Sox|Cowboys|Patriots|Bulls|Celtics|"
    "Labour Party|Democratic Party|Republican Party|Conservatives|SPD|CDU|FDP|Die Linke|PSOE|Partido Popular|Lega|Congress|Senate|Parliament|Supreme Court|"
    "Harvard|Stanford|Oxford University|MIT|Pentagon|White House|Kremlin|Hamas|Hezbollah|Al Qaeda|Taliban|Fiat|Eni|Telecom Italia|Renault|Peugeot|Repsol"
).split("|")
_FIXED: dict[str, tuple[str, ...]] = {
    "role": tuple(_ROLES),
    "mr": ("Mr", "Mrs", "Ms", "Mr.", "Ms.", "Mrs.", "Dr", "Dr."), "mr_fr": ("M.", "Mme", "MM."),
    "weekday": tuple("Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()),
    "weekday_de": tuple("Montag Dienstag Mittwoch Donnerstag Freitag Samstag".split()),
    "nationality": tuple("Turkish Polish German French British Italian Russian Ukrainian Greek Romanian Indian American Spanish".split()),
    "nationality_fr": tuple("français turc polonais italien roumain grec russe".split()),
    "idword": ("passport number", "driver's license", "employee id", "member number", "policy number", "badge number", "student id", "case number"),
    "court": ("District Court", "Supreme Court", "Court of Appeal", "Regional Court", "Court of Cassation", "Constitutional Court", "High Court"),
    "court_de": ("Landgericht", "Amtsgericht", "Oberlandesgericht", "Arbeitsgericht", "Verwaltungsgericht", "Finanzgericht", "Sozialgericht"),
    "high_de": tuple("Bundesverwaltungsgericht Bundesgerichtshof Bundesverfassungsgericht Bundesarbeitsgericht Bundessozialgericht Bundesfinanzhof "
                     "Bundespatentgericht EuGH BGH BFH BVerfG BVerwG BAG BSG BPatG EGMR DPMA EUIPO Reichsgericht".split()),
    "highs_de": tuple("Bundesverwaltungsgerichts Bundesgerichtshofs Bundesverfassungsgerichts Bundesfinanzhofs Bundesarbeitsgerichts EuGH BGH BFH".split()),
    "letter": tuple("ABCDEFGHKLMNPRSTWZ"),
    "court_fr": ("cour d'appel", "Cour de cassation", "cour d'assises"), "court_es": ("Tribunal Supremo", "Tribunal Constitucional"),
    "court_it": ("Tribunale", "Corte d'appello", "Procura", "Tar"), "event": ("The concert", "The marathon", "The festival", "The match"),
    "river": ("Thames", "Danube", "Mississippi", "Rhine", "Seine", "Ganges", "Nile", "Hudson", "Volga"),
}  # fmt: skip
_LABEL = {
    "person": "PERSON", "given": "PERSON", "last": "PERSON", "initials": "PERSON", "given_low": "PERSON", "last_low": "PERSON",
    "person_caps": "PERSON", "city": "LOCATION", "city_low": "LOCATION", "city_caps": "LOCATION", "country": "LOCATION", "state": "LOCATION",
    "street": "ADDRESS", "last_caps": "PERSON", "zip": "LOCATION", "river": "LOCATION", "address": "ADDRESS", "street_address": "ADDRESS", "org": "ORG", "org_low": "ORG", "hospital": "ORG", "university": "ORG",
    "date": "DATE", "dob": "DATE", "id": "ID", "appno": "ID", "phone": "PHONE", "email": "EMAIL", "user": "USERNAME",
    "country_de": "LOCATION", "country_fr": "LOCATION", "country_es": "LOCATION", "country_it": "LOCATION",
    "date_de": "DATE", "date_fr": "DATE", "date_es": "DATE", "date_it": "DATE", "court_de": "ORG?", "court_it": "ORG?", "court_fr": "ORG?", "court_es": "ORG?",
    "high_de": "ORG", "highs_de": "ORG", "courtof_de": "ORG", "courtof_it": "ORG", "university_de": "ORG", "university_it": "ORG", "letter": "PERSON", **{f"{kind}_{tongue}": label for kind, label in (("org", "ORG"), ("city", "LOCATION")) for tongue in ("de", "fr", "es", "it")},
    "court": "ORG?", "nationality": "DEMOGRAPHIC?", "nationality_fr": "DEMOGRAPHIC?", "age": "AGE?", "year": "DATE?", "month": "DATE?", "month_de": "DATE?", "month_fr": "DATE?", "month_es": "DATE?", "month_it": "DATE?",
    "weekday": "DATE?", "weekday_de": "DATE?", "event": "MISC?", "mr": "PERSON?", "mr_fr": "PERSON?",
}  # fmt: skip


@lru_cache(maxsize=2)
def templates(name: str = "templates.txt") -> dict[str, list[str]]:
    """Language to its templates; `none` holds English ones without personal data."""
    found: dict[str, list[str]] = {}
    for line in (Path(__file__).parent / "data" / name).read_text(encoding="utf-8").splitlines():
        if re.fullmatch(r"\[\w+\]", line):
            found[line[1:-1]] = current = []
        elif line and not line.startswith("# Sent"):
            current.append(line.replace("\\n", "\n"))
    return found


@lru_cache(maxsize=1)
def known() -> dict[str, list[str]]:
    """Names of organisations and places that people know, and words for roles, by section of `known.txt`."""
    found: dict[str, list[str]] = {}
    for line in (Path(__file__).parent / "data" / "known.txt").read_text(encoding="utf-8").splitlines():
        if re.fullmatch(r"\[\w+\]", line):
            found[line[1:-1]] = current = []
        elif line and not line.startswith("#"):
            current += line.split("|")
    return found


def place(r: random.Random, language: str) -> str:
    """A city, or a place that people who speak the language call by a name of their own."""
    own = known().get(f"city_{language}")
    return r.choice(own) if own and r.random() < 0.45 else people.city(r, language)


def person(r: random.Random, language: str) -> str:
    """A name in one of the forms in which people write it."""
    g, s = people.given(r, language), people.last(r, language)
    forms: tuple[tuple[float, Callable[[], str]], ...] = (
        (10, lambda: f"{g} {s}"), (1, lambda: f"{g} {r.choice(string.ascii_uppercase)}. {s}"), (1, lambda: f"{g[0]}. {s}"),
        (1, lambda: f"{g} {people.given(r, language)} {s}"), (0.7, lambda: f"{s}, {g}"), (0.7, lambda: f"{g} {s}-{people.last(r, language)}"),
        (0.6, lambda: f"{g} {s}".lower()), (0.5, lambda: f"{g} {s}".upper()), (0.5, lambda: f"{g} {s.upper()}"), (0.4, lambda: f"{s} {g}"),
        (0.5, lambda: f"{g} {r.choice(('van', 'de', 'von', 'da', 'del', 'El', 'bin', 'Mc', 'O’'))} {s}".replace("Mc ", "Mc").replace("’ ", "'")),
        (2.0 if language == "es" else 0.2, lambda: f"{g} {s} {people.last(r, language)}"),
    )  # fmt: skip
    return r.choices([f for _, f in forms], [w for w, _ in forms])[0]()


def organisation(r: random.Random, language: str) -> str:
    """An organisation: a known one, one named for people or places, or an invented one."""
    tail = r.choice(_ORG_TAILS[language])
    if language in _NAMED and r.random() < 0.25:
        return (
            r.choice(_NAMED[language].split("|"))
            .replace("@", place(r, language))
            .replace("#", people.last(r, language))
        )
    makes: tuple[tuple[float, Callable[[], str]], ...] = (
        (3.0, lambda: r.choice(known().get(f"org_{language}", _KNOWN_ORGS) if r.random() < 0.8 else _KNOWN_ORGS)), (1.5, lambda: f"{people.last(r, language)} {tail}"),
        (1.2, lambda: f"{r.choice(_ORG_HEADS)} {r.choice(_ORG_CORES)}"), (1.0, lambda: f"{r.choice(_ORG_HEADS)} {r.choice(_ORG_CORES)} {tail}"),
        (0.8, lambda: f"{people.city(r, language)} {r.choice(_ORG_CORES)}"), (0.7, lambda: f"{people.last(r, language)} & {people.last(r, language)}"),
        (0.6, lambda: f"{people.last(r, language)}, {people.last(r, language)} and {people.last(r, language)}"),
        (0.6, lambda: f"University of {people.city(r, language)}"), (0.5, lambda: "".join(r.choices(string.ascii_uppercase, k=r.randint(2, 5)))),
        (0.6, lambda: f"{r.choice(_ORG_HEADS)}{r.choice(_ORG_CORES).lower()}"), (0.5, lambda: f"{people.last(r, language)}-{people.last(r, language)}"),
    )  # fmt: skip
    return r.choices([m for _, m in makes], [w for w, _ in makes])[0]()


def date(r: random.Random, language: str, first: int = 1950) -> str:
    """A date as it is written in the language."""
    day, month, year = r.randint(1, 28), r.randint(1, 12), r.randint(first, 2026)
    word = _MONTHS[language].split()[month - 1]
    if language == "en":
        return r.choice((
            f"{day} {word} {year}", f"{word} {day}, {year}", f"{month:02}/{day:02}/{year}", f"{day:02}/{month:02}/{year}", f"{year}-{month:02}-{day:02}",
            f"{day} {word[:3]} {year}", f"{word[:3]} {day}", f"{word} {day}", f"{word} {day}th", f"{day}.{month}.{year}", f"{month}/{day}/{year % 100:02}",
            f"the {day}th of {word}", f"{word[:3]} {day}, {year}",
        ))  # fmt: skip
    written = {"de": f"{day}. {word} {year}", "es": f"{day} de {word} de {year}"}.get(language, f"{day} {word} {year}")
    return r.choice(
        (written, written, f"{day:02}.{month:02}.{year}" if language == "de" else f"{day:02}/{month:02}/{year}")
    )


def address(r: random.Random, language: str, street_only: bool = False) -> str:
    """A postal address of one of the language's countries."""
    street, whole = r.choice(people.addresses(language))
    if street_only:
        return street.replace("\n", ", ")
    if r.random() < 0.4:
        whole = f"{street}\n{people.city(r, language)}, {r.choice(people.states())[1]} {r.randint(10000, 99999)}"
    return whole if r.random() < 0.25 else whole.replace("\n", ", ")


def identifier(r: random.Random) -> str:
    """A number as registers give out."""
    pattern = r.choice(
        (
            "########",
            "??######",
            "###-##-####",
            "?########",
            "??-###-####",
            "##-#######",
            "????######?",
            "###### ## ##",
            "??/####/##",
        )
    )
    return "".join(
        r.choice(string.digits) if c == "#" else r.choice(string.ascii_uppercase) if c == "?" else c for c in pattern
    )


def _user(r: random.Random) -> str:
    name = people.given(r, "en").lower()
    return r.choice(
        (
            f"{name}{r.randint(1, 999)}",
            f"{name}_{people.last(r, 'en').lower()}",
            f"x{name}x",
            f"{name[0]}{people.last(r, 'en').lower()}",
        )
    ).replace(" ", "")


def _email(r: random.Random) -> str:
    host = r.choice(("gmail.com", "example.org", "yahoo.com", "web.de", f"{people.last(r, 'en').lower()}.com"))
    return f"{people.given(r, 'en')}.{people.last(r, 'en')}@{host}".lower().replace(" ", "").replace("'", "")


def fill(slot: str, r: random.Random, language: str) -> str:
    """A value for one slot."""
    base, _, tongue = slot.partition("_")
    language = tongue if tongue in _MONTHS else language
    if slot in _FIXED:
        return r.choice(_FIXED[slot])
    if base == "country":
        return r.choice(_COUNTRIES[language].split()) if language in _COUNTRIES else r.choice(people.countries())
    simple: dict[str, Callable[[], str]] = {
        "person": lambda: person(r, language), "given": lambda: people.given(r, language), "last": lambda: people.last(r, language),
        "initials": lambda: " ".join(f"{r.choice(string.ascii_uppercase)}." for _ in range(r.randint(1, 2))),
        "city": lambda: place(r, language), "state": lambda: r.choice(r.choice(people.states())), "zip": lambda: str(r.randint(10000, 99999)),
        "address": lambda: address(r, language), "street": lambda: address(r, language, street_only=True), "org": lambda: organisation(r, language),
        "hospital": lambda: f"{r.choice(('St.', 'Saint'))} {people.given(r, language)} Hospital" if language == "en" else f"Hospital {people.last(r, language)}",
        "university": lambda: r.choice((f"University of {people.city(r, 'en')}", f"{people.city(r, 'en')} University", f"{people.last(r, 'en')} College"))
        if language == "en" else f"{_UNIVERSITY.get(language, 'Universität')} {place(r, language)}",
        "date": lambda: date(r, language), "dob": lambda: date(r, language, 1930), "id": lambda: identifier(r), "age": lambda: str(r.randint(5, 95)),
        "appno": lambda: f"{r.randint(100, 79999)}{r.choice(('/', ' / '))}{r.randint(0, 99):02}", "phone": lambda: r.choice(people.phones(language)),
        "email": lambda: _email(r), "user": lambda: _user(r), "year": lambda: str(r.randint(1960, 2026)), "month": lambda: r.choice(_MONTHS[language].split()),
        "courtof": lambda: f"{r.choice(_FIXED[f'court_{language}'])}{' di' if language == 'it' else ''} {place(r, language)}",
        "role": lambda: r.choice(known()[f"role_{language}"]), "noun": lambda: r.choice(people.german_nouns()),
    }  # fmt: skip
    value = simple[base]()
    return value.lower() if tongue == "low" else value.upper() if tongue == "caps" else value


def sentence(
    r: random.Random, language: str, name: str = "templates.txt"
) -> tuple[str, list[tuple[int, int, str, bool]]]:
    """One filled template and its spans; neighbours such as `{initials} {last}` stay apart and touch in the text."""
    template, spans, parts, at, size = r.choice(templates(name)[language]), [], [], 0, 0
    tongue = "en" if language == "none" else language
    for match in _SLOT.finditer(template):
        before = template[at : match.start()]
        value = fill(match[1], r, tongue)
        parts += [before, value]
        size += len(before)
        label = _LABEL.get(match[1], "")
        if label:
            spans.append((size, size + len(value), label.rstrip("?"), not label.endswith("?")))
        size += len(value)
        at = match.end()
    return "".join([*parts, template[at:]]), spans


def document(r: random.Random, number: int, last: bool = False) -> Document:
    """One to eight sentences of one language, joined as in posts, letters or lists. `last`: as in the last epochs, with
    less English and with the templates that were written for them."""
    weights = (6, 6, 6, 5, 5) if last else (10, 6, 2, 2, 5)
    language = r.choices(("en", "de", "fr", "es", "it"), weights)[0]
    joint, text, spans = r.choice((" ", " ", "\n", "\n\n", " | ")), "", []
    for _ in range(r.choice((1, 1, 1, 2, 3, 5, 8))):
        more = last and language != "en" and r.random() < 0.5
        kind = "none" if language == "en" and r.random() < 0.25 else language
        piece, found = sentence(r, kind, "more.txt") if more else sentence(r, kind)
        text += joint if text else ""
        spans += [(a + len(text), b + len(text), label, must) for a, b, label, must in found]
        text += piece
    return Document(f"generated-{number}", text, tuple(spans), SCOPE, "generated")
