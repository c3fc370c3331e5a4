"""What is run: the cases, and how each is sent and measured."""
from collections import namedtuple

STARTS = 5
FORMAT_SECONDS = 15.0
SETTLE = 3.0       # s from the stream's begin that no figure counts
SLOPE_AFTER = 30.0  # s: a servo has learned the clock's rate by then
STALL_MS, STALL_EVERY_MS = 250, 5000
QUICK = ('starts-udp', 'steady-udp', 'steady-ivshmem', 'ppm+500-udp', 'stalls-udp')
SERVERS = ('pulse', 'pipewire')
TRANSPORTS = ('udp', 'ivshmem')

# kind: the name without the transport; options: scream-send's; skip: s that latency and slope leave out
Case = namedtuple('Case', 'name kind transport seconds skip format options repeat')

FORMATS = ('44100/16/2', '96000/24/2', '48000/16/6/0x3f', '192000/16/2', '192000/32/8/0x63f')
PLAIN = '48000/16/2'


def cases_of(transport, seconds):
    def case(kind, length, skip=SETTLE, options=(), form=PLAIN, repeat=1):
        return Case('%s-%s' % (kind, transport), kind, transport, length, skip, form,
                    tuple(options), repeat)
    yield case('starts', max(6, min(15, seconds / 4)), repeat=STARTS)
    yield case('steady', seconds)
    for ppm in ('+500', '-500'):
        yield case('ppm' + ppm, SLOPE_AFTER + seconds, SLOPE_AFTER, ('--ppm', ppm.lstrip('+')))
    yield case('jitter', seconds, options=('--jitter', '30'))
    yield case('stalls', seconds, options=('--stall', '%d/%d' % (STALL_MS, STALL_EVERY_MS)))
    if transport == 'udp':
        yield case('loss', seconds, options=('--loss', '1'))
    for form in FORMATS:
        rate, width, channels = form.split('/')[:3]
        yield case('format-%sk-%s-%s' % (rate[:-3] if rate != '44100' else '44.1', width, channels),
                   min(FORMAT_SECONDS, seconds), form=form)
    yield case('long', 10 * seconds)


def all_cases(seconds):
    return [c for t in TRANSPORTS for c in cases_of(t, seconds)]


def chosen(words, seconds):
    """The cases whose names begin with one of the words, [] if one fits none; no words: the quick ones."""
    every = all_cases(seconds)
    if not words:
        return [c for c in every if c.name in QUICK]
    if not all(any(fits(w, c) for c in every) for w in words):
        return []
    return [c for c in every if any(fits(w, c) for w in words)]


def fits(word, case):
    """The long ones must be named."""
    return case.kind != 'long' if word == 'all' else case.name.startswith(word)
