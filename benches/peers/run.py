#!/usr/bin/env python3
"""Measures native vector indexes on the same data as clawft: the one entry.

    python3 benches/peers/run.py                          # the sample data, a table
    python3 benches/peers/run.py --json                   # one JSON object a line
    python3 benches/peers/run.py --base B.npy --queries Q.npy --metric ip

Makes a virtual environment under `target/peers/`, installs the pinned
`requirements.txt` into it (once; again when that file changes) and runs
`peers.py` there with the same arguments. It needs Python 3.10 or newer with
`venv`, and a C++ compiler where PyPI has no wheel of hnswlib for the machine.
Nothing outside `target/` is written.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
REQUIREMENTS = HERE / "requirements.txt"


def say(line):
    """Progress goes to standard error: standard output carries the results."""
    print(line, file=sys.stderr, flush=True)


def environment():
    """The interpreter of the prepared environment; makes it when needed."""
    target = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
    home = target / "peers" / f"py{sys.version_info.major}.{sys.version_info.minor}"
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = home / "requirements.done"
    wanted = REQUIREMENTS.read_text()
    if python.exists() and done.exists() and done.read_text() == wanted:
        return python

    say(f"peers: making {home}")
    shutil.rmtree(home, ignore_errors=True)
    made = subprocess.run([sys.executable, "-m", "venv", str(home)], stdout=sys.stderr)
    if made.returncode != 0:
        sys.exit("peers: Python's venv failed; on Debian: apt-get install python3-venv")
    say("peers: installing " + ", ".join(line for line in wanted.split() if "==" in line))
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    got = subprocess.run(install + ["-r", str(REQUIREMENTS)], stdout=sys.stderr)
    if got.returncode != 0:
        sys.exit(
            "peers: pip could not install the peers; it needs PyPI, and for hnswlib a C++ compiler "
            "and Python's headers (on Debian: apt-get install g++ python3-dev)"
        )
    done.write_text(wanted)
    return python


def main():
    """Runs `peers.py` in the environment, with its exit code as ours."""
    if sys.version_info < (3, 10):
        sys.exit(f"peers: needs Python 3.10 or newer, this is {sys.version.split()[0]}")
    # Read when the numeric libraries load, hence set before Python starts.
    one_thread = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    command = [str(environment()), str(HERE / "peers.py"), *sys.argv[1:]]
    sys.exit(subprocess.run(command, env={**os.environ, **one_thread}).returncode)


if __name__ == "__main__":
    main()
