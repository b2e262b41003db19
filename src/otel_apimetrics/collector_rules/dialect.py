"""Python's regular expressions in Go's dialect (RE2): linear time, and no look-around."""

import re
from collections.abc import Iterator
from typing import Final

_ATOM: Final = re.compile(
    r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|0[0-7]?|N\{[^}]*\}|.)"
    r"|\[\^?\]?(?:\\.|[^\]\\])*\]"
    r"|\(\?(?:#[^)]*\)|P=\w+\)|P<\w+>|<?[=!]|[:>]|\(\w+\)|[aiLmsux]*(?:-[imsx]+)?[:)])"
    r"|(?:[*+?]|\{\d*,?\d*\})[?+]?|.",
    re.DOTALL,
)
_INSIDE: Final = re.compile(
    r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{1,3}|N\{[^}]*\}|.)|.", re.DOTALL
)
_CODE: Final = re.compile(r"\\(?:[xuU]([0-9a-fA-F]+)|([0-7]+))")
_BOUNDS: Final = re.compile(r"\{(\d*)(,?)(\d*)\}[?+]?")
_PUNCTUATION: Final = re.compile(r"[!-/:-@\[-^`{-~]")
_GUARD: Final = re.compile(r"\(\?<!(\[\^?\]?(?:\\.|[^\]\\])*\]|\\[wd])")
_MOST: Final = 1_000
"""Repeats that Go counts."""
_MANY: Final = 40
"""Repeats from which counting costs more than it tells."""
_WIDE: Final = {"w": r"\p{L}\p{N}_", "d": r"\p{Nd}", "s": r"\s\x{B}\x{1C}-\x{1F}\x{85}\p{Z}"}
"""What Python's classes mean where its ASCII flag is not set; Go's own are ASCII."""
_WORD: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"


class NoEqualError(ValueError):
    """An expression has no equal in Go's dialect; the message says why, in a few words."""


def printable(text: str) -> str:
    """Write what is not printable ASCII as Go's escapes (RE2 syntax)."""
    return "".join(letter if " " <= letter <= "~" else f"\\x{{{ord(letter):X}}}" for letter in text)


def escaped(text: str) -> str:
    """Quote a text that is to be matched literally."""
    return printable(_PUNCTUATION.sub(r"\\\g<0>", text))


def loosened(expression: str) -> str:
    """Give an expression that matches wherever a built-in one does, without what looks around.

    A counter of 40 and more becomes a plain repeat, which finds more and costs less.
    """
    return "".join(_loose(atom) for atom in _looking_nowhere(expression))


def guard_of(expression: str) -> str | None:
    """Give the letters of a word that may stand before a match, as a class; `None`: any may.

    The built-in rules have their guard behind their first literal; one behind an opening
    bracket is for an alternative alone. A literal that is no letter of a word cannot go on one.
    """
    guard = _GUARD.search(expression)
    if guard is None or "(" in expression[: guard.start()] or expression[0] == "\\":
        return None
    refused = re.compile(guard[1], re.ASCII)
    return "".join(letter for letter in _WORD if not refused.match(letter))


def translated(expression: str) -> str:
    """Write a user's expression in Go's dialect.

    Args:
        expression: one that Python's `re` compiles.

    Raises:
        NoEqualError: it looks around, refers back, or uses what Go does not have.
    """
    ascii_only = re.compile(expression).flags & re.ASCII
    return "".join(_same(atom, wide=not ascii_only) for atom in _ATOM.findall(expression))


def _looking_nowhere(expression: str) -> Iterator[str]:
    depth = 0
    for atom in _ATOM.findall(expression):
        if depth:
            depth += atom.startswith("(") and not atom.endswith(")")
            depth -= atom == ")"
        elif atom in {"(?=", "(?!", "(?<=", "(?<!"}:
            depth = 1
        else:
            yield atom


def _loose(atom: str) -> str:
    bounds = _BOUNDS.fullmatch(atom)
    if bounds is None or not bounds[2] or (bounds[3] and int(bounds[3]) < _MANY):
        return r"$" if atom == r"\Z" else atom
    low = int(bounds[1] or 0)
    return "*" if low == 0 else "+" if low == 1 else f"{{{low},}}"


def _same(atom: str, *, wide: bool) -> str:
    if atom.startswith("\\"):
        return _escape(atom, wide=wide, inside=False)
    if atom.startswith("["):
        return _class(atom, wide=wide)
    if atom.startswith("(?"):
        return _group(atom)
    bounds = _BOUNDS.fullmatch(atom)
    if bounds and max(int(bounds[1] or 0), int(bounds[3] or 0)) > _MOST:
        raise NoEqualError(f"it counts to more than {_MOST:,}")
    if len(atom) > 1 and atom.endswith("+"):
        raise NoEqualError("it has a possessive repeat")
    return printable(atom)


def _group(atom: str) -> str:
    if atom in {"(?=", "(?!", "(?<=", "(?<!"}:
        raise NoEqualError("it looks around")
    if atom.startswith(("(?P=", "(?(")):
        raise NoEqualError("it refers back")
    if atom == "(?>":
        raise NoEqualError("it has an atomic group")
    if atom.startswith("(?#"):
        return ""
    if atom.startswith("(?P<") or atom == "(?:":
        return atom
    flags = atom[2:-1]
    if "x" in flags.partition("-")[0]:
        raise NoEqualError("it is written in the verbose form")
    kept = "".join(flag for flag in flags if flag in "ims-")
    if atom[-1] == ")" and not kept:
        return ""
    return f"(?{kept}{atom[-1]}"


def _class(atom: str, *, wide: bool) -> str:
    opening = re.match(r"\[\^?\]?", atom)
    start = opening.end() if opening else 1
    inner = (_letter(letter, wide=wide) for letter in _INSIDE.findall(atom[start:-1]))
    return f"{atom[:start]}{''.join(inner)}]"


def _letter(letter: str, *, wide: bool) -> str:
    if letter == "[":
        return r"\["
    return _escape(letter, wide=wide, inside=True) if letter[0] == "\\" else printable(letter)


def _escape(atom: str, *, wide: bool, inside: bool) -> str:
    code = _CODE.fullmatch(atom)
    if code and (inside or code[1] or code[2].startswith("0") or len(code[2]) == len("000")):
        return f"\\x{{{int(code[1], 16) if code[1] else int(code[2], 8):X}}}"
    name = atom[1]
    if name.isdigit():
        raise NoEqualError("it refers back")
    if name == "N":
        raise NoEqualError("it spells a letter by its Unicode name")
    if wide and name in _WIDE:
        return _WIDE[name] if inside else f"[{_WIDE[name]}]"
    if wide and name.lower() in _WIDE and not inside:
        return f"[^{_WIDE[name.lower()]}]"
    if name == "b" and inside:
        return r"\x{8}"
    if name == "Z":
        return r"\z"
    return atom if " " <= name <= "~" else printable(name)
