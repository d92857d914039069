#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Find the rules that the kernel-doc and the pages give a driver, and what sees them.

A rule is a sentence that says what a driver must do, must not do, or has to hold. Each
one stands in tests/rules with what sees that it is broken, and this must be there:

    annotation TEXT     the declaration of the function has it
    misuse FILE CASE    a case of tests/misuse
    kunit SUITE.CASE    a KUnit case that breaks the rule, or shows that it cannot be
    message TEXT        what the library says, from the page about messages
    spatch RULE         a rule of scripts/coccinelle
    not seen: REASON    nothing sees it; goes to the page of what is not seen
    no rule: REASON     the sentence demands nothing that a driver could get wrong

An entry is a line "SYMBOL: beginning of the sentence", or "*: regular expression" for
the rules of many functions, with one of the lines above below it, or several.
"""
import argparse
import pathlib
import re
import sys

from misuse import Corpus, kunit_cases

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP / "scripts/coccinelle"))

from drm_safe_source import Source, kernel_doc  # pylint: disable=wrong-import-position

RULE = re.compile(
    r"\b(must|has to|have to|may not|[Nn]ot (?:under|from|inside of a)|only (?:from|under) |"
    r"[Cc]aller (?:holds|keeps|sees)|sees to it|(?:caller|driver|function|others?) holds? (?:no|none)|"
    r"(?:is|are) not to|do(?:es)? not (?:call|keep|take|use|mix|cast)|without any|"
    r"(?:is|are) not used|which the caller|[Ww]ithout (?:the|any|a)(?: object's)? reservation lock)\b")

# What only looks like one.
FACT = re.compile(r"[Ww]hether the caller holds|what (?:it|the step|the copy) has to|"
                  r"if nobody holds|that (?:it|they) ha(?:s|ve) to be of|where it has to, and$")

PAGES = ["dev-ctx.rst", "shmem.rst", "gpuvm.rst", "overview.rst", "rules.rst", "tutorial.rst"]


def sentences(text):
    """The sentences of a text, without line breaks."""
    for paragraph in re.split(r"\n\s*\n|\n(?=\s*(?:[-*#@]|[A-Z]\w+:)\s?)", text):
        flat = " ".join(paragraph.split())
        for sentence in re.split(r"(?<=[.;])\s+(?=[A-Z@&*`])", flat):
            yield sentence.strip(" *-#")


def page(path):
    """The text of a page without code and tables' options."""
    text = re.sub(r"::\n(?:\n|[ \t]+.*\n)+", ".\n\n", path.read_text(encoding="utf-8"))
    return re.sub(r"^\.\. .*\n(?:[ \t]+.*\n|\n(?=[ \t]))*", "", text, flags=re.M)


def is_rule(sentence):
    """True for a sentence that demands something."""
    return RULE.search(sentence) and not FACT.search(sentence)


def rules(top):
    """All rules: (what it is about, sentence)."""
    found = []
    for path in sorted([*top.glob("drm_*.h"), *top.glob("drm_*.c")]):
        for about, text in kernel_doc(path):
            if not about.startswith("__"):
                found += [(about, s) for s in sentences(text) if is_rule(s)]
    for name in PAGES:
        text = page(top / "Documentation" / name)
        if name == "rules.rst":
            # Each one of the list, and no other sentence.
            heads = re.findall(r"^#\. \*\*(.*?)\*\*", text, re.M | re.S)
            found += [(name, " ".join(head.split())) for head in heads]
        else:
            found += [(name, s) for s in sentences(text) if is_rule(s)]
    return list(dict.fromkeys(found))


class Entry:
    """A line of the table, and what sees it."""

    def __init__(self, about, text):
        self.about, self.text, self.sees, self.used = about, text, [], False

    def fits(self, about, sentence):
        """True if this is about that rule."""
        if self.about == "*":
            return bool(re.search(self.text, sentence))
        return self.about == about and sentence.startswith(self.text)


def table(path):
    """The entries of the table."""
    entries = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line[0] == "#":
            continue
        if line[0] == "\t":
            entries[-1].sees.append(line.strip())
        elif found := re.fullmatch(r"(\*|[^:]+): (.*)", line):
            entries.append(Entry(*found.groups()))
        else:
            sys.exit(f"{path}:{number}: neither an entry nor what sees it")
    return entries


class Evidence:
    """What there is to see a broken rule."""

    def __init__(self, top):
        self.top = top
        self.source = Source(top)
        self.cases = {(p.name, case) for p in (top / "tests/misuse").glob("*.c")
                      for case, *_ in Corpus(p).wrong}
        self.kunit = kunit_cases(top / "tests")
        self.messages = set(re.findall(r"``(.*?)``", (top / "Documentation/messages.rst")
                                       .read_text(encoding="utf-8")))

    def missing(self, about, how):
        """What is not there of one line, or nothing."""
        kind, _, what = how.partition(" ")
        if how.startswith(("not seen: ", "no rule: ")):
            return ""
        if kind == "annotation":
            return "" if self.source.annotated(about, what) else f"{about} has no {what}"
        if kind == "misuse":
            return "" if tuple(what.split()) in self.cases else f"no case {what} in tests/misuse"
        if kind == "kunit":
            return "" if what in self.kunit else f"no KUnit case {what}"
        if kind == "message":
            return "" if what in self.messages else f"no message '{what}'"
        if kind == "spatch":
            rule = self.top / "scripts/coccinelle" / f"{what}.cocci"
            return "" if rule.exists() else f"no rule {what}"
        return f"'{how}' is nothing that sees a rule"


def not_seen(found, entries):
    """The part of the page of what is not seen that is made from the table."""
    out = [".. SPDX-License-Identifier: GPL-2.0-only OR MIT",
           ".. Written by scripts/rules.py from tests/rules.", ""]
    for about, sentence in found:
        reasons = [how.partition(": ")[2] for e in entries if e.fits(about, sentence)
                   for how in e.sees if how.startswith("not seen: ")]
        if reasons:
            name = f":doc:`{about[:-4]}`" if about.endswith(".rst") else about
            out += [f"{name}", f"   *{re.sub(r'[*`&]', '', sentence.rstrip('.'))}.* {reasons[0]}", ""]
    return "\n".join(out)


def main():
    """Compare the rules with the table."""
    args = argparse.ArgumentParser(description=__doc__,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--list", action="store_true", help="print the rules that stand nowhere")
    args.add_argument("--write", action="store_true", help="write the page of what is not seen")
    args = args.parse_args()

    found, entries, evidence = rules(TOP), table(TOP / "tests/rules"), Evidence(TOP)
    bad = []
    for about, sentence in found:
        fitting = [e for e in entries if e.fits(about, sentence)]
        for entry in fitting:
            entry.used = True
        if args.list and not fitting:
            print(f"{about}: {sentence}")
        if not any(e.sees for e in fitting):
            bad.append(f"nothing is said to see this rule: {about}: {sentence}")
            continue
        # An entry for many functions needs one of its lines to be true, another one all.
        for entry in fitting:
            lacks = [lack for how in entry.sees if (lack := evidence.missing(about, how))]
            if entry.about == "*" and len(lacks) < len(entry.sees):
                continue
            bad += [f"{about}: {sentence[:60]}: {lack}" for lack in lacks]
    bad += [f"no rule begins so any more: {e.about}: {e.text}" for e in entries if not e.used]
    path, text = TOP / "Documentation/not-seen.txt", not_seen(found, entries)
    if args.write:
        path.write_text(text, encoding="utf-8")
    elif not path.exists() or path.read_text(encoding="utf-8") != text:
        bad.append(f"{path.name} is out of date: run scripts/rules.py --write")
    if not args.list:
        print("\n".join([*bad, f"{len(found)} rules, {len(bad)} problems"]))
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
