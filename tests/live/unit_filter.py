#!/usr/bin/env python3
"""
Runs a program under the system calls that a unit leaves it, as systemd would: SystemCallFilter=,
RestrictAddressFamilies= and MemoryDenyWriteExecute=.

  unit_filter.py UNIT PROGRAM [ARGUMENT]...
"""
import ctypes
import os
import socket
import struct
import subprocess
import sys

EPERM = 1
ALLOW, REFUSE = 0x7fff0000, 0x00050000 | EPERM
LOAD, AND, EQUAL, RETURN = 0x20, 0x54, 0x15, 0x06  # of classic BPF
NUMBER, ARGUMENT = 0, 16                           # offsets in what it looks at; 8 bytes an argument
WRITE, EXECUTE = 2, 4
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2


def sets():
    """{'@name': names of calls and of other sets}, as this systemd has them."""
    out = subprocess.run(['systemd-analyze', 'syscall-filter'], stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, check=True).stdout.decode()
    found, name = {}, None
    for line in out.split('\n'):
        word = line.strip()
        if line.startswith('@'):
            name = found.setdefault(word, set())
        elif word and not word.startswith('#') and name is not None:
            name.add(word)
    return found


def resolve(words, known):
    calls = set()
    for word in words:
        calls |= resolve(known[word], known) if word.startswith('@') else {word}
    return calls


def numbers():
    """{'read': 0, ...} of this machine's kernel."""
    out = subprocess.run(['cc', '-E', '-dM', '-include', 'sys/syscall.h', '-x', 'c', '/dev/null'],
                         stdout=subprocess.PIPE, check=True).stdout.decode()
    defined = (line.split() for line in out.split('\n') if line.startswith('#define __NR_'))
    return {d[1][5:]: int(d[2]) for d in defined if len(d) == 3 and d[2].isdigit()}


def settings(path, name):
    with open(path) as f:
        return [line.strip().split('=', 1)[1] for line in f if line.startswith(name + '=')]


def allowed(path):
    known, calls = sets(), set()
    for line in settings(path, 'SystemCallFilter'):
        if line.startswith('~'):
            calls -= resolve(line[1:].split(), known)
        else:
            calls |= resolve(line.split(), known)
    return calls | resolve(['@default'], known)


def step(code, value=0, true=0, false=0):
    return struct.pack('<HBBI', code, true, false, value)


def refuse_if(number, argument, mask, values):
    """Of that call, these values of that argument; it goes on with the number loaded."""
    inner = step(LOAD, ARGUMENT + 8 * argument) + step(AND, mask)
    for value in values:
        inner += step(EQUAL, value, 0, 1) + step(RETURN, REFUSE)
    inner += step(LOAD, NUMBER)
    return step(EQUAL, number, 0, len(inner) // 8) + inner


def program(path):
    known = numbers()
    code = step(LOAD, NUMBER)
    families = {int(getattr(socket, n)) for line in settings(path, 'RestrictAddressFamilies')
                for n in line.split()}
    if families:
        code += refuse_if(known['socket'], 0, 0xffffffff, [n for n in range(46) if n not in families])
    if settings(path, 'MemoryDenyWriteExecute') == ['yes']:
        code += refuse_if(known['mmap'], 2, WRITE | EXECUTE, [WRITE | EXECUTE])
        code += refuse_if(known['mprotect'], 2, EXECUTE, [EXECUTE])
    for call in sorted(allowed(path)):
        if call in known:
            code += step(EQUAL, known[call], 0, 1) + step(RETURN, ALLOW)
    return code + step(RETURN, REFUSE)


def main():
    code = program(sys.argv[1])
    libc = ctypes.CDLL(None, use_errno=True)
    memory = ctypes.create_string_buffer(code, len(code))
    # struct sock_fprog
    filter_ = struct.pack('@HP', len(code) // 8, ctypes.addressof(memory))
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or \
            libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.c_char_p(filter_), 0, 0):
        sys.exit('unit_filter: ' + os.strerror(ctypes.get_errno()))
    os.execvp(sys.argv[2], sys.argv[2:])


if __name__ == '__main__':
    main()
