"""Language tags as BCP-47 writes them."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=256)
def standard_tag(tag: str) -> str:
    """
    Return a language tag in the usual spelling: ``en-us`` and ``EN_US`` are ``en-US``.

    Only the case and the separator change: ``zh-hant-tw`` is ``zh-Hant-TW``. What stands after a
    single letter (``x-...``) is private and stays in lower case (RFC 5646 §2.1.1).
    """
    language, *others = tag.strip().replace("_", "-").split("-")
    words = [language.lower()]
    for word in others:
        if len(words[-1]) == 1:
            words.append(word.lower())
        elif len(word) == 2 and word.isalpha():
            words.append(word.upper())
        elif len(word) == 4 and word.isalpha():
            words.append(word.title())
        else:
            words.append(word.lower())
    return "-".join(words)
