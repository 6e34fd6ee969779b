"""The names that installed programs import, and the shapes they call."""

from __future__ import annotations

import importlib
import inspect
from threading import Thread

import pytest

from ovos_bus_client import MessageBusClient, Session
from ovos_bus_client.apis.enclosure import EnclosureAPI
from ovos_bus_client.apis.events import EventContainer, EventSchedulerInterface
from ovos_bus_client.apis.gui import GUIInterface
from ovos_bus_client.util.scheduler import EventScheduler

PATHS = {
    "ovos_bus_client": ["Message", "MessageBusClient", "Session", "SessionManager"],
    "ovos_bus_client.client": ["MessageBusClient", "MessageWaiter"],
    "ovos_bus_client.client.client": ["MessageBusClient", "MessageWaiter"],
    "ovos_bus_client.apis.enclosure": ["EnclosureAPI"],
    "ovos_bus_client.apis.gui": ["GUIInterface", "GUIWidgets", "_GUIDict", "extend_about_data"],
    "ovos_bus_client.message": ["Message"],
    "ovos_bus_client.session": ["DEFAULT_SESSION_ID", "Session", "SessionManager"],
    "ovos_bus_client.conf": [
        "MessageBusClientConf",
        "MessageBusConfig",
        "load_message_bus_config",
    ],
    "ovos_bus_client.apis.events": [
        *("EventContainer", "EventSchedulerInterface", "create_basic_wrapper"),
        *("Message", "dig_for_message"),
    ],
    "ovos_bus_client.util.scheduler": ["EventScheduler", "Message", "repeat_time"],
    "ovos_bus_client.apis.ocp": [
        "ClassicAudioServiceInterface",
        "OCPAudioServiceInterface",
        "OCPInterface",
        "OCPQuery",
        "OCPVideoServiceInterface",
        "OCPWebServiceInterface",
        "ensure_uri",
    ],
    "ovos_bus_client.hpm": ["OVOSProtocol"],
    "ovos_bus_client.opm": ["OVOSMessagebusSolver", "Query"],
    "ovos_bus_client.version": ["VERSION_ALPHA", "VERSION_BUILD", "VERSION_MAJOR", "VERSION_MINOR"],
}


@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module, names in PATHS.items() for name in names]
)
def test_it_is_where_programs_look_for_it(module: str, name: str) -> None:
    """The name can be imported from the module."""
    assert hasattr(importlib.import_module(module), name)


@pytest.mark.parametrize("name", ["Message", "MessageBusClient", "Session", "SessionManager"])
def test_it_is_one_thing_wherever_it_is_found(name: str) -> None:
    """A class found under several paths is the same class."""
    found = {
        id(getattr(importlib.import_module(module), name))
        for module, names in PATHS.items()
        if name in names
    }

    assert len(found) == 1


def test_the_version_is_four_numbers_of_the_line_one() -> None:
    """The version counts as the 1.x that installed programs ask for, above all there were."""
    version = importlib.import_module("ovos_bus_client.version")
    numbers = [getattr(version, name) for name in PATHS["ovos_bus_client.version"]]

    assert all(type(number) is int for number in numbers)
    assert version.VERSION_MAJOR == 1
    assert version.VERSION_MINOR > 5
    assert version.__version__ == f"1.{version.VERSION_MINOR}.{version.VERSION_BUILD}"


def parameters(function: object) -> list[tuple[str, object]]:
    """Return names and defaults of what may be given by position."""
    return [
        (parameter.name, parameter.default)
        for parameter in inspect.signature(function).parameters.values()  # type: ignore[arg-type]
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD and parameter.name != "self"
    ]


def test_a_client_takes_its_arguments_in_the_known_order() -> None:
    """Programs give host, port, route and ssl by position, and the rest by name."""
    assert parameters(MessageBusClient) == [
        ("host", None),
        ("port", None),
        ("route", None),
        ("ssl", None),
        ("emitter", None),
        ("cache", False),
        ("session", None),
    ]


@pytest.mark.parametrize(
    ("method", "shape"),
    [
        ("wait_for_message", [("message_type", inspect.Parameter.empty), ("timeout", 3.0)]),
        (
            "wait_for_response",
            [("message", inspect.Parameter.empty), ("reply_type", None), ("timeout", 3.0)],
        ),
        ("emit", [("message", inspect.Parameter.empty)]),
        ("run_in_thread", []),
        ("run_forever", []),
        ("close", []),
    ],
)
def test_methods_take_what_programs_give(method: str, shape: list[tuple[str, object]]) -> None:
    """Names, order and defaults of the arguments are those that programs rely on."""
    assert parameters(getattr(MessageBusClient, method)) == shape


REQUIRED = inspect.Parameter.empty


@pytest.mark.parametrize(
    ("method", "shape"),
    [
        (
            EventScheduler,
            [("bus", REQUIRED), ("schedule_file", "schedule.json"), ("autostart", True)],
        ),
        (
            EventScheduler.schedule_event,
            [
                *(("event", REQUIRED), ("sched_time", REQUIRED)),
                *(("repeat", None), ("data", None), ("context", None)),
            ],
        ),
        (EventScheduler.update_event, [("event", REQUIRED), ("data", REQUIRED)]),
        (EventScheduler.remove_event, [("event", REQUIRED)]),
        *(
            (getattr(EventScheduler, name), [])
            for name in [
                "load",
                "store",
                "check_state",
                "clear_repeating",
                "clear_empty",
                "shutdown",
            ]
        ),
        *(
            (getattr(EventScheduler, f"handle_{name}"), [("message", REQUIRED)])
            for name in (
                *("schedule_event", "remove_event", "update_event"),
                *("get_event", "list_events", "system_clock_sync"),
            )
        ),
        (EventSchedulerInterface, [("bus", None), ("skill_id", None)]),
        (
            EventSchedulerInterface.schedule_event,
            [
                *(("handler", REQUIRED), ("when", REQUIRED)),
                *(("data", None), ("name", None), ("context", None)),
            ],
        ),
        (
            EventSchedulerInterface.schedule_repeating_event,
            [
                *(("handler", REQUIRED), ("when", REQUIRED), ("interval", REQUIRED)),
                *(("data", None), ("name", None), ("context", None)),
            ],
        ),
        (EventSchedulerInterface.update_scheduled_event, [("name", REQUIRED), ("data", None)]),
        (EventSchedulerInterface.cancel_scheduled_event, [("name", REQUIRED)]),
        (EventSchedulerInterface.get_scheduled_event_status, [("name", REQUIRED)]),
        (EventSchedulerInterface.cancel_all_repeating_events, []),
        (EventSchedulerInterface.shutdown, []),
        (EventSchedulerInterface.set_bus, [("bus", REQUIRED)]),
        (EventSchedulerInterface.set_id, [("skill_id", REQUIRED)]),
        (EventContainer.add, [("name", REQUIRED), ("handler", REQUIRED), ("once", False)]),
    ],
    ids=lambda value: getattr(value, "__qualname__", ""),
)
def test_scheduling_takes_what_programs_give(
    method: object, shape: list[tuple[str, object]]
) -> None:
    """The scheduler and its interface are called as they always were."""
    assert parameters(method) == shape


def test_a_scheduler_is_a_thread() -> None:
    """ovos-core makes it a daemon and starts it."""
    assert issubclass(EventScheduler, Thread)


def test_what_skills_are_given_is_made_as_they_make_it() -> None:
    """Skills name the arguments of their screen, and make an enclosure before they have a bus."""
    assert parameters(GUIInterface) == [
        ("skill_id", inspect.Parameter.empty),
        ("bus", None),
        ("config", None),
        ("ui_directories", None),
    ]
    assert parameters(EnclosureAPI) == [("bus", None), ("skill_id", "")]


def test_a_session_takes_its_id_by_position() -> None:
    """Programs write Session("id")."""
    assert parameters(Session)[0] == ("session_id", None)


def test_urls_are_built_without_a_client() -> None:
    """The address of a bus can be asked of the class."""
    assert MessageBusClient.build_url("h", 1, "/r", False) == "ws://h:1/r"
    assert MessageBusClient.build_url("h", 1, "/r", True) == "wss://h:1/r"
