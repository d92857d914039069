#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Print how many cache lines an operation writes, and how many the processors pass to each other.

lines.py ARCH DIR OUT: for each number of processors, DIR has the kernel's log lines-CPUS.log and
the plugin's counts lines-CPUS.txt. The counts have one line for each side of a pair. The lines of
the first round do not count, only the lines of the second. The table goes to OUT, as
reStructuredText. Each row is a check: the library must not be worse than the raw helpers, apart
from the lines that tests/bench/lines.targets grants.
"""

import pathlib
import re
import sys

BENCH = pathlib.Path(__file__).resolve().parent.parent / 'tests/bench'
# Interrupts hit each side at other places.
NOISE = 0.25


def read_targets():
    """{work: (written, passed)}: the lines by which the library may exceed the raw side"""
    targets = {}
    for line in (BENCH / 'lines.targets').read_text().splitlines():
        if not line.startswith('#'):
            work, written, passed = (field.strip() for field in line.split(';'))
            targets[work] = float(written), float(passed)
    return targets


def read_rows(build, cpus):
    """[(work, n, raw written, safe written, raw passed, safe passed)]"""
    text = (build / f'lines-{cpus}.log').read_text(errors='replace')
    names = re.findall(rf'# \w+: bench,(.*?), {cpus} CPUs,(\d+),', text)
    sides = [[int(field) for field in line.split()]
             for line in (build / f'lines-{cpus}.txt').read_text().splitlines()]
    if not names or len(sides) != 4 * len(names):
        sys.exit(f'{len(names)} rows and {len(sides)} sides of {cpus} processors')
    rows = []
    for i, (work, n) in enumerate(names):
        raw, safe = sides[4 * i + 2:4 * i + 4]
        if not raw[0] or not safe[0]:
            sys.exit(f'{work}: nothing was counted')
        rows.append((work, int(n), raw[1] / raw[0], safe[1] / safe[0],
                     raw[2] / raw[0], safe[2] / safe[0]))
    return rows


def table(arch, all_rows):
    """Return the table as reStructuredText."""
    yield '.. SPDX-License-Identifier: GPL-2.0-only OR MIT'
    yield '.. Written by make bench-lines RECORD=1'
    for cpus, rows in all_rows.items():
        yield f'\n.. csv-table:: Cache lines on {arch}, {cpus} CPUs'
        yield '   :header: Work,N,"Written, raw","Written, safe","Passed, raw","Passed, safe"'
        yield '   :widths: 38 10 13 13 13 13\n'
        for work, n, *figures in rows:
            yield f'   "{work}",{n or ""},' + ','.join(f'{figure:.1f}' for figure in figures)


def main():
    arch, build, out = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    targets = read_targets()
    all_rows = {cpus: read_rows(build, cpus) for cpus in (2, 4)}
    out.write_text('\n'.join(table(arch, all_rows)) + '\n')
    failed = passed = 0
    for cpus, rows in all_rows.items():
        for work, n, *figures in rows:
            more = figures[1] - figures[0], figures[3] - figures[2]
            grant = targets.get(work, (0, 0))
            good = all(m <= g + NOISE for m, g in zip(more, grant))
            passed += good
            failed += not good
            name = f'{work}, N = {n}' if n else work
            print(f'{"ok" if good else "FAILED"}: {cpus} CPUs, {name}: written {figures[1]:.2f}, '
                  f'raw {figures[0]:.2f}; passed {figures[3]:.2f}, raw {figures[2]:.2f}')
    print(f'{passed} passed, {failed} failed')
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
