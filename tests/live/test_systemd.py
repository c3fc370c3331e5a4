"""What systemd would be told, by a socket that takes its place; and how a service ends."""
import array
import os
import signal
import socket
import subprocess
import time

from common import BUILD, Failure, Skip, await_, check
from hearing import Sender
from scream import by_memory
from servers import PipeWire, Pulse

WATCHDOG = 0.6  # s
STOP = 0.2      # s that a clean stop may take


def need_libsystemd():
    with open(os.path.join(BUILD, 'report')) as f:
        if 'with:      systemd' not in f.read():
            raise Skip('built without libsystemd')


class Systemd:
    """The socket of a service of Type=notify."""

    def __init__(self, place, watchdog=None):
        path = place.file('notify')
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.socket.setblocking(False)
        self.env = {'NOTIFY_SOCKET': path}
        if watchdog:
            self.env['WATCHDOG_USEC'] = str(int(watchdog * 1e6))
        self.said = []   # lines
        self.status = ''
        self.fed = 0

    def hear(self):
        while True:
            try:
                lines = self.socket.recv(4096).decode().splitlines()
            except BlockingIOError:
                return self
            self.said += lines
            self.fed += lines.count('WATCHDOG=1')
            for line in lines:
                if line.startswith('STATUS='):
                    self.status = line[7:]

    def until(self, *words, seconds=3):
        """Waits for a status that holds all of these."""
        def told():
            return all(w in self.hear().status for w in words)
        try:
            await_('', told, seconds)
        except Failure:
            raise Failure('no status with %s; the last one: %s' % (words, self.status)) from None

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def service(place, server, systemd, path):
    server.env.update(systemd.env)
    return by_memory(place, server, path)


def states(kind, place, network):
    """READY while it waits, and a status that follows what happens."""
    need_libsystemd()
    path = place.file('shm')
    with kind(place) as server, Systemd(place) as systemd, \
            service(place, server, systemd, path) as scream:
        await_('READY', lambda: scream.alive() and 'READY=1' in systemd.hear().said)
        systemd.until('waiting', path)
        with Sender(place, '-m', path, '-d', 2):
            systemd.until('playing 48 kHz 16 bit stereo from ', ' ms, ', ' ppm')
        systemd.until('idle: no sound, 48 kHz 16 bit stereo from ', seconds=8)
        with Sender(place, '-m', path, '-d', 7, '-f', '44100/24/6', name='other'):
            systemd.until('playing 44.1 kHz 24 bit', ' ms, ', ' ppm')
        os.unlink(path)
        systemd.until('waiting', path)
        check(scream.end(seconds=5) == 0, 'did not end well: ' + scream.said()[-200:])
        check('STOPPING=1' in systemd.hear().said, 'STOPPING=1 is missing')
        check(systemd.said.count('READY=1') == 1, 'ready more than once')
        check(systemd.fed == 0, 'fed a watchdog that there is not')
    return '%d messages' % len(systemd.said)


def keeps_being_fed(systemd, scream, seconds):
    """At least twice in the time that systemd allows, but for this machine's own delays."""
    before, end = systemd.hear().fed, time.monotonic() + seconds
    while time.monotonic() < end:
        last = systemd.fed
        await_('the watchdog to be fed', lambda: scream.alive() and systemd.hear().fed > last,
               WATCHDOG, 0.01)
    times = systemd.fed - before
    check(times >= 2 * seconds / WATCHDOG, 'fed %d times in %g s' % (times, seconds))


def watchdog(kind, place, network):
    """Fed while it waits, plays and is silent; not while the control thread stands still."""
    need_libsystemd()
    path = place.file('shm')
    with kind(place) as server, Systemd(place, WATCHDOG) as systemd, \
            service(place, server, systemd, path) as scream:
        await_('READY', lambda: scream.alive() and 'READY=1' in systemd.hear().said)
        keeps_being_fed(systemd, scream, 1)
        with Sender(place, '-m', path, '-d', 2):
            systemd.until('playing')
            keeps_being_fed(systemd, scream, 1)
        keeps_being_fed(systemd, scream, 3)
        os.kill(scream.pid, signal.SIGSTOP)
        try:
            await_('it to stand still', lambda: stopped(scream.pid))
            before = systemd.hear().fed
            time.sleep(2 * WATCHDOG)  # nothing must happen: there is no event to wait for
            check(systemd.hear().fed == before, 'a stopped process is fed')
        finally:
            os.kill(scream.pid, signal.SIGCONT)
        keeps_being_fed(systemd, scream, 1)
    return 'fed %d times' % systemd.fed


def stopped(pid):
    with open('/proc/%d/stat' % pid) as f:
        return f.read().rsplit(')', 1)[1].split()[0] == 'T'


def end_of_sound(raw, channels):
    """The largest step between samples before the last 60 ms of sound, and in them."""
    x = array.array('h', raw[:len(raw) // 2 * 2])[::channels]
    last = max((i for i, v in enumerate(x) if abs(v) > 1), default=0)
    check(last > 48000 // 2, 'nothing was heard')
    steps = [abs(b - a) for a, b in zip(x[:last + 2], x[1:last + 2])]
    border = last - 48 * 60
    return max(steps[border - 48 * 200:border]), max(steps[border:])


def ends_with_a_fade(kind, place, network, *options):
    """In less than 200 ms, and without a click, however much is in a queue."""
    path, took, clicks = place.file('shm'), [], []
    with kind(place) as server:
        for n in range(2):
            record = place.file('end%d.raw' % n)
            argv, env = server.recorder()
            with open(record, 'wb') as out, \
                    subprocess.Popen([str(a) for a in argv], env=env, stdout=out,
                                     stderr=subprocess.DEVNULL) as recorder:
                try:
                    await_('the recording', server.recording)
                    with by_memory(place, server, path, *options) as scream, \
                            Sender(place, '-m', path, '-s', 'sine', '-d', 10, name='s%d' % n):
                        await_('sound', lambda: scream.alive() and 'playing' in scream.said())
                        quiet = os.path.getsize(record)
                        await_('some sound', lambda: os.path.getsize(record) > quiet + 288000, 10)
                        code, seconds = scream.end_timed()
                        check(code == 0, 'did not end well')
                        took.append(seconds)
                    size = os.path.getsize(record)
                    await_('its end', lambda: os.path.getsize(record) > size + 96000, 10)
                finally:
                    recorder.terminate()
            os.unlink(path)
            with open(record, 'rb') as f:
                usual, last = end_of_sound(f.read(), len(server.speakers))
            clicks.append(last / usual)
    check(max(took) < STOP, 'took %s s' % took)
    check(max(clicks) < 1.3, 'a click %s times as steep as the sound' % clicks)
    return 'took %s ms, %s times as steep' % (', '.join('%.0f' % (1000 * t) for t in took),
                                              ', '.join('%.2f' % c for c in clicks))


TESTS = [('%s: %s' % (k.output, f.__name__.replace('_', ' ')),
          lambda place, network, k=k, f=f: f(k, place, network))
         for k, f in ((Pulse, states), (PipeWire, states), (Pulse, watchdog),
                      (PipeWire, ends_with_a_fade),
                      (Pulse, ends_with_a_fade))] + [
    ('pulse: ends with a fade, -t 300',
     lambda place, network: ends_with_a_fade(Pulse, place, network, '-t', '300', '-l', '400'))]
