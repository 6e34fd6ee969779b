"""
What a skill shows on a screen.

::

    from ovos_bus_client.apis.gui import GUIInterface

    gui = GUIInterface("my.skill", bus)
    gui["temperature"] = 21
    gui.show_page("weather")     # gui/<framework>/weather.* of the skill
    gui["temperature"] = 22      # seen at once
    gui.release()                # the screen is for others again

A skill's screen is a *namespace* of the GUI service, named after the skill: pages, and values that
the pages show. Whether there is a screen at all makes no difference to the skill.
"""

from __future__ import annotations

import inspect
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from ovos_bus_client.apis import _pages
from ovos_bus_client.apis._order import Order
from ovos_bus_client.apis._resources import fill_cache, find_image, lacks_page
from ovos_bus_client.apis._screen import Messages, Screen
from ovos_bus_client.apis._values import _GUIDict
from ovos_bus_client.message import Message
from ovos_bus_client.util import get_mycroft_bus, send_message

__all__ = ["GUIInterface", "GUIWidgets", "_GUIDict", "extend_about_data"]

log = logging.getLogger(__name__)

Handler = Callable[[Message], Any]

INPUT_BOX = "SYSTEM_InputBox"


def extend_about_data(about_data: dict[str, Any] | list[dict[str, Any]], bus: Any = None) -> None:
    """
    Add rows to the page "about" of the screen.

    Args:
        about_data: A row, or several: ``{"display_key": ..., "display_value": ...}``. Anything
            else is logged and left out.
        bus: Where to say it; ``None`` makes a connection for it.

    Raises:
        OSError: Without ``bus``, if there is none within 10 s.
    """
    rows = [about_data] if isinstance(about_data, dict) else about_data
    if not isinstance(rows, list | tuple):
        log.error("extend_about_data: expected a dict or a list of dicts, not %r", about_data)
        return
    send_message("smartspeaker.extension.extend.about", {"display_list": list(rows)}, bus=bus)


class GUIInterface:
    """
    The screen of one skill. It may be used from several threads.

    What is said, is said in the order in which it was decided. If another thread is just saying
    something for this screen, it says this too, and the call returns without waiting for it.

    Every method that says something raises ``RuntimeError`` if there is no bus. With
    ``gui.disable_gui`` in mycroft.conf, pages, values and events are not sent; notifications are.

    Attributes:
        config: The section ``gui`` of mycroft.conf, or what was given for it.
        ui_directories: The skill's folders with pages and pictures, by framework.
        on_gui_changed_callback: See `set_on_gui_changed`.
    """

    def __init__(
        self,
        skill_id: str,
        bus: Any = None,
        config: Mapping[str, Any] | None = None,
        ui_directories: Mapping[str, Any] | None = None,
    ) -> None:
        """
        Args:
            skill_id: Whose screen it is.
            bus: Where to talk to the GUI; ``None`` waits for `set_bus`.
            config: ``disable_gui`` of it turns this screen off. ``None`` or empty is the section
                ``gui`` of mycroft.conf.
            ui_directories: A folder for each framework (``qt5`` for example), and one for ``all``.
                They are copied into the cache where the GUI looks for them; what cannot be copied
                is named in the log.
        """
        # Imported here, because it takes longer than everything else together.
        from ovos_config import Configuration

        self.config: Mapping[str, Any] = config or Configuration().get("gui") or {}
        self.ui_directories: Mapping[str, Any] = ui_directories or {}
        self.on_gui_changed_callback: Callable[[], Any] | None = None
        self._bus: Any = None
        self._own_bus: Any = None  # made here, so closed here
        self._handlers: list[tuple[str, Handler]] = []  # the event, without whose it is
        # Guards the screen and the order; not held while something is said.
        self._lock = threading.RLock()
        self._screen = Screen(skill_id, self)
        self._order = Order()
        self._missed: set[str] = set()  # pages without a file, which the log has told of
        if bus is not None:
            self.set_bus(bus)
        if self.ui_directories:
            fill_cache(skill_id, self.ui_directories)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.skill_id!r}, showing {self.pages}>"

    # Bus and handlers

    @property
    def bus(self) -> Any:
        """Where the GUI is talked to. Setting it is `set_bus`."""
        return self._bus

    @bus.setter
    def bus(self, bus: Any) -> None:
        self.set_bus(bus)

    def set_bus(self, bus: Any = None) -> None:
        """
        Talk to the GUI there from now on; handlers move along.

        Args:
            bus: ``None`` makes a client for the bus of mycroft.conf, which `shutdown` closes.
        """
        new = get_mycroft_bus() if bus is None else bus
        if new is not self._bus:
            self._stop_listening()
            self._close_own_bus()
            with self._lock:
                self._bus, self._own_bus = new, new if bus is None else None
                self._screen.moved()
            for event, handler in tuple(self._handlers):
                self._listen(event, handler)
        self.setup_default_handlers()

    @property
    def skill_id(self) -> str:
        """Whose screen it is. When it is set, handlers move along."""
        return self._screen.skill_id

    @skill_id.setter
    def skill_id(self, skill_id: str) -> None:
        self._stop_listening()
        with self._lock:
            self._screen.skill_id = skill_id
            self._screen.moved()
        if self._bus is not None:
            for event, handler in tuple(self._handlers):
                self._listen(event, handler)

    def build_message_type(self, event: str) -> str:
        """Return the type of an event of this screen: ``<skill_id>.<event>``, also of that."""
        prefix = f"{self.skill_id}."
        return event if event.startswith(prefix) else prefix + event

    def setup_default_handlers(self) -> None:
        """
        Listen to what the screen sets (`gui_set`). Done when there is a bus; twice is once.

        Raises:
            RuntimeError: If there is no bus.
        """
        self.register_handler("set", self.gui_set)

    def register_handler(self, event: str, handler: Handler) -> None:
        """
        Call a handler for an event of this screen, which a page triggers.

        Args:
            event: Its name, with or without ``<skill_id>.`` before it.
            handler: Called with the message. Registered twice for an event, it is called once.

        Raises:
            RuntimeError: If there is no bus.
        """
        self._expect_bus()
        event = event.removeprefix(f"{self.skill_id}.")
        with self._lock:
            if (event, handler) in self._handlers:
                return
            self._handlers.append((event, handler))
        self._listen(event, handler)

    def set_on_gui_changed(self, callback: Callable[[], Any]) -> None:
        """Call ``callback()`` when the screen has set values, which are then those of `get`."""
        self.on_gui_changed_callback = callback

    def gui_set(self, message: Message) -> None:
        """Take over what the screen has set: all of the message's data."""
        values = {key: value for key, value in message.data.items() if key != "__from"}
        self._sync_data(values)
        if self.on_gui_changed_callback is not None:
            self.on_gui_changed_callback()

    @property
    def connected(self) -> bool:
        """
        Whether a screen is there: its program runs here, or it says so within 3 s.

        ``False`` without a bus.
        """
        if self._bus is None:
            return False
        # Imported here, because it looks for screens and programs.
        from ovos_utils.gui import can_use_gui

        return bool(can_use_gui(self._bus))

    @property
    def gui_disabled(self) -> bool:
        """Whether ``gui.disable_gui`` of mycroft.conf, or of `config`, turns the screen off."""
        from ovos_config import Configuration

        section = Configuration().get("gui") or {}
        return bool(self.config.get("disable_gui") or section.get("disable_gui"))

    # Values

    def __setitem__(self, key: str, value: Any) -> None:
        """
        Set a value; pages that are shown see it at once.

        Raises:
            MalformedMessage: If it has no JSON form. The value is then as it was.
        """
        self._sync_data({key: value})

    def __getitem__(self, key: str) -> Any:
        with self._lock:
            return self._screen.values[key]

    def get(self, key: str, default: Any = None) -> Any:
        """Return a value, or ``default`` if there is none."""
        with self._lock:
            return self._screen.values.get(key, default)

    def __contains__(self, key: object) -> bool:
        with self._lock:
            return key in self._screen.values

    # Pages

    @property
    def page(self) -> str | None:
        """The page in front; ``None`` if there is none."""
        with self._lock:
            return self._screen.pages.current

    @property
    def pages(self) -> list[str]:
        """The pages that were shown last and are not removed; without any, those before them."""
        with self._lock:
            return list(self._screen.pages.names)

    @property
    def current_page_idx(self) -> int:
        """Which of `pages` is in front; -1 if there are none."""
        with self._lock:
            return self._screen.pages.index

    def show_page(
        self,
        name: str,
        override_idle: bool | int | None = None,
        override_animations: bool = False,
        index: int = 0,
        remove_others: bool = False,
    ) -> None:
        """
        Show a page, with the values as they are now.

        Args:
            name: The page: a file's name without its suffix, below each of `ui_directories`.
            override_idle: How long the screen is kept from going idle: seconds, ``True`` until
                something else is shown, ``None`` or ``False`` as usual.
            override_animations: Whether to show it without a transition.
            index: 0; more makes sense with `show_pages` only.
            remove_others: Whether to remove all other pages of this skill.

        Raises:
            ValueError: If the name is none, or a file.
            MalformedMessage: If a value has no JSON form.
        """
        self.show_pages([name], index, override_idle, override_animations, remove_others)

    def show_pages(
        self,
        page_names: Sequence[str],
        index: int = 0,
        override_idle: bool | int | None = None,
        override_animations: bool = False,
        remove_others: bool = False,
    ) -> None:
        """
        Show several pages, to leaf through, with the values as they are now.

        Args:
            page_names: The pages, see `show_page`.
            index: Which of them is in front, from 0. If there is no such page, the log says so and
                it is the last.
            override_idle: As for `show_page`.
            override_animations: As for `show_page`.
            remove_others: Whether to remove all other pages of this skill.

        Raises:
            ValueError: If that is no list of names, or one of them is a file.
            MalformedMessage: If a value has no JSON form.
        """
        self._show(page_names, {}, index, override_idle, override_animations, remove_others)

    def remove_page(self, page: str) -> None:
        """
        Remove a page.

        Raises:
            ValueError: If it is no page's name.
        """
        self.remove_pages([page])

    def remove_pages(self, page_names: Sequence[str]) -> None:
        """
        Remove some pages.

        Raises:
            ValueError: If that is no list of names.
        """
        names = _pages.page_names(page_names)
        self._tell(lambda _: self._screen.remove(names))

    def remove_all_pages(self, except_pages: Sequence[str] | None = None) -> None:
        """
        Remove all pages.

        Args:
            except_pages: The pages to keep.

        Raises:
            ValueError: If that is no list of names.
        """
        kept = _pages.page_names(except_pages or [])
        self._tell(lambda _: self._screen.keep(kept))

    def clear(self) -> None:
        """Remove all pages and forget all values."""
        self._tell(lambda _: self._screen.clear())

    def release(self) -> None:
        """Leave the screen to others: `clear`, and close."""
        # That it is closed is said even where there is no screen, as ever.
        closing = Message("mycroft.gui.screen.close", {"skill_id": self.skill_id})
        self._tell(lambda _: self._screen.clear(), closing)

    def shutdown(self) -> None:
        """Leave the screen to others and listen no more. Without a bus, there is nothing to do."""
        if self._bus is None:
            return
        try:
            self.release()
        finally:
            self._stop_listening()
            self._handlers.clear()
            self._close_own_bus()

    # Events and notifications

    def send_event(
        self,
        event_name: str,
        params: dict[str, Any] | list[Any] | str | float | bool | None = None,
    ) -> None:
        """
        Trigger an event of the pages.

        Args:
            event_name: Its name, as the pages know it.
            params: What they get with it; ``None`` is an empty object.
        """
        data = {
            "__from": self.skill_id,
            "event_name": event_name,
            "params": {} if params is None else params,
        }
        self._tell(lambda _: [Message("gui.event.send", data)])

    def show_notification(
        self,
        content: str,
        duration: int = 10,
        action: str | None = None,
        noticetype: str = "transient",
        style: str = "info",
        callback_data: dict[str, Any] | None = None,
    ) -> None:
        """
        Show a notification over whatever the screen shows.

        Args:
            content: Its text.
            duration: Seconds until a transient one goes away.
            action: The type of the message that is emitted when it is clicked on.
            noticetype: ``"transient"``, or ``"sticky"``: it stays until it is clicked on.
            style: ``"info"``, ``"warning"``, ``"success"`` or ``"error"``.
            callback_data: The data of that message.
        """
        self._emit(
            "ovos.notification.api.set",
            {
                "duration": duration,
                "sender": self.skill_id,
                "text": content,
                "action": action,
                "type": noticetype,
                "style": style,
                "callback_data": callback_data or {},
            },
        )

    def show_controlled_notification(self, content: str, style: str = "info") -> None:
        """
        Show a notification that stays until `remove_controlled_notification`.

        Args:
            content: Its text.
            style: As for `show_notification`.
        """
        data = {"sender": self.skill_id, "text": content, "style": style}
        self._emit("ovos.notification.api.set.controlled", data)

    def remove_controlled_notification(self) -> None:
        """Take the notification away."""
        self._emit("ovos.notification.api.remove.controlled", {})

    # Pages that come with the GUI

    def show_face(
        self,
        awake: bool = True,
        override_idle: bool | int | None = True,
        override_animations: bool = True,
    ) -> None:
        """
        Show a face.

        Args:
            awake: Whether its eyes are open.
            override_idle: As for `show_page`.
            override_animations: As for `show_page`.
        """
        self._template("Face", {"sleeping": not awake}, override_idle, override_animations)

    def show_loading_animation(
        self,
        text: str,
        override_idle: bool | int | None = None,
        override_animations: bool = False,
    ) -> None:
        """
        Show that something takes its time.

        Args:
            text: What.
            override_idle: As for `show_page`.
            override_animations: As for `show_page`.
        """
        self._template("Loading", {"label": text}, override_idle, override_animations)

    def show_status_animation(
        self,
        text: str,
        success: bool,
        override_idle: bool | int | None = None,
        override_animations: bool = False,
    ) -> None:
        """
        Show that something has worked, or has not.

        Args:
            text: What.
            success: Whether it has.
            override_idle: As for `show_page`.
            override_animations: As for `show_page`.
        """
        values = {"label": text, "status": "Enabled" if success else "Disabled"}
        self._template("Status", values, override_idle, override_animations)

    def show_text(
        self,
        text: str,
        title: str | None = None,
        override_idle: bool | int | None = None,
        override_animations: bool = False,
    ) -> None:
        """
        Show a text.

        Args:
            text: The text.
            title: What stands above it.
            override_idle: As for `show_page`.
            override_animations: As for `show_page`.
        """
        values = {"text": text, "title": title}
        self._template("TextFrame", values, override_idle, override_animations)

    def show_image(
        self,
        url: str,
        caption: str | None = None,
        title: str | None = None,
        fill: str | None = None,
        background_color: str | None = None,
        override_idle: bool | int | None = None,
        override_animations: bool = False,
    ) -> None:
        """
        Show an image. If it is a file that there is not, the log says so and nothing is shown.

        Args:
            url: An address, or a file: by its path, or by its name below `ui_directories`.
            caption: What stands below it.
            title: What stands above it.
            fill: ``"PreserveAspectFit"``, ``"PreserveAspectCrop"`` or ``"Stretch"``.
            background_color: Of the rest of the screen: ``"#rrggbb"``.
            override_idle: As for `show_page`.
            override_animations: As for `show_page`.

        Raises:
            ValueError: If ``url`` is empty or no string.
        """
        values = {"caption": caption, "title": title, "fill": fill}
        values["background_color"] = background_color
        self._image("ImageFrame", url, values, override_idle, override_animations)

    def show_animated_image(
        self,
        url: str,
        caption: str | None = None,
        title: str | None = None,
        fill: str | None = None,
        background_color: str | None = None,
        override_idle: bool | int | None = None,
        override_animations: bool = False,
    ) -> None:
        """
        Show an image that moves, a GIF. If it is a file that there is not, the log says so.

        Args:
            url: As for `show_image`.
            caption: What stands below it.
            title: What stands above it.
            fill: As for `show_image`.
            background_color: As for `show_image`.
            override_idle: As for `show_page`.
            override_animations: As for `show_page`.

        Raises:
            ValueError: If ``url`` is empty or no string.
        """
        values = {"caption": caption, "title": title, "fill": fill}
        values["background_color"] = background_color
        self._image("AnimatedImageFrame", url, values, override_idle, override_animations)

    def show_html(
        self,
        html: str,
        resource_url: str | None = None,
        override_idle: bool | int | None = None,
        override_animations: bool = False,
    ) -> None:
        """
        Show HTML.

        Args:
            html: The HTML itself.
            resource_url: Where what it refers to is found.
            override_idle: As for `show_page`.
            override_animations: As for `show_page`.
        """
        values = {"html": html, "resourceLocation": resource_url}
        self._template("HtmlFrame", values, override_idle, override_animations)

    def show_url(
        self,
        url: str,
        override_idle: bool | int | None = None,
        override_animations: bool = False,
    ) -> None:
        """
        Show a web page.

        Args:
            url: Its address.
            override_idle: As for `show_page`.
            override_animations: As for `show_page`.
        """
        self._template("UrlFrame", {"url": url}, override_idle, override_animations)

    def show_input_box(
        self,
        title: str | None = None,
        placeholder: str | None = None,
        confirm_text: str | None = None,
        exit_text: str | None = None,
        override_idle: bool | int | None = None,
        override_animations: bool = False,
    ) -> None:
        """
        Ask for a line of text, which comes as an event of this screen.

        Args:
            title: What stands above it.
            placeholder: What stands in it until something is typed.
            confirm_text: On the button that confirms; ``None`` is ``"Confirm"``.
            exit_text: On the button that leaves; ``None`` is ``"Exit"``.
            override_idle: As for `show_page`.
            override_animations: As for `show_page`.
        """
        values = {
            "title": title,
            "placeholder": placeholder,
            "skill_id_handler": self.skill_id,
            "confirm_text": "Confirm" if confirm_text is None else confirm_text,
            "exit_text": "Exit" if exit_text is None else exit_text,
        }
        self._template("InputBox", values, override_idle, override_animations)

    def remove_input_box(self) -> None:
        """Take the input box away; if nothing else was shown with it, `release` the screen."""
        with self._lock:
            alone = len(self._screen.pages.names) <= 1
        if alone:
            self.release()
        else:
            self.remove_page(INPUT_BOX)

    # What all of that is made of

    def _expect_bus(self) -> Any:
        if self._bus is None:
            raise RuntimeError(f"the screen of {self.skill_id!r} has no bus: give it to set_bus()")
        return self._bus

    def _emit(self, msg_type: str, data: dict[str, Any]) -> None:
        """Say what is said whether there is a screen or not."""
        self._order.add(self._expect_bus().emit, [Message(msg_type, data)])
        self._order.say()

    def _tell(self, decide: Callable[[bool], Messages], *always: Message) -> None:
        """
        Have something decided about the screen, and say it unless there is none.

        Args:
            decide: Called with whether there is one.
            always: What is said after it in any case.
        """
        bus = self._expect_bus()
        heard = not self.gui_disabled
        with self._lock:
            messages = decide(heard)
            self._order.add(bus.emit, [*messages, *always] if heard else always)
        self._order.say()

    def _sync_data(self, values: Mapping[str, Any] = MappingProxyType({})) -> None:
        """Set values, and say all of them if pages show others."""
        bus = self._bus
        heard = bus is not None and not self.gui_disabled
        with self._lock:
            messages = self._screen.set(values, heard)
            if messages:
                self._order.add(bus.emit, messages)
        self._order.say()

    def _template(
        self, frame: str, values: Mapping[str, Any], idle: bool | int | None, animations: bool
    ) -> None:
        self._show([f"{_pages.SYSTEM}{frame}"], values, 0, idle, animations)

    def _image(
        self,
        frame: str,
        url: str,
        values: Mapping[str, Any],
        idle: bool | int | None,
        animations: bool,
    ) -> None:
        found = find_image(url, self.skill_id, self.ui_directories)
        if found is None:
            log.error(
                "there is no image %r: it is no file, and none of the GUI's files of %s",
                *(url, self.skill_id),
            )
            return
        self._template(frame, {"image": found, **values}, idle, animations)

    def _show(
        self,
        pages: Any,
        values: Mapping[str, Any],
        index: int,
        idle: bool | int | None,
        animations: bool,
        remove_others: bool = False,
    ) -> None:
        names = _pages.page_names(pages)
        self._expect_bus()
        if not names:
            log.error("show_pages of %s: there is no page to show", self.skill_id)
            return
        self._look_for(names)
        rest = (index, idle, animations, remove_others)
        self._tell(lambda heard: self._screen.show(names, values, heard, *rest))

    def _look_for(self, names: Sequence[str]) -> None:
        folders = ", ".join(map(str, self.ui_directories.values()))
        for name in names:
            if name not in self._missed and lacks_page(name, self.ui_directories):
                self._missed.add(name)
                log.warning(
                    "page %r of %s: there is no file %s.* in %s",
                    *(name, self.skill_id, name, folders),
                )

    def _listen(self, event: str, handler: Handler) -> None:
        bus = self._expect_bus()
        # What is typed into a page comes letter by letter: the last has to be the last.
        ordered = handler == self.gui_set and "ordered" in inspect.signature(bus.on).parameters
        bus.on(self.build_message_type(event), handler, **({"ordered": True} if ordered else {}))

    def _stop_listening(self) -> None:
        if self._bus is not None:
            for event, handler in tuple(self._handlers):
                self._bus.remove(self.build_message_type(event), handler)

    def _close_own_bus(self) -> None:
        with self._lock:
            own, self._own_bus = self._own_bus, None
        if own is not None:
            own.close()


class GUIWidgets:
    """
    The small things at the edge of the screen: timers, alarms, the player.

    Attributes:
        bus: Where to say it.
    """

    def __init__(self, bus: Any = None) -> None:
        """
        Args:
            bus: Where to say it; ``None`` makes a client for the bus of mycroft.conf.
        """
        self.bus = get_mycroft_bus() if bus is None else bus

    def show_widget(self, widget_type: str, widget_data: dict[str, Any]) -> None:
        """
        Show a widget.

        Args:
            widget_type: ``"timer"``, ``"alarm"`` or ``"audio"``.
            widget_data: What it shows; depends on the type.
        """
        self._emit("display", widget_type, widget_data)

    def remove_widget(self, widget_type: str, widget_data: dict[str, Any]) -> None:
        """Take a widget away; the arguments are those of `show_widget`."""
        self._emit("remove", widget_type, widget_data)

    def update_widget(self, widget_type: str, widget_data: dict[str, Any]) -> None:
        """Change what a widget shows; the arguments are those of `show_widget`."""
        self._emit("update", widget_type, widget_data)

    def _emit(self, what: str, widget_type: str, widget_data: dict[str, Any]) -> None:
        data = {"type": widget_type, "data": widget_data}
        self.bus.emit(Message(f"ovos.widgets.{what}", data))
