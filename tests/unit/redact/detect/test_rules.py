"""Each kind is found as people write it, and what only looks like it is left alone."""

from __future__ import annotations

import pytest

from troth.redact.detect import KINDS, rules_detector
from troth.redact.detect.compiled import ACCEPT, compile_rule
from troth.redact.detect.kinds import MODEL_KINDS, QUASI_KINDS
from troth.redact.detect.rules import TABLE

# kind, text; the value stands between « and »
FOUND = [
    ("person", "talk to «Andrés», please"),  # beside `André`, which is listed too
    ("person", "<td>«Noémie Moreau»</td>"),
    ("uk_nino", "NI number «QQ 12 34 56 C»"),  # the prefix that the tax office prints in its examples
    ("username", '{"login": "«olafcaspar»", "status": "ok"}'),
    ("username", "WARN username=«ephilipp» attempt=4"),
    ("username", "<user>«annapenz»</user>"),
    ("username", "UPDATE t SET login='«jakeking»' WHERE id=7;"),
    ("username", "| user | «dachgeldtjens» | 53 |"),
    ("username", "username: «tmoody»"),
    ("username", "the username we have on file is «mariahervia», is that right?"),
    ("username", "I think my login was «avni60»."),
    ("password", "<pwd>«Ol67YUrX4»</pwd>"),
    ("password", "| passwd | «$4Lv0sv#» | 41 |"),
    ("password", "pwd: «*(RDzSf86»"),
    ("password", "the password we have on file is «%1Q7_krKiSUBw$», is that right?"),
    ("password", "DB_PASSWORD=«JpwK3(#X$3I»"),
    ("document_id", "national_id=«247630950» attempt=5"),
    ("national_id", "| ssn | «19220842062» | 32 |"),
    ("national_id", "tax id: «768 164 774»"),
    ("phone", "TEL=«+39 3710549381»"),
    ("phone", "| cell | «(+358) 251851102» |"),
    ("phone", "(see «+49 30 1234567» for more)"),
    ("document_id", "Meeting ID: «845 2231 9087» Passcode"),
    ("email", "write to «maria.keller+x@mail.example.co.uk»."),
    ("email", "write to «jürgen.groß@müller.de» please"),
    ("email", "john [at] doe [dot] org is «mary [at] example [dot] org»"),
    ("phone", "call +44 20 7946 0958"),
    ("phone", "ring «+44 (0)20 7946 0958»."),
    ("phone", "Handy: «0171 8954911»"),
    ("phone", "tel «020 7946 0958», thanks"),
    ("phone", "reach me at «(415) 555-0134 ext. 22»"),
    ("phone", "llámame: «91 129 88 18»"),
    ("phone", "mon portable «06 11 90 34 99»"),
    ("phone", "mobile «0412 345 678»"),
    ("phone", "the number is «449 4898»"),
    ("payment_card", "card «4111 1111 1111 1111» exp 07/29"),
    ("payment_card", "amex «3782-822463-10005»"),
    ("card_code", "cvv: «123»"),
    ("iban", "IBAN «DE89 3704 0044 0532 0130 00» thanks"),
    ("iban", "to «GB82WEST12345698765432»."),
    ("bic", "BIC «DEUTDEFF500»"),
    ("bank_account", "account number «12345678»"),
    ("uk_sort_code", "sort code «12-34-56»"),
    ("us_routing", "routing number «021000021»"),
    ("btc_address", "to «1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa»"),
    ("btc_address", "to «bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4»"),
    ("eth_address", "to «0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed»"),
    ("ipv4", "from «83.69.201.157» 584ms"),
    ("ipv6", "from «2001:db8:aa75::51» 665ms"),
    ("mac", "nic «00:1B:44:11:3A:B7» up"),
    ("imei", "IMEI «490154203237518»"),
    ("url", "see «https://example.org/a?b=c»."),
    ("url", "see «www.example.org/path»,"),
    ("coordinates", "met at «52.520008, 13.404954»"),
    ("us_ssn", "my ssn is «536-90-4399»"),
    ("us_ssn", "social security number 536904399"),
    ("us_itin", "ITIN «912-70-1234»"),
    ("us_ein", "EIN «12-3456789»"),
    ("us_npi", "NPI «1234567893»"),
    ("us_mbi", "Medicare beneficiary «1EG4-TE5-MK73»"),
    ("uk_nhs", "NHS number «943 476 5919»"),
    ("uk_nino", "NI number «AB 12 34 56 C»"),
    ("uk_utr", "UTR «1955839661»"),
    ("au_tfn", "tax file number «123 456 782»"),
    ("au_abn", "ABN «83 914 571 673»"),
    ("au_medicare", "Medicare card «2123 45670 1»"),
    ("de_idnr", "Steuer-ID «36 574 261 809»"),
    ("de_ausweis", "Personalausweis-Nr. «T220001293»"),
    ("de_rvnr", "RVNR «65 170839 J 003»"),
    ("de_stnr", "Steuernummer «181/815/08155»"),
    ("fr_nir", "NIR «2 95 10 99 126 111 93»"),
    ("fr_siren", "SIREN «552 008 443»"),
    ("fr_siret", "SIRET «73282932000074»"),
    ("es_dni", "DNI «54362315K»"),
    ("es_nie", "NIE «X-5253868-R»"),
    ("es_cif", "CIF «J99216582»"),
    ("it_codice_fiscale", "codice fiscale «RCCMNL83S18D969H»"),
    ("it_piva", "P. IVA «00743110157»"),
    ("eu_vat", "VAT «DE136695976»"),
    ("nl_bsn", "BSN «111222333»"),
    ("pl_pesel", "PESEL «44051401359»"),
    ("ch_ahv", "AHV «756.9217.0769.85»"),
    ("se_personnummer", "personnummer «880320-0016»"),
    ("fi_hetu", "hetu «131052-308T»"),
    ("br_cpf", "CPF «390.533.447-05»"),
    ("ca_sin", "SIN «130 692 544»"),
    ("in_pan", "PAN «ACUPA7085R»"),
    ("in_aadhaar", "Aadhaar «2341 2341 2346»"),
    ("passport", "passport number is «C06602503»"),
    ("driving_licence", "driver's license «Q4950743»"),
    ("document_id", "id «GB-DL-513189243113» shown"),
    ("national_id", "National ID 423-13-8340x or national identification number «423-138-34001»"),
    ("medical_record", "MRN «H-0049921»"),
    ("be_nn", "rijksregisternummer «85.07.30-033.28»"),
    ("dk_cpr", "CPR-nr «211062-5629»"),
    ("no_fnr", "fødselsnummer «151086 95088»"),
    ("at_svnr", "SVNR «1237 010180»"),
    ("pt_nif", "NIF «501 964 843»"),
    ("ie_pps", "PPSN «6433435F»"),
    ("gr_amka", "AMKA «01013099997»"),
    ("cz_rc", "rodné číslo «710319/2745»"),
    ("hr_oib", "OIB «33392005961»"),
    ("ro_cnp", "CNP «1630615123457»"),
    ("bg_egn", "EGN «7523169263»"),
    ("ee_ik", "isikukood «36805280109»"),
    ("il_id", "Teudat Zehut «039337423»"),
    ("za_id", "RSA ID «7503305044089»"),
    ("tr_tckn", "TC Kimlik No «17291716060»"),
    ("cn_ric", "card «360426199101010071»"),
    ("kr_rrn", "RRN «971013-9019902»"),
    ("sg_nric", "NRIC «S1234567D»"),
    ("my_nric", "MyKad «770305-02-1234»"),
    ("hk_id", "HKID «G123456(A)»"),
    ("th_id", "ID «1-2345-45678-78-1»"),
    ("mx_curp", "CURP «BOXW310820HNERXN09»"),
    ("mx_rfc", "RFC «GODE561231GR8»"),
    ("cl_rut", "RUT «12.531.909-2»"),
    ("ar_cuit", "CUIT «20-05536168-2»"),
    ("ar_dni", "DNI «20.123.456»"),
    ("br_cnpj", "CNPJ «16.727.230/0001-97»"),
    ("nz_ird", "IRD number «49-091-850»"),
    ("jp_mynumber", "My Number «1234 5678 9018»"),
    ("imsi", "IMSI «429011234567890»"),
    ("iccid", "ICCID «89148000005339755555»"),
    ("device_id", "IDFA «6D92078A-8246-4BA4-AE5B-76104861E7DC»"),
    ("passport", "«P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10»"),
    ("de_ausweis", "Reisepass-Nr. «C01X00T47»"),
    ("driving_licence", "Patente: «U1K24R971Z»"),
    ("phone", "Fax:«942202726» E-mail"),
    ("phone", "id,phone,amount\n7,Ann,«020 7383 2651»,9.50"),
    ("username", "login for «amber.bryant» failed"),
    ("vin", "VIN «1HGCM82633A004352»"),
    ("licence_plate", "license plate «7ABC123»"),
    ("birth_date", "Date of birth: «20 January 1971»"),
    ("birth_date", '"dob": "«1972-01-22»"'),
    ("birth_date", "née le «3 août 1981»"),
    ("date", "released «2024-05-17» in town"),
    ("age", "a «42-year-old» patient"),
    ("age", "aged «67», from York"),
    ("address", "at «16593 Robertson Port Suite 286, South Michaelchester, MI 31020»."),
    ("address", "at «Flat 02, Carol Mountains, Bentleyfort, B88 2GN»"),
    ("address", "at «607 Morgan Key, New Natashabury, ACT, 2903»"),
    ("address", "in der «Mechtild-Beer-Straße 47, 96826 Wittstock»."),
    ("address", "habite «12 bis, rue de la Paix, 75002 Paris»."),
    ("address", "vive en «Avenida de Iris Gimeno 98 Puerta 2 , Burgos, 33603»"),
    ("address", "abita in «Strada Tiziana, 49, 25028, Verolanuova (BS)»"),
    ("address", "at «Unit 9821 Box 3298, DPO AE 88606»"),
    ("address", "P.O. boxes: «PO Box 1234»"),
    ("address", "located at «2455 bennett valley road»."),
    ("postcode", "zip code is «72664»"),
    ("username", "login user=«amber.bryant» ok"),
    ("username", "thanks «@jane_doe42»!"),
    ("username", "<«x_hammond_x»> hey there"),
    ("person", "Dear Mr «Featherstone», hello"),
    ("person", "Hi, I am «Maria Keller» and"),
    ("person", "mein Name ist «Jürgen Müller»."),
    ("person", "je m'appelle «André Lefèvre», bonjour"),
    ("person", "Applicant: «MITCHELL, Andre»\n"),
    ("person", '"name": "«Emilia Llorente»"'),
    ("person", "From: «Xanthe Zzyzx» <xz@example.org>"),
    ("person", "Becker was there. I saw «Siobhan O'Brien» leave"),
    ("person", "hey «Mark», can you"),
    ("person", "with «Becker Hubert J» at noon"),
    ("aws_key", "key «AKIAIOSFODNN7EXAMPLE»"),
    ("github_token", "t=«ghp_zWBXfWhhFKQJ2zN7gVETrCssVszKmsEPcayg»"),
    ("gitlab_token", "t «glpat-abcdefghij0123456789»"),
    ("slack_token", "t «xoxb-515513257707-810214942993-X6iLMoomKUoMHmjndYn0PVbm»"),
    ("stripe_key", "t «sk_live_DFiqrAmbiemNnD2glvJHZLdB»"),
    ("google_key", "t «AIza8Sp-7kvkLKcZwpQe8kD_VtO7bE7LB8Blezk»"),
    ("llm_key", "t «sk-proj-QuilN4jwV0AhOkBOIeKLC4Xb1fp9v2BTmyL5YuSJVFxm9D9B»"),
    ("llm_key", "t «sk-ant-api03-RQrVJgtl7geUqw6UOdK63KoBEc_kLNRlHyCupiQy»"),
    ("registry_token", "t «npm_NuoaV1ADC2zT6r9obdXzB0Mz7vQgxaplLiTE»"),
    ("vendor_token", "t «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»"),
    ("jwt", "Bearer «eyJhbGciOiJIUzI1NiJ9.TY84GF75iDZ5GFn5rqlmJDEf67ZL5mc7j2frICXH.RBPE0EjpnAa4ftNd5m4Pj5o8»"),
    ("private_key", "k=«-----BEGIN RSA PRIVATE KEY-----\nuq2wnSVsUkhuxHxoGWX3\n-----END RSA PRIVATE KEY-----»;"),
    ("connection_string", "postgres://svc_app:«T3b5TUPo4pRQEe»@db-6.internal:5432/app"),
    ("password", 'password = "«hunter2!x»"'),
    ("password", "env password=«mI&VI91x$Y»"),
    ("bearer", "Authorization: Bearer «abcdef0123456789abcdef»"),
    ("secret_value", "api_key: «GBanqiFxfGLj6rcN43C/iEtDCk9vdJwKIlhLDHx4»"),
]

NOTHING = [
    "user: thanks for the help\nassistant: you are welcome",
    '{"role": "user", "login": true, "user": null}',
    "login=True, user=request.user, username=username, handle=None",
    "The username is required. Your login was rejected. The user is happy.",
    "password: getpass.getpass(), secret = os.environ, pwd: required",
    "The password we have on file is too short.",
    "The error code is 4040; exit code: 1270; spin: 4821; pinned at 4711.",
    "Upgrade to v5.17.9 (build 92382340) before 9.30.",
    "version 1.2.3.4 and release 10.0.19045.3693",
    "Total: $557,235.37 for 7 seats, 19.99 EUR each, 1,234,567.89 in all.",
    "Order #2201021259 shipped, tracking 017792347322.",
    "Set retries=8, timeout=4859, batch=61132.",
    "commit 888e0cef665ee480dc0bd76a571ecc57f307a8eb touches 14 files.",
    "request id d14771bf-9cad-45c4-bd3f-a3d100ada4ae took 356 ms.",
    "sha256:6f8ba0aea1e363210be2eca3ef7ae7a54bef28e25043b545e80d0f54331e420e",
    "The test card 5195641576705301 is rejected by the checksum.",
    "Segfault at 0x9038f91a7505 in libfoo.so.7.13.0.",
    "Ticket EOU-43048 is a duplicate of RFD-4848.",
    "ISBN 978-0-57-582464-4 is on page 736.",
    "May will be busy, so Will and Mark-up reviews move to June.",
    "Alexa and Siri both misheard the Mercedes manual.",
    "The queue at 12:30:45 had 74 callers, 3.5 km away, 98.6 degrees.",
    "std::vector<int> a::b = c::d; 10:20:30",
    "127.0.0.1 and 0.0.0.0 and ::1 are this machine",
    "password = ${DB_PASSWORD} and token = None and secret: required",
    "a 1920x1080 picture, 300 dpi, 24 bits, ratio 16:9",
    "We met in San Francisco and drove to Santa Rosa.",
    "It took a 5 minute drive on a 4 lane road.",
    "chapter 12.4.2.1 of the manual",
    "user-agent: curl/8.6.38.1, build 8.24.24.1",
    "pip install foo==1.30.33.1 bar~=4.39.88.1",
    "    @property\n    def size(self): return a[1::2] + b[::3]",
    "client = Client(timeout=30)",
    "  - name: RETRIES\n    value: 3",
    "passwd = fallback_getpass(prompt) or netrc.authenticators(host)",
    "Copyright (C) 1995-2022 Free Software, license no change",
    "rgb(0.59, -0.2773, -0.5251)",
    "ORD-0075008191 and #009896805 were sent",
    "ValueError: pwd: expected bytes, got str",
    "def test_badandgoodsurrogatepassexceptions(self):",
]


@pytest.mark.parametrize(("kind", "marked"), FOUND, ids=[f"{k}-{i}" for i, (k, _) in enumerate(FOUND)])
def test_finds(kind: str, marked: str) -> None:
    text = marked.replace("«", "").replace("»", "")
    spans = [(text[s.start : s.end], s.kind) for s in rules_detector().detect(text)]
    if "«" in marked:
        assert (marked[marked.index("«") + 1 : marked.index("»")], kind) in spans
    else:
        assert kind in [k for _, k in spans]


@pytest.mark.parametrize("text", NOTHING)
def test_leaves_alone(text: str) -> None:
    assert [(text[s.start : s.end], s.kind) for s in rules_detector().detect(text)] == []


def test_every_kind_has_a_rule_and_an_example() -> None:
    assert {rule.kind for rule in TABLE} == set(KINDS) - MODEL_KINDS - QUASI_KINDS
    assert {kind for kind, _ in FOUND} == set(KINDS) - MODEL_KINDS - QUASI_KINDS
    assert len(KINDS) >= 60


def test_a_rule_that_needs_context_has_context() -> None:
    assert all(rule.context for rule in TABLE if rule.score < ACCEPT)
    assert all(compile_rule(rule).gate or rule.listed for rule in TABLE)


@pytest.mark.parametrize("prefix", ["", "😀 ", "Ünïcödé ąęłż ", "漢字テスト ", "\u200b\ud83d", "“"])
@pytest.mark.parametrize(
    ("kind", "marked"), [f for f in FOUND if f[0] in ("email", "iban", "person", "es_dni", "password")]
)
def test_offsets_are_code_points(prefix: str, kind: str, marked: str) -> None:
    marked = prefix + marked
    text = marked.replace("«", "").replace("»", "")
    value = marked[marked.index("«") + 1 : marked.index("»")]
    assert (value, kind) in [(text[s.start : s.end], s.kind) for s in rules_detector().detect(text)]
