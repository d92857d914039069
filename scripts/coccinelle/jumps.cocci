// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// A goto or a case label leads past a variable that has a cleanup, into its scope.
// Misuse class 34. clang refuses such jumps, and gcc refuses them for the library's
// declarations. For other variables, gcc has -Wjump-misses-init. spatch sees a goto as an edge
// of its flow graph, around the skipped code, so this reads the text.
virtual report

@initialize:python@
@@
import re
from drm_safe_source import library
seen = set()
cleaned = re.compile("|".join([
    r'\b(\w+)\s+__(?:free|cleanup)\(', r'\b(?:CLASS|ACQUIRE)\(\s*\w+,\s*(\w+)\)', r'\b(s?guard)\(',
    *(rf'\b{macro}\((?:[^,()]*,)' + '\x7b%d\x7d' % at + r'\s*(\w+)' for macro, at in library().skipped().items())]))
token = re.compile(r'[\x7b\x7d]|\bgoto\s+(\w+)\s*;|(?:^|(?<=[;\x7b\x7d]))\s*(\w+)\s*:(?!:)|\bswitch\b|\bcase\b[^:;]*:|\bdefault\s*:|' +
                   cleaned.pattern, re.M)
# \x22 and \x27 are quotes. spatch would count quotes and braces in this code.
blank = re.compile(r"/\*.*?\*/|//[^\n]*|\x22(?:\\.|[^\x22\\\n])*\x22|\x27(?:\\.|[^\x27\\\n])*\x27"
                   r"|^#(?:\\\n|[^\n])*", re.S | re.M)

def line(text, at):
    return text.count("\n", 0, at) + 1

def say(name, number, what, v):
    print("%s:%s:1: ERROR: '%s' skips the initialisation of '%s' and runs its cleanup" %
          (name, number, what, v))

class Scope:
    def __init__(self, switch):
        self.vars, self.switch = [], switch

# Check one function: its gotos, and for each label the variables in the scopes around it.
def function(name, text, start, end):
    scopes, gotos, labels, switch = [], [], {}, False
    for m in token.finditer(text, start, end):
        at, word = m.start(), m[0].strip()
        if word == "\x7b":
            scopes.append(Scope(switch))
            switch = False
        elif word == "\x7d":
            scopes.pop()
        elif word == "switch":
            switch = True
        elif m[1]:
            gotos.append((at, m[1]))
        elif re.match(r'case\b|default\b', word):
            inner = [i for i, s in enumerate(scopes) if s.switch]
            for s in scopes[inner[-1]:] if inner else []:
                for _, v in s.vars:
                    say(name, line(text, at), word.rstrip(":"), v)
        elif m[2]:
            labels[m[2]] = (at, [v for s in scopes for v in s.vars])
        else:
            v = next(g for g in m.groups()[2:] if g)
            scopes[-1].vars.append((at, v))
    for at, l in gotos:
        where, known = labels.get(l, (0, []))
        for declared, v in known:
            if at < declared < where:
                say(name, line(text, at), "goto " + l, v)

def read(name):
    with open(name, errors="replace") as f:
        text = f.read()
    # Keep the length, so lines and places stay the same.
    text = blank.sub(lambda m: re.sub(r'[^\n]', ' ', m[0]), text)
    depth, start = 0, 0
    for m in re.finditer(r'[\x7b\x7d]', text):
        if m[0] == "\x7b":
            if not depth:
                start = m.start()
            depth += 1
        elif depth:
            depth -= 1
            if not depth:
                function(name, text, start, m.end())
    if depth:
        print("%s:%s:1: ERROR: the braces from here on do not match: nothing below is checked" %
              (name, line(text, start)))

@definition@
identifier f;
position p;
@@
 f@p(...) { ... }

@script:python depends on report@
p << definition.p;
@@
if p[0].file not in seen:
    seen.add(p[0].file)
    read(p[0].file)
