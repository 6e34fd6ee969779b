"""``python -m ovos_bus`` is ``ovos-messagebus``."""

import sys

from ovos_bus.cli import main

if __name__ == "__main__":
    sys.exit(main())
