"""What the syntax tree of a template tells before it is filled in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from jinja2 import meta, nodes

from mailrules.api.filters import compiled
from mailrules.api.names import BODY_ATTRIBUTES, TEMPLATE_NAMES, TemplateProblem, Use, of_message


class Study(NamedTuple):
    """What a syntax tree tells."""

    problem: TemplateProblem | None
    uses: tuple[Use, ...]
    needs_body: bool


def study(tree: Any, environment: Any) -> Study:
    """A message that goes elsewhere than before a dot or bracket may be asked for anything."""
    names = [name.name for name in tree.find_all(nodes.Name)]
    fields = [node for node in tree.find_all((nodes.Getattr, nodes.Getitem)) if _path(node.node) == "message"]
    attributes = {node.attr for node in fields if isinstance(node, nodes.Getattr)}
    needs_body = names.count("message") > len(fields) or bool(attributes & BODY_ATTRIBUTES)
    problem = _unknown_filter(tree, environment) or _unknown_name(tree, names, environment) or _bad_pattern(tree)
    return Study(problem, tuple(_uses(tree)), needs_body)


def _uses(tree: Any) -> Iterator[Use]:
    """Names after dots, but for those whose absence the template sees to, and of names that it gives itself."""
    own = {name.name for name in tree.find_all(nodes.Name) if name.ctx != "load"}
    cared_for = [node.node for node in tree.find_all(nodes.Filter) if node.name in ("default", "d")]
    cared_for += [node.node for node in tree.find_all(nodes.Test) if node.name in ("defined", "undefined")]
    excused = {(_path(node.node), _name(node)) for node in cared_for if isinstance(node, nodes.Getattr | nodes.Getitem)}
    for node in tree.find_all((nodes.Getattr, nodes.Getitem)):
        path, name = _path(node.node), _name(node)
        if path and name and (path, name) not in excused and path.partition(".")[0] not in own:
            yield Use(node.lineno, path, name)


def _name(node: Any) -> str:
    """What stands after a dot, or in brackets where that is the same; empty otherwise."""
    if isinstance(node, nodes.Getattr):
        return node.attr
    plain = isinstance(node.arg, nodes.Const) and _path(node.node) in ("match", "data", "listener", "account")
    return str(node.arg.value) if plain else ""


def _path(node: Any) -> str:
    """`message.author` of a name with dots; empty of anything else."""
    if isinstance(node, nodes.Name):
        return node.name
    before = _path(node.node) if isinstance(node, nodes.Getattr) else ""
    return f"{before}.{node.attr}" if before else ""


def _unknown_filter(tree: Any, environment: Any) -> TemplateProblem | None:
    """A filter or test that there is not."""
    for kind, known, what in (
        (nodes.Filter, environment.filters, "filter"),
        (nodes.Test, environment.tests, "test"),
    ):
        for node in tree.find_all(kind):
            if node.name not in known:
                names = frozenset(name for name in known if name[0].isalpha())
                return TemplateProblem(node.lineno, f"there is no {what} '{node.name}'", node.name, names)
    return None


def _bad_pattern(tree: Any) -> TemplateProblem | None:
    """A regular expression, written out, that is none."""
    for node in tree.find_all((nodes.Filter, nodes.Test)):
        written = node.args[0] if node.name in ("regex_search", "matching") and node.args else None
        if isinstance(written, nodes.Const):
            try:
                compiled(str(written.value))
            except ValueError as error:
                return TemplateProblem(node.lineno, str(error), hint="regular expressions are RE2's")
    return None


def _unknown_name(tree: Any, names: list[str], environment: Any) -> TemplateProblem | None:
    """A name that templates do not know; asking Jinja2 for scopes only where some name is not one of ours."""
    if TEMPLATE_NAMES.issuperset(names):
        return None
    unknown = meta.find_undeclared_variables(tree) - TEMPLATE_NAMES - environment.globals.keys()
    if not unknown:
        return None
    name = min(unknown)
    line = next(node.lineno for node in tree.find_all(nodes.Name) if node.name == name)
    sentence = f"no '{name}' here: templates know {', '.join(sorted(TEMPLATE_NAMES))}"
    return TemplateProblem(line, sentence, name, TEMPLATE_NAMES, f"write message.{name}" if of_message(name) else "")
