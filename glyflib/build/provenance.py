"""Where and when something was made, to be kept beside it."""

import os
import platform
from datetime import date

import torch


def provenance() -> dict[str, str | int]:
    """Machine in words, threads that torch uses, and today's date."""
    if torch.cuda.is_available():
        machine = torch.cuda.get_device_name()
    else:
        machine = f"{os.cpu_count()} CPU cores, {platform.machine()}"
    return {
        "machine": machine,
        "threads": torch.get_num_threads(),
        "date": date.today().isoformat(),
    }
