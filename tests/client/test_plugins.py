"""The plugins for other programs, where these are not installed; tests/compat has the rest."""

from __future__ import annotations

import importlib
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ovos_bus_client.errors import HostMissing
from tests.support.processes import ROOT, environment

PLUGINS = {
    "neon.plugin.solver": ("ovos-solver-bus-plugin", "ovos_bus_client.opm:OVOSMessagebusSolver"),
    "hivemind.agent.protocol": ("hivemind-ovos-agent-plugin", "ovos_bus_client.hpm:OVOSProtocol"),
}


@pytest.mark.parametrize("group", PLUGINS)
def test_it_is_found_by_name(group: str) -> None:
    """The package declares the entry point that programs look up, and it leads to a class."""
    name, target = PLUGINS[group]
    metadata = (ROOT / "pyproject.toml").read_text()
    module, _, attribute = target.partition(":")

    assert re.search(rf'^\[project.entry-points."{group}"\]\n{name} = "{target}"$', metadata, re.M)
    assert isinstance(getattr(importlib.import_module(module), attribute), type)


@pytest.mark.parametrize(
    ("module", "name", "host", "package"),
    [
        ("opm", "OVOSMessagebusSolver", "ovos_plugin_manager", "ovos-plugin-manager"),
        ("hpm", "OVOSProtocol", "hivemind_plugin_manager", "hivemind-core"),
    ],
)
def test_without_its_program_it_says_what_to_install(
    module: str, name: str, host: str, package: str
) -> None:
    """It can be imported, but not made; the error is an ImportError."""
    if importlib.util.find_spec(host) is not None:
        pytest.skip(f"{host} is installed here")
    plugin = getattr(importlib.import_module(f"ovos_bus_client.{module}"), name)

    with pytest.raises(HostMissing, match=f"{name} needs {package}: pip install {package}") as got:
        plugin()
    assert isinstance(got.value, ImportError)


@pytest.mark.parametrize(
    ("module", "host"), [("opm", "ovos_plugin_manager"), ("hpm", "hivemind_plugin_manager")]
)
def test_a_broken_program_is_not_taken_for_a_missing_one(
    tmp_path: Path, module: str, host: str
) -> None:
    """What is wrong with it is what the error says."""
    package = tmp_path / "packages" / host
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("import a_package_that_nobody_has")
    done = subprocess.run(
        [sys.executable, "-c", f"import ovos_bus_client.{module}"],
        env=environment(tmp_path) | {"PYTHONPATH": f"{package.parent}:{ROOT}"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert done.returncode == 1
    assert "No module named 'a_package_that_nobody_has'" in done.stderr
