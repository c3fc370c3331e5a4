"""Runs the cases in turn: ours, the other, ours, the other; the control where dropouts are compared."""
import time
from collections import namedtuple

import play
import selfcheck
import store
from cases import SETTLE, all_cases
from common import SCREAM, Failure, Place, say

ATTEMPTS = 2

# what: a case, or 'control'; whoever has no output on a server is left out
Run = namedtuple('Run', 'server case n who')


def output_on(server, who):
    """What both call it; on PipeWire another receiver plays through PipeWire's PulseAudio face."""
    return 'pulse' if who == 'other' else server


def runs_of(cases, servers, whos, seconds):
    """All that is to be run, in this order."""
    steady = next(c for c in all_cases(seconds) if c.name == 'steady-udp')
    for server in servers:
        yield Run(server, steady, 0, 'control')
        for case in cases:
            if case.name == 'long-udp':
                yield Run(server, case, 0, 'control')
            for n in range(case.repeat):
                for who in whos:
                    if who != 'other' or server != 'pipewire' or play.has_pulse_face():
                        yield Run(server, case, n, who)


def path_of(run):
    control = run.who == 'control' and run.case.kind == 'steady'
    return store.path_of(run.server, 'control' if control else run.case.name, run.n, run.who)


def is_there(run):
    there = store.load(path_of(run))
    return there is not None and there['seconds'] == run.case.seconds


def label_of(run):
    many = ' %d' % (run.n + 1) if run.case.repeat > 1 else ''
    return '%-8s %-22s %-7s' % (run.server, run.case.name + many, run.who)


def tell(f):
    if 'error' in f:
        return 'FAILED: ' + f['error']
    x = f['latency']
    text = '%d dropouts%s' % (f['dropouts'], ', UNSTEADY' if f['unsteady'] else '')
    if x:
        text = '%7.2f ms (p5 %.2f, p95 %.2f, %+.2f ms/min), ' % (
            x['median'], x['p5'], x['p95'], x['slope']) + text
    return text + ', cpu %.2f %%, server %.1f %%, %.0f switches/s, %.1f MiB' % (
        f['cpu'], f['server_cpu'], f['switches'], (f['rss'] or 0) / 1024)


def play_once(run, programs, network):
    with Place('bench') as place:
        if run.who == 'control':
            return play.run_control(run.case.seconds, SETTLE, run.server, place)
        return play.run_case(run.case, SETTLE, run.server, programs[run.who],
                             output_on(run.server, run.who), network, place)


def perform(run, programs, network):
    """
    The figures. A run that fails is run again, and has an 'error' instead if it fails again; one whose
    recording was unsteady twice is 'unsteady'. Without a control there is no bench.
    """
    for attempt in range(ATTEMPTS):
        last = attempt + 1 == ATTEMPTS
        try:
            figures = play_once(run, programs, network)
            if run.who == 'control':
                selfcheck.live(figures)
        except Failure as e:
            if last and run.who == 'control':
                raise
            figures, wrong = {'error': str(e)}, str(e)
        else:
            wrong = figures['unsteady'] = selfcheck.unsteady(figures)
        if not wrong or last:
            return figures
        say('%s again: %s' % (label_of(run), wrong))
    return None


def run_all(options, network):
    """How many runs are left when the time is up."""
    with Place('bench') as place:
        errors = selfcheck.offline(place)
    say('self check: latency off by %.3f ms, slope by %.3f ms/min, all dropouts found'
        % (errors['latency'], errors['slope']))
    programs = {'ours': SCREAM, 'other': options.other}
    whos = ['ours', 'other'] if options.other else ['ours']
    if options.other and 'pipewire' in options.servers and not play.has_pulse_face():
        say('pipewire-pulse is not installed: the other receiver is not run on PipeWire')
    todo = [r for r in runs_of(options.cases, options.servers, whos, options.seconds)
            if not (options.resume and is_there(r))]
    begin = time.monotonic()
    for i, run in enumerate(todo):
        if options.budget and time.monotonic() - begin + run.case.seconds + 15 > options.budget and i:
            return len(todo) - i
        figures = perform(run, programs, network)
        store.save(path_of(run), {**figures, 'seconds': run.case.seconds, 'skip': run.case.skip})
        say('%s %s' % (label_of(run), tell(figures)))
    return 0
