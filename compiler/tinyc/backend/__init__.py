# SPDX-License-Identifier: Apache-2.0
"""From a planned Program to files: the printer, the templates and report.json."""
