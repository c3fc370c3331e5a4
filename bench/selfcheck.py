"""
The bench's own error, on sources that are known: recordings with latency, slope and dropouts put in,
judged by the same code; and the server's own player, live.
"""
import random
import subprocess

from common import LISTEN, Failure
from judge import figures

RATE, SECONDS, BEFORE = 48000, 16, 0.5  # s of silence before the sound
LATENCY = 40.0                          # ms
PPM, SINK_PPM = 500, 120                # the guest's clock, and the recording's, against the machine's
HOLES = ((5.0, 12), (8.0, 7), (11.0, 3))  # s of the sound, ms of silence
STEP = (12.5, 20)                       # s; ms of silence that push back what follows
LOST = (9.0, 2048)                      # s of the recording; frames of it that the recorder lost
CHUNK, LATE_MS = 960, 14                # frames that come at once, and how late they may
MOST_MS, MOST_SLOPE = 0.15, 0.1         # that the bench may be off
LIVE_SLOPE, LIVE_SPREAD, LIVE_PPM = 0.5, 2.0, 1000  # ms/min, ms


class Known:
    """A made-up recording, with the arrivals of a busy machine."""

    def __init__(self, place, name, data, ppm=0, lost=None):
        self.rate, self.path = RATE, place.file(name + '.raw')
        at, gone = (int(lost[0] * RATE), lost[1]) if lost else (len(data), 0)
        with open(self.path, 'wb') as f:
            f.write(data[:4 * at] + data[4 * (at + gone):])
        r, second = random.Random(1), RATE * (1 + ppm * 1e-6)
        self.arrivals = [(int(1e9 * (100 + (n + gone * (n > at)) / second + late(r) / 1e3)), n)
                         for n in range(CHUNK, len(data) // 4 - gone, CHUNK)]


def late(r):
    """ms: most chunks come nearly in time, some very late."""
    return r.uniform(0, 0.3) if r.random() < 0.8 else r.uniform(0, LATE_MS)


def bent(sound, holes, step):
    """The sound with what was put in: silences in place, and one that shifts all that follows."""
    out = bytearray(sound)
    for at, ms in holes:
        a, n = 4 * int(at * RATE), 4 * int(ms * RATE / 1000)
        out[a:a + n] = bytes(n)
    if step:
        out[4 * int(step[0] * RATE):4 * int(step[0] * RATE)] = bytes(4 * int(step[1] * RATE / 1000))
    return bytes(4 * int(BEFORE * RATE)) + bytes(out) + bytes(4 * RATE // 2)


def write_log(path, ppm):
    t0 = 100 + BEFORE - LATENCY / 1e3
    with open(path, 'w') as f:
        f.write('segment t0=%d rate=%d width=16 channels=2 mask=0x0003 signal=noise frame0=0 '
                'ppm=%g\nend t=0 frames=%d\n' % (t0 * 1e9, RATE, ppm, SECONDS * RATE))
    return path


def expect(what, got, want, most):
    if abs(got - want) > most:
        raise Failure('the bench is off: %s is %.3f, %.3f was put in (+-%g)' % (what, got, want, most))
    return abs(got - want)


def offline(place):
    """Known latency, slope and dropouts; the errors."""
    sound = subprocess.run([LISTEN, '--sent', '%d/16/2' % RATE, '--render', str(SECONDS)],
                           stdout=subprocess.PIPE, check=True).stdout
    f = figures(Known(place, 'plain', bent(sound, (), None)), write_log(place.file('plain'), 0), 1, 1)
    errors = {'latency': expect('latency, ms', f['latency']['median'], LATENCY, MOST_MS),
              'spread': expect('p95 - p5, ms', f['latency']['p95'] - f['latency']['p5'], 0, MOST_MS),
              'flat': expect('slope, ms/min', f['latency']['slope'], 0, MOST_SLOPE)}
    expect('dropouts', f['dropouts'], 0, 0)
    f = figures(Known(place, 'holes', bent(sound, HOLES, STEP)), write_log(place.file('holes'), 0), 1, 1)
    expect('dropouts', f['dropouts'], len(HOLES) + 1, 0)
    lost = sum(ms for _, ms in HOLES) + STEP[1]
    errors['dropout_ms'] = expect('ms of dropouts', f['dropout_ms'], lost, 1.5)
    expect('the latency after a step, ms', f['series'][-10][1], LATENCY + STEP[1], MOST_MS)
    f = figures(Known(place, 'drift', bent(sound, HOLES, None), SINK_PPM), write_log(place.file('drift'), PPM), 1, 1)
    want = 60e3 * (1 - (1 + SINK_PPM * 1e-6) / (1 + PPM * 1e-6))
    errors['slope'] = expect('slope, ms/min', f['latency']['slope'], want, MOST_SLOPE)
    f = figures(Known(place, 'lost', bent(sound, (), None), lost=LOST), write_log(place.file('lost'), 0), 1, 1)
    expect('dropouts beside what the recorder lost', f['dropouts'], 0, 0)
    expect('p95 - p5 beside what the recorder lost, ms', f['latency']['p95'] - f['latency']['p5'], 0, MOST_MS)
    return errors


def unsteady(f):
    """None, or why the recording's clock was not good enough to judge by."""
    clock = f['clock']
    if clock['spread'] <= LIVE_SPREAD and abs(clock['ppm']) <= LIVE_PPM:
        return None
    return ('the recording runs %+.0f ppm against this machine\'s clock, and is %.1f ms unsteady; is the '
            'machine too busy?' % (clock['ppm'], clock['spread']))


def live(control):
    """What the server's own player shows: nothing but the bench and the machine are in it."""
    x, wrong = control['latency'], unsteady(control)
    if x is None:
        raise Failure('the bench is off: the control was not heard')
    if wrong:
        raise Failure('the bench is off: ' + wrong)
    against_sink = x['slope'] + 60e-3 * control['clock']['ppm']
    if control['dropouts'] == 0 and (abs(against_sink) > LIVE_SLOPE or x['p95'] - x['p5'] > 5):
        raise Failure('the bench is off: the control, which the sink paces, has %+.2f ms/min against it'
                      % against_sink)
