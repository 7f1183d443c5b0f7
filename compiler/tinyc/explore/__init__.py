# SPDX-License-Identifier: Apache-2.0
"""Which scheme each layer gets: measured trials on a budget, in parallel processes or on a cluster."""
