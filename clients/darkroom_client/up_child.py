"""Becomes ``python -m MODULE``, told by the kernel to end when the process that started it does.

Run by path, before anything is imported: ``python up_child.py PARENT_PROCESS_ID MODULE``. The wish to die with the
parent survives the exec; set between fork and exec by the parent itself it would have to run in a process with
threads, which may lock up.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1

if __name__ == "__main__":
    parent, module = int(sys.argv[1]), sys.argv[2]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before it could be watched
            sys.exit(1)
    os.execv(sys.executable, [sys.executable, "-m", module])
