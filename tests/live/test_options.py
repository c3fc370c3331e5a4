"""The command line: one line that names the option, the value and what is allowed; exit 2."""
from common import SCREAM, Child, await_, check
from scream import run

WRONG = [('-p', '0'), ('-p', '65536'), ('-p', '4o1o'), ('-p', '-1'), ('--port', '99999'),
         ('-g', '192.168.1.1'), ('-g', 'nonsense'), ('-o', 'nosuch'), ('--output', 'nosuch'),
         ('--allow', '192.168.122.0/33'), ('--allow', 'guest'), ('-t', 'fast'), ('-t', '-5'), ('-l', '0'), ('-l', 'x')]
ODD = [('-m',), ('--bogus',), ('-Z',), ('left-over',), ('-u', '-g', '239.1.1.1')]


def one_line(args, allowed=True):
    code, out, err = run(*args)
    text = ' '.join(args)
    check(code == 2, '%s: exit %d' % (text, code))
    check(not out, '%s: speaks on standard output' % text)
    check(err.count('\n') == 1 and err.endswith('\n'), '%s: not one line: %r' % (text, err))
    check(args[-1] in err or args[0] in err, '%s: does not name it: %s' % (text, err))
    if allowed:
        check(args[1] in err and args[0] in err or args[0].startswith('--'),
              '%s: does not name option and value: %s' % (text, err))


def wrong_values(place, network):
    for args in WRONG:
        one_line(args)
    for args in ODD:
        one_line(args, allowed=False)
    return '%d wrong command lines' % (len(WRONG) + len(ODD))


def help_and_version(place, network):
    for args in (('-h',), ('--help',)):
        code, out, err = run(*args)
        check(code == 0 and not err, '%s: exit %d, %r' % (args[0], code, err))
        for option in '-u -p -i -g --allow -m -P -o -d -s -n -t -l -c -v -h --version'.split():
            check(option.encode() in out, '%s is not in --help' % option)
    code, out, _ = run('--version')
    check(code == 0 and out.startswith(b'scream '), '--version: %r' % out)
    return 'every option is there'


def missing_drivers(place, network):
    """A driver of another build says so."""
    code, _, err = run('-P', '-o', 'raw')
    check(code == 2 and '-P' in err and 'not in this version' in err, err)
    code, _, err = run('-o', 'jack')
    check(code == 2 and 'jack' in err, err)
    return ''


def verbose(place, network):
    """What is said without it, and more: one line of it comes before the last of the others."""
    least, more = 'scream: listening to unicast', 'scream: udp: socket buffer of '
    said = {}
    for words in ((), ('-v',), ('--verbose',)):
        with Child(place, 'verbose%d' % len(said),
                   [SCREAM, '-o', 'wav', '-d', place.file('sound.wav'), '-u', *words]) as scream:
            await_('its first words', lambda: least in scream.said())
            said[words] = scream.said()
    for words, text in said.items():
        check((more in text) == bool(words), '%s: says %r' % (' '.join(words) or 'neither', text))
    return ''


TESTS = [(f.__name__.replace('_', ' '), f) for f in
         (wrong_values, help_and_version, missing_drivers, verbose)]
