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

# Headers that C libraries and CMSIS include as <NAME.h>: a model's header of that name, found first, would hide them.
_HEADERS = frozenset(
    """aio alloca ansidecl argz arm_acle arm_mve arm_neon arm_nn_math_types arm_nn_tables arm_nn_types
    arm_nnfunctions arm_nnsupportfunctions assert complex cpio ctype device dirent dlfcn elf endian envlock envz err
    errno error fastmath fcntl features fenv float fnmatch getopt glob grp iconv ieeefp inttypes iso646 langinfo
    libgen limits link locale machine malloc math memory mntent netdb newlib nl_types paths picolibc poll pthread pwd
    reent reflect regdef regex sched search semaphore setjmp sgtty signal spawn stab stdalign stdarg stdatomic stdbool
    stddef stdint stdio stdlib stdnoreturn string strings syscall syslog tar termio termios tgmath threads time uchar
    ulimit unctrl unistd utime utmp values wchar wctype wordexp xlocale""".split()
)

# Functions that generated statements may call: a parameter of such a name would hide them.
_FUNCTIONS = frozenset(
    f"{name}{suffix}"
    for name in """acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh erf erfc exp exp2 expm1 fabs fdim
    floor fma fmax fmin fmod frexp hypot ilogb ldexp lgamma llrint llround log log10 log1p log2 logb lrint lround modf
    nan nearbyint nextafter pow remainder rint round scalbn sin sinh sqrt tan tanh tgamma trunc""".split()
    for suffix in ("", "f", "l")
) | frozenset("abs labs llabs isfinite isinf isnan isnormal signbit memcmp memcpy memmove memset".split())

# C99 compilers tell names apart by 63 characters; the generated ones add to the model's and the port's.
MAX_NAME = 40


def identifier(name: str, fallback: str = "model") -> str:
    """A lower-case C identifier made of a name; `fallback` where nothing of it is left."""
    text = re.sub(r"[^0-9a-zA-Z]+", "_", name).strip("_").lower()[:MAX_NAME].rstrip("_")
    if not text or text[0].isdigit():
        text = f"{fallback}_{text}".rstrip("_")
    return text


def hides_something(name: str) -> bool:
    """Whether a model of this name would take a keyword, a name of the runtime or a header of the C library."""
    return name in C_KEYWORDS or name in _HEADERS or name.startswith("tinyc")


def parameter_names(names: Iterable[str], role: str, model: str, taken: Iterable[str] = ()) -> list[str]:
    """A parameter's identifier for each input or output (`role`), by which its macros are named, too.

    They differ when case is ignored, are no keywords, and hide nothing that generated code refers to: types,
    functions, objects of the model or the runtime, loop variables (they begin with t_). No macro of one port
    (NAME_SCALE) is that of another.
    """
    used = {t.lower() for t in taken} | {k.lower() for k in C_KEYWORDS} | _FUNCTIONS
    suffixes = ("_elements", "_scale", "_zero_point")
    result = []
    for name in names:
        stem = identifier(name, role)
        if stem.endswith("_t") or stem.startswith(("t_", "tinyc", "arm_", "cmsis_", f"{model}_")) or stem == model:
            stem = f"p_{stem}_p" if stem.endswith("_t") else f"p_{stem}"
        candidate, k = stem, 1
        while candidate in used or any(candidate + s in used for s in suffixes):
            k += 1
            candidate = f"{stem}_{k}"
        used |= {candidate, *(candidate + s for s in suffixes)}
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
