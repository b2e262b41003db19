"""Numbers with a structure of their own: payment cards, bank accounts, social security."""

from collections.abc import Callable
from random import Random
from typing import Final

from tests.redaction.corpus.kind import BY_VALUE, DIGITS, UPPER, Kind, text

_GROUPS: Final = {
    13: (4, 3, 3, 3),
    14: (4, 6, 4),
    15: (4, 6, 5),
    16: (4, 4, 4, 4),
    17: (4, 4, 4, 5),
    18: (4, 4, 4, 6),
    19: (4, 4, 4, 4, 3),
}
"""How an issuer embosses a number of this length."""

_BARCODE: Final = 13
"""Digits of an EAN."""

_CARDS: Final = (
    # Issuer, identification numbers (a prefix, or the first and the last of a range), lengths.
    ("Visa", ("4",), (13, 16, 19)),
    ("Mastercard", ("51", "55"), (16,)),
    ("Mastercard of the 2 series", ("222100", "272099"), (16,)),
    ("American Express 34", ("34",), (15,)),
    ("American Express 37", ("37",), (15,)),
    ("Diners Club 300", ("300", "305"), (14,)),
    ("Diners Club 36", ("36",), (14,)),
    ("Diners Club 38", ("38", "39"), (16,)),
    ("Discover 6011", ("6011",), (16,)),
    ("Discover 644", ("644", "649"), (16,)),
    ("Discover 65", ("65",), (16, 19)),
    ("JCB", ("3528", "3589"), (16,)),
    ("UnionPay", ("62",), (16, 17, 18, 19)),
    ("Maestro 50", ("5018",), (13, 16, 18, 19)),
    ("Maestro 67", ("6759",), (13, 15, 16, 18, 19)),
    ("Mir", ("2200", "2204"), (16,)),
    ("RuPay 60", ("6521", "6522"), (16,)),
    ("RuPay 508", ("508500", "508999"), (16,)),
    ("Elo 4", ("401178",), (16,)),
    ("Elo 5", ("506699", "506778"), (16,)),
    ("Elo 6", ("627780",), (16,)),
    ("Hipercard", ("606282",), (16,)),
    ("Dankort", ("5019",), (16,)),
    ("Verve", ("506099", "506198"), (16, 18, 19)),
    ("Troy", ("65",), (16,)),
    ("InterPayment", ("636",), (16, 17, 18, 19)),
)

_IBAN: Final = {
    # Country: structure of its account numbers in the registry's letters.
    "AD": "8n12c", "AE": "19n", "AT": "16n", "BE": "12n", "BG": "4a6n8c", "BR": "23n1a1c",
    "CH": "5n12c", "CY": "8n16c", "CZ": "20n", "DE": "18n", "DK": "14n", "EE": "16n", "ES": "20n",
    "FI": "14n", "FR": "10n11c2n", "GB": "4a14n", "GR": "7n16c", "HR": "17n", "HU": "24n",
    "IE": "4a14n", "IT": "1a10n12c", "LT": "16n", "LU": "3n13c", "LV": "4a13c", "MT": "4a5n18c",
    "NL": "4a10n", "NO": "11n", "PL": "24n", "PT": "21n", "RO": "4a16c", "SA": "2n18c",
    "SE": "20n", "SI": "15n", "SK": "20n", "TR": "5n1n16c", "LC": "4a24c",
}  # fmt: skip
_DRAWN: Final = {"n": DIGITS, "a": UPPER, "c": DIGITS + UPPER}


def check_digit(number: str) -> str:
    """Give the Luhn check digit that follows a number (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def is_barcode(number: str) -> bool:
    """Tell whether the check digit of an EAN-13 is right (GS1 General Specifications, 7.9)."""
    digits = [int(digit) for digit in number]
    return (sum(digits[::2]) + 3 * sum(digits[1::2])) % 10 == 0


def _card(prefixes: tuple[str, ...], length: int) -> Callable[[Random], str]:
    def make(random: Random) -> str:
        first, last = prefixes[0], prefixes[-1]
        prefix = str(random.randint(int(first), int(last)))
        while True:
            body = prefix + text(random, DIGITS, length - len(prefix) - 1)
            number = body + check_digit(body)
            # Thirteen digits that are an article's barcode too are read as one.
            if length != _BARCODE or not is_barcode(number):
                return number

    return make


def _between(separator: str) -> Callable[[str], str]:
    def spell(number: str) -> str:
        parts: list[str] = []
        start = 0
        for size in _GROUPS[len(number)]:
            parts.append(number[start : start + size])
            start += size
        return separator.join(parts)

    return spell


def _plain(number: str) -> str:
    return number


def _account(country: str) -> Callable[[Random], str]:
    def make(random: Random) -> str:
        body, size = "", ""
        for letter in _IBAN[country]:
            if letter in DIGITS:
                size += letter
            else:
                body, size = body + text(random, _DRAWN[letter], int(size)), ""
        number = "".join(str(int(letter, 36)) for letter in f"{body}{country}00")
        return f"{country}{98 - int(number) % 97:02d}{body}"

    return make


def _fours(number: str) -> str:
    return " ".join(number[at : at + 4] for at in range(0, len(number), 4))


def _social_security(random: Random) -> str:
    area = random.choice([number for number in range(1, 900) if number != 666])
    return f"{area:03d}-{random.randint(1, 99):02d}-{random.randint(1, 9999):04d}"


CARDS: Final = tuple(
    Kind(
        f"{issuer} card of {length} digits",
        "ISO/IEC 7812-1 and the issuer's IIN ranges",
        _card(prefixes, length),
        BY_VALUE,
        spellings=(_plain, _between(" "), _between("-")),
    )
    for issuer, prefixes, lengths in _CARDS
    for length in lengths
)
ACCOUNTS: Final = tuple(
    Kind(
        f"IBAN of {country}",
        "SWIFT: IBAN registry; ISO 13616",
        _account(country),
        BY_VALUE,
        spellings=(_plain, _fours),
    )
    for country in _IBAN
)
PEOPLE: Final = (
    Kind(
        "US social security number",
        "Social Security Administration: The SSN numbering scheme",
        _social_security,
        BY_VALUE,
    ),
)
