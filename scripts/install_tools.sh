#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the compilers and emulators that are missing, with apt-get on Debian and Ubuntu.
# Usage: install_tools.sh [demo|test]. Elsewhere it says what to install and stops.
set -eu

lane=${1:-test}
missing=""

want() { # PACKAGES COMMAND...: the packages are missing where the command fails
    packages=$1
    shift
    if ! "$@" >/dev/null 2>&1; then
        missing="$missing $packages"
    fi
}

has() { command -v "$1"; }

compiles() { # COMPILER: it and its C library work
    printf '#include <stdio.h>\nint main(void) { return 0; }\n' | "$1" -x "$2" - -o /dev/null
}

finds_specs() { # COMPILER SPECS: the C library that the specs file selects is installed
    has "$1" && [ "$("$1" -print-file-name="$2")" != "$2" ]
}

cc_works() { compiles gcc c; }
cxx_works() { compiles g++ c++; }
newlib() { finds_specs arm-none-eabi-gcc nano.specs; }
picolibc() { finds_specs riscv64-unknown-elf-gcc picolibc.specs; }

# A Python that is too old ends here; none at all is a package like the others, and brings a recent one.
if command -v "${PYTHON:-python3}" >/dev/null 2>&1; then
    python=$("$(dirname "$0")/find_python.sh")
else
    python=${PYTHON:-python3}
fi
# Each version has a package of its own on Debian; the plain one belongs to what python3 names.
case $python in
    *python3.[0-9]*) venv=$(basename "$python")-venv ;;
    *) venv=python3-venv ;;
esac

want "$venv" "$python" -c 'import ensurepip, venv'
want make has make
want gcc-arm-none-eabi has arm-none-eabi-gcc
want libnewlib-arm-none-eabi newlib
want qemu-system-arm has qemu-system-arm
want "gcc libc6-dev" cc_works
if [ "$lane" = test ]; then
    want g++ cxx_works
    want gcc-riscv64-unknown-elf has riscv64-unknown-elf-gcc
    want picolibc-riscv64-unknown-elf picolibc
    want qemu-system-misc has qemu-system-riscv32
    want clang has clang
    want cppcheck has cppcheck
    want cmake has cmake
fi

missing=${missing# }
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "tinyc needs tools that are not installed here. Their Debian packages are called:" >&2
    echo "    $missing" >&2
    echo "Install them with this system's package manager and run make again." >&2
    exit 1
fi

sudo=""
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        echo "These packages are missing, and there is no sudo to install them with. As root:" >&2
        echo "    apt-get update && apt-get install -y --no-install-recommends $missing" >&2
        exit 1
    fi
    sudo="sudo "
fi
export DEBIAN_FRONTEND=noninteractive
echo "Installing missing tools:"
echo "    ${sudo}apt-get update"
${sudo}apt-get update -q
# Newer releases have the RISC-V emulator in a package of its own.
if apt-cache show qemu-system-riscv >/dev/null 2>&1; then
    missing=$(echo "$missing" | sed 's/qemu-system-misc/qemu-system-riscv/')
fi
echo "    ${sudo}apt-get install -y --no-install-recommends $missing"
# shellcheck disable=SC2086 # the packages are words
${sudo}apt-get install -y -q --no-install-recommends $missing
