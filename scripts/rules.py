#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Find the rules for drivers in kernel-doc and on the pages, and check how they are enforced.

A rule is a sentence that says what a driver must do or must not do, a line about the
context of a call, or a clause about the arguments that a call accepts. tests/rules has an
entry for each rule, which names the thing that finds a driver that breaks the rule. This script
checks that this thing exists:

    annotation TEXT     annotation of the declaration of the function
    misuse FILE CASE    case of tests/misuse
    kunit SUITE.CASE    KUnit case that breaks the rule, or shows that it cannot be broken
    message TEXT        message of the library, from the page about messages; a KUnit case
                        must expect it if it is the name of a rule in a report
    spatch RULE         rule of scripts/coccinelle
    script FILE CHECK   check of a script in scripts/
    not seen: REASON    no tool sees it; not-seen.txt has the rule and the reason
    no rule: REASON     the sentence makes no demand that a driver could miss

An entry is a line "SYMBOL: beginning of the sentence", or "*: regular expression" for
the rules of many functions. One or more of the lines above follow it.
"""
import argparse
import pathlib
import re
import shutil
import sys
import tempfile

from misuse import Corpus, kunit_cases

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP / "scripts/coccinelle"))

from drm_safe_source import Source, kernel_doc  # pylint: disable=wrong-import-position

# A sentence is a rule if it has a modal or an imperative, or says what another party has to do.
# The pattern also finds facts. Their entries have "no rule".
RULE = re.compile(
    r"\b(must|shall|should|may (?:only|not)|ha(?:s|ve) to|needs? to|(?:is|are) (?:not )?to (?!it\b)|"
    r"[Nn]ot (?:under|from|in|inside|while|with|used|in use)|do(?:es)? not (?:call|keep|take|use|mix|cast)|"
    r"[Nn]either|[Oo]nly|[Nn]ever|keeps?|zeroed|[Cc]aller|[Oo]thers|other threads|probe function|"
    r"sees? to|[Nn]obody|[Ww]ithout (?:the|any|a|it))\b|"
    r"\b(?:driver|function)s? (?:keeps?|holds?|calls?|puts?|sees?|takes?|ends?|gives?|sets?|owns?|"
    r"releases?|states?|stops?|runs?|opens?|must|has|have)\b|"
    r"^(?:Do|Call|Take|Give|Use|Set|Put|Keep|Have|Release|Drop|Look|Pass|End|Jump|Allocate|Define|For)\b")

# A clause about an argument or a member that says which values are allowed
CLAUSE = re.compile(
    r"\b(zeroed|empty|constant|multiple|stays?|owned by|at least|is being bound|being bound|outlives?|"
    r"as long-lived|which the|in use|off the list|on the list|same|of the (?:driver's own|object's)|"
    r"locked|not|first|before|a reference)\b")

# Text without rules: results, invariants of the library, code, and headings
RESULTS = re.compile(r"^(?:Return|Invariants):.*?(?=^(?:Context|Return|[A-Z]\w+):|\Z)", re.M | re.S)
CODE = re.compile(r"^(?:\.\. code-block::.*|\.\. example:.*|.*::)\n(?:\s*\n|[ \t]+.*\n)+", re.M)
HEADING = re.compile(r"\A(?:(?:struct|union|enum|define) )?\w+(?:\(\))? - (?:.*\n)(?:\t.*\n)*")

PAGES = ["dev-ctx.rst", "shmem.rst", "gpuvm.rst", "overview.rst", "rules.rst", "tutorial.rst",
         "debugging.rst"]


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


def paragraphs(text):
    """The parts of a kernel-doc comment: "Context", "@name" or nothing, and the text."""
    text = CODE.sub("\n", RESULTS.sub("", HEADING.sub("", text)))
    for part in re.split(r"\n\s*\n|\n(?=\s*(?:[-*#] |@\S+:|[A-Z]\w+:\s))", text):
        part = " ".join(part.split()).strip(" *-#")
        found = re.match(r"(Context|@\S+?):\s*(.*)", part)
        yield found.groups() if found else ("", part)


def kernel_doc_rules(text):
    """Yield the demands of a kernel-doc comment: sentences, the context, clauses about
    arguments."""
    for about, part in paragraphs(text):
        if about:
            parts = re.split(r"(?<=[.;])\s+", part)
            yield from (f"{about}: {p.rstrip('.;')}" for p in parts
                        if p and (about == "Context" or RULE.search(p) or CLAUSE.search(p)))
        else:
            yield from (s for s in sentences(part) if RULE.search(s))


def rules(top):
    """Yield all rules: (symbol or page, sentence)."""
    found = []
    for path in sorted([*top.glob("drm_*.h"), *top.glob("drm_*.c")]):
        for about, text in kernel_doc(path):
            if not about.startswith("__"):
                found += [(about, s) for s in kernel_doc_rules(text)]
    for name in PAGES:
        text = page(top / "Documentation" / name)
        if name == "rules.rst":
            # On this page, only the heads of the numbered list are rules.
            heads = re.findall(r"^#\. \*\*(.*?)\*\*", text, re.M | re.S)
            found += [(name, " ".join(head.split())) for head in heads]
        else:
            found += [(name, s) for s in sentences(text) if RULE.search(s)]
    return list(dict.fromkeys(found))


class Entry:
    """An entry of the table, with the lines below it."""

    def __init__(self, about, text):
        self.about, self.text, self.sees, self.used = about, text, [], False

    def fits(self, about, sentence):
        """True if the entry is for the rule."""
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


# The name of a rule in a report of the library, and in an expectation of a test
REPORT = re.compile(r'\bdrm_safe_broken\((?:[^,"();]|\([^()]*\))+,\s*"([^"]+)"')
EXPECTED = re.compile(r"\b(?:EXPECT_(?:BROKEN|BROKEN_TIMES|REFUSED)|EDGE_REPORTED|expect_bad_shrinker|"
                      r"KUNIT_EXPECT_STREQ\(\w+, drm_safe_test_broken)\(([^;]*);")


def reported(top):
    """The rules that the library reports as broken."""
    return {name for path in top.glob("drm_*.[ch]")
            for name in REPORT.findall(path.read_text(encoding="utf-8"))}


def expected(top):
    """The strings that KUnit cases compare with the rule of a report."""
    return {name for path in (top / "tests").glob("drm_*.c")
            for text in EXPECTED.findall(path.read_text(encoding="utf-8"))
            for name in re.findall(r'"([^"]*)"', text)}


def unexpected(top, tests):
    """Rules in reports that no KUnit case breaks."""
    return [f"no KUnit case expects the report '{name}'"
            for name in sorted(reported(top) - expected(tests))]


class Evidence:
    """The things that can see a broken rule."""

    def __init__(self, top):
        self.top = top
        self.source = Source(top)
        self.cases = {(p.name, case) for p in (top / "tests/misuse").glob("*.c")
                      for case, level, *_ in Corpus(p).wrong if level != "N"}
        self.kunit = kunit_cases(top / "tests")
        self.unexpected = reported(top) - expected(top)
        self.messages = set(re.findall(r"``(.*?)``", (top / "Documentation/messages.rst")
                                       .read_text(encoding="utf-8")))

    def missing(self, about, how):
        """Return the thing that a line names and that does not exist, or an empty string."""
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
            if what in self.unexpected:
                return f"no KUnit case expects the message '{what}'"
            return "" if what in self.messages else f"no message '{what}'"
        if kind == "spatch":
            rule = self.top / "scripts/coccinelle" / f"{what}.cocci"
            return "" if rule.exists() else f"no rule {what}"
        if kind == "script":
            name, _, check = what.partition(" ")
            path = self.top / "scripts" / name
            there = path.exists() and f'check "{check}"' in path.read_text(encoding="utf-8")
            return "" if there else f"{name} has no check '{check}'"
        return f"'{how}' is nothing that sees a rule"


def not_seen(found, entries):
    """The text of not-seen.txt, from the table."""
    out = [".. SPDX-License-Identifier: GPL-2.0-only OR MIT",
           ".. Written by scripts/rules.py from tests/rules.", ""]
    for about, sentence in found:
        reasons = [how.partition(": ")[2] for e in entries if e.fits(about, sentence)
                   for how in e.sees if how.startswith("not seen: ")]
        if reasons:
            name = f":doc:`{about[:-4]}`" if about.endswith(".rst") else about
            out += [f"{name}", f"   *{re.sub(r'[*`&]', '', sentence.rstrip('.'))}.* {reasons[0]}", ""]
    return "\n".join(out)


def unseen(corpus):
    """The lists of cases that no tool sees, or no compiler."""
    files = [Corpus(path) for path in sorted(corpus.glob("*.c"))]
    lists = {"unseen.txt": [text for f in files for _, level, _, text in f.wrong if level == "N"],
             "unseen-compilers.txt": [text for f in files for _, text in f.checked]}
    return {name: "\n".join([".. SPDX-License-Identifier: GPL-2.0-only OR MIT",
                             ".. Written by scripts/rules.py from tests/misuse.", "",
                             *(f"- {text}" for text in texts), ""])
            for name, texts in lists.items()}


def problems(found, entries, evidence):
    """The problems of the rules and the table."""
    bad = []
    for about, sentence in found:
        fitting = [e for e in entries if e.fits(about, sentence)]
        for entry in fitting:
            entry.used = True
        if not any(e.sees for e in fitting):
            bad.append(f"no entry for this rule: {about}: {sentence}")
            continue
        bad += [f"{about}: {sentence[:60]}: {lack}" for entry in fitting for how in entry.sees
                if (lack := evidence.missing(about, how))]
    return bad + [f"no rule begins like this entry: {e.about}: {e.text}" for e in entries if not e.used]


# Each line has a rule without an entry.
PLANTED = {"drm_planted.h": """
/**
 * drm_planted() - do something
 * @p: where to do it; zeroed, and aligned to 64 bytes
 * @q: how to do it
 *
 * The driver keeps @p until drm_planted_end() returns.
 * Others may not use @p.
 * A planted rule must be seen by all that its entry names.
 *
 * Context: From the interrupt handler of the device.
 *
 * Return: 0
 */
struct drm_planted {
	/**
	 * @member: where to do it
	 *
	 * Put this in the release step.
	 */
	void *member;
};
#define drm_planted(drm) drm_safe_broken(&(drm)->base, "a planted rule", "it is broken")
""", "Documentation/shmem.rst": "\nA planted page has to be read from the end.\n"}
PLANTED_ENTRIES = """
drm_planted: Nothing begins so.
	no rule: planted
drm_shmem_pin: Context: May sleep
	kunit drm_planted.missing
*: ^A planted rule must be seen
	spatch atomic
	message planted and never said
"""


def self_test(top):
    """List the planted rules and entries that the check does not find."""
    with tempfile.TemporaryDirectory() as tmp:
        tmp = pathlib.Path(tmp)
        shutil.copytree(top / "Documentation", tmp / "Documentation")
        for path in top.glob("drm_*.[ch]"):
            shutil.copy(path, tmp)
        for name, text in PLANTED.items():
            with open(tmp / name, "a", encoding="utf-8") as out:
                out.write(text)
        planted = tmp / "rules"
        planted.write_text((top / "tests/rules").read_text(encoding="utf-8") + PLANTED_ENTRIES,
                           encoding="utf-8")
        bad = "\n".join([*problems(rules(tmp), table(planted), Evidence(top)), *unexpected(tmp, top)])
    return [f"not found: {text}" for text in (
        "drm_planted: @p: zeroed", "drm_planted: The driver keeps @p",
        "drm_planted: Others may not use @p", "drm_planted: Context: From the interrupt",
        "@member: Put this", "shmem.rst: A planted page", "begins like this entry: drm_planted: Nothing",
        "no KUnit case drm_planted.missing", "no message 'planted and never said'", "expects the report 'a planted rule'") if text not in bad]


def main():
    """Compare the rules with the table."""
    args = argparse.ArgumentParser(description=__doc__,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--list", action="store_true", help="print the rules without an entry")
    args.add_argument("--write", action="store_true", help="write the lists of unseen mistakes")
    args = args.parse_args()

    found, entries = rules(TOP), table(TOP / "tests/rules")
    if args.list:
        print("\n".join(f"{about}: {sentence}" for about, sentence in found
                        if not any(e.fits(about, sentence) for e in entries)))
        return 0
    bad = problems(found, entries, Evidence(TOP)) + unexpected(TOP, TOP) + self_test(TOP)
    bad += [f"there is nothing to check: no {what}" for what, there in (
        ("rules", found), ("entries", entries), ("reports", reported(TOP))) if not there]
    pages = {"not-seen.txt": not_seen(found, entries), **unseen(TOP / "tests/misuse")}
    for path, text in ((TOP / "Documentation" / name, text) for name, text in pages.items()):
        if args.write:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            bad.append(f"{path.name} is out of date: run scripts/rules.py --write")
        if "- " not in text and "*" not in text:
            bad.append(f"{path.name} has nothing in it")
    print("\n".join([*bad, f"{len(found)} rules, {len(bad)} problems"]))
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
