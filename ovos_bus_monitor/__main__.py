"""Run the monitor with ``python -m ovos_bus_monitor``."""

import sys

from ovos_bus_monitor.cli import main

sys.exit(main())
