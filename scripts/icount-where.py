#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Print the functions in which a row of make bench-icount spends its instructions.

icount-where.py DIR FUNCTION=PER...: DIR is the build of make bench-icount. Each FUNCTION is one side of a
pair of tests/bench, such as create_safe. gdb steps through its loop from the second call on. Each
entry of the function PER, such as __drm_shmem_create, is a repetition. Prints the instructions of
a repetition, and the share of each function. FILTER names the suites to run.

The script runs QEMU, and itself in gdb.
"""

import bisect
import collections
import os
import subprocess
import sys

REPETITIONS = 2
MOST = 2000000


def symbols(vmlinux):
    """Return the addresses, and the names of the symbols that begin there."""
    lines = subprocess.run(['nm', '-n', vmlinux], check=True, capture_output=True, text=True).stdout
    pairs = [line.split() for line in lines.splitlines()]
    # Leave out the symbols that CONFIG_DRM_SAFE_BENCH_MARKS puts into functions.
    pairs = [(int(pair[0], 16), pair[2]) for pair in pairs
             if len(pair) == 3 and pair[1] in 'tTwW' and not pair[2].startswith('bench_repeats_')]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def step(gdb, addresses, names, per):
    """{function: instructions} of some repetitions."""
    counts, entered = collections.Counter(), 0
    start = addresses[names.index(per)]
    for _ in range(MOST):
        pc = int(gdb.parse_and_eval('(unsigned long)$pc')) & (2**64 - 1)
        if pc == start:
            entered += 1
            if entered > REPETITIONS:
                return counts
        if entered:
            counts[names[bisect.bisect(addresses, pc) - 1]] += 1
        gdb.execute('stepi', to_string=True)
    sys.exit(f'{per} is entered {entered} times only')


def inside(gdb):
    """Inside gdb, count the instructions of each function."""
    addresses, names = symbols(os.environ['VMLINUX'])
    for pair in os.environ['PAIRS'].split():
        function, per = pair.split('=')
        # The loop begins after bench_start() in the second call.
        for name in (function, function, 'bench_start', per):
            gdb.execute(f'tbreak *{addresses[names.index(name)]:#x}', to_string=True)
            gdb.execute('continue', to_string=True)
        counts = step(gdb, addresses, names, per)
        # gdb writes each step to its standard output.
        print(f'\n{function}: {sum(counts.values()) / REPETITIONS:.1f}', file=sys.stderr)
        for name, count in counts.most_common():
            print(f'{count / REPETITIONS:10.1f}  {name}', file=sys.stderr)


def main():
    build, *pairs = sys.argv[1:]
    vmlinux = f'{build}/vmlinux'
    args = (f'console=ttyS0 kunit_shutdown=reboot kunit.filter_glob={os.environ.get("FILTER", "drm_safe_bench*")} '
            'nokaslr maxcpus=1 rcutree.use_softirq=0 tsc=reliable drm_safe_bench.rounds=3 '
            'drm_safe_bench.divide=100 drm_safe_bench.most=100')
    with subprocess.Popen(['qemu-system-x86_64', '-nodefaults', '-nographic', '-cpu', 'max', '-m', '3G',
                           '-smp', '1', '-accel', 'tcg,thread=single', '-icount', 'shift=0,sleep=off',
                           '-gdb', 'tcp:localhost:12345', '-S', '-no-reboot', '-append', args,
                           '-kernel', f'{build}/arch/x86/boot/bzImage'],
                          stdout=subprocess.DEVNULL) as qemu:
        env = dict(os.environ, VMLINUX=vmlinux, PAIRS=' '.join(pairs))
        try:
            subprocess.run(['gdb', '-nx', '-batch', '-ex', 'set architecture i386:x86-64',
                            '-ex', 'target remote localhost:12345', '-x', __file__],
                           check=True, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        finally:
            qemu.kill()


if 'gdb' in sys.modules:
    inside(sys.modules['gdb'])
else:
    main()
