#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Compare the instruction counts of a benchmark with targets and with a record.

icount.py ARCH LOG OUT: LOG is the kernel's log of a boot in which a nanosecond is an instruction.
The rows go to OUT. Each row is compared with the record in tests/bench/icount-ARCH.csv, and fails
if it costs more, by more than one percent or two instructions. Deferred work comes in batches, so
it fails only if it costs more by more than a quarter or twenty instructions. An architecture
without a record fails. MADE names the compiler and the kernel. If they differ from the record's,
nothing is compared with the record. Without CHECK=1, each target of tests/bench/icount.targets is
a check, too. N is the largest number of objects for which rows were counted. FILTER means that
only some suites have run.

With RECORD=1, a row that is worse than the record is printed, but does not fail. The rows become
the new record.

icount.py --may-record ARCH: check that N, FILTER and CHECK leave out no recorded row.
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


def read_third(path):
    """{(work, n): cost, and deferred cost} of the third side, in instructions."""
    text = pathlib.Path(path).read_text(errors='replace')
    return {(work, int(n)): {'cost': int(cost) / 1000, 'later': int(later) / 1000}
            for work, n, cost, later in re.findall(r'# \w+: third,(.*?),(\d+),(\d+),(\d+)\s*$', text,
                                                   re.MULTILINE)}


def read_csv(path):
    """The same from a file that write_csv() wrote."""
    if not path.exists():
        return {}
    with path.open(newline='') as file:
        lines = (line for line in file if not line.startswith('#'))
        return {(row['work'], int(row['n'])): {key: float(row[key]) for key in FIELDS[2:]}
                for row in csv.DictReader(lines)}


def made_with(path):
    """The compiler and the kernel of a record, or None."""
    found = re.search('^# with (.*)$', path.read_text(), re.MULTILINE) if path.exists() else None
    return found and found[1]


def write_csv(path, rows):
    with path.open('w', newline='') as file:
        file.write('# SPDX-License-Identifier: GPL-2.0-only OR MIT\n')
        if 'MADE' in os.environ:
            file.write(f'# with {os.environ["MADE"]}\n')
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow(FIELDS)
        for (work, n), row in rows.items():
            writer.writerow([work, n] + [f'{row[key]:.2f}' for key in FIELDS[2:]])


def read_targets(arch):
    """[(work, for all N, factor, summand, whether deferred work counts)]"""
    targets = {}
    for line in (BENCH / 'icount.targets').read_text().splitlines():
        if line.startswith('#'):
            continue
        work, n, limit, *only = (field.strip() for field in line.split(';'))
        found = re.fullmatch(r'raw(?: ([*+]) ([0-9.]+))?( and later)?', limit)
        if not found or len(only) > 1:
            sys.exit(f'icount.targets: {line}')
        # A line for one architecture follows the line for all, and replaces it.
        if only and only != [arch]:
            continue
        sign, number, later = found.groups()
        targets[work, n == 'N'] = (float(number) if sign == '*' else 1,
                                   float(number) if sign == '+' else 0, bool(later))
    return [key + limit for key, limit in targets.items()]


def with_n(work, n):
    return f'{work}, N = {n}' if n else work


class Checks:
    failed = passed = skipped = 0

    def check(self, name, good, text):
        print(f'{"ok" if good else "FAILED"}: {name}: {text}')
        self.passed += bool(good)
        self.failed += not good


def limit_n():
    return int(os.environ.get('N') or sys.maxsize)


def compare(row, was):
    """Return two texts: the costs of a row that are higher than recorded, or an empty string; and
    its cost."""
    limits = {'safe': was['safe'] + max(was['safe'] / 100, 2),
              'safe later': was['safe later'] + max(was['safe later'] / 4, 20)}
    worse = [f'{key} {row[key]:.2f}, recorded {was[key]:.2f}'
             for key, limit in limits.items() if row[key] > limit]
    return '; '.join(worse), f'{row["safe"]:.2f}, recorded {was["safe"]:.2f}'


def check_recorded(rows, recorded, checks):
    """Check each recorded row. Fail if no row is recorded or compared."""
    compared = 0
    for key, was in recorded.items():
        row = rows.get(key)
        if key[1] > limit_n() or not row and os.environ.get('FILTER'):
            continue
        if not row:
            checks.check(with_n(*key), False, 'the row is gone')
            continue
        compared += 1
        worse, text = compare(row, was)
        checks.check(with_n(*key) + ', as recorded', not worse, worse or text)
    if not recorded:
        checks.check('rows', False, 'nothing is recorded')
    elif not compared:
        checks.check('rows', False, 'nothing is compared')


def show_worse(rows, recorded):
    """Show the rows that are worse than the record, before a new record hides this."""
    count = 0
    for key, was in recorded.items():
        worse = compare(rows[key], was)[0] if key in rows else 'the row is gone'
        if worse:
            count += 1
            print(f'worse: {with_n(*key)}: {worse}')
    print(f'{count} rows are worse than those that are replaced' if recorded else
          'nothing was recorded before')


def may_record(arch):
    """Return the reason for which the counted rows cannot be the record, or None."""
    if os.environ.get('CHECK'):
        return 'CHECK=1 compares with the record, and leaves rows out'
    if os.environ.get('FILTER'):
        return 'FILTER leaves rows out'
    most = max((n for _, n in read_csv(BENCH / f'icount-{arch}.csv')), default=0)
    if limit_n() < most:
        return f'N={limit_n()} leaves rows out that are recorded, up to N={most}'
    return None


def check_targets(arch, rows, checks):
    left = set(rows)
    for work, all_n, factor, summand, later in read_targets(arch):
        keys = [key for key in rows if key[0] == work and bool(key[1]) == all_n]
        if not keys and not os.environ.get('FILTER'):
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
    """Print lines for a plot. Of the rows for several numbers of objects, use the largest
    number."""
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
    """Print the recorded figures, in a table for each architecture."""
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
    if sys.argv[1:2] == ['--may-record']:
        return may_record(sys.argv[2])
    arch, log, out = sys.argv[1:]
    file = BENCH / f'icount-{arch}.csv'
    recorded = read_csv(file)
    rows = read_log(log)
    checks = Checks()
    if not rows:
        sys.exit('nothing was counted')
    write_csv(pathlib.Path(out), rows)
    if os.environ.get('RECORD'):
        if why := may_record(arch):
            sys.exit(why)
        show_worse(rows, recorded)
        write_csv(file, rows)
    elif os.environ.get('MADE', made_with(file)) != made_with(file) and recorded:
        print(f'skipped: the record is of {made_with(file)}, and this is {os.environ["MADE"]}')
        checks.skipped += 1
    else:
        check_recorded(rows, recorded, checks)
    if not os.environ.get('CHECK'):
        check_targets(arch, rows, checks)
    print(f'{checks.passed} passed, {checks.failed} failed, {checks.skipped} skipped')
    return checks.failed != 0


if __name__ == '__main__':
    sys.exit(main())
