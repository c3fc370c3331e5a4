"""An ear: when there is sound, and when there is none. It knows bytes only."""
import os
import threading
import time

from common import await_, check

SILENCE = 0.25     # s without sound: it has ceased
BRIEFLY = 0.05     # s of sound that tell that there is some
STAYS = 0.4        # s for which sound that has come back is watched
HOLE = 0.1         # s without a byte of sound in there: it has not come back, but for a moment


def now():
    return time.clock_gettime(time.CLOCK_MONOTONIC)


class Ear:
    """Reads what `scream -o raw` writes, or a recorder, and notes when; zeros: they are no sound."""

    def __init__(self, pipe=None, zeros=False):
        self.zeros = zeros
        self.read = False   # it has heard something, sound or silence
        self.last = 0.0     # time of the latest byte of sound
        self.since = 0.0    # bytes from there on are waited for
        self.first = None   # time of the first one of those
        self.longest = 0.0  # the longest gap since that one
        self.thread = None
        if pipe:
            self.attach(pipe)

    def attach(self, pipe):
        """From this one from now on; the former one has ended."""
        self.detach()
        self.read = False
        self.thread = threading.Thread(target=self.run, args=(pipe,), daemon=True)
        self.thread.start()

    def detach(self):
        if self.thread:
            self.thread.join(5)
        self.thread = None

    def run(self, pipe):
        while data := os.read(pipe.fileno(), 1 << 16):
            self.read = True
            if self.zeros and not data.strip(b'\0'):
                continue
            self.note(now())

    def note(self, t):
        if self.first is not None:
            self.longest = max(self.longest, t - self.last)
        elif t >= self.since:
            self.longest, self.first = 0.0, t
        self.last = t

    def listen(self):
        """From now on."""
        self.since, self.first = now(), None

    def hears(self):
        """Waits until it is told of silence too."""
        await_('the recorder to run', lambda: self.read, every=0.005)

    def begins(self, what='sound', seconds=3.0, goes_on=BRIEFLY):
        """Seconds from listen() to the first byte of sound; more follow it."""
        first = await_(what, lambda: self.first, seconds, every=0.005)
        await_(what + ' to go on', lambda: self.last > first + goes_on, goes_on + 1, every=0.005)
        return first - self.since

    def heard(self, what='sound'):
        """Likewise; and it stays."""
        seconds = self.begins(what, goes_on=STAYS)
        check(self.longest <= HOLE, '%s: then none for %.0f ms' % (what, 1000 * self.longest))
        return seconds

    def silent(self, seconds=SILENCE):
        begin = now()
        await_('the sound to cease', lambda: now() - max(begin, self.last) > seconds, 10)
