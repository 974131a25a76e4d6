"""The machine: threads, memory, instruction set and speed."""

from skd._threads import (
    get_num_threads,
    set_num_threads,
    threads,
    threads_of_environment,
    use_threads_of_environment,
)
from skd.machine._convolutions import ALGORITHMS, PASSES, ConvolutionShape, ConvolutionTimes
from skd.machine._instruction_set import instruction_set
from skd.machine._memory import available_memory, live_memory
from skd.machine._networks import (
    RESNET12_WIDTHS,
    ConvolutionLayer,
    forward_flops,
    resnet12_convolutions,
    training_flops,
)
from skd.machine._peak import peak_gflops

__all__ = [
    "ALGORITHMS",
    "PASSES",
    "RESNET12_WIDTHS",
    "ConvolutionLayer",
    "ConvolutionShape",
    "ConvolutionTimes",
    "available_memory",
    "forward_flops",
    "get_num_threads",
    "instruction_set",
    "live_memory",
    "peak_gflops",
    "resnet12_convolutions",
    "set_num_threads",
    "threads",
    "threads_of_environment",
    "training_flops",
    "use_threads_of_environment",
]
