# SPDX-License-Identifier: Apache-2.0
"""Passes: (Graph, Target) -> Graph, one a file; `pipeline` says which run and in what order."""
