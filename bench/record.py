"""A recording of a sink's monitor, with the time at which each piece of it came."""
import copy
import os
import subprocess
import threading
import time

from common import Child, Failure, await_
from servers import STEREO

FRAME_BYTES = 4  # two channels of 16 bit, whatever the sink has
READ_MOST = 1 << 16


def two_channels(server):
    """Its recorder, of the front speakers alone: nothing is mixed into them."""
    front = copy.copy(server)
    front.speakers, front.recorded_type = STEREO, 's16'
    argv, env = front.recorder()
    if server.output == 'pulse':
        return argv + ['--no-remix'], env
    # else the session manager gives the stream all of the sink's channels, and a mix of them
    return [a.replace('stream.capture.sink=true', 'stream.capture.sink=true stream.dont-remix=true')
            if isinstance(a, str) else a for a in argv], env


class Recording:
    """Records from enter() until stop()."""

    def __init__(self, place, server, name='recorder'):
        self.place, self.server, self.name = place, server, name
        self.rate = server.rate
        self.path = place.file(name + '.raw')
        self.arrivals = []  # (ns, frames so far)

    def __enter__(self):
        argv, env = two_channels(self.server)
        self.recorder = Child(self.place, self.name, argv, env=env, stdout=subprocess.PIPE)
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()
        await_('the recorder to be connected', self.connected, 5)
        for _ in range(4):  # a server may hold back a first long block
            before = self.frames()
            await_('the recording to flow',
                   lambda b=before: self.frames() >= b + self.rate // 20, 5)
        return self

    def read(self):
        fd, total = self.recorder.process.stdout.fileno(), 0
        with open(self.path, 'wb') as out:
            while True:
                data = os.read(fd, READ_MOST)
                now = time.monotonic_ns()
                if not data:
                    return
                total += len(data)
                self.arrivals.append((now, total // FRAME_BYTES))
                out.write(data)

    def frames(self):
        return self.arrivals[-1][1] if self.arrivals else 0

    def connected(self):
        if not self.recorder.running():
            raise Failure('the recorder ended: ' + self.recorder.said()[-300:])
        return self.server.recording()

    def stop(self):
        self.recorder.end()
        self.thread.join(10)

    def __exit__(self, *_):
        self.stop()
        self.recorder.process.stdout.close()
        os.unlink(self.path)  # the place is kept when a run fails, and is in memory
