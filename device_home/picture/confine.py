"""What the child takes from itself before it looks at a picture, and can't take back.

What holds, once `confine` has returned: memory, CPU seconds and open files are bounded, no file can
grow, no core is left. Where the kernel filters system calls (Linux on x86-64 and ARM64), all that
is left is reading and writing what is open, memory, and the end: no file, no socket, no process.
Elsewhere the bounds stand alone; `confine` says which.

The calls are named, and whatever is not named ends the process. It is not merely refused: a library
whose late import fails goes on with less, and may then take an encrypted PDF for a plain one.
"""

from __future__ import annotations

import ctypes
import platform
import resource
import signal
import struct

from sync_protocol import limits

_BOUNDS = (
    (resource.RLIMIT_AS, limits.PICTURE_MEMORY_BYTES_MAX),
    (resource.RLIMIT_CPU, limits.PICTURE_CPU_S),
    (resource.RLIMIT_NOFILE, limits.PICTURE_FILES_MAX),
    (resource.RLIMIT_FSIZE, 0),
    (resource.RLIMIT_CORE, 0),
    (resource.RLIMIT_NPROC, 0),
)

# read, write, close, fstat, newfstatat, lseek, mmap, mprotect, munmap, mremap, madvise, brk,
# rt_sigaction, rt_sigprocmask, rt_sigreturn, sigaltstack, futex, sched_yield, sched_getaffinity,
# clock_gettime, gettimeofday, getrandom, getpid, gettid, tgkill, rseq, exit, exit_group: the
# numbers of Linux's own tables, asm/unistd_64.h and asm-generic/unistd.h.
_CALLS = {
    "x86_64": (
        0xC000003E,
        *(0, 1, 3, 5, 262, 8, 9, 10, 11, 25, 28, 12, 13, 14, 15, 131, 202, 24, 204),
        *(228, 96, 318, 39, 186, 234, 334, 60, 231),
    ),
    "aarch64": (
        0xC00000B7,
        *(63, 64, 57, 80, 79, 62, 222, 226, 215, 216, 233, 214, 134, 135, 139, 132, 98, 124, 123),
        *(113, 169, 278, 172, 178, 131, 293, 93, 94),
    ),
}
_NO_NEW_PRIVILEGES, _SET_FILTER, _MODE_FILTER = 38, 22, 2
_LOAD, _IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _END = 0x7FFF0000, 0x80000000
_CALL_AT, _ARCHITECTURE_AT = 0, 4


def confine() -> bool:
    """Bound this process for good; return whether its system calls are filtered, too.

    It ends by `SIGALRM` after `PICTURE_WALL_S`, even if whoever started it is gone.
    """
    for kind, bound in _BOUNDS:
        resource.setrlimit(kind, (bound, bound))
    signal.alarm(limits.PICTURE_WALL_S)
    known = _CALLS.get(platform.machine())
    return known is not None and _filter(known[0], known[1:])


def _filter(architecture: int, calls: tuple[int, ...]) -> bool:
    """Let all other system calls end this process; return whether the kernel does."""
    steps = [
        _step(_LOAD, _ARCHITECTURE_AT),
        _step(_IF_EQUAL, architecture, 1, 0),
        _step(_RETURN, _END),
        _step(_LOAD, _CALL_AT),
        *(_step(_IF_EQUAL, call, len(calls) - index) for index, call in enumerate(calls)),
        _step(_RETURN, _END),
        _step(_RETURN, _ALLOW),
    ]
    program = ctypes.create_string_buffer(b"".join(steps))
    header = ctypes.create_string_buffer(struct.pack("@HP", len(steps), ctypes.addressof(program)))
    try:
        control = ctypes.CDLL(None).prctl
    except (OSError, AttributeError):
        return False
    if control(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return False
    return bool(control(_SET_FILTER, _MODE_FILTER, ctypes.byref(header), 0, 0) == 0)


def _step(code: int, value: int, if_so: int = 0, if_not: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_so, if_not, value)
