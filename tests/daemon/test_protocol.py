"""What is used of tornado besides its documentation, which differs from version to version."""

from __future__ import annotations

import ast
from pathlib import Path

import tornado.websocket
from tornado.websocket import WebSocketProtocol, WebSocketProtocol13

from ovos_bus import protocol

# Of `WebSocketProtocol13`: what is replaced, what is called, what is read and set.
REPLACED = {"close", "_receive_frame_loop"}
USED = {"_abort", "client_terminated", "server_terminated", "close_code", "close_reason"}


def test_what_is_replaced_is_declared_by_the_abstract_protocol() -> None:
    """tornado's own base class names the methods that a protocol has to have."""
    assert WebSocketProtocol.__abstractmethods__ >= REPLACED


def test_nothing_else_of_tornado_s_inside_is_touched() -> None:
    """Every underscored name in the module is its own, or one of those above."""
    tree = ast.parse(Path(protocol.__file__).read_text())
    ours = {"_hearer", "_inbox", "_pong", "_owed", "_deaf", "_pause"}
    ours |= {node.name for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef)}
    ours |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    found = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    touched = {name for name in found if name.startswith("_") and not name.startswith("__")}

    assert touched - ours <= USED
    clashes = (ours - REPLACED) & set(dir(WebSocketProtocol13))
    assert {name for name in clashes if not name.startswith("__")} == set()


def test_tornado_still_asks_the_handler_for_a_protocol() -> None:
    """The seam that all of it hangs on."""
    assert hasattr(tornado.websocket.WebSocketHandler, "get_websocket_protocol")
