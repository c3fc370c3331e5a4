"""
From a recording and a sender's log to figures. scream-listen finds what of the sent was heard where;
in between, the place is followed by correlation, so that latency is known as a function of time.
"""
import array
import operator
import subprocess

from clock import Clock, median, quantile
from common import LISTEN, Failure, load

POINTS = 10        # of latency, a second
PROBE = 256        # frames that are compared
SEARCH_S = 2e-4    # how far the place may have moved between two points
ALIKE = 0.4        # the least correlation that counts
PATIENCE = 40      # s that scream-listen may search, in each of its ways


def slope(points):
    """By least squares."""
    n = len(points)
    mt, mx = sum(t for t, _ in points) / n, sum(x for _, x in points) / n
    tt = sum((t - mt) ** 2 for t, _ in points)
    return sum((t - mt) * (x - mx) for t, x in points) / tt if tt else 0.0


# ---- the log ----

def read_log(path):
    """The first segment, and what did not come: t0 in s, losses and stalls as (t, ms)."""
    sent = {'stalls': [], 'losses': []}
    with open(path) as f:
        for line in f:
            word, *rest = line.split()
            v = dict(x.split('=', 1) for x in rest)
            if word == 'segment' and 't0' not in sent:
                sent.update(t0=int(v['t0']) / 1e9, rate=int(v['rate']), ppm=float(v['ppm']),
                            width=int(v['width']), channels=int(v['channels']),
                            format='%(rate)s/%(width)s/%(channels)s/%(mask)s' % v)
            elif word == 'stall':
                sent['stalls'].append((int(v['t']) / 1e9, float(v['ms'])))
            elif word == 'loss':
                sent['losses'].append(int(v['t']) / 1e9)
            elif word == 'end':
                sent['frames'] = int(v['frames'])
    return sent


# ---- following ----

def first_channel(data, width, frame_bytes):
    """Its upper 16 bits."""
    out = bytearray(2 * (len(data) // frame_bytes))
    at = width // 8
    out[0::2] = data[at - 2::frame_bytes][:len(out) // 2]
    out[1::2] = data[at - 1::frame_bytes][:len(out) // 2]
    return array.array('h', bytes(out))


class Reference:
    """What was sent, at a rate near the recording's."""

    def __init__(self, sent, rate):
        raw = subprocess.run([LISTEN, '--sent', sent['format'], '--signal', 'noise', '--render',
                              '%.6f' % ((sent['frames'] + 0.5) / sent['rate'])],
                             stdout=subprocess.PIPE, check=True).stdout
        x = first_channel(raw, sent['width'], sent['width'] // 8 * sent['channels'])
        self.fold = max(1, round(sent['rate'] / rate))
        if self.fold > 1:
            x = array.array('d', map(sum, zip(*(x[i::self.fold] for i in range(self.fold)))))
        self.x = x
        self.step = sent['rate'] / rate / self.fold  # of its frames to a recorded one

    def stretch(self, at, count):
        """count frames of it, at the recording's rate, from `at` on."""
        if self.step == 1:
            return self.x[round(at):round(at) + count]
        out, x = [], self.x
        for i in range(count):
            p = at + i * self.step
            k = int(p)
            out.append(x[k] + (p - k) * (x[k + 1] - x[k]))
        return out


def energy(x):
    return sum(map(operator.mul, x, x))


def match(heard, ref, at, reach):
    """Where near `at` it is, to a part of a frame; None: nowhere."""
    low, high = max(0, round(at) - reach), round(at) + reach
    if high + 2 + PROBE * ref.step >= len(ref.x) or low > high:
        return None
    power, found = energy(heard), []
    for place in range(low, high + 1):
        sent = ref.stretch(place, len(heard))
        found.append(sum(map(operator.mul, heard, sent)) / ((power * energy(sent)) ** 0.5 + 1e-9))
    best = max(range(len(found)), key=found.__getitem__)
    if found[best] < ALIKE:
        return None
    shift = 0
    if 0 < best < len(found) - 1:
        a, b, c = found[best - 1:best + 2]
        shift = (a - c) / (2 * (a - 2 * b + c)) if a - 2 * b + c < 0 else 0
    return low + best + shift


def follow(run, heard, ref, every):
    """(recorded, sent) frames, at each multiple of `every`."""
    usual = max(3, int(SEARCH_S * ref.step * every * POINTS))
    at, here, reach = run['sent'] / ref.fold, run['recorded'], usual
    for r in range(-(-here // every) * every, here + run['frames'] - PROBE, every):
        expected = at + (r - here) * ref.step
        place = match(heard[r:r + PROBE], ref, expected, reach)
        if place is None:
            reach = min(8 * usual, reach * 2)
            continue
        at, here, reach = place, r, usual
        yield r, place * ref.fold + (ref.fold - 1) / 2


# ---- figures ----

def series_of(verdict, recording_path, sent, clock):
    """(s since t0, latency in ms)."""
    with open(recording_path, 'rb') as f:
        heard = first_channel(f.read(), 16, 4)
    ref = Reference(sent, clock.rate)
    frame = 1 / (sent['rate'] * (1 + sent['ppm'] * 1e-6))
    points = []
    for run in verdict['runs']:
        for r, s in follow(run, heard, ref, clock.rate // POINTS):
            t = clock.time(r)
            if t is None:
                continue
            points.append((t - sent['t0'], 1e3 * (t - sent['t0'] - s * frame)))
    return points


def summary(points):
    if not points:
        return None
    values = [x for _, x in points]
    return {'median': median(values), 'p5': quantile(values, 0.05), 'p95': quantile(values, 0.95),
            'least': min(values), 'most': max(values), 'slope': 60 * slope(points)}


def holes_of(verdict, clock, begin, end):
    """Dropouts that began within [begin, end), ms of them, and how many were the recorder's own."""
    found = [(h, clock.time(h['recorded'])) for h in verdict['holes'] if h['kind'] != 'change']
    known = [h for h, t in found if t is not None and begin <= t < end]
    ms = 1e3 * sum(h['frames'] for h in known) / clock.rate
    return len(known), ms, sum(t is None for _, t in found)


def after_stalls(points, stalls, end):
    """The most by which latency is off a second after each stall, for half a second; ms."""
    if not stalls:
        return None
    base = median([x for t, x in points if 1 < t < stalls[0][0]])
    worst = None
    for t, ms in stalls:
        back = t + ms / 1e3 + 1
        later = [x for at, x in points if back <= at < back + 0.5]
        if base is not None and later and back + 0.5 < end:
            off = abs(median(later) - base)
            worst = off if worst is None else max(worst, off)
    return worst


def listen(recording, log):
    """
    scream-listen's verdict. Where next to nothing is as it was sent it searches for long: then only what
    was passed unaltered is looked for, which is fast.
    """
    argv = [LISTEN, '--json', '--type', 's16', '--rate', str(recording.rate), '--channels', '2',
            '--log', log]
    for way in ('--resampled', '--exact'):
        try:
            out = subprocess.run(argv + [way, recording.path], stdout=subprocess.PIPE, check=True,
                                 timeout=PATIENCE)
            return load(out.stdout)
        except subprocess.TimeoutExpired:
            continue
    raise Failure('too broken to be judged: scream-listen searched for %g s' % (2 * PATIENCE))


def figures(recording, log, settle, skip, tail=0.2):
    """All that the recording tells of a stream, from `settle` s of it on; latency from `skip` on."""
    sent = read_log(log)
    length = sent['frames'] / sent['rate'] / (1 + sent['ppm'] * 1e-6)
    begin, end = sent['t0'] + settle, sent['t0'] + length - tail
    clock = Clock(recording.arrivals, recording.rate, sent['t0'] + min(1, settle), end)
    verdict = listen(recording, log)
    if not verdict['runs']:
        raise Failure('nothing of what was sent was heard')
    points = series_of(verdict, recording.path, sent, clock)
    stalls = [(t - sent['t0'], ms) for t, ms in sent['stalls']]
    dropouts, dropout_ms, recorder = holes_of(verdict, clock, begin, end)
    return {'latency': summary([p for p in points if skip <= p[0] < length - tail]),
            'series': [(round(t, 2), round(x, 3)) for t, x in points],
            'dropouts': dropouts, 'dropout_ms': dropout_ms, 'judged': end - begin,
            'recorder_dropouts': recorder,
            'losses': sum(begin <= t < end for t in sent['losses']),
            'stalls': sum(begin <= t < end for t, _ in sent['stalls']),
            'after_stalls': after_stalls(points, stalls, length),
            'misplaced': len(verdict['misplaced']),
            'clock': clock.figures()}
