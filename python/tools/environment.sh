#!/bin/sh
# Checks the tools that a build needs and makes the virtual environment.
#
#   environment.sh PYTHON VENV
#
# A missing tool is named, and nothing is made.
set -eu
python=$1
venv=$2

missing() {
  echo "SKD needs $1, and it was not found." >&2
  echo "$2" >&2
  exit 1
}

command -v "$python" >/dev/null ||
  missing "Python 3.11 or newer ('$python' on the PATH)" "Name another with make PYTHON=..."
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  missing "Python 3.11 or newer; '$python' is $("$python" --version)" \
    "Name another with make PYTHON=..."
"$python" "$(dirname "$0")/build_tools.py"
"$python" -c 'import sysconfig, os
header = os.path.join(sysconfig.get_path("include"), "Python.h")
raise SystemExit(not os.path.exists(header))' ||
  missing "the headers of '$python' (Python.h)" "On Debian: apt-get install python3-dev"
"$python" -c 'import venv, ensurepip' 2>/dev/null ||
  missing "the venv module of '$python'" "On Debian: apt-get install python3-venv"

if [ ! -x "$venv/bin/python" ]; then
  "$python" -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --upgrade pip
fi

# Whoever brings a NumPy gets the same version in the environment: Debian's 1.24 serves too.
"$python" -c 'import numpy; print("numpy==" + numpy.__version__)' \
  >"$venv/constraints.txt" 2>/dev/null || : >"$venv/constraints.txt"
