# SPDX-License-Identifier: Apache-2.0
"""The arithmetic on bits of floats in tinyc_scalar.h equals the host's own, bit for bit."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

RUNTIME = Path(__file__).resolve().parents[2] / "runtime_c"
PROGRAM = r"""
#include "tinyc_scalar.h"
#include <stdio.h>
static uint32_t bits_of(float f) { uint32_t b; memcpy(&b, &f, 4); return b; }
static float float_of(uint32_t b) { float f; memcpy(&f, &b, 4); return f; }
static double double_of(uint64_t b) { double f; memcpy(&f, &b, 8); return f; }
int main(void)
{
    uint64_t seed = 88172645463325252ULL;
    for (long i = 0; i < 3000000; i++) {
        seed ^= seed << 13; seed ^= seed >> 7; seed ^= seed << 17;
        uint32_t a = (uint32_t)seed & 0x7fffffffu, b = (uint32_t)(seed >> 32) & 0x7fffffffu;
        if (i & 1) { /* exponents that are near each other */
            b = (a & 0x7f800000u) - (((uint32_t)(seed >> 56) & 31u) << 23);
            b = (b & 0x7f800000u) | ((uint32_t)(seed >> 20) & 0x7fffffu);
        }
        if ((i & 7) == 3) { a &= 0xffffffu; b &= 0xffffffu; } /* subnormal */
        if ((i & 15) == 5) { a &= 0xffff8000u; b &= 0xfffff000u; } /* halves to be rounded */
        if (a >> 23 < 253u && b >> 23 < 253u && tinyc_add_positive(a, b) != bits_of(float_of(a) + float_of(b))) {
            printf("%08x + %08x\n", (unsigned)a, (unsigned)b);
            return 1;
        }
        uint32_t x = a;
        while (x >= 0x40000000u) { x -= 0x08000000u; }
        if (i % 3 == 0) { x = 0x3f800000u + (uint32_t)((seed >> 40) & 255u) - 128u; }
        if (tinyc_one_minus(x) != bits_of(1.0f - float_of(x))) {
            printf("1 - %08x\n", (unsigned)x);
            return 1;
        }
        const uint32_t p = (uint32_t)seed, q = (i & 2) ? p + (uint32_t)(seed >> 60) - 8u : (uint32_t)(seed >> 32);
        const float f = float_of(p), g = float_of(q);
        const int less = tinyc_float_key(p) < tinyc_float_key(q);
        if (f == f && g == g ? (f < g && !less) || (f > g && less) : f == f && g != g && !less) {
            printf("key %08x %08x\n", (unsigned)p, (unsigned)q);
            return 1;
        }
        const uint64_t s = seed * 0x9e3779b97f4a7c15ULL;
        const double d = double_of(seed), e = double_of(s);
        const int under = tinyc_double_key(seed) < tinyc_double_key(s);
        if (d == d && e == e ? (d < e && !under) || (d > e && under) : d == d && e != e && !under) {
            printf("key %016llx %016llx\n", (unsigned long long)seed, (unsigned long long)s);
            return 1;
        }
    }
    return 0;
}
"""


@pytest.mark.parametrize("level", ("-O0", "-O3"))
def test_bits(tmp_path: Path, level: str) -> None:
    (tmp_path / "bits.c").write_text(PROGRAM)
    flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", f"-I{RUNTIME / 'include'}", f"-I{RUNTIME / 'src/common'}"]
    subprocess.run(["gcc", level, *flags, "bits.c", "-o", "bits"], cwd=tmp_path, check=True)
    result = subprocess.run([tmp_path / "bits"], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stdout
