"""Words that name a kind of thing and nobody: a tagger that never saw one takes it for an organisation."""

from __future__ import annotations

import re

# Names of numbers and papers, formats and devices, medicine, trade, planets, and the capitals of contracts. What is
# also a name of an organisation or a place (BP, ISO, MD, OR) is not among them. Chosen by hand; none is one in most of
# its places in the data.
TERMS = frozenset(
    """
    3G 4G 5G ABN ACN ADHD AGREEMENT AHV AIDS Aktenzeichen ALS ANNEX ANSI API APPENDIX APR ARTICLE ASAP ASIN ATM ATV
    AUD Ausweisnummer B2B B2C BC BCAA BCC BIC BMI BSc BSN CBD CC CCPA CD CEO CET CFO CHF CI CIF CIO CISO CLAUSE CLI
    CNPJ CNY COO COPD COVID COVID-19 CPF CPI CPU CRM CSS CSV CTO CUIL CUIT CURP CVC CVV DEA DHCP DIN DKK DNA DNI DNS
    DOB DOC DOCX DOI DSGVO DSS DVD EAN EBITDA ECG EEG EIN EKG ERP ESG EST ETA ETF EUR EVP EXHIBIT FAQ FTP FW FWD FYI
    Führerschein GBP GDP GDPR GFR GIF GMT GPS GPU GUI GUID H1N1 HbA1c HDD HDL HDMI HDTV HEREBY HEREIN HEREINAFTER
    HERETO HIPAA HIV HKID HMB HTML HTTP HTTPS IBAN ICCID ICU ID IDs IEEE IMEI IMSI Inc INR INSEE IoT IPO IRR ISBN ISSN
    ITIN IVF JPEG JPG JPY JSON Kennzeichen Kfz-Kennzeichen Kontonummer KPI Kundennummer kWh KYC LAN LCD LDL LED LLB
    LLC LLMs Ltd LTE MBA ML MMS MP3 MP4 MPG MRI MRN MSc MSISDN MyKad NDA NFC NIE NIF NINO NIR NLP NOK NOTICE
    NOTWITHSTANDING NPI NPV NRIC NRN OCD OCR OLED OTP PAN PC PCI PDF Personalausweis PESEL PET PhD PHP PIN PINs PM PNG
    PNR PST PTSD PURSUANT QR R&D RAM RBC RE Rechnungsnummer Reisepass RFC RFID RFP RFQ RNA ROI ROM RPM RSVP RUT RV
    SaaS SARS SCHEDULE SDK SECTION SEK SIM SIN SIREN SIRET SLA SMS SOX Sozialversicherungsnummer SPF SQL SSD SSH
    SSL SSN STD Steuer-ID Steuernummer SUV SVG SVNR SVP SWIFT TBD TCP TFN THC THEREFORE THEREOF TIN TLS TSH TV UDP UID
    UIN UPC URI URL USB USD UTC UTI UUID UV UX VAC VAT VCR Versichertennummer VGA VHS VIN VP VPN WAN WBC WHEREAS Wi-Fi
    WiFi WITNESSETH WLAN XLS XLSX XML YAML
    Aadhaar IVA P.IVA C.F. C.I.F. PO SKU UPI
    address city company contact country customer employer name patient phone state street town user vendor zip cc Cc
    Mercury Venus Mars Jupiter Saturn Uranus Neptune Pluto
    """.split()
)


# Forms of address that are nobody's name (King, Judge and Prince are).
_FORMS = frozenset(
    "mr mrs ms mx dr prof sir madam herr frau hr mme mlle monsieur sr sra srta sig sig.ra dott dott.ssa".split()
)
_NAMED = frozenset({"organisation", "place", "person"})


_UNIT = re.compile(r"[ \xa0]?(?:[mµun]s|secs?|[kKMGT]i?B|bytes|rows|items|px|pt|[kcm]?m|[km]?g|ml|dB|%|°)(?![A-Za-z])")
_NUMBER = re.compile(r"[0-9]{1,4}(?:[.,][0-9]{1,3})?")


def is_measure(value: str, behind: str) -> bool:
    """True for a number with a unit behind it, which a tagger reads as a year or a house number in terse lines."""
    return _NUMBER.fullmatch(value) is not None and _UNIT.match(behind) is not None


def names_nobody(value: str, kind: str) -> bool:
    """True for an organisation, place or person that is such a word or a bare form of address, or has no letter."""
    if kind not in _NAMED:
        return False
    return value in TERMS or value.rstrip(".").lower() in _FORMS or not any(map(str.isalpha, value))
