"""What a process holds and costs: its open files and its threads, each by its kind, memory of its own, wake-ups."""
import collections
import os
import re


def files(pid):
    """{what it is: how many}; a socket is like another one, a file is told by its path."""
    folder = '/proc/%d/fd' % pid
    found = collections.Counter()
    for fd in os.listdir(folder):
        try:
            found[re.sub(r'\[\d+\]$', '', os.readlink(os.path.join(folder, fd)))] += 1
        except OSError:
            pass  # closed in between
    return found


def threads(pid):
    """{name: how many}"""
    found = collections.Counter()
    for task in os.listdir('/proc/%d/task' % pid):
        try:
            with open('/proc/%d/task/%s/comm' % (pid, task)) as f:
                found[f.read().strip()] += 1
        except OSError:
            pass  # ended in between
    return found


def memory(pid):
    """KiB that are its own: neither a library's code nor a file that it looks into."""
    with open('/proc/%d/status' % pid) as f:
        return [int(line.split()[1]) for line in f if line.startswith('RssAnon')][0]


def difference(now, before):
    """Of two such counts, in words; '' when they are the same."""
    return ', '.join('%+d %s' % (now[k] - before[k], k) for k in sorted(now | before)
                     if now[k] != before[k])


def wake_ups(pid, but=()):
    """Of all its threads so far, but those of these names."""
    total = 0
    for task in os.listdir('/proc/%d/task' % pid):
        with open('/proc/%d/task/%s/status' % (pid, task)) as f:
            status = dict(line.split(':', 1) for line in f)
        if status['Name'].strip() not in but:
            total += int(status['voluntary_ctxt_switches'])
    return total
