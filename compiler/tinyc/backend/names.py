# SPDX-License-Identifier: Apache-2.0
"""C identifiers and comments made from names that the model's author chose.

Nothing from the model reaches the C except through this file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

C_KEYWORDS = frozenset(
    """auto break case char const continue default do double else enum extern float for goto if inline int long
    register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while
    _Bool _Complex _Imaginary asm typeof alignas alignof bool true false nullptr static_assert thread_local
    and and_eq bitand bitor catch class compl concept consteval constexpr constinit const_cast co_await co_return
    co_yield decltype delete dynamic_cast explicit export friend mutable namespace new noexcept not not_eq operator
    or or_eq private protected public reinterpret_cast requires static_cast template this throw try typeid
    typename using virtual wchar_t xor xor_eq char8_t char16_t char32_t NULL main""".split()
)


def identifier(name: str, fallback: str = "model") -> str:
    """A lower-case C identifier made of a name; `fallback` where nothing of it is left."""
    text = re.sub(r"[^0-9a-zA-Z]+", "_", name).strip("_").lower()
    if not text:
        text = fallback
    if text[0].isdigit():
        text = f"_{text}" if fallback == "" else f"{fallback}_{text}"
    return text


def unique_identifiers(names: Iterable[str], fallback: str, taken: Iterable[str] = ()) -> list[str]:
    """An identifier for each name, all different (also when case is ignored), none a keyword."""
    used = {t.lower() for t in taken} | {k.lower() for k in C_KEYWORDS}
    result = []
    for name in names:
        stem = identifier(name, fallback)
        candidate, k = stem, 1
        while candidate in used:
            k += 1
            candidate = f"{stem}_{k}"
        used.add(candidate)
        result.append(candidate)
    return result


def comment_text(text: str) -> str:
    """Text that can stand in a C comment: no end of comment, no trigraph, no control or non-ASCII character."""
    plain = "".join(c if 32 <= ord(c) < 127 else "?" for c in text)
    return plain.replace("*/", "* /").replace("/*", "/ *").replace("??", "? ?").replace("\\", "/")


def string_literal(text: str) -> str:
    """A C string literal with the text's UTF-8 bytes."""
    out = []
    for byte in text.encode("utf-8"):
        char = chr(byte)
        if char in '"\\?':
            out.append("\\" + char)
        elif 32 <= byte < 127:
            out.append(char)
        else:
            out.append(f"\\{byte:03o}")
    return '"' + "".join(out) + '"'
