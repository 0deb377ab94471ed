"""The Jinja2 environment of templates: sandboxed, immutable, strict about undefined names, bounded in what it makes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from jinja2 import StrictUndefined, Undefined, nodes, pass_context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from mailrules.api import filters

MOST_CHARACTERS = 10_000_000
"""What one template may give, and any text on the way there."""
MOST_ROUNDS = 100_000
"""How often the loops of one template may go round, all together."""
MOST_NUMBERS = 10_000
"""How long a `range` may be."""
MOST_BITS = 4096
"""How large a number may become by multiplication."""
ROUNDS = "_rounds"
"""The name of what counts rounds while a template is filled in."""

_COUNTED = "_counted"
_PADDING = frozenset({"center", "ljust", "rjust", "zfill", "expandtabs"})


class TooMuchError(OverflowError):
    """A template would make more than it may."""


class _Sandbox(ImmutableSandboxedEnvironment):
    """`a.b` is a key of a mapping, or an attribute: never an item of anything else, which a message has for headers."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def getattr(self, obj: Any, attribute: str) -> Any:
        """The key or attribute; where there is none, what fails when it is used."""
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        if isinstance(obj, Mapping | Undefined) or hasattr(obj, attribute):
            return super().getattr(obj, attribute)
        return self.undefined(obj=obj, name=attribute)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """See `jinja2.sandbox.SandboxedEnvironment`: what could grow without bounds is looked at first."""
        if operator == "%" and isinstance(left, str):
            raise TypeError("texts are not put together by %: write ~, or a filter")
        if operator == "**":
            _check_power(left, right)
        if operator == "*":
            _check_product(left, right)
        return super().call_binop(context, operator, left, right)

    def call(self, context: Any, obj: Any, *args: Any, **named: Any) -> Any:
        """See `jinja2.sandbox.SandboxedEnvironment`: the same for the methods of texts."""
        text = getattr(obj, "__self__", None)
        if isinstance(text, str):
            _check_method(text, obj.__name__, args)
        return super().call(context, obj, *args, **named)

    def wrap_str_format(self, value: Any) -> Any:
        """See `jinja2.sandbox.SandboxedEnvironment`: the widths of `format` know no bounds, so there is none."""
        return _no_format if super().wrap_str_format(value) else None

    def _generate(self, source: nodes.Template, *args: Any, **named: Any) -> str:
        """Jinja2's hook before code is made of the tree: every loop counts its rounds."""
        for loop in list(source.find_all(nodes.For)):
            loop.iter = nodes.Filter(loop.iter, _COUNTED, [], [], None, None, lineno=loop.lineno)
        return super()._generate(source, *args, **named)


def _no_format(*_args: Any, **_named: Any) -> str:
    raise TypeError("texts have no format here: write ~, or a filter")


def _check_power(left: Any, right: Any) -> None:
    if isinstance(left, int) and isinstance(right, int) and right > 0 and left.bit_length() * right > MOST_BITS:
        raise TooMuchError(f"a number of more than {MOST_BITS} bits")


def _check_product(left: Any, right: Any) -> None:
    if isinstance(left, int) and isinstance(right, int):
        if left.bit_length() + right.bit_length() > MOST_BITS:
            raise TooMuchError(f"a number of more than {MOST_BITS} bits")
        return
    for many, times in ((left, right), (right, left)):
        if isinstance(many, str | list | tuple) and isinstance(times, int):
            _check_length(len(many) * times)


def _check_method(text: str, name: str, args: tuple[Any, ...]) -> None:
    if name in _PADDING:
        widths = [each for each in args if isinstance(each, int)]
        _check_length(max(widths, default=8) * (1 + text.count("\t") if name == "expandtabs" else 1))
    elif name == "translate":
        raise TypeError("texts are not translated here, as each letter could become a thousand: write replace")
    elif name == "replace" and len(args) > 1:
        _check_replaced(text, *args[:2])
    elif name == "join" and args and isinstance(args[0], list | tuple):
        _check_length(len(text) * len(args[0]))


def _check_replaced(text: object, old: object, new: object) -> None:
    text, old, new = str(text), str(old), str(new)
    _check_length(len(text) + (text.count(old) if old else len(text) + 1) * len(new))


def _check_length(length: int) -> None:
    if length > MOST_CHARACTERS:
        raise TooMuchError(f"more than {MOST_CHARACTERS:,} characters")


def _range(*args: int) -> range:
    numbers = range(*args)
    if len(numbers) > MOST_NUMBERS:
        raise TooMuchError(f"a range of more than {MOST_NUMBERS:,} numbers")
    return numbers


@pass_context
def _counted(context: Any, values: Iterable[Any]) -> Iterator[Any]:
    rounds = context.get(ROUNDS)
    for value in values:
        if next(rounds) >= MOST_ROUNDS:
            raise TooMuchError(f"loops of more than {MOST_ROUNDS:,} rounds")
        yield value


@pass_context
def _age(context: Any, when: Any) -> str:
    return filters.age(when, context["now"])


def _replace(text: object, old: str, new: str, count: int = -1) -> str:
    _check_replaced(text, old, new)
    return str(text).replace(str(old), str(new), count)


def _join(join: Callable[..., str]) -> Callable[..., str]:
    """Jinja2's, with the lengths added up first."""

    @pass_context
    def checked(context: Any, value: Iterable[Any], d: str = "", attribute: Any = None) -> str:
        values = list(islice(value, MOST_CHARACTERS))
        _check_length(len(str(d)) * len(values))
        return join(context.eval_ctx, values, d, attribute)

    return checked


def _indent(text: object, width: int = 4, first: bool = False) -> str:  # noqa: FBT001, FBT002 - as Jinja2 has it
    _check_length(width * (1 + str(text).count("\n")))
    return filters.indent(text, width, first)


def environment(*, html: bool = False) -> Any:
    """A fresh environment with the filters for mail work; for *html* every value that is filled in is escaped."""
    made = _Sandbox(undefined=StrictUndefined, autoescape=html, keep_trailing_newline=True)
    theirs, join = made.filters, made.filters["join"]
    made.filters = {name: known.run or theirs.get(name) for name, known in filters.FILTERS.items()}
    made.filters |= {"age": _age, "replace": _replace, "join": _join(join), "indent": _indent, _COUNTED: _counted}
    made.tests = {name: known.run or made.tests[name] for name, known in filters.TESTS.items()} | {
        name: made.tests[name] for name in filters.ALIASES
    }
    made.globals = {"range": _range, "dict": dict}
    return made
