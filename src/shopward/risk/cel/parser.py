"""From tokens to a syntax tree: precedence climbing for the operators, descent for the rest.

The promise: any source either becomes a tree of at most ``MAX_NODES`` nodes and ``MAX_DEPTH`` levels or a
``SyntaxFault`` that says where and why; hostile nesting never reaches Python's recursion limit. Names and types
are not looked at; messages and optional syntax are refused here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shopward.risk.cel.issues import SyntaxFault
from shopward.risk.cel.lexer import RESERVED, Token, tokenize
from shopward.risk.cel.syntax import Call, Junction, ListLiteral, Literal, MapLiteral, Member, Name, Node
from shopward.risk.cel.values import INT_MAX

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_NODES = 2_000
MAX_DEPTH = 64
# One pair of parentheses is two steps of the descent below and four Python frames.
_MAX_NESTING = 2 * MAX_DEPTH

_PRECEDENCE = {
    "||": 1,
    "&&": 2,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "in"), 3),
    **dict.fromkeys("+-", 4),
    **dict.fromkeys("*/%", 5),
}
_WORDS = {"and": "&&", "or": "||", "not": "!", "AND": "&&", "OR": "||", "NOT": "!", "is": "=="}


def parse(source: str) -> Node:
    """The syntax tree of one expression."""
    return _Parser(source).whole()


class _Parser:
    def __init__(self, source: str) -> None:
        self._tokens = tokenize(source)
        self._position = 0
        self._nesting = 0
        self._nodes = 0

    @property
    def _token(self) -> Token:
        return self._tokens[self._position]

    @property
    def _last_end(self) -> int:
        return self._tokens[self._position - 1].end

    def whole(self) -> Node:
        tree = self._expression()
        if self._token.kind != "end":
            raise self._unexpected("an operator or the end")
        return tree

    def _expression(self) -> Node:
        """``condition ? then : otherwise``, or what is below it."""
        self._descend()
        condition = self._binary(1)
        if self._token.kind == "?":
            mark = self._take()
            then = self._binary(1)
            self._expect(":")
            otherwise = self._expression()
            condition = self._call("_?_:_", mark.start, condition, then, otherwise)
        self._nesting -= 1
        return condition

    def _binary(self, lowest: int) -> Node:
        self._descend()
        left = self._unary()
        while (level := _PRECEDENCE.get(self._token.kind, 0)) >= lowest:
            mark = self._take()
            right = self._binary(level + 1)
            if mark.kind in {"&&", "||"}:
                left = self._junction(mark, left, right)
            else:
                name = "@in" if mark.kind == "in" else f"_{mark.kind}_"
                left = self._call(name, mark.start, left, right)
        self._nesting -= 1
        return left

    def _descend(self) -> None:
        self._nesting += 1
        if self._nesting > _MAX_NESTING:
            raise self._too_deep(self._token.start)

    def _junction(self, mark: Token, left: Node, right: Node) -> Node:
        """A chain stays one node, however long it is; its depth does not grow with its length."""
        items = (*self._flat(mark.kind, left), *self._flat(mark.kind, right))
        depth = self._count(items, mark.start)
        return Junction(mark.kind, items, start=left.start, end=right.end, at=mark.start, depth=depth)

    @staticmethod
    def _flat(operator: str, node: Node) -> tuple[Node, ...]:
        return node.items if isinstance(node, Junction) and node.operator == operator else (node,)

    def _unary(self) -> Node:
        marks: list[Token] = []
        while self._token.kind in {"-", "!"}:
            marks.append(self._take())
        negative = bool(marks) and marks[-1].kind == "-" and self._is_number()
        node = self._postfix(self._primary(negative=marks.pop() if negative else None))
        for mark in reversed(marks):
            node = self._call(f"{mark.kind}_", mark.start, node, start=mark.start)
        return node

    def _is_number(self) -> bool:
        return self._token.kind == "literal" and type(self._token.value) in {int, float}

    def _postfix(self, node: Node) -> Node:
        while True:
            token = self._token
            if token.kind == ".":
                self._take()
                node = self._member(node)
            elif token.kind == "[":
                self._take()
                if self._token.kind == "?":
                    raise self._unexpected("an index", "optional values are not in this subset")
                index = self._expression()
                self._expect("]")
                node = self._call("_[_]", token.start, node, index, start=node.start)
            elif token.kind == "{":
                raise SyntaxFault(
                    token.start, "messages are not in this subset", "write && to join conditions"
                )
            else:
                return node

    def _member(self, operand: Node) -> Node:
        token = self._take()
        if token.kind not in {"name", "quoted", "in"}:
            self._position -= 1
            raise self._unexpected("a field's name")
        if self._token.kind == "(" and token.kind == "name":
            arguments = self._arguments(")")
            return self._call(token.text, token.start, *arguments, target=operand, start=operand.start)
        depth = self._count((operand,), token.start)
        return Member(operand, token.text, start=operand.start, end=token.end, at=token.start, depth=depth)

    def _primary(self, negative: Token | None) -> Node:
        token = self._take()
        match token.kind:
            case "literal":
                return self._literal(token, negative)
            case "(":
                node = self._expression()
                self._expect(")")
                return node
            case "[":
                items = tuple(self._items("]"))
                depth = self._count(items, token.start)
                return ListLiteral(items, start=token.start, end=self._last_end, at=token.start, depth=depth)
            case "{":
                return self._map(token)
            case "." | "name":
                return self._name(token)
            case _:
                self._position -= 1
                raise self._unexpected("a value, a name or '('")

    def _literal(self, token: Token, negative: Token | None) -> Node:
        value, start = token.value, token.start
        if negative is not None:
            start = negative.start
            assert isinstance(value, int | float)  # noqa: S101 - _is_number looked
            value = -value
        if type(value) is int and value > INT_MAX:
            raise SyntaxFault(token.start, "the number is out of the 64-bit range")
        self._count((), start)
        return Literal(value, start=start, end=token.end, at=start)

    def _name(self, token: Token) -> Node:
        start, absolute = token.start, token.kind == "."
        if absolute:
            token = self._take()
            if token.kind != "name":
                self._position -= 1
                raise self._unexpected("a name")
        if token.text in RESERVED:
            raise SyntaxFault(token.start, f"'{token.text}' is a reserved word")
        if self._token.kind == "(":
            arguments = self._arguments(")")
            return self._call(token.text, token.start, *arguments, start=start)
        self._count((), start)
        return Name(token.text, absolute, start=start, end=token.end, at=start)

    def _map(self, opening: Token) -> Node:
        entries: list[tuple[Node, Node]] = []
        while self._token.kind != "}":
            key = self._expression()
            self._expect(":")
            entries.append((key, self._expression()))
            if self._token.kind != ",":
                break
            self._take()
        self._expect("}")
        depth = self._count([node for entry in entries for node in entry], opening.start)
        return MapLiteral(
            tuple(entries), start=opening.start, end=self._last_end, at=opening.start, depth=depth
        )

    def _arguments(self, closing: str) -> list[Node]:
        self._take()
        if self._token.kind == closing:
            self._take()
            return []
        return self._items(closing, trailing_comma=False)

    def _items(self, closing: str, *, trailing_comma: bool = True) -> list[Node]:
        items: list[Node] = []
        while not (trailing_comma and self._token.kind == closing):
            items.append(self._expression())
            if self._token.kind != ",":
                break
            self._take()
        self._expect(closing)
        return items

    def _call(
        self, function: str, at: int, *arguments: Node, target: Node | None = None, start: int | None = None
    ) -> Node:
        children = arguments if target is None else (target, *arguments)
        depth = self._count(children, at)
        first = arguments[0].start if start is None else start
        return Call(function, target, arguments, start=first, end=self._last_end, at=at, depth=depth)

    def _count(self, children: Iterable[Node], at: int) -> int:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise SyntaxFault(at, f"the expression has more than {MAX_NODES} parts", "split the rule")
        depth = 1 + max((child.depth for child in children), default=0)
        if depth > MAX_DEPTH:
            raise self._too_deep(at)
        return depth

    @staticmethod
    def _too_deep(at: int) -> SyntaxFault:
        return SyntaxFault(at, f"the expression is nested deeper than {MAX_DEPTH} levels", "split the rule")

    def _take(self) -> Token:
        token = self._tokens[self._position]
        if token.kind != "end":
            self._position += 1
        return token

    def _expect(self, kind: str) -> None:
        if self._token.kind != kind:
            raise self._unexpected(f"'{kind}'")
        self._take()

    def _unexpected(self, expected: str, hint: str | None = None) -> SyntaxFault:
        token = self._token
        if token.kind == "end":
            return SyntaxFault(token.start, f"the expression ends where {expected} should follow", hint)
        if hint is None and token.text in _WORDS:
            hint = f"'{token.text}' is written {_WORDS[token.text]}"
        shown = "a literal" if token.kind == "literal" else f"'{token.text}'"
        return SyntaxFault(token.start, f"expected {expected}, found {shown}", hint)
