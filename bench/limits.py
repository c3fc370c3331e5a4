"""What must be reached, and whether it was."""
from collections import namedtuple

from judge import median

# name: what; value(results of one receiver, of the control) in `unit`; limit: at most so much, times
# the other receiver's when `ratio`
Limit = namedtuple('Limit', 'name unit value limit ratio')


class Runs:
    """The results of one receiver on one server."""

    def __init__(self, results, server, who):
        self.server = server
        self.by_case = {}
        for (s, case, _, w), figures in sorted(results.items()):
            if s == server and w == who and 'error' not in figures:
                self.by_case.setdefault(case, []).append(figures)

    def all(self, *cases):
        return [f for c in cases for f in self.by_case.get(c, [])]

    def one(self, cases, *keys):
        """The median of the runs' figure, or None."""
        values = []
        for f in self.all(*cases):
            for key in keys:
                f = f.get(key) if f else None
            if f is not None:
                values.append(f)
        return median(values)


def spread_of_starts(runs):
    values = [f['latency']['median'] for f in runs.all('starts-udp') if f['latency']]
    return max(values) - min(values) if len(values) > 1 else None


def settled(case):
    def value(runs):
        low, high = runs.one([case], 'latency', 'p5'), runs.one([case], 'latency', 'p95')
        return None if low is None else high - low
    return value


def steepest(runs):
    values = [abs(f['latency']['slope']) for f in runs.all(
        'ppm+500-udp', 'ppm-500-udp', 'ppm+500-ivshmem', 'ppm-500-ivshmem') if f['latency']]
    return max(values) if values else None


def after_stalls(runs):
    values = [f['after_stalls'] for f in runs.all('stalls-udp', 'stalls-ivshmem')
              if f['after_stalls'] is not None]
    return max(values) if values else None


def dropouts(case):
    """A minute, beyond the control's."""
    def value(runs, control):
        runs, control = runs.all(case), control.all('control', case)
        if not runs:
            return None
        ours = sum(f['dropouts'] for f in runs) / sum(f['judged'] for f in runs)
        machine = sum(f['dropouts'] for f in control) / sum(f['judged'] for f in control) \
            if control else 0
        return max(0.0, 60 * (ours - machine))
    return value


def figure(cases, *keys):
    return lambda runs: runs.one(cases, *keys)


def limits(server):
    yield Limit('UDP median latency, median of the starts', 'ms',
                figure(['starts-udp'], 'latency', 'median'), 0.6, True)
    yield Limit('spread of the starts', 'ms', spread_of_starts, 2, False)
    yield Limit('IVSHMEM median latency', 'ms', figure(['steady-ivshmem'], 'latency', 'median'), 0.7, True)
    for way, case in (('UDP', 'steady-udp'), ('IVSHMEM', 'steady-ivshmem')):
        yield Limit('p95 - p5, steady, ' + way, 'ms', settled(case), 2, False)
    yield Limit('slope at +-500 ppm', 'ms/min', steepest, 0.3, False)
    yield Limit('latency 1 s after 250 ms stalls, off by', 'ms', after_stalls, 5, False)
    for way, case in (('UDP', 'steady-udp'), ('IVSHMEM', 'steady-ivshmem'), ('UDP, long', 'long-udp'),
                      ('IVSHMEM, long', 'long-ivshmem')):
        yield Limit('dropouts beyond the control\'s, ' + way, '/min', dropouts(case), 0, False)
    for way in ('udp', 'ivshmem'):
        plain = ['steady-' + way, 'starts-' + way]
        yield Limit('CPU of the receiver, ' + way.upper(), '% of a core', figure(plain, 'cpu'), 0.5, True)
        yield Limit('context switches, ' + way.upper(), '/s', figure(plain, 'switches'), 0.45, True)
    if server == 'pulse':  # on PipeWire the two have different outputs
        yield Limit('RSS', 'KiB', figure(['steady-udp', 'starts-udp'], 'rss'), 1.1, True)


Outcome = namedtuple('Outcome', 'limit ours other ratio ok')


def outcome(limit, ours, other, control):
    def value(runs):
        if runs is None:
            return None
        return limit.value(runs, control) if 'dropouts' in limit.name else limit.value(runs)
    a, b = value(ours), value(other)
    if a is None:
        return None
    ratio = a / b if b else None
    if limit.ratio:
        ok = None if ratio is None else ratio <= limit.limit
    else:
        ok = a <= limit.limit
    return Outcome(limit, a, b, ratio, ok)


def outcomes(results, server):
    ours, other, control = (Runs(results, server, who) for who in ('ours', 'other', 'control'))
    found = (outcome(x, ours, other if other.by_case else None, control) for x in limits(server))
    return [o for o in found if o]
