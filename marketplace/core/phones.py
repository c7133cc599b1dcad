"""Telephone numbers in one form, that of ITU-T E.164: `+` and up to 15 digits, the country's calling code first."""

from __future__ import annotations

import re
import unicodedata

# Calling code → countries (ISO 3166-1), as ITU-T E.164 assigns them.
_CODES = """
1:AG,AI,AS,BB,BM,BS,CA,DM,DO,GD,GU,JM,KN,KY,LC,MP,MS,PR,SX,TC,TT,US,VC,VG,VI 7:KZ,RU 20:EG 27:ZA 30:GR 31:NL 32:BE
33:FR 34:ES 36:HU 39:IT,VA 40:RO 41:CH 43:AT 44:GB,GG,IM,JE 45:DK 46:SE 47:NO,SJ 48:PL 49:DE 51:PE 52:MX 53:CU 54:AR
55:BR 56:CL 57:CO 58:VE 60:MY 61:AU,CC,CX 62:ID 63:PH 64:NZ 65:SG 66:TH 81:JP 82:KR 84:VN 86:CN 90:TR 91:IN 92:PK 93:AF
94:LK 95:MM 98:IR 211:SS 212:EH,MA 213:DZ 216:TN 218:LY 220:GM 221:SN 222:MR 223:ML 224:GN 225:CI 226:BF 227:NE 228:TG
229:BJ 230:MU 231:LR 232:SL 233:GH 234:NG 235:TD 236:CF 237:CM 238:CV 239:ST 240:GQ 241:GA 242:CG 243:CD 244:AO 245:GW
246:IO 248:SC 249:SD 250:RW 251:ET 252:SO 253:DJ 254:KE 255:TZ 256:UG 257:BI 258:MZ 260:ZM 261:MG 262:RE,YT 263:ZW
264:NA 265:MW 266:LS 267:BW 268:SZ 269:KM 290:SH 291:ER 297:AW 298:FO 299:GL 350:GI 351:PT 352:LU 353:IE 354:IS 355:AL
356:MT 357:CY 358:AX,FI 359:BG 370:LT 371:LV 372:EE 373:MD 374:AM 375:BY 376:AD 377:MC 378:SM 380:UA 381:RS 382:ME
385:HR 386:SI 387:BA 389:MK 420:CZ 421:SK 423:LI 500:FK 501:BZ 502:GT 503:SV 504:HN 505:NI 506:CR 507:PA 508:PM 509:HT
590:BL,GP,MF 591:BO 592:GY 593:EC 594:GF 595:PY 596:MQ 597:SR 598:UY 599:BQ,CW 670:TL 672:NF 673:BN 674:NR 675:PG 676:TO
677:SB 678:VU 679:FJ 680:PW 681:WF 682:CK 683:NU 685:WS 686:KI 687:NC 688:TV 689:PF 690:TK 691:FM 692:MH 850:KP 852:HK
853:MO 855:KH 856:LA 880:BD 886:TW 960:MV 961:LB 962:JO 963:SY 964:IQ 965:KW 966:SA 967:YE 968:OM 970:PS 971:AE 972:IL
973:BH 974:QA 975:BT 976:MN 977:NP 992:TJ 993:TM 994:AZ 995:GE 996:KG 998:UZ
"""
_CODE_OF = {
    country: code for code, _, countries in (entry.partition(":") for entry in _CODES.split())
    for country in countries.split(",")
}  # fmt: skip
_CALLING_CODES = frozenset(_CODE_OF.values()) | {"383"}  # Kosovo has a calling code, and no code of ISO 3166

# Digits that are dialled before a national number within the country and are no part of it: a nought, unless said here.
_NO_TRUNK_PREFIX = (
    "AD AO AW BF BH BI BJ BN BQ BT BW BZ CF CG CI CK CL CM CR CV CW CY CZ DJ DK EE ES FJ FK FM FO GA GI GL GM GN GQ GR "
    "GT GW GY HK HN HT IO IS IT KI KM KW LS LU LV ML MO MR MT MU MV MZ NC NE NF NI NO NR NU OM PA PF PG PL PT PW QA SB "
    "SC SG SH SM SN SR ST SV SZ TD TG TK TL TN TO TV UZ VU WF WS"
)
_TRUNK_PREFIXES = {_CODE_OF[country]: "" for country in _NO_TRUNK_PREFIX.split()} | {
    _CODE_OF[country]: prefix
    for country, prefix in (("US", "1"), ("RU", "8"), ("TM", "8"), ("BY", "80"), ("HU", "06"), ("MX", "01"))
}
# Where national numbers have so many digits, and may begin like the prefix.
_LENGTHS = {_CODE_OF["US"]: 10, _CODE_OF["RU"]: 10}

_NUMBER = re.compile(r"\+?[\s().\-/]*\d[\d\s().\-/]{5,}")
_FEWEST, _MOST = 7, 15  # digits, the calling code included


def phone_number(text: str, country: str = "") -> str:
    """The first number in a text, in international form; empty where it cannot be told or is none.

    A number without a calling code is one of `country` (ISO 3166-1).

    >>> phone_number("030 / 123 456-7", "DE"), phone_number("0049 (0)30 1234567"), phone_number("ring me")
    ('+49301234567', '+49301234567', '')
    """
    found = _NUMBER.search(unicodedata.normalize("NFKC", text))
    if found is None:
        return ""
    digits = "".join(str(unicodedata.decimal(each)) for each in found[0] if each.isdecimal())
    code, national = _CODE_OF.get(country, ""), digits
    abroad = re.match(r"011|00" if code == _CODE_OF["US"] else r"00", digits)
    if found[0].startswith("+") or abroad:
        code, national = _split(digits[abroad.end() :] if abroad else digits)
    length = _LENGTHS.get(code)
    if length is None or len(national) > length:
        national = re.sub(rf"^(?:{_TRUNK_PREFIXES.get(code, '0')})+", "", national)
    fits = len(national) == length if length else _FEWEST <= len(code + national) <= _MOST
    # Of one or two different digits is what people type where something has to be.
    return f"+{code}{national}" if code and fits and len(set(national)) > 2 else ""


def _split(digits: str) -> tuple[str, str]:
    """Calling code and the rest. No code is the beginning of another."""
    code = next((digits[:length] for length in (1, 2, 3) if digits[:length] in _CALLING_CODES), "")
    return code, digits.removeprefix(code)
