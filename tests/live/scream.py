"""The receiver under test."""
import os
import select
import signal
import subprocess
import time

from common import SCREAM, Child, Failure, await_
from net import BRIDGE, joined

GROUP = '239.255.77.77'


class Scream(Child):
    def __init__(self, place, *options, env=None, name='scream', **more):
        super().__init__(place, name, [SCREAM, '-v', *options], env=env, **more)

    def alive(self):
        if not self.running():
            raise Failure('scream ended with %s: %s' % (self.process.returncode,
                                                        self.said()[-300:]))
        return True

    def listening(self, interface=BRIDGE):
        """Waits until it has joined the group there."""
        await_('scream to join the group', lambda: self.alive() and joined(GROUP, interface))
        return self

    def bound(self, port=4010):
        """Waits until it has bound the port."""
        want = ':%04X ' % port
        await_('scream to bind its port', lambda: self.alive() and any(
            want in line for line in open('/proc/%d/net/udp' % self.pid)))
        return self

    def holds(self, path):
        """Waits until it has the file open."""
        await_('scream to open the file', lambda: self.alive() and path in self.open_files())
        return self

    def end_timed(self, how=signal.SIGTERM):
        """The exit code, and s from the signal to the end: subprocess's wait() looks every 50 ms."""
        fd = os.pidfd_open(self.pid)
        try:
            begin = time.monotonic()
            os.kill(self.pid, how)
            select.select([fd], [], [], 5)
            took = time.monotonic() - begin
        finally:
            os.close(fd)
        return self.end(), took

    def open_files(self):
        folder = '/proc/%d/fd' % self.pid
        found = set()
        for fd in os.listdir(folder):
            try:
                found.add(os.readlink(os.path.join(folder, fd)))
            except OSError:
                pass  # closed in between
        return found


def by_bridge(place, server, *options, **more):
    """Plays what comes over virbr0 into that server."""
    return Scream(place, '-o', server.output, '-i', BRIDGE, *options, env=server.env,
                  **more).listening()


def by_memory(place, server, path, *options, **more):
    return Scream(place, '-o', server.output, '-m', path, *options, env=server.env, **more)


def run(*options, env=None, seconds=10):
    """The exit code, stdout and stderr of a short run."""
    p = subprocess.run([SCREAM, *options], env=env or os.environ, stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=seconds,
                       check=False)
    return p.returncode, p.stdout, p.stderr.decode(errors='replace')
