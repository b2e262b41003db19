"""XML and HTML bodies, masked lexically: no parser runs, and no entity is ever resolved.

The verdict on an element is that on its local name, and it holds for all that is inside. Where
the text is malformed or was cut, what a sensitive element holds is masked up to the end.
"""

import re
from collections.abc import Callable
from html import unescape
from typing import Final

from otel_apimetrics.redaction.marks import MARK, TOO_DEEP
from otel_apimetrics.redaction.markup import lexer
from otel_apimetrics.redaction.markup.elements import NO_NAME, Elements, Kind, Kinds
from otel_apimetrics.redaction.markup.glance import is_clean
from otel_apimetrics.redaction.markup.lexer import Piece, pieces
from otel_apimetrics.redaction.markup.nodes import Nodes, Scope, Unquoted
from otel_apimetrics.redaction.markup.tags import Tags
from otel_apimetrics.redaction.names import Names
from otel_apimetrics.redaction.text import FreeText
from otel_apimetrics.redaction.urls import Urls

_MOST_PIECES: Final = 10_000
_DEEPEST: Final = 64
_HIDDEN: Final = f"<!--{MARK}-->"
"""A comment, so that what is around it stays apart."""
_LONGEST_LABEL: Final = 256
_PASSES: Final = 4
"""Taking elements out joins what was around them, which may read anew."""

_FIELDS: Final = frozenset({"button", "output", "select", "textarea"})
"""HTML's fields whose content is their value."""
_VOID: Final = re.compile(
    "area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr", re.IGNORECASE
)
"""HTML's elements without content."""
_TARGET: Final = re.compile(r"<\?([\w:.-]{1,64})\s")
"""That of a processing instruction."""
_FILLED: Final = re.compile(r"\s*(?:[^\s<]|<!\[CDATA\[)")


class Xml:
    """Markup in, markup out.

    Args:
        names: the verdicts on names.
        text: the rules for strings.
        urls: the rules for attributes that are URLs.
        bare: those for attributes without quotes; `None`: the same.
        remove: take an element or attribute out instead of masking its value.
    """

    def __init__(
        self,
        names: Names,
        text: FreeText,
        urls: Urls,
        bare: Unquoted | None = None,
        *,
        remove: bool,
    ) -> None:
        self._text: Final = text
        self.names: Final = names
        self.nodes: Final = Nodes(text, urls, self._nested)
        in_bare = self.nodes if bare is None else Nodes(*bare, self._nested)
        self.tags: Final = Tags(names, self.nodes, in_bare, remove=remove)
        self.kinds: Final = Kinds(names, self.nodes)
        self.remove: Final = remove

    def scrub(self, text: str, *, cut: bool, html: bool = False) -> str:
        """Mask a document; the identical object where there was nothing to mask.

        Args:
            text: XML or HTML, or what claims to be. Its document type declaration is dropped.
            cut: it goes on where it was not captured.
            html: it is HTML.
        """
        return self._scrub(text, html=html, level=0, cut=cut)

    def _nested(self, text: str, scope: Scope, cut: bool) -> str:
        return self._scrub(text, html=scope.html, level=scope.level + 1, cut=cut)

    def _scrub(self, text: str, *, html: bool, level: int, cut: bool) -> str:
        for _ in range(_PASSES if self.remove else 1):
            scope = self.nodes.scope(text, html=html, level=level)
            if scope.quiet and is_clean(
                text, self.names, self._text, self.kinds, html=html, cut=cut
            ):
                break
            masked = _Document(self, text, scope, cut=cut).masked()
            if masked == text:
                break
            text = masked
        return text


class _Document:
    """One walk over one document."""

    def __init__(self, room: Xml, text: str, scope: Scope, *, cut: bool) -> None:
        self._room: Final = room
        self._text: Final = text
        self._scope: Final = scope
        self._cut: Final = cut
        self._elements: Final = Elements(room.names, room.nodes.mark, remove=room.remove)
        self._parts: Final = self._elements.parts
        self._before_root = True
        self._hidden = ""
        """The name of the element whose content is hidden."""
        self._mark: str | None = None
        """Stands for that content; `None`: the mark of it."""
        self._begin = 0
        """Where it begins."""
        self._goes = False
        """The element goes, and with it its end tag."""
        self._local = ""
        self._depth = 0
        """How many elements of that name are open."""
        self._holds = False
        """There is content to hide."""
        nodes = room.nodes
        self._shows: Final[dict[int, Callable[[Piece], None]]] = {
            lexer.TEXT: self._show_text,
            lexer.OPEN: self._show_tag,
            lexer.CLOSE: self._show_end,
            lexer.COMMENT: lambda piece: self._show_inside(piece, "<!--", "-->", nodes.remark),
            lexer.CDATA: lambda piece: self._show_inside(piece, "<![CDATA[", "]]>", nodes.plain),
            lexer.INSTRUCTION: self._show_instruction,
            lexer.DECLARATION: lambda _: self._show_declaration(),
            lexer.SCRIPT: self._show_script,
        }

    def masked(self) -> str:
        for number, piece in enumerate(pieces(self._text, html=self._scope.html)):
            if number >= _MOST_PIECES:
                self._parts.append("" if self._hidden else _HIDDEN)
                break
            if self._hidden:
                self._hide(piece)
            else:
                self._shows[piece.kind](piece)
        if self._hidden and self._holds:
            self._parts.append(self._shown(len(self._text)))
        self._elements.leave_all()
        return "".join(self._parts)

    def _hide(self, piece: Piece) -> None:
        if self._named(piece) == self._hidden:
            if piece.kind == lexer.CLOSE:
                self._depth -= 1
            elif self._scope.html or not piece.empty:
                self._depth += 1
        if self._depth:
            self._holds = True
            return
        self._parts.append(self._shown(piece.start) if self._holds else "")
        if not self._goes:
            self._parts.append(self._end_tag(piece))
        self._hidden = ""

    def _shown(self, end: int) -> str:
        if self._mark is not None:
            return self._mark
        return self._room.nodes.mark(self._text[self._begin : end], self._local)

    def _named(self, piece: Piece) -> str:
        return piece.name.lower() if self._scope.html else piece.name

    def _show_text(self, piece: Piece) -> None:
        raw = self._text[piece.start : piece.end]
        if raw.isspace():
            self._parts.append(raw)
            return
        self._before_root = self._before_root and not raw.strip("\ufeff \t\r\n")
        cut = self._cut and piece.end == len(self._text)
        self._parts.append(self._room.nodes.encoded(raw, self._scope, cut=cut))
        self._elements.read(unescape(raw[:_LONGEST_LABEL]))

    def _show_inside(
        self, piece: Piece, opening: str, closing: str, mask: Callable[..., str]
    ) -> None:
        end = piece.end - len(closing) if piece.whole else piece.end
        content = self._text[piece.start + len(opening) : end]
        masked = mask(content, self._scope, cut=self._cut and not piece.whole)
        if closing in masked:
            masked = MARK
        self._parts.append(f"{opening}{masked}{closing if piece.whole else ''}")
        if piece.kind == lexer.CDATA:
            self._before_root = False
            self._elements.read(content[:_LONGEST_LABEL])

    def _show_instruction(self, piece: Piece) -> None:
        found = _TARGET.match(self._text, piece.start)
        # A mark instead of the target would not be well-formed.
        keeps = found is not None and self._room.kinds[found[1]].shown == found[1]
        opening = found[0] if found and keeps else "<?"
        closing = ">" if self._scope.html else "?>"
        self._show_inside(piece, opening, closing, self._room.nodes.remark)

    def _show_declaration(self) -> None:
        # Elsewhere, what is left would join what is around it.
        self._parts.append("" if self._before_root else _HIDDEN)

    def _show_script(self, piece: Piece) -> None:
        cut = self._cut and piece.end == len(self._text)
        self._parts.append(self._room.nodes.script(self._text[piece.start : piece.end], cut=cut))

    def _show_end(self, piece: Piece) -> None:
        self._before_root = False
        self._elements.leave(piece.name, self._end_tag(piece))

    def _end_tag(self, piece: Piece) -> str:
        return f"</{self._room.kinds[piece.name].shown}{'>' if piece.whole else ''}"

    def _show_tag(self, piece: Piece) -> None:
        self._before_root = False
        room, text, scope = self._room, self._text, self._scope
        kind = room.kinds[piece.name]
        sensitive = self._elements.meet(kind.verdict) or kind.is_sensitive
        empty = _VOID.fullmatch(kind.local) is not None if scope.html else piece.empty
        if piece.whole and not piece.attributes:
            tag = f"<{kind.shown}{text[piece.start + 1 + len(piece.name) : piece.end]}"
            hides = sensitive
        else:
            labelled = room.tags.labels(text, piece, scope)
            hides = sensitive or (labelled and self._is_its_value(piece, kind, empty=empty))
            filled = not empty and _FILLED.match(text, piece.end) is not None
            tag = room.tags.show(
                text,
                piece,
                kind.shown,
                scope,
                sensitive=sensitive,
                labelled=labelled,
                filled=filled,
            )
        self._parts.append("" if hides and room.remove else tag)
        if hides and not empty:
            self._start_hiding(piece, kind, None, goes=room.remove)
        elif not (empty or scope.html or NO_NAME in (piece.name, kind.shown)):
            self._enter(piece, kind)

    def _is_its_value(self, piece: Piece, kind: Kind, *, empty: bool) -> bool:
        """Tell whether what a tag labels is the element, not another attribute alone."""
        if self._scope.html:
            return kind.local.lower() in _FIELDS
        return not empty or self._room.tags.has_value(piece)

    def _enter(self, piece: Piece, kind: Kind) -> None:
        if self._elements.depth >= _DEEPEST:
            self._start_hiding(piece, kind, TOO_DEEP, goes=False)
        else:
            self._elements.enter(piece.name, kind)

    def _start_hiding(self, piece: Piece, kind: Kind, mark: str | None, *, goes: bool) -> None:
        self._hidden = self._named(piece)
        self._local = kind.local
        self._begin = piece.end
        self._mark = "" if goes else mark
        self._goes = goes
        self._depth = 1
        self._holds = False
        if not (piece.whole or goes):
            # Behind a tag without an end, a mark would be a part of the tag.
            self._parts[-1] = f"<{kind.shown} {MARK}"
            self._mark = ""
