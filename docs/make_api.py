"""
Write what the code knows about itself into the docs: ``python docs/make_api.py``.

* ``docs/api.md`` is the reference of the library, from its docstrings;
* the table in ``docs/async.md`` tells what each client has, from the classes.

``tests/test_docs.py`` fails when a committed file is not what this script writes.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent))

import ovos_bus_client  # noqa: E402
from ovos_bus_client import AsyncMessageBusClient, MessageBusClient  # noqa: E402
from ovos_bus_client.testing import FakeBus  # noqa: E402

HEAD = """\
# API reference

Made from the docstrings by `make docs`. A name is imported from the module it stands under; those
that `ovos_bus_client` lists can be imported from there, too. `None` as a default is explained with
the argument.
"""

CLIENTS = (MessageBusClient, AsyncMessageBusClient, FakeBus)

# A docstring's sections, and what their items are set as.
_SECTION = re.compile(r"^(Args|Attributes|Raises|Returns|Yields):$")
_ITEM = re.compile(r"^ {4}(\*{0,2}[\w. ]+?): (.*)$")


def reference() -> str:
    """The whole of ``docs/api.md``."""
    return "\n".join([HEAD, *_package(), *(line for name in modules() for line in _module(name))])


def features(page: str) -> str:
    """A page with its table of what the clients have brought up to date."""
    table = "\n".join(_features())
    made, count = re.subn(
        r"(<!-- features -->\n).*?(<!-- end of features -->)",
        lambda found: f"{found[1]}{table}\n{found[2]}",
        page,
        flags=re.DOTALL,
    )
    assert count == 1, "the page has no place for the table"
    return made


def modules() -> list[str]:
    """The public modules of the library."""
    walk = pkgutil.walk_packages(ovos_bus_client.__path__, "ovos_bus_client.")
    return sorted(m.name for m in walk if not re.search(r"\._", m.name))


def _package() -> Iterator[str]:
    yield "## ovos_bus_client\n"
    for name in ovos_bus_client.__all__:
        yield f"* `{name}`, of `{getattr(ovos_bus_client, name).__module__}`"
    yield ""


def _module(name: str) -> Iterator[str]:
    module = importlib.import_module(name)
    # A package that only holds modules has no names.
    listed = [(n, getattr(module, n)) for n in getattr(module, "__all__", ())]
    things = [(n, thing) for n, thing in listed if getattr(thing, "__module__", name) == name]
    if not things:
        return
    yield f"## {name}\n"
    yield from _prose(inspect.getdoc(module) or "")
    for n, thing in things:
        if inspect.isclass(thing):
            yield from _class(n, thing)
        elif callable(thing):
            yield f"### {n}\n"
            yield from _function(n, thing)
        else:
            yield f"### {n}\n"
            yield f"`{thing!r}`\n"


def _class(name: str, cls: type) -> Iterator[str]:
    if name != cls.__name__:
        yield f"### {name}\n\nAnother name of `{cls.__name__}`.\n"
        return
    yield f"### {name}\n"
    bases = [base.__name__ for base in cls.__bases__ if base is not object]
    if bases:
        yield f"A kind of {', '.join(f'`{base}`' for base in bases)}.\n"
    yield from _prose(inspect.getdoc(cls) or "")
    if "__init__" in vars(cls):
        yield from _function(name, vars(cls)["__init__"])
    for attribute, value in vars(cls).items():
        if attribute.startswith("_"):
            continue
        function = getattr(value, "__func__", value)
        if isinstance(value, property):
            yield f"#### {name}.{attribute}\n"
            yield from _prose(inspect.getdoc(value) or "See the attributes of the class.")
        elif isinstance(function, FunctionType) and function.__doc__:
            yield f"#### {name}.{attribute}\n"
            yield from _function(attribute, function, _kind(value))


def _kind(value: object) -> str:
    return value.__class__.__name__ if isinstance(value, classmethod | staticmethod) else ""


def _function(name: str, function: Any, kind: str = "") -> Iterator[str]:
    signature = inspect.signature(function)
    parameters = [p for p in signature.parameters.values() if p.name not in ("self", "cls")]
    signature = signature.replace(parameters=parameters)
    if name[:1].isupper():
        signature = signature.replace(return_annotation=inspect.Signature.empty)
    # Annotations are strings here, which Python shows in quotes; functions have their address.
    shown = re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(signature))
    shown = re.sub(r"<function .*? at 0x\w+>", "...", shown)
    word = "async " if inspect.iscoroutinefunction(function) else ""
    mark = f"  # {kind}" if kind else ""
    yield f"```python\n{word}{name}{shown}{mark}\n```\n"
    yield from _prose(inspect.getdoc(function) or "")


def _prose(docstring: str) -> Iterator[str]:
    """A docstring as Markdown: sections as lists, what follows ``::`` as code."""
    lines = iter(docstring.splitlines())
    section, code = "", False
    for line in lines:
        if code and line.startswith("    "):
            yield line[4:]
            continue
        if code and not line:
            continue
        if code:
            yield "```\n"
            code = False
        if found := _SECTION.match(line):
            section = found[1]
            yield f"{section}:\n"
        elif line == "::":
            yield "```text"
            code = True
        elif section and (item := _ITEM.match(line)) and section not in ("Returns", "Yields"):
            yield f"* `{item[1]}`: {item[2]}"
        elif section and line.startswith("    "):
            yield f"  {line.strip()}" if section not in ("Returns", "Yields") else line.strip()
        else:
            if line:
                section = ""
            yield line
    if code:
        yield "```"
    yield ""


def _features() -> Iterator[str]:
    yield "| | does | sync | async | in memory |"
    yield "| --- | --- | --- | --- | --- |"
    names = sorted({name for cls in CLIENTS for name in dir(cls) if not name.startswith("_")})
    for name in names:
        have = [getattr(cls, name, None) for cls in CLIENTS]
        told = next((inspect.getdoc(thing) for thing in have if inspect.getdoc(thing)), None) or ""
        what = told.replace("\n", " ").split(". ")[0].split(": ")[0].rstrip(".")
        yield f"| `{name}` | {what} | {' | '.join(map(_has, have))} |"
        options = [_options(thing) for thing in have]
        some = {option for each in options for option in each or ()}
        for option in sorted(o for o in some if any(o not in each for each in options if each)):
            cells = ("yes" if each and option in each else "no" for each in options)
            yield f"| `{name}({option}=)` | | {' | '.join(cells)} |"


def _options(thing: object) -> set[str]:
    """The arguments of a method."""
    if not inspect.isfunction(thing):
        return set()
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    parameters = inspect.signature(thing).parameters.values()
    return {p.name for p in parameters if p.kind not in kinds} - {"self"}


def _has(thing: object) -> str:
    if thing is None:
        return "no"
    if inspect.iscoroutinefunction(thing):
        return "`await`"
    return "`async for`" if inspect.isasyncgenfunction(thing) else "yes"


def main() -> None:
    (DOCS / "api.md").write_text(reference())
    page = DOCS / "async.md"
    page.write_text(features(page.read_text()))


if __name__ == "__main__":
    main()
