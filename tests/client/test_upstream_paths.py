"""The names that installed programs import, and the shapes they call."""

from __future__ import annotations

import importlib
import inspect
from threading import Thread
from typing import Any

import pytest

from ovos_bus_client import MessageBusClient, Session
from ovos_bus_client.apis.enclosure import EnclosureAPI
from ovos_bus_client.apis.events import EventContainer, EventSchedulerInterface
from ovos_bus_client.apis.gui import GUIInterface
from ovos_bus_client.util.scheduler import EventScheduler

# All that installed programs import of the client of today.
PATHS = {
    "ovos_bus_client": (
        "GUIMessage GUIWebsocketClient Message MessageBusClient Session SessionManager "
        "UtteranceState client_from_config send"
    ),
    "ovos_bus_client.apis.enclosure": "EnclosureAPI",
    "ovos_bus_client.apis.events": (
        "EventContainer EventSchedulerInterface Message create_basic_wrapper dig_for_message"
    ),
    "ovos_bus_client.apis.gui": "GUIInterface GUIWidgets _GUIDict extend_about_data",
    "ovos_bus_client.apis.ocp": (
        "ClassicAudioServiceInterface OCPAudioServiceInterface OCPInterface OCPQuery "
        "OCPVideoServiceInterface OCPWebServiceInterface ensure_uri"
    ),
    "ovos_bus_client.client": (
        "GUIWebsocketClient MessageBusClient MessageCollector MessageWaiter"
    ),
    "ovos_bus_client.client.client": (
        "GUIWebsocketClient MessageBusClient MessageCollector MessageWaiter"
    ),
    "ovos_bus_client.client.collector": "MessageCollector",
    "ovos_bus_client.client.waiter": "MessageWaiter",
    "ovos_bus_client.conf": (
        "MessageBusClientConf MessageBusConfig client_from_config load_gui_message_bus_config "
        "load_message_bus_config"
    ),
    "ovos_bus_client.hpm": "OVOSProtocol",
    "ovos_bus_client.message": (
        "CollectionMessage GUIMessage Message decrypt_from_dict dig_for_message encrypt_as_dict"
    ),
    "ovos_bus_client.opm": "OVOSMessagebusSolver Query",
    "ovos_bus_client.scripts": "ovos_listen ovos_say_to ovos_speak simple_cli",
    "ovos_bus_client.send_func": "send",
    "ovos_bus_client.session": (
        "DEFAULT_SESSION_ID IntentContextManager IntentContextManagerFrame MalformedSession "
        "Session SessionManager UtteranceState resolve_session_id session_carrier"
    ),
    "ovos_bus_client.util": (
        "decode_binary_message get_message_lang get_mycroft_bus get_websocket listen_for_message "
        "listen_once_for_message send_binary_data_message send_binary_file_message send_message "
        "wait_for_reply"
    ),
    "ovos_bus_client.util.scheduler": "EventScheduler Message repeat_time",
    "ovos_bus_client.version": "VERSION_MAJOR VERSION_MINOR VERSION_BUILD VERSION_ALPHA",
}

# What they then use of it, by module and class.
MEMBERS = {
    "client.MessageBusClient": (
        "_config_cache build_url close collect_responses create_client emit on on_close on_collect "
        "on_error on_message on_open once remove remove_all_listeners run_forever run_in_thread "
        "wait_for_message wait_for_response"
    ),
    "client.MessageCollector": "__iter__ collect on_response shutdown start wait",
    "client.MessageWaiter": "wait",
    "message.CollectionMessage": "extend failure from_message success",
    "message.GUIMessage": "deserialize serialize",
    "message.Message": "as_dict deserialize forward publish reply response serialize",
    "session.IntentContextManager": (
        "clear_context deserialize get_context inject_context remove_context serialize "
        "update_context"
    ),
    "session.IntentContextManagerFrame": "deserialize merge_context metadata_matches serialize",
    "session.Session": (
        "activate_skill active clear deactivate_skill deserialize disable_response_mode "
        "enable_response_mode expired from_message is_active serialize timezone touch "
        "update_history"
    ),
    "session.SessionManager": (
        "bus connect_to_bus default_session get handle_default_session_request is_recording "
        "is_speaking prune_sessions reset_default_session sessions sync touch update "
        "wait_while_recording wait_while_speaking"
    ),
    "session.UtteranceState": "INTENT RESPONSE",
}

# What may be given by position, with the defaults that programs leave it at: what they give today,
# and here and there something more that may be left out.
SHAPES = {
    "client.GUIWebsocketClient": (
        "host=None, port=None, route=None, ssl=None, emitter=None, cache=False, "
        "client_name='ovos-gui-client'"
    ),
    "client.MessageBusClient.collect_responses": (
        "message, min_timeout=0.2, max_timeout=3.0, direct_return_func=None"
    ),
    "client.MessageBusClient.on_collect": "event_name, func, timeout=2",
    "client.MessageCollector": "bus, message, min_timeout, max_timeout, direct_return_func=None",
    "client.MessageWaiter": "bus, message_type",
    "client.MessageWaiter.wait": "timeout=3.0",
    "conf.client_from_config": "subconf='core', file_path='/etc/mycroft/bus.conf'",
    "message.CollectionMessage": "msg_type, handler_id, query_id, data=None, context=None",
    "message.CollectionMessage.extend": "timeout",
    "message.CollectionMessage.failure": "data=None, context=None",
    "message.CollectionMessage.success": "data=None, context=None",
    "message.Message": "msg_type, data=None, context=None",
    "message.Message.forward": "msg_type, data=None",
    "message.Message.publish": "msg_type, data=None, context=None",
    "message.Message.reply": "msg_type, data=None, context=None",
    "message.Message.response": "data=None, context=None",
    "message.dig_for_message": "max_records=10",
    "send_func.send": "message_to_send, data_to_send=None",
    "session.IntentContextManager": (
        "timeout=None, frame_stack=None, greedy=None, keywords=None, max_frames=None"
    ),
    "session.IntentContextManager.get_context": "max_frames=None, missing_entities=None",
    "session.IntentContextManager.inject_context": "entity, metadata=None",
    "session.Session": (
        "session_id=None, expiration_seconds=None, active_skills=None, utterance_states=None, "
        "lang=None, context=None, site_id=None, pipeline=None, stt_prefs=None, tts_prefs=None, "
        "location_prefs=None, system_unit=None, time_format=None, date_format=None, "
        "is_speaking=None, is_recording=None, blacklisted_intents=None, blacklisted_skills=None, "
        "persona_id=None"
    ),
    "session.SessionManager.update": "sess, make_default=False",
    "session.SessionManager.wait_while_recording": "timeout=45, session=None",
    "session.SessionManager.wait_while_speaking": "timeout=15, session=None",
    "util.get_mycroft_bus": "host=None, port=None, route=None, ssl=None",
    "util.get_websocket": "host, port, route='/', ssl=False, threaded=True",
    "util.listen_for_message": "msg_type, handler, bus=None",
    "util.listen_once_for_message": "msg_type, handler, bus=None",
    "util.send_binary_data_message": (
        "binary_data, msg_type='mycroft.binary.data', msg_data=None, msg_context=None, bus=None"
    ),
    "util.send_binary_file_message": (
        "filepath, msg_type='mycroft.binary.file', msg_context=None, bus=None"
    ),
    "util.send_message": "message, data=None, context=None, bus=None",
    "util.wait_for_reply": "message, reply_type=None, timeout=3.0, bus=None",
}


def find(path: str) -> Any:
    """Return what stands at ``module.name...`` of the library."""
    module, *names = path.split(".")
    found: Any = importlib.import_module(f"ovos_bus_client.{module}")
    for name in names:
        found = getattr(found, name)
    return found


@pytest.mark.parametrize(
    ("path", "name"), [(path, name) for path, names in MEMBERS.items() for name in names.split()]
)
def test_it_has_what_programs_use(path: str, name: str) -> None:
    """The class has the member."""
    assert hasattr(find(path), name)


def test_a_client_has_the_attributes_that_subclasses_reach_for() -> None:
    """A client has them from the beginning."""
    client = MessageBusClient("127.0.0.1", 1, "/core", False)

    names = "config emitter client retry connected_event started_running wrapped_funcs session_id"
    assert [name for name in names.split() if not hasattr(client, name)] == []


@pytest.mark.parametrize(("path", "shape"), SHAPES.items())
def test_it_is_called_as_programs_call_it(path: str, shape: str) -> None:
    """Names, order and defaults of what is given by position are those that programs rely on."""
    parts = [
        name if default is inspect.Parameter.empty else f"{name}={default!r}"
        for name, default in parameters(find(path))
    ]

    assert ", ".join(parts) == shape


@pytest.mark.parametrize(
    ("module", "name"),
    [(module, name) for module, names in PATHS.items() for name in names.split()],
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
        if name in names.split()
    }

    assert len(found) == 1


def test_the_version_is_four_numbers_of_the_line_one() -> None:
    """The version counts as the 1.x that installed programs ask for, above all there were."""
    version = importlib.import_module("ovos_bus_client.version")
    numbers = [getattr(version, name) for name in PATHS["ovos_bus_client.version"].split()]

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
