# SPDX-License-Identifier: Apache-2.0
"""The compiler's version; read by the build backend, so it imports nothing."""

VERSION = "0.1.0"
