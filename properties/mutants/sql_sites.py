"""Where a SQL rule can be changed: by sqlglot's tokens, so that comments, parameters and the rest of the text stay as they are.

A change that DuckDB's grammar does not allow is no mutant: each mutated text is parsed, and must parse to something else.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from unittest import mock

import sqlglot
from sqlglot import Token, TokenType
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import ParseError, TokenError

from properties.mutants.mutant import Site

_OPEN, _CLOSE = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE}, {
    TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE,
}  # fmt: skip
_COMPARISONS = {"<": ("<=", ">"), "<=": ("<", ">"), ">": (">=", "<"), ">=": (">", "<"), "=": ("<>",), "<>": ("=",)}
_ARITHMETIC = {"+": "-", "-": "+", "*": "+", "//": "*", "%": "//", "&": "|", "|": "&"}
_WORDS = {
    "AND": "OR", "OR": "AND", "TRUE": "false", "FALSE": "true", "LEAST": "greatest", "GREATEST": "least", "MAX": "min",
    "MIN": "max", "ARG_MAX": "arg_min", "BOOL_OR": "bool_and",
}  # fmt: skip
_ENDS = {
    "AND", "OR", "WHEN", "THEN", "ELSE", "END", "FROM", "WHERE", "JOIN", "LEFT", "ASOF", "CROSS", "GROUP BY", "ORDER BY", "UNION",
    "SELECT", "AS", "ON", "USING", "FILTER", "PARTITION BY", "HAVING",
}  # fmt: skip
"""Words that end an operand."""
_ALWAYS_GRAMMATICAL = ("comparison", "arithmetic", "constant", "word")
_CLAUSE_ENDS = {"GROUP BY", "ORDER BY", "UNION", "SELECT", "WHERE"}


def sql_sites(text: str) -> list[Site]:
    """Every change of this rule that the operators know, in order of place."""
    tokens = DuckDB().tokenize(text)
    rule = _Rule(text, tokens)
    found = sorted({site for make in _OPERATORS for site in make(rule)})
    original = _parsed(text)
    return [site for site in found if site.kind in _ALWAYS_GRAMMATICAL or _changes(text, site, original)]


def _changes(text: str, site: Site, original: list[object] | None) -> bool:
    parsed = _parsed(text[: site.start] + site.new + text[site.end :])
    return parsed is not None and parsed != original


class _Rule:
    """A rule's tokens, with the place of the bracket that closes each and of what follows an operand."""

    def __init__(self, text: str, tokens: Sequence[Token]) -> None:
        self.text, self.tokens = text, tokens
        self.words = [token.text.upper() for token in tokens]
        self.closing: dict[int, int] = {}
        stack: list[int] = []
        for index, token in enumerate(tokens):
            if token.token_type in _OPEN:
                stack.append(index)
            elif token.token_type in _CLOSE:
                self.closing[stack.pop()] = index

    def end_of(self, first: int, ends: set[str]) -> int:
        """The index after the last token of what starts at `first`: before a closing bracket, a comma or one of these words."""
        index, cases = first, 0
        while index < len(self.tokens):
            kind, word = self.tokens[index].token_type, self.words[index]
            if word == "CASE":
                cases += 1
            elif word == "END" and cases:
                cases -= 1
            elif not cases and (
                kind in _CLOSE or kind in (TokenType.COMMA, TokenType.SEMICOLON) or (word in ends and index > first)
            ):
                break
            index = self.closing.get(index, index) + 1
        return index

    def site(self, first: int, last: int, new: str, kind: str) -> Site:
        """A change of the tokens first..last."""
        return Site(self.tokens[first].start, self.tokens[last].end + 1, new, kind)

    def piece(self, first: int, after: int) -> str:
        """The text of the tokens first..after - 1."""
        return self.text[self.tokens[first].start : self.tokens[after - 1].end + 1]


def _parsed(text: str) -> list[object] | None:
    try:
        with mock.patch.object(logging.getLogger("sqlglot"), "disabled", True):  # says that it does not know macros
            return list(sqlglot.parse(text, read="duckdb"))
    except (ParseError, TokenError):
        return None


def _operators(rule: _Rule) -> Iterator[Site]:
    """Comparisons, arithmetic, AND and OR, least and greatest, true and false."""
    betweens = 0
    for index, (token, word) in enumerate(zip(rule.tokens, rule.words, strict=True)):
        if word == "BETWEEN":
            betweens += 1
        elif word == "AND" and betweens:
            betweens -= 1
            continue
        shift = ">" in (rule.words[index - 1], *rule.words[index + 1 : index + 2])  # `>>` is two tokens
        for new in () if shift else _COMPARISONS.get(word, ()):
            yield rule.site(index, index, new, "comparison")
        if word in _ARITHMETIC and (token.token_type != TokenType.STAR or _is_product(rule, index)):
            yield rule.site(index, index, _ARITHMETIC[word], "arithmetic")
        if word in _WORDS and token.token_type != TokenType.STRING and "CREATE" not in rule.words[index - 1 : index]:
            yield rule.site(index, index, _WORDS[word], "word")


def _is_product(rule: _Rule, index: int) -> bool:
    before, after = rule.tokens[index - 1], rule.tokens[min(index + 1, len(rule.tokens) - 1)]
    ends = (
        before.token_type in _CLOSE
        or before.token_type in (TokenType.VAR, TokenType.NUMBER)
        or before.text.isidentifier()
    )
    starts = after.token_type == TokenType.L_PAREN or after.text[:1].isalnum()
    return ends and starts and rule.words[index - 1] not in ("SELECT", ",") and rule.words[index + 1] not in (
        "EXCLUDE", "REPLACE", "FROM", "AS",
    )  # fmt: skip


def _constants(rule: _Rule) -> Iterator[Site]:
    """Numbers one more and one less; sizes of types are left alone."""
    for index, token in enumerate(rule.tokens):
        typed = "DECIMAL" in rule.words[max(0, index - 4) : index]
        if token.token_type == TokenType.NUMBER and token.text.isdigit() and not typed:
            value = int(token.text)
            for new in (value + 1, value - 1) if value else (1,):
                yield rule.site(index, index, str(new), "constant")


def _conditions(rule: _Rule) -> Iterator[Site]:
    """A term of AND or OR dropped; WHERE and FILTER dropped; a WHEN negated; NOT dropped; IS NULL and IS NOT NULL."""
    for index, word in enumerate(rule.words):
        if word in ("AND", "OR") and not _is_between(rule, index) and "CREATE" not in rule.words[index - 1 : index]:
            after = rule.end_of(index + 1, _ENDS)
            yield rule.site(index, after - 1, "", "term dropped")
        if word == "WHERE":
            after = rule.end_of(index, _CLAUSE_ENDS)
            yield rule.site(index, after - 1, "", "filter dropped")
            first = rule.end_of(index + 1, {"AND", *_CLAUSE_ENDS})
            if first < after and rule.words[first] == "AND":
                yield rule.site(index + 1, first, "", "term dropped")
        if word == "FILTER":
            yield rule.site(index, rule.closing[index + 1], "", "filter dropped")
        if word == "WHEN":
            after = rule.end_of(index + 1, {"THEN"})
            yield rule.site(index + 1, after - 1, f"NOT ({rule.piece(index + 1, after)})", "condition negated")
        if word == "NOT":
            yield rule.site(index, index, "", "not dropped")
        if word == "IS" and rule.words[index + 1] == "NULL":
            yield rule.site(index, index, "IS NOT", "null negated")


def _is_between(rule: _Rule, index: int) -> bool:
    """Whether this AND belongs to a BETWEEN."""
    for back in range(index - 1, -1, -1):
        if rule.words[back] == "BETWEEN":
            return all(word not in ("AND", "OR") for word in rule.words[back + 1 : index])
        if rule.words[back] in ("AND", "OR", "WHERE", "SELECT", "WHEN"):
            return False
    return False


def _cases(rule: _Rule) -> Iterator[Site]:
    """The results of two branches swapped; the default of coalesce dropped."""
    for index, word in enumerate(rule.words):
        if word == "THEN":
            after = rule.end_of(index + 1, {"WHEN", "ELSE", "END"})
            if after < len(rule.words) and rule.words[after] in ("WHEN", "ELSE"):
                other = after + 1
                if rule.words[after] == "WHEN":
                    other = rule.end_of(after + 1, {"THEN"}) + 1
                last = rule.end_of(other, {"WHEN", "ELSE", "END"})
                one, two = rule.piece(index + 1, after), rule.piece(other, last)
                between = rule.text[rule.tokens[after].start : rule.tokens[other].start]
                if one != two:
                    yield rule.site(index + 1, last - 1, f"{two} {between}{one}", "branches swapped")
        if word == "COALESCE":
            comma = rule.end_of(index + 2, set())
            yield rule.site(index, rule.closing[index + 1], f"({rule.piece(index + 2, comma)})", "default dropped")


def _relations(rule: _Rule) -> Iterator[Site]:
    """Kinds of joins; a key of USING dropped; ORDER BY, PARTITION BY, DESC dropped."""
    for index, (word, following) in enumerate(pairwise([*rule.words, ""])):
        before = rule.words[index - 1] if index else ""
        if word == "LEFT" and following == "JOIN":
            yield rule.site(index, index, "", "join kind")
        if word == "JOIN" and before not in ("LEFT", "CROSS"):
            yield rule.site(index, index, "LEFT JOIN", "join kind")
        if word == "USING" and following == "(":
            yield from _shorter(rule, index + 1, "key dropped")
        if word in ("ORDER BY", "PARTITION BY"):
            after = index + 1
            while after < len(rule.tokens) and rule.words[after] not in _CLAUSE_ENDS:
                if rule.tokens[after].token_type in _CLOSE:
                    break
                after = rule.closing.get(after, after) + 1
            yield rule.site(index, after - 1, "", f"{word.lower()} dropped")
        if word == "DESC":
            yield rule.site(index, index, "", "order reversed")


def _shorter(rule: _Rule, opening: int, kind: str) -> Iterator[Site]:
    """Each item of a list in brackets dropped, if there are several."""
    close = rule.closing[opening]
    commas = [index for index in range(opening + 1, close) if rule.tokens[index].token_type == TokenType.COMMA]
    if commas:
        yield rule.site(opening + 1, commas[0], "", kind)
        for comma, after in pairwise([*commas, close]):
            yield rule.site(comma, after - 1, "", kind)


_OPERATORS: tuple[Callable[[_Rule], Iterator[Site]], ...] = (_operators, _constants, _conditions, _cases, _relations)
