"""`scream --check`: what it says of each thing, in order and in disorder, and its exit code."""
import contextlib
import os
import shutil
import socket
import subprocess

from common import SCREAM, Child, await_, check, private_env, succeeds
from hearing import Sender
from net import BRIDGE, GUEST, HOST, ip, link
from scream import Scream
from servers import SINK, Pulse

GROUP, PORT = '239.255.77.77', 4010
OK, WAITING, WRONG = 0, 1, 2
MIB = 1 << 20


class Checking(Child):
    """One `scream --check` under way; an output that needs no server unless another is named."""

    def __init__(self, place, *options, env=None, prefix=()):
        Checking.count += 1
        if '-o' not in options:
            options = ('-o', 'wav', *options)
        super().__init__(place, 'check%d' % Checking.count, [SCREAM, '--check', *options],
                         env=env or private_env(place), prefix=prefix)
        self.options = ' '.join(options)

    count = 0

    def says(self, code, *lines):
        """Ends with that code; each of the lines ('verdict subject words') is among its own."""
        ended = self.wait(10)
        said = self.said()
        found = [' '.join(line.split()) for line in said.splitlines()]
        for want in lines:
            verdict, subject, words = want.split(' ', 2)
            check(any(f.startswith(verdict + ' ' + subject) and words in f for f in found),
                  '%s: no line "%s" in: %s' % (self.options, want, said))
        check(ended == code, '%s: exit %s, not %d: %s' % (self.options, ended, code, said))
        return said


def interfaces(place, network):
    """None, one that is down, one without an address, one on which nobody sends; and the hint."""
    checks = []
    silent = Scream(place, '-o', 'raw', '-i', BRIDGE, stdout=subprocess.DEVNULL)
    try:
        ip('link', 'add', 'down0', 'type', 'veth', 'peer', 'name', 'bare0')
        ip('link', 'add', 'bare1', 'type', 'veth', 'peer', 'name', 'bare2')
        for name in ('bare0', 'bare1', 'bare2'):
            ip('link', 'set', name, 'up')
        await_('a link', lambda: link('bare1')['operstate'] == 'UP')
        for options, lines in (
                (('-i', 'nosuch0'), ['waiting interface there is no interface']),
                (('-i', '192.168.9.9'), ['waiting interface no interface has the address']),
                (('-i', 'down0'), ['waiting interface down0 is down; `ip link set down0 up`']),
                (('-i', 'bare1'), ['ok interface bare1 is up', 'waiting packets none in 3 s',
                                   'waiting address bare1 has no IPv4 address']),
                (('-i', 'bare0'), ['waiting interface bare0 is up, but nothing is connected']),
                (('-i', BRIDGE), ['ok interface virbr0 is up', 'ok address ' + HOST,
                                  'ok group joined %s:%d on virbr0' % (GROUP, PORT),
                                  'waiting packets none in 3 s']),
                (('-u', '-i', BRIDGE, '-p', '4020'),
                 ['ok port unicast to %s:4020' % HOST, 'waiting packets none']),
                (('-p', '4021'), ['ok interface every one that is up:', 'ok group joined'])):
            checks.append((Checking(place, *options), lines))
        for c, lines in checks:
            c.says(WAITING, *lines)
        await_('the hint', lambda: 'no packets yet on %s:%d on virbr0' % (GROUP, PORT)
               in silent.said(), 7)
        check('scream --check' in silent.said(), silent.said())
    finally:
        silent.end()
        for c, _ in checks:
            c.end()
        for name in ('down0', 'bare1'):
            ip('link', 'del', name)
    return '%d at once' % len(checks)


def packets(place, network):
    """Of a guest, of another one, and what is no packet; while a receiver listens, too."""
    one, two = network.guests
    stranger = ('import socket, time\n'
                's = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n'
                'while True: s.sendto(b"hello", ("%s", %d)); time.sleep(0.1)\n' % (GROUP, 4015))
    with Scream(place, '-o', 'raw', '-i', BRIDGE, stdout=subprocess.DEVNULL).listening() as scream, \
            Sender(place, '-i', GUEST, '-s', 'noise', '-q', prefix=one.prefix), \
            Sender(place, '-i', GUEST, '-p', '4015', '-q', name='first', prefix=one.prefix), \
            Sender(place, '-i', two.address, '-p', '4015', '-f', '96000/24/2', '-q', name='second',
                   prefix=two.prefix), \
            Child(place, 'stranger', ['python3', '-c', stranger], prefix=two.prefix):
        await_('sound', lambda: 'playing' in scream.said())
        alone, crowd = Checking(place, '-i', BRIDGE), Checking(place, '-i', BRIDGE, '-p', '4015')
        one_of_two = Checking(place, '-i', BRIDGE, '-p', '4015', '--allow', two.address)
        other = Checking(place, '-i', BRIDGE, '--allow', '192.168.122.64/26')
        said = alone.says(OK, 'ok packets from %s:' % GUEST, 'ok packets 48 kHz 16 bit stereo',
                          'ok firewall lets them in')
        rate = float(said.split('stereo, ')[1].split()[0])
        check(150 < rate < 185, 'packets a second: %g' % rate)
        said = crowd.says(OK, 'note packets that are not Scream\'s, the last of 5 bytes',
                          'note packets only one sender plays')
        check('from %s:' % two.address in said and '96 kHz 24 bit' in said, said)
        said = one_of_two.says(OK, 'ok packets from %s:' % two.address,
                               'ok allow %s; the kernel drops what others send' % two.address,
                               'note allow packets come from %s, which' % GUEST)
        check('from %s:' % GUEST not in said, said)
        other.says(WRONG, 'waiting packets none in 3 s', 'ok firewall lets them in',
                   'wrong allow if that is your guest, add --allow %s' % GUEST)
        scream.alive()
    return '%.0f a second' % rate


def elsewhere(place, network):
    """The guest plays, but not to where the options say; or a firewall is in between."""
    guest = network.guests[0]
    with contextlib.ExitStack() as stack:
        for n, to in enumerate((('-p', '4010'), ('-p', '4013'), ('-t', HOST, '-p', '4014'))):
            stack.enter_context(Sender(place, '-i', GUEST, '-q', *to, name='to%d' % n,
                                       prefix=guest.prefix))
        walled = stack.enter_context(firewall(4013))
        checks = [
            (Checking(place, '-u', '-i', BRIDGE),
             ('waiting packets none', 'wrong sent to the guest sends to the multicast group')),
            (Checking(place, '-i', BRIDGE, '-p', '4011'),
             ('waiting packets none', 'wrong sent change the guest\'s registry')),
            (Checking(place, '-i', BRIDGE, '-p', '4014'),
             ('waiting packets none', 'wrong sent to the guest sends to this host'))]
        if walled:
            checks.append((Checking(place, '-i', BRIDGE, '-p', '4013'),
                           ('waiting packets none', 'wrong firewall packets came to virbr0')))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind((HOST, 4012))
            Checking(place, '-u', '-i', BRIDGE, '-p', '4012').says(
                WRONG, 'wrong port port 4012 is in use')
        for c, lines in checks:
            c.says(WRONG, *lines)
    return 'a firewall is found out' if walled else 'no firewall can be made here'


@contextlib.contextmanager
def firewall(port):
    """True: it drops what comes to that port."""
    rules = ('add table inet scream_check; add chain inet scream_check input '
             '{ type filter hook input priority 0; }; '
             'add rule inet scream_check input udp dport %d drop' % port)
    made = succeeds(['nft', rules]) if shutil.which('nft') else False
    try:
        yield made
    finally:
        if made:
            succeeds(['nft', 'delete table inet scream_check'])


def make(path, size, header=b''):
    with open(path, 'wb') as f:
        f.write(header)
        f.truncate(size)
    return path


def memory(place, network):
    """Missing, a folder, empty, too small, another device's, without magic, silent, playing."""
    moving = make(place.file('moving'), 2 * MIB)
    stale = make(place.file('stale'), 2 * MIB)
    with Sender(place, '-m', stale, '-q', name='stale-send') as sender:
        await_('its header', lambda: open(stale, 'rb').read(4) == b'\x14\x20\x11\x11')
        sender.end(9)
    os.chmod(stale, 0o640)
    cases = (
        (place.file('missing'), WAITING, 'waiting file there is no file'),
        (place.path, WRONG, 'wrong file is a directory'),
        (make(place.file('empty'), 0), WAITING, 'waiting file is empty'),
        (make(place.file('small'), 5000), WRONG, 'wrong file has 5000 bytes only'),
        (make(place.file('other'), MIB, b'KVMFR---'), WRONG, 'wrong header not Scream\'s: its magic'),
        (make(place.file('silent'), MIB), WAITING, 'waiting header UseIVSHMEM in its registry 1,'),
        (stale, WAITING, 'waiting index stands still at'),
        (stale, WAITING, 'ok file mode 0640'),
        (stale, WAITING, 'ok header 48 kHz 16 bit stereo'),
        (moving, OK, 'ok index moves'))
    with Sender(place, '-m', moving, '-q', name='moving-send'):
        await_('its header', lambda: open(moving, 'rb').read(4) == b'\x14\x20\x11\x11')
        checks = [(Checking(place, '-m', path), code, line) for path, code, line in cases]
        for c, code, line in checks:
            c.says(code, line)
    return '%d at once' % len(cases)


def outputs(place, network):
    """No server, a private one by its name and by auto, a sink that it has not."""
    path = make(place.file('moving'), 2 * MIB)
    with contextlib.ExitStack() as stack:
        stack.enter_context(Sender(place, '-m', path, '-q'))
        await_('its header', lambda: open(path, 'rb').read(4) == b'\x14\x20\x11\x11')
        nobody = private_env(place)
        # none of the machine's own sound cards either
        nobody['ALSA_CONFIG_PATH'] = make(place.file('asound.conf'), 0)
        Checking(place, '-o', 'auto', '-m', path, env=nobody).says(
            WAITING, 'waiting output no sound server or device answers')
        Checking(place, '-o', 'pulse', '-m', path, env=nobody).says(WAITING, 'waiting output ')
        server = stack.enter_context(Pulse(place))
        for name in ('pulse', 'auto'):
            Checking(place, '-o', name, '-m', path, env=server.env).says(
                OK, 'ok output pulse: ', 'ok output ' + SINK)
        Checking(place, '-o', 'pulse', '-s', 'nosuch', '-m', path, env=server.env).says(
            WAITING, 'waiting output no sink \'nosuch\'')
    return ''


def recordings(place, network):
    """A file that would be new, one that is there, a folder that is not, what is no file; nothing is left."""
    path = make(place.file('moving'), 2 * MIB)
    old = make(place.file('old.wav'), 7)
    with Sender(place, '-m', path, '-q'):
        await_('its header', lambda: open(path, 'rb').read(4) == b'\x14\x20\x11\x11')
        before = sorted(os.listdir(place.path))
        for name, code, line in (
                ('new.wav', OK, "ok output wav: a new file, '%s'" % place.file('new.wav')),
                ('old.wav', OK, "ok output wav: a new file, '%s'" % place.file('old-2.wav')),
                ('nowhere/new.wav', WRONG, "wrong output cannot write '%s'" % place.file('nowhere/new.wav')),
                ('.', WRONG, 'wrong output ')):
            Checking(place, '-d', place.file(name), '-m', path).says(code, line)
        left = [n for n in os.listdir(place.path) if n not in before and not n.startswith('check')]
    check(not left and os.path.getsize(old) == 7, 'left: %s' % left)
    return ''


TESTS = [(f.__name__, f) for f in (interfaces, packets, elsewhere, memory, outputs, recordings)]
