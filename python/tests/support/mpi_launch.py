"""Starting processes that MPI connects."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

# MPICH needs no ssh to start ranks here; Open MPI wants to be told all of this.
ENVIRONMENT = {
    "HYDRA_LAUNCHER": "fork",
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
}


def launch(ranks, *arguments, cwd=None):
    """Run ``python ARGUMENTS`` in so many ranks; none of them may hang."""
    mpirun = shutil.which("mpirun", path=Path(sys.executable).parent) or shutil.which("mpirun")
    assert mpirun is not None, "the extra 'test' brings mpich, and with it mpirun"
    command = [mpirun, "-n", str(ranks), sys.executable, *map(str, arguments)]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **ENVIRONMENT},
        cwd=cwd,
    )
