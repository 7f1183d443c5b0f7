# SPDX-License-Identifier: Apache-2.0
"""`tinyc` and `python -m tinyc`."""

from tinyc.cli.app import main

if __name__ == "__main__":
    main()
