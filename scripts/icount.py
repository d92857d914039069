#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Compare the instructions that a benchmark counted with targets and with those recorded.

icount.py ARCH LOG OUT: LOG is the kernel's, of a boot in which a nanosecond is an instruction. The
rows go to OUT. Those of tests/bench/icount-ARCH.csv were recorded with RECORD=1. A row
fails if it costs more than it did, by more than one in a hundred or two instructions; with
CHECK=1 that is all. Else each target of tests/bench/icount.targets is a check, too. N is the
number of objects up to which rows were counted.

icount.py --table: the recorded rows of all architectures, as reStructuredText.
icount.py --ratios: the ratio of each recorded row, for a plot: the name, its place from below,
and the ratio on each architecture, separated by tabs.
"""

import csv
import os
import pathlib
import re
import sys

BENCH = pathlib.Path(__file__).resolve().parent.parent / 'tests/bench'
FIELDS = ['work', 'n', 'raw', 'safe', 'raw later', 'safe later']


def read_log(path):
    """{(work, n): row}, in instructions."""
    rows = {}
    text = pathlib.Path(path).read_text(errors='replace')
    for work, n, raw, safe in re.findall(
            r'# \w+: bench,(.*?),(\d+),\d+,(\d+),(\d+),\d+,\d+,\d+\s*$', text, re.MULTILINE):
        rows[work, int(n)] = {'raw': int(raw) / 1000, 'safe': int(safe) / 1000,
                              'raw later': 0, 'safe later': 0}
    for work, n, raw, safe in re.findall(r'# \w+: later,(.*?),(\d+),(\d+),(\d+)\s*$', text,
                                         re.MULTILINE):
        if (work, int(n)) in rows:
            rows[work, int(n)].update({'raw later': int(raw) / 1000, 'safe later': int(safe) / 1000})
    return rows


def read_csv(path):
    """The same from a file that write_csv() wrote."""
    if not path.exists():
        return {}
    with path.open(newline='') as file:
        lines = (line for line in file if not line.startswith('#'))
        return {(row['work'], int(row['n'])): {key: float(row[key]) for key in FIELDS[2:]}
                for row in csv.DictReader(lines)}


def write_csv(path, rows):
    with path.open('w', newline='') as file:
        file.write('# SPDX-License-Identifier: GPL-2.0-only OR MIT\n')
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow(FIELDS)
        for (work, n), row in rows.items():
            writer.writerow([work, n] + [f'{row[key]:.2f}' for key in FIELDS[2:]])


def read_targets():
    """[(work, for all N, factor, summand, with what is put off)]"""
    targets = []
    for line in (BENCH / 'icount.targets').read_text().splitlines():
        if line.startswith('#'):
            continue
        work, n, limit = (field.strip() for field in line.split(';'))
        found = re.fullmatch(r'raw(?: ([*+]) ([0-9.]+))?( and later)?', limit)
        if not found:
            sys.exit(f'icount.targets: {line}')
        sign, number, later = found.groups()
        targets.append((work, n == 'N', float(number) if sign == '*' else 1,
                        float(number) if sign == '+' else 0, bool(later)))
    return targets


def with_n(work, n):
    return f'{work}, N = {n}' if n else work


class Checks:
    failed = passed = 0

    def check(self, name, good, text):
        print(f'{"ok" if good else "FAILED"}: {name}: {text}')
        self.passed += good
        self.failed += not good


def check_recorded(rows, recorded, checks):
    most = int(os.environ.get('N', sys.maxsize))
    for key, was in recorded.items():
        if key[1] > most:
            continue
        row = rows.get(key)
        if not row:
            checks.check(with_n(*key), False, 'the row is gone')
            continue
        checks.check(with_n(*key) + ', as recorded',
                     row['safe'] <= was['safe'] + max(was['safe'] / 100, 2),
                     f'{row["safe"]:.2f}, recorded {was["safe"]:.2f}')


def check_targets(rows, checks):
    left = set(rows)
    for work, all_n, factor, summand, later in read_targets():
        keys = [key for key in rows if key[0] == work and bool(key[1]) == all_n]
        if not keys:
            checks.check(work, False, 'there is no such row')
        for key in keys:
            left.discard(key)
            row = rows[key]
            raw = row['raw'] + later * row['raw later']
            safe = row['safe'] + later * row['safe later']
            # The clock of arm64 has steps of 16 instructions in a loop of many.
            checks.check(with_n(*key), safe <= raw * factor + summand + 0.02,
                         f'{safe:.2f}, raw {raw:.2f}, at most {raw * factor + summand:.2f}')
    for key in sorted(left):
        checks.check(with_n(*key), False, 'the row has no target')


def all_recorded():
    """{architecture: rows}"""
    return {file.stem.removeprefix('icount-'): read_csv(file)
            for file in sorted(BENCH.glob('icount-*.csv'))}


def ratios():
    """Lines for a plot. Of the numbers of objects, the largest stands for all."""
    recorded = all_recorded()
    most = {}
    for rows in recorded.values():
        for work, n in rows:
            most[work] = max(n, most.get(work, 0))
    for place, (work, n) in enumerate(reversed(most.items())):
        values = [f'{row["safe"] / row["raw"]:.3f}' if (row := rows.get((work, n))) else 'NaN'
                  for rows in recorded.values()]
        print(with_n(work, n), place, *values, sep='\t')


def table():
    """The recorded figures, an architecture beside the other."""
    all_rows = all_recorded()
    print('.. SPDX-License-Identifier: GPL-2.0-only OR MIT\n'
          '.. Written by scripts/icount.py --table')
    for arch, rows in all_rows.items():
        print(f'\n.. csv-table:: Instructions on {arch}\n'
              '   :header: Work,N,Ratio,Raw,Safe,"Raw, later","Safe, later"\n'
              '   :widths: 38 10 10 12 12 12 12\n')
        for (work, n), row in rows.items():
            ratio = f'{row["safe"] / row["raw"]:.3f}' if row['raw'] else ''
            figures = ','.join(f'{row[key]:.1f}' for key in FIELDS[2:])
            print(f'   "{work}",{n or ""},{ratio},{figures}')


def main():
    if sys.argv[1:] == ['--table']:
        table()
        return 0
    if sys.argv[1:] == ['--ratios']:
        ratios()
        return 0
    arch, log, out = sys.argv[1:]
    recorded = BENCH / f'icount-{arch}.csv'
    rows = read_log(log)
    checks = Checks()
    if not rows:
        sys.exit('nothing was counted')
    write_csv(pathlib.Path(out), rows)
    if os.environ.get('RECORD'):
        write_csv(recorded, rows)
    check_recorded(rows, read_csv(recorded), checks)
    if not os.environ.get('CHECK'):
        check_targets(rows, checks)
    print(f'{checks.passed} passed, {checks.failed} failed')
    return checks.failed != 0


if __name__ == '__main__':
    sys.exit(main())
