"""The official form of a number: lengths, places, dates, check digits. Pure functions of digits alone.

Sources: NIK and KK, Permendagri 72/2022 (province and regency of Kemendagri, DDMMYY, day + 40 for women, serial);
NPWP, PMK 112/2022; resident identity, GB 11643-1999 with ISO 7064 MOD 11-2 and the provinces of GB/T 2260; cards,
ISO/IEC 7812 with the ranges that issuers use; IBAN, ISO 13616; Chinese mobiles, the MIIT numbering plan; Indonesian
mobiles and area codes, Permenkominfo 14/2018; postal S10 items, UPU S10.
"""

from __future__ import annotations

import re
from typing import Final

from shopward.scrubber.gazetteer import words

# Kemendagri's provinces, with those that were made of Papua in 2022.
_ID_PROVINCES: Final = words("provinces-id")
_CN_PROVINCES: Final = words("provinces-cn")
_DAYS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_MOD_11_2: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CARD: Final = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})"  # Visa
    r"|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"  # Mastercard
    r"|3[47]\d{13}|(?:3[689]\d|30[0-59])\d{11}"  # American Express, Diners Club
    r"|(?:2131|1800)\d{11}|35\d{14}"  # JCB
    r"|(?:6011|64[4-9]\d|65\d\d)\d{12}(?:\d{3})?|62\d{14,17}"  # Discover, UnionPay
    r"|(?:5018|5020|5038|5[6-8]\d\d|6304|6390|6759|676[1-3])\d{8,15}|(?:50|6\d)\d{14}(?:\d{3})?"  # Maestro, GPN
)
_CN_MOBILE: Final = re.compile(r"1(?:3\d|4[5-9]|5[0-35-9]|6[25-7]|7[0-8]|8\d|9[0-35-9])\d{8}")
_CN_AREA: Final = re.compile(r"0(?:10|2[0-57-9]|[3-9]\d\d)[2-8]\d{6,7}")
_ID_AREA: Final = re.compile(
    r"0(?:21|22|24|31|61|2[3-9]\d|3[2-8]\d|4[0-9]\d|5[1-6]\d|6[2-5]\d|7[1-7]\d|9[0-8]\d)[2-9]\d{4,7}"
)


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of ISO/IEC 7812-1."""
    total = sum(map(int, digits[-1::-2])) + sum([_DOUBLED[int(digit)] for digit in digits[-2::-2]])
    return total % 10 == 0


def is_card(digits: str) -> bool:
    """A number in an issuer's range whose check digit is right, and not one digit again and again."""
    return _CARD.fullmatch(digits) is not None and luhn(digits) and len(set(digits)) > 2


def is_date(day: int, month: int) -> bool:
    """A day of a month, of any year."""
    return 1 <= month <= 12 and 1 <= day <= _DAYS[month - 1]


def is_nik(digits: str) -> bool:
    """16 digits: province, regency, district, DDMMYY (day + 40 for women), serial; KK numbers have the same form."""
    if digits[:2] not in _ID_PROVINCES or digits[2:4] == "00" or digits[4:6] == "00" or digits[12:] == "0000":
        return False
    day = int(digits[6:8])
    return is_date(day - 40 if day > 40 else day, int(digits[8:10]))


def is_resident_id(text: str) -> bool:
    """17 digits and a check character: province, born 1850 to 2049, MOD 11-2."""
    if text[:2] not in _CN_PROVINCES or text[6:8] not in ("18", "19", "20"):
        return False
    if not is_date(int(text[12:14]), int(text[10:12])):
        return False
    return "10X98765432"[sum(map(int.__mul__, map(int, text[:17]), _MOD_11_2)) % 11] == text[17].upper()


def is_old_resident_id(digits: str) -> bool:
    """15 digits without a check digit, as issued until 1999."""
    return digits[:2] in _CN_PROVINCES and is_date(int(digits[10:12]), int(digits[8:10]))


def is_npwp(digits: str) -> bool:
    """15 digits whose first nine carry their check digit, or those after a 0, or a NIK."""
    if len(digits) == 16:
        return is_nik(digits) or (digits[0] == "0" and luhn(digits[1:10]))
    return len(digits) == 15 and luhn(digits[:9])


def is_cn_mobile(digits: str) -> bool:
    """11 digits in a range of the MIIT's plan."""
    return _CN_MOBILE.fullmatch(digits) is not None


def is_cn_landline(digits: str) -> bool:
    """Area code with its 0 and seven or eight digits."""
    return _CN_AREA.fullmatch(digits) is not None


def is_id_mobile(national: str) -> bool:
    """A number after 0 or +62: 8, an operator's digit and nine to eleven in all (older ones have eight)."""
    return national[0] == "8" and "1" <= national[1] <= "9" and 9 <= len(national) <= 12


def is_id_landline(digits: str) -> bool:
    """Area code with its 0 and five to eight digits."""
    return 9 <= len(digits) <= 12 and _ID_AREA.fullmatch(digits) is not None


def is_iban(text: str) -> bool:
    """ISO 13616: the country and check digits moved to the end give 1 modulo 97."""
    if not 15 <= len(text) <= 34:
        return False
    return int("".join([str(int(letter, 36)) for letter in text[4:] + text[:4]])) % 97 == 1


def is_s10(text: str) -> bool:
    """A postal item of UPU S10: two letters, eight digits, a check digit, the country."""
    weights = (8, 6, 4, 2, 3, 5, 9, 7)
    check = 11 - sum([int(digit) * weight for digit, weight in zip(text[2:10], weights, strict=True)]) % 11
    return {10: 0, 11: 5}.get(check, check) == int(text[10])
