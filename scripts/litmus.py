#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Run tests/litmus in the kernel's memory model, and compare them with the library.

Each test names an outcome that must not happen. The script then removes each barrier, and each lock
of a process, one at a time, or splits an exchange into a load and a store. The outcome must then
become possible, or two accesses must race. A barrier is not needed if its removal changes nothing.

A line "P0: name()" in the comment of a test names the functions that the process stands for. A
comment in front of or in each of these functions names the test, as name.litmus. Each function of
the library that has a barrier must be one of them. The script compares the two lists. If a process
exchanges a variable, its functions must exchange it, too. If a process loads a variable with
READ_ONCE(), its functions must read it with a marked access.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent
TESTS = TOP / 'tests/litmus'

# Calls that order other accesses. Locks are left out, because their tests name them.
BARRIER = re.compile(r'''\b(?:
    smp_(?!processor)\w+ |
    refcount_(?:set_release|inc_not_zero_acquire|(?:dec|sub)\w*) |
    kref_put\w* |
    atomic\w*_(?:acquire|release) |
    atomic\w*_(?:\w+_return|fetch_\w+|\w+_and_test|xchg|cmpxchg)\w* |
    (?:try_)?(?:cmp)?xchg(?:_acquire|_release)? |
    rcu_assign_pointer | rcu_dereference\w* | synchronize_(?!irq)\w+ |
    list_empty_careful | guard\(rcu\)
    )(?<!_relaxed)\s*\(''', re.VERBOSE)

# Barriers of tests, and their replacements without an order. drm_safe.def has macros with _relaxed.
WEAKER = [
    (r'smp_store_release\((\w+), ', r'WRITE_ONCE(*\1, '),
    (r'smp_load_acquire\((\w+)\)', r'READ_ONCE(*\1)'),
    (r'atomic_read_acquire\(', 'atomic_read('),
    (r'atomic_set_release\(', 'atomic_set('),
    (r'\b(atomic_(?:dec_return|fetch_or))\(', r'\1_relaxed('),
    (r'refcount_set_release\(', 'refcount_set('),
    (r'refcount_inc_not_zero_acquire\(', 'refcount_inc_not_zero('),
    (r'(refcount_dec(?:_not_one|_if_one|_test)?)\(', r'\1_relaxed('),
    (r'\b((?:atomic_)?(?:cmp)?xchg)(?:_acquire|_release)?\(', r'\1_relaxed('),
    (r'\bsmp_(?:mb|rmb|wmb|acquire__after_ctrl_dep)\(\);', ''),
    (r'\bsynchronize_s?rcu\(\w*\);', ''),
]
# An exchange without an order is still atomic. This splits it into two accesses.
SPLIT = (r'(\w+) = xchg_relaxed\((\w+), (\w+)\);',
         r'\1 = READ_ONCE(*\2); WRITE_ONCE(*\2, \3);')
EXCHANGE = re.compile(r'\bxchg_relaxed\(')
# A load in a test, up to the variable, and a marked access in the library
LOAD = re.compile(r'\bREAD_ONCE\(\*(\w+)\)')
MARKED = re.compile(r'\b(?:READ_ONCE|WRITE_ONCE|data_race|smp_\w+|\w*xchg\w*)\((?:[^()]|\([^()]*\))*$')
# Barriers of tests that WEAKER does not have
UNKNOWN = re.compile(r'\b\w+_(?:acquire|release)\(|\bsmp_\w+\(')

# Barriers of tests that have another name in the library. None is for a barrier in the kernel.
SAME = {
    'refcount_dec_test': ['refcount_dec_and_test', 'kref_put'],
    'smp_acquire__after_ctrl_dep': ['smp_acquire__after_ctrl_dep', 'refcount_dec_and_test',
                                    'kref_put'],
    'cmpxchg_acquire': ['try_cmpxchg_acquire'],
    'atomic_cmpxchg_acquire': ['refcount_inc_not_zero_acquire'],
    'refcount_dec': ['refcount_dec', 'refcount_dec_and_test'],
    'smp_load_acquire': ['smp_load_acquire', 'refcount_inc_not_zero_acquire'],
    'synchronize_srcu': ['drm_dev_ctx_unplug_again'],
    'synchronize_rcu': None,
}
# Barriers of the library that a test must have. A put is always a release, so a test need not have
# it.
MODELLED = re.compile(r'\b(?:smp_\w+|\w+_(?:acquire|release))(?=\()')


class Counts:
    passed = failed = 0

    def __init__(self, quiet=False):
        self.quiet = quiet

    def check(self, name, problem):
        if self.quiet:
            self.failed += bool(problem)
            return
        if problem:
            self.failed += 1
            print(f'{problem}\nFAILED: {name}')
        else:
            self.passed += 1
            print(f'ok: {name}')


def body_start(text):
    """Return the start of a test's code, after its comment."""
    return text.index('*)') + 2


def weakened(text):
    """Yield (removed text, remaining test) for each barrier and each lock of a process."""
    start = body_start(text)
    for pattern, weaker in [*WEAKER, SPLIT]:
        for match in re.finditer(pattern, text[start:]):
            line = text.count('\n', 0, start + match.start()) + 1
            yield (f'line {line}: {match.group(0).rstrip(", ")}',
                   text[:start + match.start()] + match.expand(weaker) +
                   text[start + match.end():])
    for process in re.finditer(r'^P\d\(.*?^\}', text, re.MULTILINE | re.DOTALL):
        code = process.group(0)
        for lock in sorted(set(re.findall(r'spin_lock\((\w+)\)', code))):
            without = re.sub(rf'\bspin_(?:un)?lock\({lock}\);', '', code)
            yield (f'{code[:2]}: {lock}',
                   text[:process.start()] + without + text[process.end():])
        if 'rcu_read_lock()' in code:
            without = re.sub(r'\bs?rcu_read_(?:un)?lock\(\);', '', code)
            yield (f'{code[:2]}: rcu_read_lock()',
                   text[:process.start()] + without + text[process.end():])


def unknown_barriers(text):
    """Return the barriers of a test that no row of WEAKER removes."""
    code = text[body_start(text):]
    for pattern, _ in WEAKER:
        code = re.sub(pattern, '', code)
    return UNKNOWN.findall(code)


def result_of(output):
    """Return Never, Sometimes or Always, or a race, or herd7's message."""
    if re.search(r'^Flag ', output, re.MULTILINE):
        return 'Race'
    found = re.search(r'^Observation \S+ (\w+)', output, re.MULTILINE)
    return found.group(1) if found else output or 'herd7 said nothing'


def run_all(args, texts):
    """Return the results of all tests. Run herd7 only once, because its start takes longest."""
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        (directory / 'all.def').write_text((args.model / 'linux-kernel.def').read_text() +
                                           (TESTS / 'drm_safe.def').read_text())
        files = [directory / f'{i}.litmus' for i in range(len(texts))]
        for i, (file, text) in enumerate(zip(files, texts)):
            file.write_text(re.sub(r'^C .*', f'C test{i}', text, count=1))
        done = subprocess.run([args.herd, '-set-libdir', args.libdir, '-I', args.model,
                               '-conf', 'linux-kernel.cfg', '-macros', directory / 'all.def',
                               *files], capture_output=True, text=True, check=False)
    outputs = dict(re.findall(r'^Test test(\d+) (.*?^Hash=)', done.stdout,
                              re.MULTILINE | re.DOTALL))
    return [result_of(outputs.get(str(i), done.stderr)) for i in range(len(texts))]


def run_tests(args, tests, counts):
    """Run each test, with all barriers and without each of them."""
    cases = []
    for name, text in tests.items():
        without = list(weakened(text))
        counts.check(f'{name}: each barrier is known', not without and 'there is none' or
                     ' '.join(unknown_barriers(text)))
        cases.append((f'{name}: never', text, ['Never']))
        cases += [(f'{name}: possible without {what}', weaker, ['Sometimes', 'Always', 'Race'])
                  for what, weaker in without]
    for (name, _, wanted), result in zip(cases, run_all(args, [case[1] for case in cases])):
        counts.check(name, result not in wanted and result)


def processes_of(text):
    """Yield (functions, code) for each process of a test."""
    comment, code = text[:body_start(text)], text[body_start(text):]
    for name, line in re.findall(r'^ \* (P\d): (.*(?:\n \* {5}.*)*)', comment, re.MULTILINE):
        process = re.search(rf'^{name}\(.*?^\}}', code, re.MULTILINE | re.DOTALL)
        yield ({function for function in re.findall(r'(\w+)\(\)', line) if 'drm_' in function},
               process.group(0) if process else '')


def functions_of_tests(tests):
    """{(function, test)} of the comments of the tests."""
    return {(function, name) for name, text in tests.items()
            for functions, _ in processes_of(text) for function in functions}


def functions_of(text):
    """(name, comment in front and text) of each function of a file."""
    pattern = re.compile(r'(?P<comment>/\*(?:(?!\*/).)*\*/\n)?'
                         r'(?P<head>^(?!#|typedef|\s|/\*)[^\n;{}=]*?(?P<name>\w+)\('
                         r'(?:(?!^\}|^#define)[^;{}])*)\n\{\n(?P<body>.*?)^\}',
                         re.MULTILINE | re.DOTALL)
    for match in pattern.finditer(text):
        yield match['name'], (match['comment'] or '') + match['body'], match['body']


def without_comments(text):
    return re.sub(r'/\*.*?\*/', '', text, flags=re.DOTALL)


def functions_of_library(files):
    """({(function, test)}, functions with a barrier, {function: code}) of the library's files."""
    pairs, barriers, known = set(), set(), {}
    for file in files:
        for name, text, body in functions_of(file):
            known[name] = known.get(name, '') + without_comments(body)
            pairs |= {(name, test) for test in re.findall(r'([a-z-]+)\.litmus', text)}
            if BARRIER.search(without_comments(body)):
                barriers.add(name)
    return pairs, barriers, known


def barriers_of(code):
    """Return the names of a process's barriers."""
    return {match.group(0).split('(')[0] for pattern, _ in WEAKER
            for match in re.finditer(pattern, code)}


def compare_barriers(tests, known, counts):
    """Check that the library and the tests have the same barriers."""
    modelled = {}
    for name, text in tests.items():
        for functions, code in processes_of(text):
            bodies = ''.join(known.get(function, '') for function in functions)
            for barrier in sorted(barriers_of(code)):
                wanted = SAME.get(barrier, [barrier])
                if wanted is None:
                    continue
                counts.check(f'{name}: {barrier}() is in {", ".join(sorted(functions))}',
                             not any(re.search(rf'\b{one}\(', bodies) for one in wanted) and
                             f'there is no {" or ".join(wanted)}')
                for function in functions:
                    modelled.setdefault(function, set()).update(wanted)
    for function, body in sorted(known.items()):
        for barrier in sorted(set(MODELLED.findall(body)) - {'lock_map_acquire', 'lock_map_release'}):
            if not BARRIER.search(barrier + '('):
                continue
            counts.check(f'{barrier}() of {function}() is in a test',
                         barrier not in modelled.get(function, set()) and 'it is in none')


def calls(body, functions):
    """Return the functions of @functions that a body calls."""
    return {function for function in functions if re.search(rf'\b{function}\(', body)}


def exchanges(function, functions, known):
    """Check whether a function exchanges, or one of its callers, or a function that these call, up
    to two calls away."""
    near = {function} | {caller for caller in functions if calls(known.get(caller, ''), [function])}
    for _ in range(2):
        near = near.union(*(calls(known.get(one, ''), known) for one in near))
    return any(EXCHANGE.search(known.get(one, '')) for one in near)


def accesses(body, variable):
    """Return the text in front of each access to a member of that name, in its statement."""
    return [re.split(r'[;{}]', body[:match.start()])[-1]
            for match in re.finditer(rf'(?<=[\w\])])(?:->|\.)__{variable}\b', body)]


def compare_accesses(tests, known, counts):
    """Check that the library exchanges where the tests do, and that its reads are marked."""
    for name, text in tests.items():
        for functions, code in processes_of(text):
            for function in sorted(functions & known.keys()):
                if EXCHANGE.search(code):
                    counts.check(f'{name}: {function}() exchanges',
                                 not exchanges(function, functions, known) and
                                 'it has no xchg_relaxed()')
                if 'spin_lock(' in code:
                    continue
                for variable in sorted(set(LOAD.findall(code))):
                    found = accesses(known[function], variable)
                    if found:
                        counts.check(f'{name}: {function}() reads __{variable} marked',
                                     not all(map(MARKED.search, found)) and 'one is plain')


def compare(tests, files, counts):
    in_tests = functions_of_tests(tests)
    in_library, barriers, known = functions_of_library(files)
    for function in sorted(barriers):
        counts.check(f'{function}() names a test',
                     not any(f == function for f, _ in in_library) and
                     'it has a barrier, and no comment that names NAME.litmus')
    for function, test in sorted(in_tests | in_library):
        problem = None
        if test not in tests:
            problem = f'{function}() names a test that is not there'
        elif function not in known:
            problem = f'{test}.litmus names a function that is not there'
        elif (function, test) not in in_tests:
            problem = f'{test}.litmus does not name {function}()'
        elif (function, test) not in in_library:
            problem = f'no comment of {function}() names {test}.litmus'
        counts.check(f'{function}() and {test}.litmus', problem)
    compare_barriers(tests, known, counts)
    compare_accesses(tests, known, counts)


def plants(tests, files):
    """Yield (name, tests, files) with a fault that the comparison must find."""
    def tests_with(old, new):
        return {name: text.replace(old, new) for name, text in tests.items()}

    def files_with(old, new):
        return [text.replace(old, new) for text in files]

    yield 'a test that names one function less', tests_with(' * P0: drm_vmap_first_locked()\n', ''), files
    yield ('a test that names a function that is not there',
           tests_with('drm_vmap_first_locked()', 'drm_vmap_first()'), files)
    yield ('a test that is not there',
           {name: text for name, text in tests.items() if name != 'vm-owner'}, files)
    yield 'a function that names another test', tests, files_with('vm-owner.litmus', 'vm-put.litmus')
    yield 'a function that names no test', tests, files_with('see vmap-last.litmus', 'or so')
    yield ('a release that the library has no more', tests,
           files_with('smp_store_release(&vm->owner, NULL)', 'WRITE_ONCE(vm->owner, NULL)'))
    yield ('an acquire that no test has', tests,
           files_with('READ_ONCE(async->__ctx->__phase', 'smp_load_acquire(&async->__ctx->__phase'))
    yield ('an exchange that the library has no more', tests,
           files_with('return !xchg_relaxed(&own->__suspended, 1)', 'return !READ_ONCE(own->__suspended)'))
    yield ('a read that is not marked', tests,
           files_with('return READ_ONCE(table->__sgt);', 'return table->__sgt;'))


def find_plants(tests, files, counts):
    for what, planted_tests, planted_files in plants(tests, files):
        planted = Counts(quiet=True)
        compare(planted_tests, planted_files, planted)
        counts.check(f'the comparison finds {what}',
                     (planted_tests, planted_files) == (tests, files) and 'nothing was changed' or
                     not planted.failed and 'nothing was found')


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('--herd', required=True)
    parser.add_argument('--libdir', required=True)
    parser.add_argument('--model', required=True, type=pathlib.Path)
    args = parser.parse_args()
    counts = Counts()
    tests = {file.stem: file.read_text() for file in sorted(TESTS.glob('*.litmus'))}

    run_tests(args, tests, counts)
    files = [file.read_text() for file in sorted(TOP.glob('drm_*.[ch]'))]
    compare(tests, files, counts)
    find_plants(tests, files, counts)
    print(f'{counts.passed} passed, {counts.failed} failed')
    return counts.failed != 0


if __name__ == '__main__':
    sys.exit(main())
