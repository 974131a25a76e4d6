"""What a measurement says about where it was taken."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

import skd


def _processor_fields() -> dict[str, str]:
    """Return what the kernel says about the first processor."""
    fields: dict[str, str] = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, separator, value = line.partition(":")
        if separator:
            fields.setdefault(name.strip(), value.strip())
    return fields


def processor() -> str:
    """Return name, family and widest instruction set of the processor."""
    fields = _processor_fields()
    name = fields.get("model name", platform.machine())
    flags = fields.get("flags", "").split()
    names = {"avx512f": "AVX-512", "avx2": "AVX2"}
    widest = next((text for flag, text in names.items() if flag in flags), platform.machine())
    if "cpu family" in fields:
        name += f" (family {fields['cpu family']}, model {fields['model']})"
    return f"{name}, {widest}"


@dataclass(frozen=True)
class Machine:
    """A machine and what its library can do at most."""

    processor: str
    cores: int
    peak_gflops: dict[int, float]  # by threads

    @classmethod
    def this(cls, threads: set[int]) -> Machine:
        """Describe this machine; its peak is measured for each number of threads."""
        before = skd.get_num_threads()
        peaks = {}
        for count in sorted(threads):
            skd.set_num_threads(count)
            peaks[count] = skd.peak_gflops()
        skd.set_num_threads(before)
        return cls(processor(), len(os.sched_getaffinity(0)), peaks)

    def __str__(self) -> str:
        """Return one line for a report."""
        peaks = ", ".join(f"{peak:.0f} with {n}" for n, peak in self.peak_gflops.items())
        cores = f"{self.cores} core{'s' if self.cores > 1 else ''}"
        return f"{self.processor}, {cores}; multiply-add peak in GFLOP/s by threads: {peaks}"
