"""Listening: a recorder piped into scream-listen, and a sender whose log it judges by."""
import os
import subprocess
import time
import wave

from common import LISTEN, SEND, Child, Failure, await_, load


class Hearing:
    """Records a server's sink from enter() until heard()."""

    def __init__(self, place, server, log=None, sent='48000/16/2', signal='noise', mapping=None,
                 save=None, name='listen'):
        self.place, self.server, self.name = place, server, name
        self.argv = [LISTEN, '--json', '--type', server.recorded_type, '--rate', server.rate,
                     '--channels', len(server.speakers), '--sent', sent, '--signal', signal]
        if log:
            self.argv += ['--log', log]
        if mapping:
            self.argv += ['--map', mapping]
        if save:
            self.argv += ['--save', save]
        self.recorder = self.listener = None
        self.begun = 0

    def __enter__(self):
        self.begun = time.monotonic()
        argv, env = self.server.recorder()
        self.recorder = Child(self.place, self.name + '-recorder', argv, env=env,
                              stdout=subprocess.PIPE)
        self.out = open(self.place.file(self.name + '.json'), 'w+')
        self.listener = Child(self.place, self.name, self.argv, stdout=self.out,
                              stdin=self.recorder.process.stdout)
        self.recorder.process.stdout.close()
        await_('the recorder to be connected', self.connected, 5)
        # a server may hold back a first long block: it is recording when bytes flow steadily
        block = self.server.rate * len(self.server.speakers) * 2 // 20
        for _ in range(4):
            before = self.got()
            await_('the recording to flow', lambda: self.got() >= before + block, 5)
        return self

    def got(self):
        """Bytes that the listener has read."""
        with open('/proc/%d/io' % self.listener.pid) as f:
            return int(f.readline().split()[1])

    def goes_on(self, seconds):
        """Waits until it has so much more of the recording, however late that comes."""
        width = {'s16': 2, 's32': 4}[self.server.recorded_type]
        enough = self.got() + int(seconds * self.server.rate) * len(self.server.speakers) * width
        await_('%g s more of the recording' % seconds, lambda: self.got() >= enough, seconds + 5)

    def connected(self):
        if not self.recorder.running():
            raise Failure('the recorder ended: ' + self.recorder.said()[-300:])
        return self.server.recording()

    def heard(self):
        """Ends the recording; the verdict, as scream-listen's JSON."""
        self.recorder.end()
        if self.listener.wait(60 + (time.monotonic() - self.begun) / 4) != 0:
            raise Failure('scream-listen: ' + self.listener.said()[-300:])
        self.out.seek(0)
        return load(self.out.read())

    def __exit__(self, *_):
        self.recorder.end()
        self.listener.end()
        self.out.close()


def judge_file(path, *options):
    """scream-listen's verdict of a file."""
    out = subprocess.run([LISTEN, '--json', *map(str, options), path], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, check=False)
    if out.returncode:
        raise Failure('scream-listen: ' + out.stderr.decode())
    return load(out.stdout)


def rendered(path, seconds, sent='48000/16/2', signal='noise'):
    """A WAV file of the signal."""
    rate, width, channels = map(int, sent.split('/')[:3])
    raw = subprocess.run([LISTEN, '--sent', sent, '--signal', signal, '--render', str(seconds)],
                         stdout=subprocess.PIPE, check=True).stdout
    with wave.open(path, 'wb') as w:
        w.setparams((channels, width // 8, rate, 0, 'NONE', ''))
        w.writeframes(raw)
    return path


def write_script(path, steps):
    with open(path, 'w') as f:
        f.writelines(step + '\n' for step in steps)
    return path


class Sender(Child):
    """scream-send with a log."""

    def __init__(self, place, *options, name='send', prefix=()):
        self.sent = place.file(name + '.sent')
        super().__init__(place, name, [SEND, '--log', self.sent, *options], prefix=prefix)

    def finish(self, seconds):
        code = self.wait(seconds)
        if code:
            raise Failure('scream-send ended with %d: %s' % (code, self.said()[-300:]))
        return self

    def started(self):
        return os.path.exists(self.sent) and os.path.getsize(self.sent) > 0


def figures(v):
    """The measured, in a few words."""
    rate = v['rate']
    text = '%.2f s matched, %d dropouts, %.1f ms' % (
        v['matched'] / rate, v['dropouts'], 1000 * v['dropout_frames'] / rate)
    if v['latency']:
        text += ', latency %.2f ms (p5 %.2f, p95 %.2f, %+.2f ms/min)' % (
            v['latency']['median'], v['latency']['p5'], v['latency']['p95'],
            v['latency']['slope'])
    if v['clock'] and v['clock']['jumps']:
        text += "; the server's clock jumped %d times" % v['clock']['jumps']
    return text
