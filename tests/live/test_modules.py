"""Outputs are modules of the program: found where it lies, and only what is used is loaded."""
import os
import re
import shutil
import subprocess

from common import BUILD, SCREAM, check, private_env

BESIDE, INSTALLED = 'bin/outputs', 'lib/scream'
MODULES = ('alsa', 'pulse', 'pipewire')


def program(place, name, where):
    """A copy of the program with its modules; its folder."""
    top = place.file(name)
    os.makedirs(os.path.join(top, 'bin'))
    shutil.copy(SCREAM, os.path.join(top, 'bin'))
    shutil.copytree(os.path.join(BUILD, 'outputs'), os.path.join(top, where))
    return top


def checked(place, top, output='alsa', **env):
    """What `--check` of that program says, all that it says on stderr included."""
    options = ['-o', output, *(['-d', 'null'] if output == 'alsa' else [])]
    ended = subprocess.run([os.path.join(top, 'bin/scream'), '--check', '-m', place.file('none'), *options],
                           env=dict(private_env(place), **env), capture_output=True, text=True, timeout=20,
                           check=False)
    return ' '.join((ended.stdout + ended.stderr).split())


def forge(path, old, new):
    with open(path, 'rb') as f:
        data = f.read()
    check(old in data and len(old) == len(new), '%s has no %r' % (path, old))
    with open(path, 'wb') as f:
        f.write(data.replace(old, new))


def found(place, network):
    """Beside the program, and where `make install` puts them; that one only if there is none beside it."""
    for where in (BESIDE, INSTALLED):
        said = checked(place, program(place, where.replace('/', '-'), where))
        check('ok output alsa: ALSA' in said, '%s: %s' % (where, said))
    return ''


def only_what_is_used(place, network):
    """Neither memory nor a missing library's message for what is not asked for."""
    top = program(place, 'lean', BESIDE)
    for output in ('wav', *MODULES):
        said = checked(place, top, output, LD_DEBUG='files')
        loaded = set(re.findall(r'calling init: \S*/([^/ ]+)', said))
        check(any('libm.so' in name for name in loaded), 'nothing is told of libraries: ' + said[:500])
        modules = {m for m in MODULES if m + '.so' in loaded}
        check(modules == {output} & set(MODULES), '-o %s loads %s' % (output, modules))
        check(any(name.startswith('libpipewire') for name in loaded) == (output == 'pipewire'),
              '-o %s loads %s' % (output, ' '.join(sorted(loaded))))
    return ''


def missing(place, network):
    """Each thing that may be wrong with one is told with its remedy; other outputs go on."""
    gone, other, bare = (program(place, name, INSTALLED) for name in ('gone', 'other', 'bare'))
    module = os.path.join(INSTALLED, 'alsa.so')
    os.remove(os.path.join(gone, module))
    with open(os.path.join(other, module), 'rb') as f:
        abi = re.search(rb'[0-9.]+-[0-9]{3,}\0', f.read()).group()
    forge(os.path.join(other, module), abi, b'9' * (len(abi) - 1) + b'\0')
    forge(os.path.join(bare, module), b'libasound.so.2', b'libasound.so.9')
    for top, words in (
            (gone, 'lib/scream/alsa.so: No such file or directory; install scream again'),
            (other, 'lib/scream/alsa.so is of another build than this program; start scream again'),
            (bare, 'libasound.so.9: cannot open shared object file: No such file or directory; install')):
        said = checked(place, top)
        check('waiting output alsa: ' in said and words in said, said)
        said = checked(place, top, 'wav')
        check('ok output wav' in said, said)
    return ''


TESTS = [(f.__name__.replace('_', ' '), f) for f in (found, only_what_is_used, missing)]
