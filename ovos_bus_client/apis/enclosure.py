"""
The eyes and the mouth of a device: the "enclosure" of a Mark 1, and what takes its place.

::

    enclosure = EnclosureAPI(bus, "my.skill")
    enclosure.eyes_color(0, 128, 255)
    enclosure.mouth_text("hello")

Whatever is not there ignores what it is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ovos_bus_client.errors import MalformedMessage
from ovos_bus_client.message import Message, dig_for_message

__all__ = ["EnclosureAPI"]

#: Pixels of both eyes together.
PIXELS = 24

#: The loudest volume that the eyes can show.
LOUDEST = 11

# How many callers to search for the message being handled: ten, and three of our own.
_RECORDS = 13

# Seconds to wait for the colours of the eyes.
_TIMEOUT = 3.0


class EnclosureAPI:
    """
    Tells the enclosure what to do.

    What is said while a message is handled is said in its context; else it is for ``enclosure``.
    Every method that says something raises ``RuntimeError`` if there is no bus.

    Attributes:
        bus: Where to say it; ``None`` until there is one.
        skill_id: Who says it.
    """

    def __init__(self, bus: Any = None, skill_id: str = "") -> None:
        """
        Args:
            bus: Where to say it; ``None`` waits for `set_bus`.
            skill_id: Who says it; see `set_id`.
        """
        self.bus = bus
        self.skill_id = skill_id

    def set_bus(self, bus: Any) -> None:
        """Say it there from now on."""
        self.bus = bus

    def set_id(self, skill_id: str) -> None:
        """Tell who says it."""
        self.skill_id = skill_id

    def register(self, skill_id: str = "") -> None:
        """
        Tell the enclosure who is active.

        Args:
            skill_id: Empty means `skill_id`.
        """
        self._emit("active_skill", {"skill_id": skill_id or self.skill_id})

    def reset(self) -> None:
        """Have everything as it was at the start."""
        self._emit("reset")

    def system_reset(self) -> None:
        """Restart the controller of the enclosure."""
        self._emit("system.reset")

    def system_mute(self) -> None:
        """Turn the sound off."""
        self._emit("system.mute")

    def system_unmute(self) -> None:
        """Turn the sound on."""
        self._emit("system.unmute")

    def system_blink(self, times: int) -> None:
        """Blink with both eyes, ``times`` times."""
        self._emit("system.blink", {"times": times})

    def eyes_on(self) -> None:
        """Light the eyes."""
        self._emit("eyes.on")

    def eyes_off(self) -> None:
        """Turn the eyes off."""
        self._emit("eyes.off")

    def eyes_blink(self, side: str) -> None:
        """Blink with an eye: ``"r"``, ``"l"``, or ``"b"`` for both."""
        self._emit("eyes.blink", {"side": side})

    def eyes_narrow(self) -> None:
        """Half close the eyes."""
        self._emit("eyes.narrow")

    def eyes_look(self, side: str) -> None:
        """Look somewhere: ``"r"``, ``"l"``, ``"u"``, ``"d"``, or ``"c"`` for all around."""
        self._emit("eyes.look", {"side": side})

    def eyes_color(self, r: int = 255, g: int = 255, b: int = 255) -> None:
        """
        Give the eyes a colour.

        Args:
            r: Red, 0 to 255.
            g: Green, 0 to 255.
            b: Blue, 0 to 255.
        """
        self._emit("eyes.color", {"r": r, "g": g, "b": b})

    def eyes_setpixel(self, idx: int, r: int = 255, g: int = 255, b: int = 255) -> None:
        """
        Give one pixel of the eyes a colour.

        Args:
            idx: Which, 0 to 11 for the right eye, 12 to 23 for the left.
            r: Red, 0 to 255.
            g: Green, 0 to 255.
            b: Blue, 0 to 255.

        Raises:
            ValueError: If there is no such pixel.
        """
        _expect("idx", idx, PIXELS - 1)
        self._emit("eyes.setpixel", {"idx": idx, "r": r, "g": g, "b": b})

    def eyes_fill(self, percentage: int) -> None:
        """
        Light a part of the eyes, as a gauge.

        Args:
            percentage: 0 to 100.

        Raises:
            ValueError: If it is none of these.
        """
        _expect("percentage", percentage, 100)
        self._emit("eyes.fill", {"percentage": percentage})

    def eyes_brightness(self, level: int = 30) -> None:
        """Set how bright the eyes are, 1 to 30."""
        self._emit("eyes.level", {"level": level})

    def eyes_reset(self) -> None:
        """Have the eyes as they were at the start."""
        self._emit("eyes.reset")

    def eyes_spin(self) -> None:
        """Roll the eyes until something else is asked of them."""
        self._emit("eyes.spin")

    def eyes_timed_spin(self, length: int) -> None:
        """Roll the eyes for ``length`` milliseconds."""
        self._emit("eyes.timedspin", {"length": length})

    def eyes_volume(self, volume: int) -> None:
        """
        Show how loud the device is.

        Args:
            volume: 0 to 11.

        Raises:
            ValueError: If it is none of these.
        """
        _expect("volume", volume, LOUDEST)
        self._emit("eyes.volume", {"volume": volume})

    def mouth_reset(self) -> None:
        """Show nothing on the mouth."""
        self._emit("mouth.reset")

    def mouth_talk(self) -> None:
        """Show a mouth that talks."""
        self._emit("mouth.talk")

    def mouth_think(self) -> None:
        """Show a mouth that thinks."""
        self._emit("mouth.think")

    def mouth_listen(self) -> None:
        """Show a mouth that listens."""
        self._emit("mouth.listen")

    def mouth_smile(self) -> None:
        """Show a smile."""
        self._emit("mouth.smile")

    def mouth_viseme(self, start: float, viseme_pairs: Sequence[Sequence[Any]]) -> None:
        """
        Move the mouth with what is being said.

        Args:
            start: When the speech begins, in seconds since 1970.
            viseme_pairs: Shape of the mouth, ``"0"`` to ``"6"``, and when it ends, in seconds
                since the start.
        """
        self._emit("mouth.viseme_list", {"start": start, "visemes": viseme_pairs})

    def mouth_text(self, text: str = "") -> None:
        """Show a text, which moves if it is too long."""
        self._emit("mouth.text", {"text": text})

    def mouth_display(
        self, img_code: str = "", x: int = 0, y: int = 0, refresh: bool = True
    ) -> None:
        """
        Show a picture.

        Args:
            img_code: The picture, in the code of the enclosure.
            x: Pixels from the left.
            y: Pixels from the top.
            refresh: Whether to clear the mouth first.
        """
        where = {"xOffset": x, "yOffset": y, "clearPrev": refresh}
        self._emit("mouth.display", {"img_code": img_code, **where})

    def mouth_display_png(
        self,
        image_absolute_path: str,
        invert: bool = False,
        x: int = 0,
        y: int = 0,
        refresh: bool = True,
    ) -> None:
        """
        Show a PNG file.

        Args:
            image_absolute_path: The file.
            invert: Whether to swap light and dark.
            x: Pixels from the left.
            y: Pixels from the top.
            refresh: Whether to clear the mouth first.
        """
        where = {"xOffset": x, "yOffset": y, "invert": invert, "clearPrev": refresh}
        self._emit("mouth.display_image", {"img_path": image_absolute_path, **where})

    def weather_display(self, img_code: Any, temp: Any) -> None:
        """
        Show a temperature beside a picture of the weather.

        Args:
            img_code: 0 sunny, 1 partly cloudy, 2 cloudy, 3 light rain, 4 raining, 5 stormy, 6
                snowing, 7 windy.
            temp: The temperature.
        """
        self._emit("weather.display", {"img_code": img_code, "temp": temp})

    def activate_mouth_events(self) -> None:
        """Let the mouth move with what the device says and hears, as it does at the start."""
        self._emit("mouth.events.activate")

    def deactivate_mouth_events(self) -> None:
        """Leave the mouth to what is shown on it."""
        self._emit("mouth.events.deactivate")

    def get_eyes_color(self) -> list[Any]:
        """
        Ask which colours the eyes have.

        Returns:
            For each pixel, red, green and blue.

        Raises:
            TimeoutError: If the enclosure does not answer within 3 s.
            MalformedMessage: If its answer holds no pixels.
        """
        bus, question = self._bus(), self._message("eyes.rgb.get")
        answer = bus.wait_for_response(question, "enclosure.eyes.rgb", timeout=_TIMEOUT)
        if answer is None:
            raise TimeoutError(f"no enclosure answered {question.msg_type} within {_TIMEOUT:g} s")
        pixels = answer.data.get("pixels")
        if not isinstance(pixels, list):
            raise MalformedMessage(f"enclosure.eyes.rgb: data.pixels is no list but {pixels!r}")
        return pixels

    def get_eyes_pixel_color(self, idx: int) -> Any:
        """
        Ask which colour a pixel of the eyes has.

        Args:
            idx: Which, 0 to 23.

        Returns:
            Red, green and blue.

        Raises:
            ValueError: If there is no such pixel.
            TimeoutError: If the enclosure does not answer within 3 s.
        """
        _expect("idx", idx, PIXELS - 1)
        pixels = self.get_eyes_color()
        _expect("idx", idx, len(pixels) - 1)
        return pixels[idx]

    def _bus(self) -> Any:
        if self.bus is None:
            raise RuntimeError("the enclosure has no bus: give it to set_bus()")
        return self.bus

    def _emit(self, what: str, data: dict[str, Any] | None = None) -> None:
        self._bus().emit(self._message(what, data))

    def _message(self, what: str, data: dict[str, Any] | None = None) -> Message:
        handled = dig_for_message(_RECORDS)
        if handled is None:
            context = {"destination": ["enclosure"], "skill_id": self.skill_id}
            handled = Message("", context=context)
        return handled.forward(f"enclosure.{what}", data)


def _expect(name: str, number: float, last: int) -> None:
    if not 0 <= number <= last:
        raise ValueError(f"{name} is {number!r}, expected 0 to {last}")
