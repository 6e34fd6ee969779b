"""A voice without a sound, so that ovos-audio has something to play."""

from __future__ import annotations

import wave
from typing import Any

from ovos_plugin_manager.templates.tts import TTS


class SilentVoice(TTS):
    """Speaks a tenth of a second of silence."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, audio_ext="wav", **kwargs)

    def get_tts(self, sentence: str, wav_file: str, **kwargs: Any) -> tuple[str, None]:
        with wave.open(wav_file, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(16000)
            file.writeframes(bytes(3200))
        return wav_file, None

    @property
    def available_languages(self) -> set[str]:
        return {"en-US"}
