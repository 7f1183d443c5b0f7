#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Prints the name of a Python 3.11 or newer: $PYTHON where it is set, else the first one that is found.
set -eu

recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
    if recent "$candidate"; then
        echo "$candidate"
        exit 0
    fi
done
found=$(${PYTHON:-python3} --version 2>/dev/null || echo "no ${PYTHON:-python3}")
echo "tinyc needs Python 3.11 or newer; this machine has: $found." >&2
echo "On Ubuntu 22.04: apt-get install python3.11 python3.11-venv; else: make PYTHON=/path/to/python3.11 ..." >&2
exit 1
