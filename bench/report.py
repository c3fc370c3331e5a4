"""bench/RESULTS.md and its plots, from the results that are there."""
import os

import draw
import limits
import store
from cases import SLOPE_AFTER
from common import say

HERE = os.path.dirname(os.path.abspath(__file__))
ORDER = ('starts', 'steady', 'ppm+500', 'ppm-500', 'jitter', 'stalls', 'loss')
HEAD = ('case', 'receiver', 'median', 'p5', 'p95', 'slope', 'dropouts', 'CPU %', 'server CPU %',
        'switches/s', 'RSS MiB', 'PSS MiB')
EXPLANATION = '''\
Each case plays noise from a guest (scream-send, in a namespace behind a bridge, or through shared memory)
into a private server with a null sink, records the sink's monitor natively, and finds every sample again
(scream-listen). Latency is from the moment at which the guest had a sample to the moment at which the
recorder got it, in ms; the recorder's own share, the same for both, is in it. Slope is in ms a minute,
after {skip:g} s where the clocks differ and after 3 s elsewhere. Dropouts are counted from 3 s on; "of"
says how many the sender itself caused by loss or stalls; what the recorder itself lost is left out. CPU is
in percent of one core, the server's with the recorder's client; context switches are all threads', voluntary
or not. ~: the recording's clock was unsteady, twice, by more than 2 ms: its latency is known no better.
'''


def cell(x, form='%.2f'):
    return '-' if x is None else form % x


def mib(kib):
    return None if kib is None else kib / 1024


def dropouts_text(f):
    caused = f['losses'] + f['stalls']
    return '%d%s' % (f['dropouts'], ' of %d' % caused if caused else '')


def row_of(case, name, f):
    if 'error' in f:
        return [case, name, 'failed: ' + f['error'].splitlines()[0][:60]] + [''] * 9
    x = f['latency'] or dict.fromkeys(('median', 'p5', 'p95', 'slope'))
    control = case == 'control'
    case += ' ~' if f.get('unsteady') else ''
    return [case, name, *(cell(None if control else x[k]) for k in ('median', 'p5', 'p95')),
            cell(x['slope'], '%+.2f'), dropouts_text(f), cell(f.get('cpu')), cell(f.get('server_cpu')),
            cell(f.get('switches'), '%.0f'), cell(mib(f.get('rss')), '%.1f'),
            cell(mib(f.get('pss')), '%.1f')]


def table(head, rows):
    lines = ['| ' + ' | '.join(head) + ' |', '|' + '---|' * len(head)]
    return lines + ['| ' + ' | '.join(str(c).replace('|', '/') for c in row) + ' |' for row in rows]


def place_of(key):
    server, case, n, who = key
    kind, _, way = case.rpartition('-')
    order = ORDER.index(kind) if kind in ORDER else len(ORDER)
    return (case != 'control', way != 'udp', order, case, n, ('control', 'ours', 'other').index(who))


def measured_rows(results, server, names):
    rows = []
    for key in sorted((k for k in results if k[0] == server), key=place_of):
        _, case, n, who = key
        label = '%s %d' % (case, n + 1) if case.startswith('starts') else case
        rows.append(row_of(label, names[who], results[key]))
    return rows


def limit_rows(found):
    rows = []
    for o in found:
        limit = ('<= %g x' if o.limit.ratio else '<= %g') % o.limit.limit
        ok = '-' if o.ok is None else 'ok' if o.ok else 'MISS'
        ratio = o.ratio if o.limit.ratio else None
        rows.append([o.limit.name, o.limit.unit, cell(o.ours), cell(o.other), cell(ratio), limit, ok])
    return rows


def machine_lines(about, names):
    system = ', '.join(filter(None, (about.get('system'), about.get('kernel'),
                                     about.get('virtual') and 'virtual (%s)' % about['virtual'])))
    return ['%s, %s cores; %s; %s, %s (quantum 1024). %s%s' % (
        about.get('cpu'), about.get('cores'), system, about.get('pulse') or 'no PulseAudio',
        about.get('pipewire') or 'no PipeWire', about.get('date'),
        '; beside ours: %s.' % names['other'] if about.get('other') else '.')]


def bench_error(results):
    rows = []
    for server in draw.SERVERS:
        clocks = [f['clock'] for k, f in sorted(results.items()) if k[0] == server and 'clock' in f]
        if clocks:
            doubts = [c['doubt'] for k, f in results.items() if k[0] == server and 'clock' in f
                      and f['seconds'] >= 20 for c in [f['clock']]]
            rows.append('- %s: the recordings\' clocks run %+.0f to %+.0f ppm against the machine\'s, which '
                        'is taken into account; they are unsteady by %.2f ms at most, jumped %d times%s'
                        % (draw.SERVERS[server], min(c['ppm'] for c in clocks),
                           max(c['ppm'] for c in clocks), max(c['spread'] for c in clocks),
                           sum(c.get('jumps', 0) for c in clocks),
                           ', and a slope is known to +-%.2f ms/min at worst' % max(doubts)
                           if doubts else ''))
    for (server, case, _, who), f in sorted(results.items()):
        if who == 'control':
            rows.append('- %s, %s, the server\'s own player for %g s: %d dropouts, %+.3f ms/min against the '
                        'sink' % (draw.SERVERS[server], case, f['seconds'], f['dropouts'],
                                  f['latency']['slope'] + 60e-3 * f['clock']['ppm']))
    return rows


def server_part(results, server, found, names):
    lines = ['', '## ' + draw.SERVERS[server], '']
    if found:
        lines += table(('must reach', 'unit', names['ours'], names['other'], 'ratio', 'limit', ''),
                       limit_rows(found)) + ['']
    plot = 'latency-%s.svg' % server
    if draw.latency_plot(os.path.join(HERE, plot), results, server, names):
        lines += ['![latency over time](%s)' % plot, '']
    return lines + table(HEAD, measured_rows(results, server, names))


def write():
    results, about = store.every(), store.load(store.meta_path()) or {}
    if not results:
        say('no results: nothing to report')
        return
    names = {'ours': 'scream', 'other': about.get('other') or 'the other', 'control': 'control'}
    servers = [s for s in draw.SERVERS if any(k[0] == s for k in results)]
    found = {s: limits.outcomes(results, s) for s in servers}
    lines = ['# Results of `make bench`', '', *machine_lines(about, names), '',
             EXPLANATION.format(skip=SLOPE_AFTER)]
    if draw.compare_plot(os.path.join(HERE, 'compare.svg'), results, found, names):
        lines += ['![how they compare](compare.svg)']
    lines += ['', '## The bench itself', '', 'Recordings with a known latency, slope and dropouts were '
              'judged right first (bench/selfcheck.py). Live:', '', *bench_error(results)]
    for server in servers:
        lines += server_part(results, server, found[server], names)
    lines += ['', 'Where CPU time, switches and memory go, and what was tried: [COST.md](COST.md).']
    with open(os.path.join(HERE, 'RESULTS.md'), 'w') as f:
        f.write('\n'.join(lines) + '\n')
    for server in servers:
        say('\n%s' % draw.SERVERS[server])
        for row in limit_rows(found[server]):
            say('  %-46s %10s %10s  ratio %6s  %-8s %s' % (
                '%s, %s' % (row[0], row[1]), row[2], row[3], row[4], row[5], row[6]))
    say('\nwritten: bench/RESULTS.md and its plots')
