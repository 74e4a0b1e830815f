"""Change the environment of a process before its command: limits, users and lacking abilities.

Each function can be the `prepare` of `support.processes.run_command`.
"""

import errno
import fcntl
import os
import resource
import stat
import threading
from functools import partial


def _limit(kind, amount):
    resource.setrlimit(kind, (amount, amount))


def limit_memory(n_bytes):
    return partial(_limit, resource.RLIMIT_AS, n_bytes)


def limit_file_size(n_bytes):
    return partial(_limit, resource.RLIMIT_FSIZE, n_bytes)


def limit_open_files(n_files):
    return partial(_limit, resource.RLIMIT_NOFILE, n_files)


def lose_name_and_home():
    """Become a user without a name and a home, as the random ones of OpenShift."""
    os.environ.pop("HOME", None)
    os.setresuid(1_000_660_000, 0, 0)


def forbid_threads():
    """Let each new thread need more memory than there is: none can start."""
    threading.stack_size(2**46)


def close_stream(number):
    return partial(os.close, number)


def lack(ability, number):
    """Let each system call of an ability fail: links, locks, modes, or the sync of folders."""
    return partial(_lack, ability, number)


def _lack(ability, number):
    def fail(*_arguments, **_options):
        raise OSError(number, os.strerror(number))

    sync = os.fsync

    def sync_files(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            fail()
        sync(descriptor)

    if ability == "link":
        os.link = fail
    elif ability == "flock":
        fcntl.flock = fail
    elif ability == "fchmod":
        os.fchmod = fail
    else:
        os.fsync = sync_files


LINK_ERRORS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS)
LOCK_ERRORS = (errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK, errno.EINVAL)
PASSED_OVER = (
    ("fsync", errno.EINVAL),
    ("fsync", errno.ENOTSUP),
    ("fsync", errno.ENOSYS),
    ("fchmod", errno.EPERM),
    ("fchmod", errno.ENOTSUP),
)
