"""What happens to the file of shared memory, and to the guest that writes into it."""
import os
import shutil
import signal

from common import await_
from ear import HOLE
from faults import MIB, Rig


class Shared(Rig):
    """By a file, which the guest's QEMU has made."""

    def __init__(self, place, network, *options, **more):
        self.folder = place.file('guest')
        self.path = os.path.join(self.folder, 'shm')
        super().__init__(place, network, '-m', self.path, *options, **more)

    def make(self, size=2 * MIB):
        """A file of that size."""
        os.makedirs(self.folder, exist_ok=True)
        with open(self.path, 'ab') as f:
            f.truncate(size)

    def guest(self):
        self.play('-m', self.path, '--size', str(max(1, os.path.getsize(self.path) // MIB)))
        return self

    def begin(self):
        if not self.sender:
            self.make()
        super().begin()


def quit_guest(rig):
    """Its QEMU is gone, without a word: the header stays as it is."""
    rig.stop(signal.SIGKILL)


def restart_guest(rig):
    if rig.server:
        rig.ear.silent(HOLE)  # what the former guest has left is not taken for this one's
    rig.ear.listen()
    rig.guest()


def recreated(rig):
    quit_guest(rig)
    os.unlink(rig.path)
    rig.waits('there is no file')
    rig.make()
    restart_guest(rig)


def emptied_first(rig):
    """The file is gone, and a tmpfiles rule makes an empty one, which QEMU enlarges in steps."""
    quit_guest(rig)
    os.unlink(rig.path)
    rig.make(0)
    rig.waits('empty')
    rig.make(100)
    rig.waits('100 bytes')
    rig.make()
    restart_guest(rig)


def folder_removed(rig):
    quit_guest(rig)
    shutil.rmtree(rig.folder)
    rig.waits('there is no file')
    rig.make()
    restart_guest(rig)


def larger(rig):
    """Another file takes the name, at once."""
    quit_guest(rig)
    with open(rig.path + '.new', 'wb') as f:
        f.truncate(4 * MIB)
    os.rename(rig.path + '.new', rig.path)
    restart_guest(rig)


def grown(rig):
    quit_guest(rig)
    os.truncate(rig.path, 4 * MIB)
    restart_guest(rig)


def truncated(rig):
    quit_guest(rig)
    os.truncate(rig.path, 0)
    rig.waits('empty')
    rig.make()
    restart_guest(rig)


def truncated_at_once(rig):
    """While the guest plays, which dies of it, as QEMU would."""
    os.truncate(rig.path, 0)
    rig.make()
    quit_guest(rig)
    restart_guest(rig)


def reset(rig):
    """A stale, valid header until the next stream begins."""
    quit_guest(rig)
    rig.ear.silent()
    restart_guest(rig)


def window_missed(rig):
    """The stream ends and begins while we do not look."""
    os.kill(rig.scream.pid, signal.SIGSTOP)
    rig.stop()
    rig.guest()
    await_('the new stream', lambda: read_at(rig.path, 0, 4) == b'\x14\x20\x11\x11' and
           1 <= int.from_bytes(read_at(rig.path, 4, 2), 'little') < 10)
    os.kill(rig.scream.pid, signal.SIGCONT)
    rig.ear.listen()


def read_at(path, offset, size):
    with open(path, 'rb') as f:
        f.seek(offset)
        return f.read(size)


FILE_FAULTS = (recreated, emptied_first, folder_removed, larger, grown, truncated,
               truncated_at_once, reset, window_missed)
