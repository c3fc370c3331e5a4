"""One run: a server, a recorder, a receiver, a guest."""
import os
import time

from common import Child, await_, check
from hearing import Sender, rendered
from judge import figures
from net import BRIDGE, GUEST
from procfs import Cost
from record import Recording
from scream import Scream
from servers import STEREO, Pulse, PipeWire

TAIL = 0.4       # s after the stream's end: all that was sent has been heard by then
SHM_MIB = 2
SPEAKERS = {2: STEREO, 6: ('FL', 'FR', 'FC', 'LFE', 'RL', 'RR'),
            8: ('FL', 'FR', 'FC', 'LFE', 'RL', 'RR', 'SL', 'SR')}
DAEMONS = ('pulseaudio', 'pipewire', 'wireplumber', 'pipewire-pulse')


class PipeWireWithPulse(PipeWire):
    """With its PulseAudio face, where that is installed: for receivers that know no other."""

    def open(self):
        super().open()
        if not has_pulse_face():
            return
        socket = self.place.file('pulse/native')
        self.env.update(PULSE_RUNTIME_PATH=self.place.file('pulse'), PULSE_SERVER='unix:' + socket)
        self.start('pipewire-pulse', ['pipewire-pulse'])
        await_('pipewire-pulse to answer', lambda: self.alive() and os.path.exists(socket), 10)


def has_pulse_face():
    return any(os.access(os.path.join(d, 'pipewire-pulse'), os.X_OK)
               for d in os.environ.get('PATH', '').split(':'))


def server_for(name, place, form):
    """PulseAudio's sink has the stream's own format; PipeWire's graph stays at 48 kHz."""
    rate, width, channels = map(int, form.split('/')[:3])
    speakers = SPEAKERS[channels]
    if name == 'pulse':
        return Pulse(place, rate, speakers, 16 if width == 16 else 32)
    return PipeWireWithPulse(place, 48000, speakers)


class Receiver(Scream):
    """Ours or another one, with the options that both know."""

    def __init__(self, place, program, output, case, env):
        self.case, self.path = case, place.file('shm')
        if case.transport == 'udp':
            where = ['-i', BRIDGE]
        else:
            where = ['-m', self.path]
            with open(self.path, 'wb') as f:
                f.truncate(SHM_MIB << 20)  # as QEMU makes it
        Child.__init__(self, place, 'receiver', [program, '-o', output, *where], env=env)

    def ready(self):
        if self.case.transport == 'udp':
            return self.listening()
        await_('the receiver to open the memory', lambda: self.alive() and self.has_mapped())
        return self

    def has_mapped(self):
        with open('/proc/%d/maps' % self.pid) as f:
            return self.path in f.read() or self.path in self.open_files()

    def sender(self, place, network):
        how = ['-f', self.case.format, '-s', 'noise', '-d', self.case.seconds, *self.case.options]
        if self.case.transport == 'udp':
            return Sender(place, '-i', GUEST, *how, prefix=network.guests[0].prefix)
        return Sender(place, '-m', self.path, '--size', SHM_MIB, *how)


def sleep_until(t):
    time.sleep(max(0, t - time.monotonic()))


def begin_of(log):
    """t0 in s, once the sender has logged it."""
    def find():
        if os.path.exists(log):
            with open(log) as f:
                for line in f:
                    if line.startswith('segment ') and line.endswith('\n'):
                        return int(line.split('t0=')[1].split()[0]) / 1e9
        return None
    return await_('the sender to begin', find, 5)


def measure(case, settle, network, place, server, receiver, recording):
    """Plays the case; the figures."""
    cost = Cost(receiver.pid, [c.pid for c in server.children if c.name in DAEMONS])
    with receiver.sender(place, network) as sender:
        t0 = begin_of(sender.sent)
        sleep_until(t0 + settle)
        receiver.alive()
        cost.begin()
        sleep_until(t0 + case.seconds - 0.3)
        costs = cost.end() if receiver.running() else {}
        sender.finish(case.seconds + 15)
    time.sleep(TAIL)
    recording.stop()
    receiver.alive()
    return {**figures(recording, sender.sent, settle, case.skip), **costs}


def run_case(case, settle, server_name, program, output, network, place):
    with server_for(server_name, place, case.format) as server, \
            Recording(place, server) as recording, \
            Receiver(place, program, output, case, server.env) as receiver:
        receiver.ready()
        return measure(case, settle, network, place, server, receiver, recording)


# ---- the control ----

def control_log(path, started, seconds):
    """As if a guest had played it; its latency means nothing, its slope and dropouts do."""
    with open(path, 'w') as f:
        f.write('segment t0=%d rate=48000 width=16 channels=2 mask=0x0003 signal=noise frame0=0 '
                'ppm=0\nend t=0 frames=%d\n' % (started * 1e9, seconds * 48000))


def run_control(seconds, settle, server_name, place):
    """The server's own player through the same sink: what this machine does to any client."""
    wav, log = rendered(place.file('control.wav'), seconds), place.file('control.sent')
    with server_for(server_name, place, '48000/16/2') as server, \
            Recording(place, server) as recording:
        argv, env = server.player(wav)
        started = time.monotonic()
        with Child(place, 'player', argv, env=env) as player:
            cost = Cost(player.pid, [c.pid for c in server.children if c.name in DAEMONS])
            sleep_until(started + settle)
            cost.begin()
            sleep_until(started + seconds - 0.3)
            costs = cost.end()
            check(player.wait(15) == 0, 'the control player: ' + player.said()[-300:])
        time.sleep(TAIL)
        recording.stop()
        control_log(log, started, seconds)
        return {**figures(recording, log, settle, settle), **costs}
