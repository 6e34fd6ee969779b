"""Language tags, written as BCP-47 recommends (RFC 5646 §2.1.1)."""

from __future__ import annotations


def standardized(tag: str) -> str:
    """
    Return a language tag in its usual form: ``en-US`` for ``en-us`` and for ``en_US``.

    Nothing is looked up, so a tag that means nothing comes back as tidy as any other.
    """
    first, *rest = tag.strip().replace("_", "-").split("-")
    subtags = [first.lower()]
    for subtag in rest:
        if len(subtags[-1]) == 1:  # behind a singleton, as in x-private: not a region
            subtags.append(subtag.lower())
        elif len(subtag) == 2:
            subtags.append(subtag.upper())
        elif len(subtag) == 4 and subtag.isalpha():
            subtags.append(subtag.title())
        else:
            subtags.append(subtag.lower())
    return "-".join(subtags)
