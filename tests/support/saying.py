"""
What each method of GUIInterface, GUIWidgets and EnclosureAPI says on the bus.

The table is the promise to installed programs. ``tests/client`` holds our library to it, and
``tests/compat/test_gui.py`` today's.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

SKILL = "my.skill"

# A method, and what it is given by position.
Step = tuple[str, list[Any]]
Said = list[list[Any]]  # type and data of each message


@dataclass(frozen=True)
class Row:
    """A method call on something fresh, and what is said by it."""

    call: Step
    says: Said
    before: list[Step] = field(default_factory=list)
    """What was called before, whose messages do not count."""

    def __str__(self) -> str:
        return f"{self.call[0]}({', '.join(map(repr, self.call[1]))})"

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def row(method: str, *args: Any, says: Said, before: list[Step] | None = None) -> Row:
    return Row((method, list(args)), says, before or [])


def shown(page: str, idle: Any = None, animations: bool = False, **values: Any) -> Said:
    """What showing a page of the GUI's own says."""
    return [values_are(**values), page_shown([f"SYSTEM_{page}"], 0, idle, animations)]


def values_are(**values: Any) -> list[Any]:
    return ["gui.value.set", {**values, "__from": SKILL}]


def page_shown(
    names: list[str], index: int = 0, idle: Any = None, animations: bool = False
) -> list[Any]:
    data = {"page_names": names, "index": index, "__from": SKILL}
    return ["gui.page.show", {**data, "__idle": idle, "__animations": animations}]


CLEARED = ["gui.clear.namespace", {"__from": SKILL}]
CLOSED = ["mycroft.gui.screen.close", {"skill_id": SKILL}]
WEATHER: Step = ("show_page", ["weather"])
PICTURE = "https://example.org/a.png"
LOOKS = ["below", "above", "PreserveAspectFit", "#102030", 30, True]
LOOKS_VALUES = {
    "image": PICTURE,
    "caption": "below",
    "title": "above",
    "fill": "PreserveAspectFit",
    "background_color": "#102030",
}
BOX = {"skill_id_handler": SKILL, "confirm_text": "Confirm", "exit_text": "Exit"}


def notified(text: str, **other: Any) -> list[Any]:
    data = {
        "duration": 10,
        "sender": SKILL,
        "text": text,
        "action": None,
        "type": "transient",
        "style": "info",
        "callback_data": {},
    }
    return ["ovos.notification.api.set", {**data, **other}]


GUI = [
    # Values
    row("__setitem__", "a", 1, says=[]),
    row("__setitem__", "a", 1, says=[values_are(a=1)], before=[WEATHER]),
    row("__setitem__", "a", 1, says=[], before=[("__setitem__", ["a", 1]), WEATHER]),
    row("__setitem__", "a", 2, says=[values_are(a=2)], before=[("__setitem__", ["a", 1]), WEATHER]),
    row("__setitem__", "a", None, says=[], before=[WEATHER]),
    row(
        *("__setitem__", "a", None),
        says=[values_are(a=None)],
        before=[("__setitem__", ["a", 1]), WEATHER],
    ),
    row("__setitem__", "d", {"x": [1]}, says=[values_are(d={"x": [1]})], before=[WEATHER]),
    # Pages
    row("show_page", "weather", says=[values_are(), page_shown(["weather"])]),
    row("show_page", "weather", says=[values_are(), page_shown(["weather"])], before=[WEATHER]),
    row("show_page", "sub/weather", says=[values_are(), page_shown(["sub/weather"])]),
    row("show_page", "my.page.v2", says=[values_are(), page_shown(["my.page.v2"])]),
    row(
        *("show_page", "weather"),
        says=[values_are(a=1), page_shown(["weather"])],
        before=[("__setitem__", ["a", 1])],
    ),
    row(
        *("show_page", "weather", 30, True, 0, True),
        says=[
            ["gui.page.delete.all", {"__from": SKILL, "except": ["weather"]}],
            values_are(),
            page_shown(["weather"], 0, 30, True),
        ],
    ),
    row("show_pages", ["a", "b"], says=[values_are(), page_shown(["a", "b"])]),
    row("show_pages", ["a", "b"], 1, True, says=[values_are(), page_shown(["a", "b"], 1, True)]),
    row("remove_page", "a", says=[["gui.page.delete", {"page_names": ["a"], "__from": SKILL}]]),
    row(
        *("remove_pages", ["a", "b"]),
        says=[["gui.page.delete", {"page_names": ["a", "b"], "__from": SKILL}]],
    ),
    row("remove_all_pages", says=[["gui.page.delete.all", {"__from": SKILL, "except": []}]]),
    row(
        *("remove_all_pages", ["a"]),
        says=[["gui.page.delete.all", {"__from": SKILL, "except": ["a"]}]],
    ),
    row("clear", says=[CLEARED]),
    row("clear", says=[CLEARED], before=[WEATHER]),
    row("__setitem__", "a", 1, says=[], before=[WEATHER, ("clear", [])]),
    row("release", says=[CLEARED, CLOSED]),
    row("shutdown", says=[CLEARED, CLOSED]),
    # Events and notifications
    row(
        *("send_event", "go"),
        says=[["gui.event.send", {"__from": SKILL, "event_name": "go", "params": {}}]],
    ),
    row(
        *("send_event", "go", {"a": 1}),
        says=[["gui.event.send", {"__from": SKILL, "event_name": "go", "params": {"a": 1}}]],
    ),
    row(
        *("send_event", "go", [1]),
        says=[["gui.event.send", {"__from": SKILL, "event_name": "go", "params": [1]}]],
    ),
    row("show_notification", "tea", says=[notified("tea")]),
    row(
        *("show_notification", "tea", 5, "my.skill.tea", "sticky", "warning", {"a": 1}),
        says=[
            notified(
                *("tea",),
                duration=5,
                action="my.skill.tea",
                type="sticky",
                style="warning",
                callback_data={"a": 1},
            )
        ],
    ),
    row(
        *("show_controlled_notification", "tea"),
        says=[
            [
                "ovos.notification.api.set.controlled",
                {"sender": SKILL, "text": "tea", "style": "info"},
            ]
        ],
    ),
    row(
        *("show_controlled_notification", "tea", "error"),
        says=[
            [
                "ovos.notification.api.set.controlled",
                {"sender": SKILL, "text": "tea", "style": "error"},
            ]
        ],
    ),
    row("remove_controlled_notification", says=[["ovos.notification.api.remove.controlled", {}]]),
    # The GUI's own pages
    row("show_face", says=shown("Face", True, True, sleeping=False)),
    row("show_face", False, 5, False, says=shown("Face", 5, False, sleeping=True)),
    row("show_loading_animation", "tea", says=shown("Loading", label="tea")),
    row("show_loading_animation", "tea", 30, True, says=shown("Loading", 30, True, label="tea")),
    row("show_status_animation", "tea", True, says=shown("Status", label="tea", status="Enabled")),
    row(
        *("show_status_animation", "tea", False, 30, True),
        says=shown("Status", 30, True, label="tea", status="Disabled"),
    ),
    row("show_text", "tea", says=shown("TextFrame", text="tea")),
    row(
        *("show_text", "tea", "time", 30, True),
        says=shown("TextFrame", 30, True, text="tea", title="time"),
    ),
    row("show_image", PICTURE, says=shown("ImageFrame", image=PICTURE)),
    row("show_image", PICTURE, *LOOKS, says=shown("ImageFrame", 30, True, **LOOKS_VALUES)),
    row("show_animated_image", PICTURE, says=shown("AnimatedImageFrame", image=PICTURE)),
    row(
        *("show_animated_image", PICTURE, *LOOKS),
        says=shown("AnimatedImageFrame", 30, True, **LOOKS_VALUES),
    ),
    row("show_html", "<b>", says=shown("HtmlFrame", html="<b>")),
    row(
        *("show_html", "<b>", PICTURE, 30, True),
        says=shown("HtmlFrame", 30, True, html="<b>", resourceLocation=PICTURE),
    ),
    row("show_url", PICTURE, says=shown("UrlFrame", url=PICTURE)),
    row("show_url", PICTURE, 30, True, says=shown("UrlFrame", 30, True, url=PICTURE)),
    row("show_input_box", says=shown("InputBox", **BOX)),
    row(
        *("show_input_box", "name", "Ada", "yes", "no", 30, True),
        says=shown(
            *("InputBox", 30, True),
            title="name",
            placeholder="Ada",
            skill_id_handler=SKILL,
            confirm_text="yes",
            exit_text="no",
        ),
    ),
    row("remove_input_box", says=[CLEARED, CLOSED], before=[("show_input_box", [])]),
    row(
        "remove_input_box",
        says=[["gui.page.delete", {"page_names": ["SYSTEM_InputBox"], "__from": SKILL}]],
        before=[("show_pages", [["a", "SYSTEM_InputBox"]])],
    ),
]

WIDGETS = [
    row(f"{verb}_widget", "timer", {"a": 1}, says=[[f"ovos.widgets.{what}", data]])
    for verb, what in (("show", "display"), ("remove", "remove"), ("update", "update"))
    for data in [{"type": "timer", "data": {"a": 1}}]
]


def told(what: str, **data: Any) -> Said:
    return [[f"enclosure.{what}", data]]


ENCLOSURE = [
    row("register", says=told("active_skill", skill_id=SKILL)),
    row("register", "other.skill", says=told("active_skill", skill_id="other.skill")),
    *(
        row(method, says=told(what))
        for method, what in {
            "reset": "reset",
            "system_reset": "system.reset",
            "system_mute": "system.mute",
            "system_unmute": "system.unmute",
            "eyes_on": "eyes.on",
            "eyes_off": "eyes.off",
            "eyes_narrow": "eyes.narrow",
            "eyes_reset": "eyes.reset",
            "eyes_spin": "eyes.spin",
            "mouth_reset": "mouth.reset",
            "mouth_talk": "mouth.talk",
            "mouth_think": "mouth.think",
            "mouth_listen": "mouth.listen",
            "mouth_smile": "mouth.smile",
            "activate_mouth_events": "mouth.events.activate",
            "deactivate_mouth_events": "mouth.events.deactivate",
        }.items()
    ),
    row("system_blink", 3, says=told("system.blink", times=3)),
    row("eyes_blink", "b", says=told("eyes.blink", side="b")),
    row("eyes_look", "u", says=told("eyes.look", side="u")),
    row("eyes_color", says=told("eyes.color", r=255, g=255, b=255)),
    row("eyes_color", 1, 2, 3, says=told("eyes.color", r=1, g=2, b=3)),
    row("eyes_setpixel", 0, says=told("eyes.setpixel", idx=0, r=255, g=255, b=255)),
    row("eyes_setpixel", 23, 1, 2, 3, says=told("eyes.setpixel", idx=23, r=1, g=2, b=3)),
    row("eyes_fill", 0, says=told("eyes.fill", percentage=0)),
    row("eyes_fill", 100, says=told("eyes.fill", percentage=100)),
    row("eyes_brightness", says=told("eyes.level", level=30)),
    row("eyes_brightness", 1, says=told("eyes.level", level=1)),
    row("eyes_timed_spin", 5000, says=told("eyes.timedspin", length=5000)),
    row("eyes_volume", 0, says=told("eyes.volume", volume=0)),
    row("eyes_volume", 11, says=told("eyes.volume", volume=11)),
    row(
        *("mouth_viseme", 1.5, [["0", 0.5], ["3", 0.75]]),
        says=told("mouth.viseme_list", start=1.5, visemes=[["0", 0.5], ["3", 0.75]]),
    ),
    row("mouth_text", says=told("mouth.text", text="")),
    row("mouth_text", "tea", says=told("mouth.text", text="tea")),
    row(
        "mouth_display",
        says=told("mouth.display", img_code="", xOffset=0, yOffset=0, clearPrev=True),
    ),
    row(
        *("mouth_display", "HI", 1, 2, False),
        says=told("mouth.display", img_code="HI", xOffset=1, yOffset=2, clearPrev=False),
    ),
    row(
        *("mouth_display_png", "/a.png"),
        says=told(
            *("mouth.display_image",),
            img_path="/a.png",
            xOffset=0,
            yOffset=0,
            invert=False,
            clearPrev=True,
        ),
    ),
    row(
        *("mouth_display_png", "/a.png", True, 1, 2, False),
        says=told(
            *("mouth.display_image",),
            img_path="/a.png",
            xOffset=1,
            yOffset=2,
            invert=True,
            clearPrev=False,
        ),
    ),
    row("weather_display", 2, 21, says=told("weather.display", img_code=2, temp=21)),
]

ENCLOSURE_CONTEXT = {"destination": ["enclosure"], "skill_id": SKILL}

# What today's library says otherwise; ours is the first, today's the second.
DIFFERENT = [
    # An index that there is not.
    (
        row("show_pages", ["a", "b"], 2, says=[values_are(), page_shown(["a", "b"], 1)]),
        [values_are(), page_shown(["a", "b"], 2)],
    ),
    (
        row("show_pages", ["a", "b"], -3, says=[values_are(), page_shown(["a", "b"], 1)]),
        [values_are(), page_shown(["a", "b"], -3)],
    ),
    # A page to keep that is named with its suffix is not kept.
    (
        row(
            *("remove_all_pages", ["a.qml"]),
            says=[["gui.page.delete.all", {"__from": SKILL, "except": ["a"]}]],
        ),
        [["gui.page.delete.all", {"__from": SKILL, "except": ["a.qml"]}]],
    ),
    # One change is several.
    (
        row(
            *("show_text", "tea"),
            before=[("show_text", ["cup", "title"])],
            says=shown("TextFrame", text="tea", title=None),
        ),
        [
            values_are(text="tea", title="title"),
            values_are(text="tea", title=None),
            *shown("TextFrame", text="tea", title=None),
        ],
    ),
    # False and 0 are taken for nothing, and true for one.
    (
        row(
            *("send_event", "go", 0),
            says=[["gui.event.send", {"__from": SKILL, "event_name": "go", "params": 0}]],
        ),
        [["gui.event.send", {"__from": SKILL, "event_name": "go", "params": {}}]],
    ),
    (
        row(
            *("__setitem__", "a", True),
            says=[values_are(a=True)],
            before=[("__setitem__", ["a", 1]), WEATHER],
        ),
        [],
    ),
]
