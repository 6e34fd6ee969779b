"""What is public, and that it was meant."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

import pytest

import ovos_bus_client

MODULES = [
    module.name
    for module in pkgutil.walk_packages(ovos_bus_client.__path__, "ovos_bus_client.")
    if not any(part.startswith("_") for part in module.name.split("."))
]


def submodules(package: ModuleType) -> set[str]:
    return {module.name for module in pkgutil.iter_modules(package.__path__)}


def test_everything_can_be_imported_at_once() -> None:
    """`from ovos_bus_client import *` brings what the package lists."""
    names: dict[str, object] = {}
    exec("from ovos_bus_client import *", names)

    assert set(ovos_bus_client.__all__) <= set(names)
    assert "MessageBusClient" in names


@pytest.mark.parametrize("name", ["ovos_bus_client", *MODULES])
def test_a_public_module_says_what_is_public(name: str) -> None:
    """
    Each public module has a docstring, and an `__all__` of names that it has, each once.

    A package that holds nothing but its docstring and its modules needs none.
    """
    module: ModuleType = importlib.import_module(name)

    assert module.__doc__
    if name == "ovos_bus_client.apis":
        assert {n for n in vars(module) if not n.startswith("_")} <= submodules(module)
        return
    assert all(isinstance(item, str) and hasattr(module, item) for item in module.__all__)
    assert len(set(module.__all__)) == len(module.__all__)


def test_the_walk_finds_the_modules() -> None:
    """The list that the other tests go through is not empty by accident."""
    assert {"ovos_bus_client.client.client", "ovos_bus_client.errors"} <= set(MODULES)
