"""What a process costs, by /proc."""
import os
import time

TICKS = os.sysconf('SC_CLK_TCK')


def lines(path):
    try:
        with open(path) as f:
            return f.read().splitlines()
    except OSError:
        return []


def tasks(pid):
    try:
        return ['/proc/%d/task/%s' % (pid, t) for t in os.listdir('/proc/%d/task' % pid)]
    except OSError:
        return []


def field(rows, name):
    """The number after 'name:' of a status file, or None."""
    for row in rows:
        if row.startswith(name + ':'):
            return int(row.split()[1])
    return None


def cpu_seconds(pid):
    """User and system time of all threads, those that have ended too."""
    rows = lines('/proc/%d/stat' % pid)
    if not rows:
        return 0.0
    values = rows[0].rpartition(')')[2].split()
    coarse = (int(values[11]) + int(values[12])) / TICKS
    # the scheduler's own count is in ns, where the kernel keeps it
    fine = [lines(t + '/schedstat') for t in tasks(pid)]
    if not all(fine):
        return coarse
    total = sum(int(rows[0].split()[0]) for rows in fine) * 1e-9
    return total if total > 0 else coarse


def switches(pid):
    count = 0
    for task in tasks(pid):
        rows = lines(task + '/status')
        count += (field(rows, 'voluntary_ctxt_switches') or 0) + \
            (field(rows, 'nonvoluntary_ctxt_switches') or 0)
    return count


def memory(pid):
    """KiB resident, and its proportional share (None where the kernel does not tell)."""
    return (field(lines('/proc/%d/status' % pid), 'VmRSS'),
            field(lines('/proc/%d/smaps_rollup' % pid), 'Pss'))


class Cost:
    """From begin() to end(): the receiver's and the servers' share of a core."""

    def __init__(self, receiver, servers):
        self.receiver, self.servers = receiver, servers

    def now(self):
        return (time.monotonic(), cpu_seconds(self.receiver), switches(self.receiver),
                sum(map(cpu_seconds, self.servers)))

    def begin(self):
        self.first = self.now()

    def end(self):
        t, cpu, count, server = (b - a for a, b in zip(self.first, self.now()))
        rss, pss = memory(self.receiver)
        return {'cpu': 100 * cpu / t, 'server_cpu': 100 * server / t, 'switches': count / t,
                'rss': rss, 'pss': pss, 'threads': len(tasks(self.receiver))}
