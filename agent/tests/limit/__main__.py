"""The agent where memory ends at 16 MiB: `python limit WASMTIME CLAWFT CORE [CASE…]`.

Whatever is too much, of records, texts, answers, files, requests, or of what a host keeps for
itself, ends in an exit code with a sentence and never in a trap; what was there is there, and the
next call works: in the same instance for the core module and `clawft:memory`, in the next one for
the command and `wasmtime serve`. Needs PyPI's `wasmtime`, for the core module and the component.
"""

import http.client
import pathlib
import sys
import tempfile
import time

import wasmtime

# First: it hands `core` and `wit` their arguments.
from command import WANTED

from answers import answers, kept
from files import folders, imports, own, tools
from interface import stores
from records import image, records, results, words
from serving import requests
from said import person, texts
from taken import everything, listed, taken

CASES = [records, words, image, answers, kept, imports, tools, own, folders, person, results, taken, listed, everything, texts, stores, requests]


def main():
    failed = []
    for test in CASES:
        if WANTED and test.__name__ not in WANTED:
            continue
        start = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="clawft-") as folder:
            try:
                test(pathlib.Path(folder))
                print(f"ok      {test.__name__} ({time.monotonic() - start:.1f} s)", flush=True)
            except (AssertionError, OSError, ValueError, wasmtime.WasmtimeError, http.client.HTTPException) as why:
                failed.append(test.__name__)
                print(f"FAILED  {test.__name__}: {why!r}", flush=True)
    if failed:
        sys.exit(f"{len(failed)} failed: {', '.join(failed)}")


main()
