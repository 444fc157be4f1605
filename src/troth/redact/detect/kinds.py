"""The kinds of personal data that detectors can name, and the category of the taxonomy that each belongs to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Category:
    """One row of the taxonomy that a policy must decide on. `title` is plain English for people."""

    name: str
    title: str


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of find. `label` is what a reader sees (`<EMAIL>`); a container may hold other finds (a URL)."""

    name: str
    category: str
    label: str
    container: bool = False


# Personal data by GDPR Art. 4(1) (direct and online identifiers, location), Art. 9 and 10 (special categories), and
# secrets, which are no personal data but must not be learnt either.
CATEGORIES: dict[str, Category] = {
    name: Category(name, title)
    for name, title in (
        ("person_name", "Names of people"),
        ("account_name", "User names and handles"),
        ("email", "E-mail addresses"),
        ("phone", "Telephone and fax numbers"),
        ("postal_address", "Postal addresses and postcodes"),
        ("location", "Places and coordinates"),
        ("birth_date", "Dates of birth"),
        ("date", "Other full dates"),
        ("age", "Ages"),
        ("national_id", "National and social-security numbers"),
        ("tax_id", "Tax and business numbers"),
        ("health_id", "Health insurance and patient numbers"),
        ("travel_document", "Passports, identity cards, driving licences"),
        ("vehicle", "Vehicle numbers"),
        ("payment_card", "Payment cards"),
        ("bank_account", "Bank accounts"),
        ("crypto_wallet", "Addresses of crypto wallets"),
        ("network_address", "IP addresses"),
        ("device", "Device numbers"),
        ("url", "Web addresses"),
        ("secret", "Passwords, keys and tokens"),
        ("organisation", "Names of organisations"),
        ("job_title", "Job titles"),
        ("demographic", "Gender, nationality, marital status"),
        ("special_category", "Health, belief, origin, orientation, convictions (GDPR Art. 9 and 10)"),
    )
}

_ROWS: tuple[tuple[str, str, str], ...] = (
    # category, label, kinds
    ("person_name", "PERSON", "person"),
    ("account_name", "USERNAME", "username"),
    ("email", "EMAIL", "email"),
    ("phone", "PHONE", "phone"),
    ("postal_address", "ADDRESS", "address postcode"),
    ("location", "LOCATION", "coordinates place"),
    ("organisation", "ORG", "organisation"),
    ("birth_date", "DATE", "birth_date"),
    ("date", "DATE", "date"),
    ("age", "AGE", "age"),
    ("national_id", "ID",
     "us_ssn uk_nino de_rvnr fr_nir es_dni es_nie it_codice_fiscale ca_sin nl_bsn pl_pesel br_cpf ch_ahv "
     "se_personnummer fi_hetu in_aadhaar be_nn dk_cpr no_fnr at_svnr pt_nif gr_amka cz_rc hr_oib "
     "ro_cnp bg_egn ee_ik il_id za_id tr_tckn "
     "cn_ric kr_rrn sg_nric my_nric hk_id th_id mx_curp cl_rut ar_dni nz_ird jp_mynumber national_id"),
    ("tax_id", "ID",
     "us_itin us_ein uk_utr au_tfn au_abn de_idnr de_stnr fr_siren fr_siret es_cif it_piva eu_vat in_pan "
     "ie_pps br_cnpj mx_rfc ar_cuit"),
    ("health_id", "ID", "us_npi us_mbi uk_nhs au_medicare medical_record"),
    ("travel_document", "ID", "passport driving_licence de_ausweis document_id"),
    ("vehicle", "ID", "vin licence_plate"),
    ("payment_card", "CREDIT_CARD", "payment_card"),
    ("payment_card", "SECRET", "card_code"),
    ("bank_account", "IBAN", "iban"),
    ("bank_account", "ID", "bic bank_account uk_sort_code us_routing"),
    ("crypto_wallet", "ID", "btc_address eth_address"),
    ("network_address", "IP", "ipv4 ipv6"),
    ("device", "ID", "mac imei imsi iccid device_id"),
    ("url", "URL", "url"),
    ("job_title", "JOB", "job_title"),
    ("demographic", "DEMOGRAPHIC", "gender nationality marital_status"),
    ("special_category", "SPECIAL", "religion ethnicity orientation health"),
    ("secret", "SECRET",
     "aws_key github_token gitlab_token slack_token stripe_key google_key llm_key registry_token jwt private_key "
     "connection_string password bearer secret_value vendor_token"),
)  # fmt: skip

MODEL_KINDS = frozenset({"place", "organisation"})  # what only the model tiers find; no rule does
# Quasi-identifiers: alone they name no one, together they may. Found by word lists (`redact/quasi.py`), and only where
# a policy takes them out.
QUASI_KINDS = frozenset({"job_title", "gender", "nationality", "marital_status", "religion", "ethnicity", "orientation",
                         "health"})  # fmt: skip
_CONTAINERS = frozenset({"address", "url", "private_key", "person"})

KINDS: dict[str, Kind] = {
    name: Kind(name, category, label, name in _CONTAINERS) for category, label, names in _ROWS for name in names.split()
}
