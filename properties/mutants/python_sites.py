"""Where a Python module of an engine can be changed: by its syntax tree, as edits of the text by position.

Left alone: annotations, decorators, docstrings, imports, and the texts of errors, none of which decides a result.
"""

from __future__ import annotations

import ast
import re

from properties.mutants.mutant import Site

_COMPARISONS: dict[type[ast.cmpop], tuple[str, tuple[str, ...]]] = {
    ast.Lt: ("<", ("<=", ">")), ast.LtE: ("<=", ("<", ">")), ast.Gt: (">", (">=", "<")), ast.GtE: (">=", (">", "<")),
    ast.Eq: ("==", ("!=",)), ast.NotEq: ("!=", ("==",)), ast.Is: ("is", ("is not",)), ast.IsNot: ("is not", ("is",)),
    ast.In: ("in", ("not in",)), ast.NotIn: ("not in", ("in",)),
}  # fmt: skip
_ARITHMETIC: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "+"), ast.FloorDiv: ("//", "*"), ast.Mod: ("%", "//"),
    ast.Pow: ("**", "*"), ast.BitAnd: ("&", "|"), ast.BitOr: ("|", "&"), ast.BitXor: ("^", "|"), ast.LShift: ("<<", ">>"),
    ast.RShift: (">>", "<<"),
}  # fmt: skip
_NAMES = {
    "min_horizontal": "max_horizontal", "max_horizontal": "min_horizontal", "is_null": "is_not_null", "is_not_null": "is_null",
    "any": "all", "all": "any", "first": "last", "last": "first", "minimum": "maximum", "maximum": "minimum", "cum_max": "cum_min",
    "min": "max", "max": "min",
}  # fmt: skip
_DROPPED = {"sort", "filter", "fill_null", "over", "shift", "reverse"}
"""Methods whose call is replaced by what it was called on."""
_KEYWORDS = {"how": {"left": "inner", "inner": "left"}}


def python_sites(text: str) -> list[Site]:
    """Every change of this module that the operators know, in order of place; each parses to something else."""
    tree = ast.parse(text)
    walker = _Walker(text, tree)
    walker.visit(tree)
    return [site for site in sorted(walker.sites) if walker.changes(site)]


class _Walker(ast.NodeVisitor):
    """Collects the sites of a tree."""

    def __init__(self, text: str, tree: ast.Module) -> None:
        self.text = text
        self.sites: set[Site] = set()
        self._starts = [0]
        for line in text.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._lines = text.splitlines(keepends=True)
        self._statements: list[tuple[int, int, str]] = []
        for node in tree.body:
            first, last = self._place(node.lineno, 0), self._starts[node.end_lineno or node.lineno]
            self._statements.append((first, last, ast.dump(ast.parse(text[first:last]))))

    def changes(self, site: Site) -> bool:
        """Whether the statement that the site is in still parses, and to something else."""
        first, last, original = next(one for one in self._statements if one[0] <= site.start < one[1])
        try:
            return (
                ast.dump(ast.parse(self.text[first : site.start] + site.new + self.text[site.end : last])) != original
            )
        except SyntaxError:
            return False

    def _place(self, line: int, column: int) -> int:
        """A position in the text; the tree counts columns in bytes."""
        return self._starts[line - 1] + len(self._lines[line - 1].encode()[:column].decode())

    def _start(self, node: ast.expr | ast.arg | ast.keyword) -> int:
        return self._place(node.lineno, node.col_offset)

    def _end(self, node: ast.expr) -> int:
        assert node.end_lineno is not None and node.end_col_offset is not None
        return self._place(node.end_lineno, node.end_col_offset)

    def _source(self, node: ast.expr) -> str:
        return self.text[self._start(node) : self._end(node)]

    def _add(self, start: int, end: int, new: str, kind: str) -> None:
        self.sites.add(Site(start, end, new, kind))

    def _replace(self, node: ast.expr, new: str, kind: str) -> None:
        self._add(self._start(node), self._end(node), new, kind)

    def _between(self, left: ast.expr, right: ast.expr, old: str, new: str, kind: str) -> None:
        """Change the operator that stands between two operands."""
        first, last = self._end(left), self._start(right)
        found = re.search(rf"(?<![\w*/<>=]){re.escape(old)}(?![\w*/<>=])", self.text[first:last])
        if found:
            self._add(first + found.start(), first + found.end(), new, kind)

    def _swap(self, one: ast.expr, two: ast.expr, kind: str) -> None:
        first, second = sorted((one, two), key=self._start)
        between = self.text[self._end(first) : self._start(second)]
        new = f"{self._source(second)}{between}{self._source(first)}"
        if self._source(first) != self._source(second):
            self._add(self._start(first), self._end(second), new, kind)

    # --- what is left alone

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for default in (*node.args.defaults, *node.args.kw_defaults):
            if default is not None:
                self.visit(default)
        for statement in node.body:
            self.visit(statement)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for statement in node.body:
            self.visit(statement)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_Raise(self, node: ast.Raise) -> None:
        """The texts of errors say nothing about results."""

    def visit_Assert(self, node: ast.Assert) -> None:
        """Asserts narrow types."""

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):  # a docstring
            self.visit(node.value)

    # --- operators

    def visit_Compare(self, node: ast.Compare) -> None:
        self.generic_visit(node)
        operands = [node.left, *node.comparators]
        for index, operator in enumerate(node.ops):
            old, others = _COMPARISONS[type(operator)]
            for new in others:
                self._between(operands[index], operands[index + 1], old, new, "comparison")

    def visit_BinOp(self, node: ast.BinOp) -> None:
        self.generic_visit(node)
        if type(node.op) in _ARITHMETIC:
            old, new = _ARITHMETIC[type(node.op)]
            kind = "word" if old in "&|" else "arithmetic"
            self._between(node.left, node.right, old, new, kind)
            if old in ("&", "|"):
                self._replace(node, self._source(node.left), "term dropped")
                self._replace(node, self._source(node.right), "term dropped")

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.generic_visit(node)
        if type(node.op) in _ARITHMETIC:
            old, new = _ARITHMETIC[type(node.op)]
            self._between(node.target, node.value, f"{old}=", f"{new}=", "arithmetic")

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        self.generic_visit(node)
        old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in zip(node.values, node.values[1:], strict=False):
            self._between(left, right, old, new, "word")

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        self.generic_visit(node)
        if isinstance(node.op, ast.Not | ast.Invert | ast.USub):
            self._replace(node, self._source(node.operand), "not dropped")

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, bool):
            self._replace(node, str(not node.value), "word")
        elif isinstance(node.value, int):
            for new in (node.value + 1, node.value - 1) if node.value else (1,):
                self._replace(node, str(new), "constant")

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Positions inside formatted texts are not reliable in every version of Python."""

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self.generic_visit(node)
        self._swap(node.body, node.orelse, "branches swapped")

    def visit_If(self, node: ast.If) -> None:
        self.generic_visit(node)
        self._replace(node.test, f"not ({self._source(node.test)})", "condition negated")

    def visit_Call(self, node: ast.Call) -> None:
        function = node.func
        if isinstance(function, ast.Name) and function.id == "zip":  # `strict` guards and decides nothing
            node.keywords = []
        self.generic_visit(node)
        if isinstance(function, ast.Name) and function.id in _NAMES:
            self._replace(function, _NAMES[function.id], "name")
        for keyword in node.keywords:
            value = keyword.value
            new = _KEYWORDS.get(keyword.arg or "", {}).get(getattr(value, "value", ""))
            if new:
                self._replace(value, f'"{new}"', "join kind")
        if isinstance(function, ast.Attribute):
            self._method(node, function)

    def _method(self, node: ast.Call, function: ast.Attribute) -> None:
        name, receiver = function.attr, function.value
        if name in _NAMES:
            end = self._end(function)
            self._add(end - len(name), end, _NAMES[name], "name")
        if name in _DROPPED:
            self._replace(node, self._source(receiver), f"{name} dropped")
        inner = receiver.func if isinstance(receiver, ast.Call) else None
        if (
            name == "otherwise"
            and isinstance(receiver, ast.Call)
            and isinstance(inner, ast.Attribute)
            and receiver.args
        ):
            self._swap(receiver.args[0], node.args[0], "branches swapped")
        if name == "where" and len(node.args) == 3:
            self._swap(node.args[1], node.args[2], "branches swapped")
        if name == "coalesce" and len(node.args) == 2:
            self._swap(node.args[0], node.args[1], "branches swapped")
