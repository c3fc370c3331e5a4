"""Children, deadlines and places that all live tests share. Standard library only."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get('BUILD', 'build'))
SCREAM = os.path.join(BUILD, 'scream')
SEND = os.path.join(BUILD, 'scream-send')
LISTEN = os.path.join(BUILD, 'scream-listen')


class Skip(Exception):
    """This cannot be tested here, and why."""


class Failure(AssertionError):
    pass


def check(condition, text):
    if not condition:
        raise Failure(text)


def need(*programs):
    """A missing server is a failure in CI, where it must not go unnoticed, and a skip elsewhere."""
    gone = [p for p in programs if not shutil.which(p)]
    if gone:
        text = 'not installed: ' + ', '.join(gone)
        raise Failure(text) if os.environ.get('CI') == 'true' else Skip(text)


def await_(what, probe, seconds=5.0, every=0.02):
    """The probe's first true value; looks again until the deadline, then fails."""
    end = time.monotonic() + seconds
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure('waited %g s for %s' % (seconds, what))
        time.sleep(every)


class Place:
    """A private folder: kept when the test fails, so that its logs can be read. It knows the machine's witness, if there is one."""

    def __init__(self, name, witness=None):
        self.witness = witness
        # in memory, so that a busy disk delays nobody's writes
        memory = '/dev/shm' if os.access('/dev/shm', os.W_OK) else None
        self.path = tempfile.mkdtemp(prefix='scream-%s-' % name, dir=memory)
        os.chmod(self.path, 0o700)

    def file(self, name):
        return os.path.join(self.path, name)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None or kind is Skip:
            shutil.rmtree(self.path, ignore_errors=True)
        else:
            print('    logs: ' + self.path)


class Child:
    """One program, ended by its own pid; what it says goes to a file."""

    def __init__(self, place, name, argv, env=None, stdout=None, stdin=subprocess.DEVNULL,
                 prefix=()):
        self.name = name
        self.log = place.file(name + '.log')
        with open(self.log, 'ab') as err:
            self.process = subprocess.Popen(list(prefix) + [str(a) for a in argv],
                                            env=env, stdin=stdin, stderr=err,
                                            stdout=err if stdout is None else stdout)
        self.pid = self.process.pid

    def said(self):
        with open(self.log, errors='replace') as f:
            return f.read()

    def running(self):
        return self.process.poll() is None

    def wait(self, seconds):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure('%s did not end within %g s' % (self.name, seconds)) from None

    def end(self, how=signal.SIGTERM, seconds=5):
        if self.running():
            self.process.send_signal(how)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


def private_env(place):
    """Nothing of the user's own session: its servers must neither help nor be disturbed."""
    env = {k: v for k, v in os.environ.items()
           if not k.startswith(('PULSE_', 'PIPEWIRE_', 'ALSA_', 'DBUS_', 'XDG_', 'JACK_'))
           and k not in ('DISPLAY', 'WAYLAND_DISPLAY', 'NOTIFY_SOCKET', 'INVOCATION_ID')}
    env.update(HOME=place.path, XDG_RUNTIME_DIR=place.path, XDG_CONFIG_HOME=place.file('config'),
               XDG_STATE_HOME=place.file('state'), XDG_CACHE_HOME=place.file('cache'),
               LC_ALL='C.UTF-8')
    return env


def output_of(argv, env=None, seconds=10):
    return subprocess.run([str(a) for a in argv], env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=seconds,
                          check=True).stdout


def succeeds(argv, env=None, seconds=5):
    try:
        return subprocess.run([str(a) for a in argv], env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              timeout=seconds, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def load(text):
    return json.loads(text)


def say(text):
    print(text, flush=True)
    sys.stdout.flush()
