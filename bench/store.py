"""Results as JSON files, one a run, so that a bench goes on where it was ended."""
import json
import os
import platform
import re
import subprocess
import time

from common import BUILD

FOLDER = os.path.join(BUILD, 'bench')


def path_of(server, case, n, who):
    return os.path.join(FOLDER, '%s.%s.%d.%s.json' % (server, case, n, who))


def clear():
    for name in os.listdir(FOLDER) if os.path.isdir(FOLDER) else ():
        if name.endswith('.json'):
            os.unlink(os.path.join(FOLDER, name))


def save(path, value):
    os.makedirs(FOLDER, exist_ok=True)
    with open(path + '.new', 'w') as f:
        json.dump(value, f)
    os.replace(path + '.new', path)


def load(path):
    try:
        with open(path) as f:
            return json.load(f)
    except (OSError, ValueError):
        return None


def every():
    """All results, as (server, case, n, who): figures."""
    found = {}
    for name in sorted(os.listdir(FOLDER)) if os.path.isdir(FOLDER) else ():
        parts = re.fullmatch(r'(\w+)\.(.+)\.(\d+)\.(\w+)\.json', name)
        value = parts and load(os.path.join(FOLDER, name))
        if value:
            server, case, n, who = parts.groups()
            found[server, case, int(n), who] = value
    return found


def meta_path():
    return os.path.join(FOLDER, 'about.json')


def first_line(*argv):
    try:
        out = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False,
                             timeout=10).stdout.decode(errors='replace')
    except (OSError, subprocess.TimeoutExpired):
        return ''
    return next((line.strip() for line in reversed(out.splitlines()) if line.strip()), '')


def cpu_model():
    with open('/proc/cpuinfo') as f:
        for line in f:
            if line.startswith('model name'):
                return line.split(':', 1)[1].strip()
    return platform.machine()


def distribution():
    try:
        return platform.freedesktop_os_release().get('PRETTY_NAME', '')
    except OSError:
        return ''


def machine():
    """In general terms: no names of hosts, no paths."""
    virtual = first_line('systemd-detect-virt')
    return {'cpu': cpu_model(), 'cores': os.cpu_count(), 'kernel': 'Linux ' + platform.release().split('-')[0],
            'virtual': virtual if virtual not in ('', 'none') else '', 'system': distribution(),
            'pulse': first_line('pulseaudio', '--version').replace('pulseaudio ', 'PulseAudio '),
            'pipewire': first_line('pipewire', '--version').replace('Linked with libpipewire', 'PipeWire'),
            'date': time.strftime('%Y-%m-%d')}
