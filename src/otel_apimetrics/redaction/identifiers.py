"""Numbers with a check digit: payment cards and bank accounts.

A check digit makes the rule precise: one number in ten passes Luhn (ISO/IEC 7812-1), one in
97 passes mod 97 (ISO 13616).
"""

import re
from typing import Final

from otel_apimetrics.redaction.marks import Marker

RUN: Final = re.compile(r"[0-9](?<![\d.][0-9])(?:[ -]?[0-9]){12,}")
"""Digits with single blanks or hyphens between them. One deterministic repeat: linear."""

ACCOUNT: Final = re.compile(
    r"[A-Z](?<![A-Za-z0-9][A-Z])[A-Z][0-9]{2}"
    r"(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,3})?(?![A-Za-z0-9])"
)
"""The shape of an IBAN, in groups of four or in one piece."""

_DOUBLED: Final = str.maketrans("0123456789", "0246813579")
_LENGTHS: Final = {
    **dict.fromkeys(("22", "23", "24", "25", "26", "27"), (16,)),
    **dict.fromkeys(("30", "36", "38", "39"), (16, 14)),
    **dict.fromkeys(("34", "37"), (15,)),
    "35": (16,),
    **dict.fromkeys((f"4{digit}" for digit in "0123456789"), (19, 16, 13)),
    **dict.fromkeys(("50", "56", "57", "58"), (19, 18, 16, 13)),
    **dict.fromkeys(("51", "52", "53", "54", "55"), (16,)),
    **dict.fromkeys((f"6{digit}" for digit in "0123456789"), (19, 18, 17, 16, 15, 13)),
}
"""First two digits of an issuer's range to the lengths it issues, the longest first."""
_COUNTRIES_WORDS: Final = (
    "AD AE AL AT AZ BA BE BG BH BI BR BY CH CR CY CZ DE DJ DK DO EE EG ES FI FK FO FR GB GE"
    " GI GL GR GT HN HR HU IE IL IQ IS IT JO KW KZ LB LC LI LT LU LV LY MC MD ME MK MN MR MT"
    " MU NI NL NO OM PK PL PS PT QA RO RS RU SA SC SD SE SI SK SM SO ST SV TL TN TR UA VA VG"
    " XK YE"
)
_COUNTRIES: Final = frozenset(_COUNTRIES_WORDS.split())
"""Countries of the IBAN registry. `RF` has the same check digits and is no account (ISO 11649)."""
_BARCODE: Final = 13
"""Digits of an EAN."""
_SEPARATORS: Final = 9
"""Blanks and hyphens inside of one card number, at most."""


def mask_cards(found: re.Match[str], mark: Marker) -> str:
    """Replace the card numbers inside a run of digits; keep the last four digits of each."""
    text = found[0]
    # Where each digit stands, so that a window of digits leads back to the text.
    places = [index for index, letter in enumerate(text) if letter.isdigit()]
    digits = "".join(text[index] for index in places)
    parts: list[str] = []
    done = start = 0
    while start <= len(digits) - 13:
        length = _card_at(digits, places, start)
        if length:
            parts += (
                text[done : places[start]],
                mark.card(digits[start : start + length], digits[start : start + length][-4:]),
            )
            start += length
            done = places[start - 1] + 1
        else:
            start += 1
    return "".join(parts) + text[done:]


def _card_at(digits: str, places: list[int], start: int) -> int:
    # A card begins and ends where its group of digits does.
    if start and places[start] - places[start - 1] == 1:
        return 0
    for length in _LENGTHS.get(digits[start : start + 2], ()):
        end = start + length
        if end > len(digits) or (end < len(digits) and places[end] - places[end - 1] == 1):
            continue
        # Nobody writes a card digit by digit, and only such text would cost a sum for each.
        if (
            places[end - 1] - places[start] - length < _SEPARATORS
            and luhn(digits[start:end])
            and not (length == _BARCODE and _is_barcode(digits[start:end]))
        ):
            return length
    return 0


def _is_barcode(digits: str) -> bool:
    """Tell whether thirteen digits are an EAN (GS1 General Specifications, section 7.9)."""
    return (sum(map(int, digits[::2])) + 3 * sum(map(int, digits[1::2]))) % 10 == 0


def luhn(digits: str) -> bool:
    """Tell whether a number's last digit is its Luhn check digit (ISO/IEC 7812-1, annex B)."""
    doubled = digits[-2::-2].translate(_DOUBLED)
    return (sum(map(int, digits[-1::-2])) + sum(map(int, doubled))) % 10 == 0


def mask_account(found: re.Match[str], mark: Marker) -> str:
    """Replace an IBAN whose check digits are right (ISO 13616: mod 97 is 1)."""
    account = found[0].replace(" ", "").replace("-", "")
    if account[:2] not in _COUNTRIES:
        return found[0]
    rotated = account[4:] + account[:4]
    number = "".join(str(int(letter, 36)) for letter in rotated)
    return mark(account, "value:iban") if int(number) % 97 == 1 else found[0]
