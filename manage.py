#!/usr/bin/env python
"""Django's command line; alone on a laptop it starts the embedded services that a command needs."""

import os
import sys

from labonnealternance.settings.env import WrongEnvironment


def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "labonnealternance.settings.local")
    os.environ.setdefault("PROCESS_KIND", "migration" if "migrate" in sys.argv[1:2] else "script")
    from django.core.management import execute_from_command_line

    if os.environ["DJANGO_SETTINGS_MODULE"] == "labonnealternance.settings.base":
        execute_from_command_line(sys.argv)
        return

    from labonnealternance.embedded import services

    with services():
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    try:
        main()
    except WrongEnvironment as faults:
        sys.exit(str(faults))
    except KeyboardInterrupt:
        # What shells say of a command that Ctrl-C stopped; where it was then is nobody's concern.
        sys.exit(130)
