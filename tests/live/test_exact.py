"""raw and wav: every byte, in every format, whatever happens."""
import os
import pty
import re
import signal
import struct
from concurrent.futures import ThreadPoolExecutor

from common import Failure, await_, check, output_of, LISTEN
from hearing import Sender, judge_file, write_script
from net import BRIDGE, GUEST, SECOND_GUEST
from scream import Scream

RATES = (44100, 48000, 88200, 96000, 176400, 192000)
WIDTHS = (16, 24, 32)
MASKS = {1: 0x4, 2: 0x3, 3: 0x7, 4: 0x33, 5: 0x37, 6: 0x3f, 7: 0x13f, 8: 0x63f}
FORMATS = ['%d/%d/%d/0x%x' % (r, w, c, m) for r in RATES for w in WIDTHS for c, m in MASKS.items()]
UDP_STEP, SHM_STEP = 0.12, 0.1  # s of each format; shared memory pauses between two by itself


def segments_of(path):
    """What a sender's log says that it sent: (format, signal, frames) of each segment."""
    found = []
    with open(path) as f:
        for line in f:
            word, *rest = line.split()
            v = dict(x.split('=', 1) for x in rest)
            if word == 'segment':
                found.append(['%(rate)s/%(width)s/%(channels)s/%(mask)s' % v, v['signal'], None])
            elif word == 'end':
                found[-1][2] = int(v['frames'])
    return found


def signal_bytes(sent, name, frames):
    """The signal's first frames, as the guest's bytes."""
    rate = int(sent.split('/')[0])
    return output_of([LISTEN, '--sent', sent, '--signal', name, '--render',
                      '%.9f' % ((frames + 0.5) / rate)]) if frames else b''


def first_difference(got, want):
    if len(got) < len(want) and want.startswith(got):
        return len(got)
    low, high = 0, min(len(got), len(want))
    while low < high:  # the longest common start
        middle = (low + high + 1) // 2
        if got[:middle] == want[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def matrix(place, name, step, receive, send):
    """All formats one after the other through one receiver, all bytes compared."""
    script = write_script(place.file(name + '.script'), ['%g %s noise' % (step, f) for f in FORMATS])
    out = place.file(name + '.raw')
    with open(out, 'wb') as f, \
            Scream(place, '-v', '-o', 'raw', *receive, stdout=f, name='scream-' + name) as scream:
        if '-u' in receive:
            scream.bound()
        else:
            scream.holds(receive[1])
        with Sender(place, '--script', script, *send, name='send-' + name) as sender:
            sender.finish(90)
        parts = segments_of(sender.sent)
        want = [signal_bytes(*p) for p in parts]
        total = sum(map(len, want))
        try:
            await_('the last byte', lambda: os.path.getsize(out) >= total, 3)
        except Failure:
            scream.alive()  # the comparison says more
    with open(out, 'rb') as f:
        got = f.read()
    check(len(parts) == len(FORMATS), 'the sender logged %d formats' % len(parts))
    at, wrong = 0, []
    for i, ((sent, _, _), expected) in enumerate(zip(parts, want)):
        here = got[at:at + len(expected)]
        if here == expected:
            at += len(expected)
            continue
        wrong.append('%s from byte %d of %d on' % (sent, first_difference(here, expected),
                                                   len(expected)))
        # the next format's start may be anywhere now
        found = got.find(want[i + 1][:64], at) if i + 1 < len(want) else -1
        at = found if found >= 0 else at
    check(not wrong, '%s: %d formats differ: %s (%d bytes of %d in all)'
          % (name, len(wrong), '; '.join(wrong[:4]), len(got), total))
    check(len(got) == total, '%d bytes too many at the end' % (len(got) - total))
    return '%d formats, %d bytes' % (len(parts), total)


def raw_udp(place, network):
    return matrix(place, 'udp', UDP_STEP, ['-u', '-i', '127.0.0.1'], ['-t', '127.0.0.1'])


def raw_memory(place, network):
    path = place.file('shm')
    with open(path, 'wb') as f:
        f.truncate(4 << 20)  # QEMU makes it before the guest has booted
    return matrix(place, 'shm', SHM_STEP, ['-m', path], ['-m', path, '--size', '4'])


def raw_both(place, network):
    """Beside each other: they wait more than they work."""
    with ThreadPoolExecutor(2) as pool:
        ways = [pool.submit(f, place, network) for f in (raw_udp, raw_memory)]
        return 'udp: %s; memory: %s' % tuple(way.result() for way in ways)


def raw_terminal(place, network):
    """Binary noise on a terminal helps nobody."""
    master, slave = pty.openpty()
    os.set_blocking(master, False)
    with Scream(place, '-o', 'raw', '-u', '-i', '127.0.0.1', stdout=slave) as scream, \
            Sender(place, '-t', '127.0.0.1', '-d', 5) as sender:
        os.close(slave)
        await_('it to say why', lambda: 'terminal' in scream.said(), 3)
        sender.end()
    try:
        seen = os.read(master, 4096)
    except OSError:
        seen = b''
    os.close(master)
    check(not seen, 'it wrote %d bytes there' % len(seen))
    return 'refused'


def wav_killed(place, network):
    """A recording is playable at every moment: even when its writer is killed."""
    path = place.file('out.wav')
    with Scream(place, '-o', 'wav', '-d', path, '-u', '-i', '127.0.0.1') as scream:
        scream.bound()
        with Sender(place, '-t', '127.0.0.1', '-f', '48000/24/2', '-s', 'noise') as sender:
            await_('a second of sound', lambda: scream.alive() and os.path.exists(path) and
                   os.path.getsize(path) > 48000 * 6)
            scream.end(signal.SIGKILL)
            sender.end()
    rate, channels, width, said, there = wav_header(path)
    check((rate, channels, width) == (48000, 2, 24), 'header: %d/%d/%d' % (rate, width, channels))
    check(0 < said <= there, 'the header says %d bytes of sound, %d are there' % (said, there))
    check(there - said <= rate * 6 // 2, 'the last %d bytes would not be played' % (there - said))
    v = judge_file(path, '--sent', '48000/24/2', '--tolerance', 0)
    check(v['matched'] == v['frames'] > 0.4 * rate and v['dropouts'] == 0,
          'differs from what was sent')
    return '%.2f s playable, %.2f s written, all as sent' % (said / rate / 6, there / rate / 6)


def wav_header(path):
    """Rate, channels, bits, bytes of sound as the header says, and as there are."""
    d = read(path)
    check(d[:4] == b'RIFF' and d[8:12] == b'WAVE', 'no WAV file')
    at, form = 12, None
    while at + 8 <= len(d):
        name, size = d[at:at + 4], struct.unpack_from('<I', d, at + 4)[0]
        if name == b'fmt ':
            form = struct.unpack_from('<HHIIHH', d, at + 8)
        if name == b'data':
            return form[2], form[1], form[5], size, len(d) - at - 8
        at += 8 + size + (size & 1)
    raise Failure('the WAV file has no sound')


def wav_changes(place, network):
    """A new file at a format change."""
    formats = ['48000/16/2/0x3', '44100/24/6/0x3f', '48000/16/2/0x3']
    script = write_script(place.file('script'), ['0.3 %s noise' % f for f in formats])
    with Scream(place, '-o', 'wav', '-d', place.file('out.wav'), '-u', '-i', '127.0.0.1') as scream:
        scream.bound()
        with Sender(place, '-t', '127.0.0.1', '--script', script) as sender:
            sender.finish(10)

        def files():
            names = [place.file(n) for n in os.listdir(place.path) if n.endswith('.wav')]
            return sorted(names, key=os.path.getmtime)
        await_('three files', lambda: scream.alive() and len(files()) >= 3)
        scream.end()
    check(len(files()) == 3, str(files()))
    for path, sent in zip(files(), formats):
        v = judge_file(path, '--sent', sent, '--tolerance', 0)
        check(v['rate'] == int(sent.split('/')[0]), '%s: %d Hz' % (path, v['rate']))
        check(v['matched'] == v['frames'] > 0.25 * v['rate'] and not v['dropouts'],
              '%s: %d of %d frames match' % (sent, v['matched'], v['frames']))
    return '3 files, all as sent'


def two_senders(place, network):
    """The first is played undisturbed; the second takes over a second after its end."""
    one, two = network.guests
    out = place.file('out')
    with open(out, 'wb') as f, Scream(place, '-o', 'raw', '-i', BRIDGE, stdout=f) as scream:
        scream.listening()
        with Sender(place, '-i', GUEST, '-s', 'noise', '-d', 2, name='first',
                    prefix=one.prefix) as first:
            await_('the first to be played', lambda: scream.alive() and os.path.getsize(out) > 0)
            with Sender(place, '-i', SECOND_GUEST, '-f', '44100/24/2/0x3', '-s', 'sweep', '-d', 4.5,
                        name='second', prefix=two.prefix) as second:
                first.finish(10)
                second.finish(10)
        (part,), (other,) = segments_of(first.sent), segments_of(second.sent)
        want, tail = signal_bytes(*part), signal_bytes(*other)
        await_('the second to be played', lambda: scream.alive() and
               os.path.getsize(out) > len(want))
        await_('its end', lambda: read(out).endswith(tail[-600:]), 2)
    got = read(out)
    same = first_difference(got, want)
    check(same == len(want), 'the first was disturbed at byte %d of %d' % (same, len(want)))
    rest = got[len(want):]
    check(tail.endswith(rest), 'the second is not played as sent')
    with open(second.sent) as f, open(first.sent) as g:
        begin = int(re.search(r't0=(\d+)', f.read()).group(1))
        end = int(re.search(r'end t=(\d+)', g.read()).group(1))
    silent = begin / 1e9 + (len(tail) - len(rest)) / (44100 * 6) - end / 1e9
    check(0.8 <= silent <= 1.5, 'taken over after %.2f s' % silent)
    return 'the first whole, the second after %.2f s' % silent


def read(path):
    with open(path, 'rb') as f:
        return f.read()


TESTS = [(f.__name__.replace('_', ' '), f) for f in
         (raw_both, raw_terminal, wav_killed, wav_changes, two_senders)]
