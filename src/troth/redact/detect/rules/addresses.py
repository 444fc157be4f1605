"""Rules for postal addresses of the US, UK, AU, DE, FR, ES and IT, and for postcodes that are named as such."""

# ruff: noqa: E501  a pattern is read as one line
from __future__ import annotations

from troth.redact.detect.rule import LETTER, LOWER, UPPER, Rule

_W = rf"(?:[{UPPER}][{LETTER}]{{0,2}}\.|[{UPPER}][{LETTER}]*(?:['\-][{LETTER}]+)*)"  # one capitalised word, or a short one with a dot
_W2 = rf"{_W}(?:[ ](?:(?:of|the|on|de|la|le|les|del|della|di|da|d'|el|los|las|y|und|am|an|der|im|in|sur|en|a)[ ])*{_W}){{0,3}}"
# United States Postal Service, Publication 28, Appendix C1 (street suffixes and their usual short forms).
_SUFFIX = (
    r"(?:Alley|Aly|Avenue|Ave|Bayou|Beach|Bend|Bluffs?|Bottom|Boulevard|Blvd|Branch|Bridge|Brooks?|Burgs?|Bypass|Camp|Canyon|Cape|Causeway|"
    r"Cent(?:er|re)s?|Circles?|Cir|Cliffs?|Close|Club|Common|Corners?|Courts?|Ct|Course|Coves?|Creek|Crescent|Cres|Crest|Crossing|Crossroad|Curve|"
    r"Dale|Dam|Divide|Drives?|Dr|Esplanade|Estates?|Expressway|Extensions?|Falls?|Ferry|Fields?|Flats?|Fords?|Forest|Forges?|Forks?|Fort|"
    r"Freeway|Gardens?|Gateway|Glens?|Greens?|Groves?|Harbors?|Haven|Heights|Highway|Hwy|Hills?|Hollow|Inlet|Islands?|Isle|Junctions?|Keys?|"
    r"Knolls?|Lakes?|Land|Landing|Lane|Ln|Lights?|Loaf|Locks?|Lodge|Loop|Mall|Manors?|Meadows?|Mews|Mills?|Mission|Motorway|Mountains?|Mount|"
    r"Neck|Orchard|Oval|Overpass|Park|Parade|Parkways?|Pkwy|Pass|Passage|Path|Pike|Pines?|Place|Pl|Plains?|Plaza|Points?|Ports?|Prairie|Quay|"
    r"Radial|Ramp|Ranch|Rapids?|Rest|Ridges?|Rise|River|Roads?|Rd|Route|Row|Rue|Run|Shoals?|Shores?|Skyway|Springs?|Spurs?|Squares?|Sq|"
    r"Station|Stravenue|Stream|Streets?|St|Summit|Terrace|Ter|Throughway|Trace|Track|Trafficway|Trail|Trailer|Tunnel|Turnpike|Underpass|"
    r"Unions?|Valleys?|Viaduct|Views?|Villages?|Ville|Vista|Walks?|Walkway|Walls?|Ways?|Wells?|Wharf|Wynd|Yard)"
)
_STATE = r"(?:A[AEKLPRSZ]|C[AOT]|D[CE]|F[LM]|G[AU]|HI|I[ADLN]|K[SY]|LA|M[ADEHINOPST]|N[CDEHJMVY]|O[HKR]|P[ARW]|RI|S[CD]|T[NX]|UT|V[AIT]|W[AIVY])"
_AU_STATE = r"(?:NSW|ACT|VIC|QLD|SA|WA|TAS|NT)"
_UK_CODE = r"(?:GIR ?0AA|[A-PR-UWYZ](?:[0-9]{1,2}|[A-HK-Y][0-9]|[A-HK-Y][0-9][0-9]|[0-9][A-HJKS-UW]|[A-HK-Y][0-9][ABEHMNPRV-Y]) ?[0-9][ABD-HJLNP-UW-Z]{2})"
_UNIT = r"(?:(?:[Aa]pt|[Aa]partment|[Ss]uite|[Ss]te|[Uu]nit|[Ff]lat|[Rr]oom|[Ff]loor|[Bb]ldg|[Ll]evel|[Ss]tudio|[Ll]ot|[Ss]hop)\.?[ ]?#?[ ]?[A-Za-z0-9\-]{1,6}|#[ ]?[A-Za-z0-9\-]{1,6})"
_SEP = r"(?:,?[ ]|[ ]?,[ ]?|,?[ ]?\r?\n[ ]?)"
_HOUSE = r"\d{1,6}(?:[ ]?[\-/][ ]?\d{1,5})?[A-Za-z]?"
_COUNTRY = (
    r"(?:United States(?: of America)?|USA|U\.S\.A\.|United Kingdom|UK|Australia|Germany|France|Spain|Italy|Canada)"
)
_TAIL = (
    rf"(?:{_SEP}{_W2})?(?:{_SEP}(?:{_STATE}|{_AU_STATE})\b(?:,?[ ]\d{{4,5}}(?:-\d{{4}})?)?|{_SEP}{_UK_CODE}|{_SEP}{_W2}[ ]\d{{5}}|[ ]\d{{5}}\b)?"
    rf"(?:{_SEP}{_COUNTRY})?"
)
_STREET_EU = r"(?:[Rr]ue|[Aa]venue|[Aa]v\.|[Bb]oulevard|[Bb]d|[Pp]lace|[Cc]hemin|[Aa]ll[e\xe9]e|[Ii]mpasse|[Qq]uai|[Cc]ours|[Rr]oute|[Ss]quare|[Pp]assage)"
_FR_STREET = rf"{_STREET_EU}[ ](?:(?:de|du|des|la|le|les|d'|l'|de[ ]la|de[ ]l')[ ]?){{0,2}}[{UPPER}][{LETTER}'\-]*(?:[ ](?:(?:de|du|des|la)[ ])*[{UPPER}][{LETTER}'\-]*){{0,3}}"
_ES_TYPE = (
    r"(?:Calle|C/|C\.|Avenida|Avda\.?|Av\.|Plaza|Plz\.?|Paseo|P\xba|Camino|Carrer|Carretera|Ronda|Cuesta|Pasaje|Glorieta|Rambla|Urbanización|Callejón|Acceso|Alameda|"
    r"Cañada|Vial|Vía|Via|Travesía|Pasadizo)"
)
_ES_STREET = rf"{_ES_TYPE}[ ](?:(?:de|del|la|las|los|el|de[ ]la|de[ ]los)[ ]){{0,2}}{_W2}"
_IT_TYPE = r"(?:Via|Viale|Piazza|Piazzale|Piazzetta|Corso|Strada|Vicolo|Largo|Contrada|Borgo|Canale|Rotonda|Incrocio|Stretto|Vico|Lungomare|Salita)"
_IT_STREET = rf"{_IT_TYPE}[ ](?:(?:del|della|dei|delle|di|degli)[ ]|dell')?{_W2}"
_DE_END = r"(?:[Ss]tra\xdfe|strasse|[Ss]tr\.|[Ww]eg|[Pp]latz|[Gg]asse|[Aa]llee|[Rr]ing|[Dd]amm|[Uu]fer|steig|pfad|hof|graben|markt|Chaussee)"
_DE_STREET = (
    rf"(?:[{UPPER}][{LETTER}.\-]{{0,40}}(?:stra\xdfe|strasse|str\.|weg|platz|gasse|allee|ring|damm|ufer|steig|pfad|hof|graben|markt|Stra\xdfe|Str\.|Weg|Platz|Allee|Gasse|Ring|Ufer|Damm)|"
    rf"[{UPPER}][{LETTER}.\-]{{1,40}}[ ](?:Stra\xdfe|Str\.|Weg|Platz|Allee|Gasse|Ring|Ufer|Damm|Chaussee))"
)
_EU_CITY = rf"\d{{5}}(?:[ ]?,)?[ ]{_W2}(?:[ ]\([A-Z]{{2}}\))?"
_DETAIL = r"(?:[ ](?:Apt\.?|Piso|Puerta|Esc\.?|Bajo|Planta)[ ]?\d{0,4}[A-Z]?)?"
_STREET = rf"{_HOUSE}(?:[ ](?:N|S|E|W|NE|NW|SE|SW|North|South|East|West)\.?)?(?:[ ]{_W}){{1,4}}?[ ]{_SUFFIX}\b"
_ORDINAL = (
    rf"{_HOUSE}[ ](?:(?:N|S|E|W|North|South|East|West|Old|New)\.?[ ])?(?:\d{{1,3}}(?:st|nd|rd|th)[ ]{_SUFFIX}\b|"
    r"(?:Highway|Hwy|Route|County[ ]Road|State[ ]Road|El[ ]Camino)[ ][A-Z0-9])"
)
_SMALL_SUFFIX = r"(?:street|avenue|ave|road|lane|drive|boulevard|blvd|court|crescent|terrace|parkway)"
_SMALL_STREET = (
    rf"\d{{2,6}}(?:[ ](?:north|south|east|west|n|s|e|w)\.?)?(?:[ ][a-z0-9]{{1,30}}){{1,3}}[ ]{_SMALL_SUFFIX}\b"
)
_ANNOUNCED = (
    r"address(?: is| was)?|lives? at|living at|resid(?:e|es|ed|ing) at|located at|found at|ship(?:ped)?(?: it)? to|deliver(?:ed)?(?: it)? to|"
    r"(?:post|mail|send)(?:ed)?(?: it)? to|moved to|office is at|taxi to|anschrift|adresse|direcci\xf3n|domicilio|indirizzo"
)
# Words that stand between a number and `road` or `drive` when no address is meant.
_NO_STREET = frozenset(
    "minute minutes min hour hours mile miles km day days way lane foot feet of to the a in on and or for from at by per times".split()
)


def _small_street(value: str) -> int:
    return 0 if _NO_STREET.intersection(value.split(" ")[:-1]) else len(value)


RULES: tuple[Rule, ...] = (
    Rule(  # English: number, street with a known suffix, then as much of unit, town, region and code as follows
        kind="address", score=0.75, right=rf"(?![{LOWER}0-9])", gate=rf"(?:{_UNIT}{_SEP})?{_STREET}",
        pattern=rf"(?:{_UNIT}{_SEP})?{_STREET}\.?"
        rf"(?:[ ](?:N|S|E|W|NE|NW|SE|SW|North|South|East|West)\b\.?)?(?:{_SEP}{_UNIT})?{_TAIL}",
    ),
    Rule(  # the same in small letters, for suffixes that are hardly anything else
        kind="address", score=0.7, right=r"(?![A-Za-z0-9])", gate=_SMALL_STREET, check=_small_street,
        pattern=rf"{_SMALL_STREET}(?:[ ]#[ ]?[A-Za-z0-9]{{1,5}})?",
    ),
    Rule(  # anything with a number right after words that announce an address
        kind="address", score=0.15, right=rf"(?![{LETTER}0-9])", context=_ANNOUNCED,
        pattern=rf"(?:{_UNIT}{_SEP})?{_HOUSE}(?:[ ]\d{{1,5}})?[ ]{_W}(?:[ ](?:(?:de|of|la|le|da|do|del)[ ]){{0,2}}(?:{_W}|\d{{1,5}}\b)){{0,6}}(?:,[ ]{_UNIT})?(?:,[ ]{_W2}){{0,2}}(?:,?[ ]\d{{4,6}}\b)?",
    ),
    Rule(  # ordinal streets and numbered roads: 350 5th Avenue, 12 Highway 99
        kind="address", score=0.75, right=rf"(?![{LOWER}0-9])", gate=_ORDINAL,
        pattern=rf"{_ORDINAL}(?:\.|[A-Za-z0-9]*)"
        rf"(?:{_SEP}{_UNIT})?{_TAIL}",
    ),
    Rule(  # anything from a unit or a house number to a US state and ZIP code
        kind="address", score=0.8, gate=rf"{_SEP}{_STATE},?[ ]\d{{5}}", back=230,
        pattern=rf"(?:{_UNIT}{_SEP})?\d{{1,6}}[ ]{_W}(?:[ ][A-Za-z0-9.#\-]{{1,20}}){{0,6}}{_SEP}{_W2}{_SEP}{_STATE},?[ ]\d{{5}}(?:-\d{{4}})?",
    ),
    Rule(  # the same to an Australian state and postcode
        kind="address", score=0.8, gate=rf"{_SEP}{_AU_STATE},?[ ]\d{{4}}", back=230,
        pattern=rf"(?:{_UNIT}{_SEP})?(?:\d{{1,6}}[A-Za-z]?(?:/\d{{1,5}})?[ ])?{_W}(?:[ ][A-Za-z0-9.#\-]{{1,20}}){{0,6}}{_SEP}{_W2}{_SEP}{_AU_STATE},?[ ]\d{{4}}",
    ),
    Rule(  # United Kingdom: up to three lines, then a postcode
        kind="address", score=0.8, gate=_SEP + _UK_CODE, back=200,
        pattern=rf"(?:{_UNIT}{_SEP})?(?:{_HOUSE}[ ])?{_W2}{_SEP}(?:{_W2}{_SEP}){{0,2}}{_UK_CODE}",
    ),
    Rule(kind="address", score=0.85, pattern=r"(?i)(?:(?:unit|psc|cmr) \d{1,5},? box \d{1,5}|us(?:ns|nv|s|cgc) [a-z]+)[ ,\n]{1,3}(?:apo|fpo|dpo),? a[aep],? \d{5}"),
    Rule(kind="address", score=0.7, gate=r"(?i)(?:p\.? ?o\.? box|postfach|apartado(?: de correos)?|casella postale|bo\xeete postale) \d", pattern=rf"(?i:p\.? ?o\.?[ ]box|postfach|apartado(?: de correos)?|casella postale|bo\xeete postale)[ ]\d{{1,6}}{_TAIL}"),
    Rule(
        kind="address", score=0.8, right=r"(?![A-Za-z0-9])",
        gate=_DE_END + r"[ ]\d", back=90,
        pattern=rf"{_DE_STREET}[ ]\d{{1,4}}[ ]?[a-z]?(?:[/\-]\d{{1,4}})?(?:,?[ \n]{{1,2}}(?:D-|A-|CH-)?\d{{4,5}}[ ]{_W2})?",
    ),
    Rule(
        kind="address", score=0.8, gate=rf"{_STREET_EU}[ ](?:(?:de|du|des|la|le|les|d'|l'|de[ ]la|de[ ]l')[ ]?){{0,2}}[{UPPER}]", back=16,
        pattern=rf"(?:\d{{1,4}}(?:[ ]?(?:bis|ter|quater))?,?[ ])?{_FR_STREET},?[ \n]{{1,2}}\d{{5}}[ ]{_W2}|\d{{1,4}}(?:[ ]?(?:bis|ter|quater))?,?[ ]{_FR_STREET}",
    ),
    Rule(
        kind="address", score=0.8, gate=rf"{_ES_STREET},?[ ](?:n\xba?[ ]?)?\d",
        pattern=rf"{_ES_STREET},?[ ](?:n\xba?[ ]?)?\d{{1,4}}{_DETAIL}(?:[ ]?,[ ]?{_W2})?(?:[ ]?,[ ]?\d{{5}})?(?:[ ]{_W2})?",
    ),
    Rule(
        kind="address", score=0.8, gate=rf"{_IT_STREET},?[ ](?:n\.?[ ]?)?\d",
        pattern=rf"{_IT_STREET},?[ ](?:n\.?[ ]?)?\d{{1,4}}(?:/[A-Za-z])?(?:[ ](?:Appartamento|Piano|Interno|Scala)[ ]\d{{1,3}})?(?:,?[ ]{_EU_CITY})?",
    ),
    Rule(kind="address", score=0.7, pattern=rf"{_EU_CITY}[ ]\([A-Z]{{2}}\)"),
    Rule(kind="postcode", score=0.6, pattern=_UK_CODE, context="postcode|post code|address|live", against="part|model|order|ticket|room"),
    Rule(
        kind="postcode", score=0.15, pattern=r"\d{4,5}(?:-\d{4})?", right=r"(?![A-Za-z0-9%])(?![.,\-]\d)",
        context=r"zip(?: ?code)?|post(?:al)? ?code|postcode|plz|postleitzahl|code postal|c\.?p\.?|código postal|cap",
    ),
)  # fmt: skip
