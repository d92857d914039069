#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Compare the cost of the kernel's Rust abstractions, the raw helpers and the library.

icount-rust.py LOG OUT: LOG is the kernel's log of make bench-icount RUST=1. Prints a table of
instructions, and writes it to OUT as reStructuredText. Prints the rows in which Rust takes fewer
instructions than the library, by more than one percent or two instructions.

Each row of the library is a check. It fails if Rust takes fewer instructions, or has no row, and
tests/bench/rust.rows gives no reason. A reason that no row needs fails, too.
"""

import os
import pathlib
import sys

from icount import BENCH, Checks, read_log, read_third, with_n


def read_reasons():
    """{(work, 'none' or 'fewer'): why}"""
    reasons = {}
    for line in (BENCH / 'rust.rows').read_text().splitlines():
        if not line.startswith('#'):
            work, what, why = (field.strip() for field in line.split(';', 2))
            if what not in ('none', 'fewer') or not why:
                sys.exit(f'rust.rows: {line}')
            reasons[work, what] = why
    return reasons


def fewer(rust, safe):
    return rust < safe - max(safe / 100, 2)


def costs(rust, row):
    return f'{rust["cost"]:.1f} in Rust, {row["safe"]:.1f} here'


def show(rows, third, reasons):
    print(f'{"":46}{"raw":>12}{"Rust":>12}{"safe":>12}')
    for key, row in rows.items():
        rust = third.get(key)
        cost = f'{rust["cost"]:12.1f}' if rust else f'{"-":>12}'
        note = '' if rust else f'  {reasons.get((key[0], "none"), "")}'
        if rust and fewer(rust['cost'], row['safe']):
            note = '  fewer in Rust'
        print(f'{with_n(*key):46}{row["raw"]:12.1f}{cost}{row["safe"]:12.1f}{note}')


def write_table(path, rows, third):
    with path.open('w') as file:
        file.write('.. SPDX-License-Identifier: GPL-2.0-only OR MIT\n'
                   f'.. Written by make bench-icount RUST=1, with {os.environ.get("MADE", "?")}\n\n'
                   '.. csv-table:: Instructions, with Rust\n'
                   '   :header: Work,N,Raw,Rust,Safe,"Raw, later","Rust, later","Safe, later"\n'
                   '   :widths: 34 10 12 12 12 10 10 10\n\n')
        for (work, n), row in rows.items():
            rust = third.get((work, n))
            cost, later = (f'{rust[key]:.1f}' if rust else '' for key in ('cost', 'later'))
            file.write(f'   "{work}",{n or ""},{row["raw"]:.1f},{cost},{row["safe"]:.1f},'
                       f'{row["raw later"]:.1f},{later},{row["safe later"]:.1f}\n')


def main():
    log, out = sys.argv[1:]
    rows, third, reasons, checks = read_log(log), read_third(log), read_reasons(), Checks()
    if not rows or not third:
        sys.exit('nothing was counted')
    show(rows, third, reasons)
    write_table(pathlib.Path(out), rows, third)
    needed = set()
    for key, row in rows.items():
        if key not in third:
            needed.add((key[0], 'none'))
            why = reasons.get((key[0], 'none'))
            checks.check(with_n(*key), why, why or 'not in Rust, and rust.rows has no reason')
        elif fewer(third[key]['cost'], row['safe']):
            needed.add((key[0], 'fewer'))
            why = reasons.get((key[0], 'fewer'))
            checks.check(with_n(*key), why,
                         f'{costs(third[key], row)}: {why or "rust.rows has no reason"}')
        else:
            checks.check(with_n(*key), True, costs(third[key], row))
    for key in third.keys() - rows.keys():
        checks.check(with_n(*key), False, 'only Rust has this row')
    if not os.environ.get('FILTER') and not os.environ.get('CHECK'):
        for work, what in reasons.keys() - needed:
            checks.check(work, False, f'rust.rows has a reason for "{what}", which no row needs')
    print(f'{checks.passed} passed, {checks.failed} failed, {checks.skipped} skipped')
    return checks.failed != 0


if __name__ == '__main__':
    sys.exit(main())
