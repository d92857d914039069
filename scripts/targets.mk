# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# The targets for people. Each target is a script of its own. make passes it the
# variables from its command line.

KCONFIG ?= release debug
SUITE ?= bookworm

help: ## list the targets
	@echo "make TARGET [VARIABLE=value]; downloads and builds go to DRM_SAFE_CACHE (~/.cache/drm_safe)."
	@echo
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1|\2/p' scripts/targets.mk | \
		while IFS='|' read -r target text; do printf '  %-16s %s\n' "$$target" "$$text"; done

kernel: ## fetch a kernel source and build the UML kernels [KVER=7.3|7.2, or KSRC=<tree>]
	@scripts/kernel.sh

kunit: ## run the KUnit suites under UML [FILTER='glob'] [KCONFIG=release|debug] [LLVM=-19], or in QEMU [ARCH=arm64 PAGES=64K RT=1 SMP=0] [RECORD=1]
	@RECORD="$(RECORD)" $(if $(ARCH),scripts/kunit-arch.sh $(ARCH),scripts/kunit.sh $(KCONFIG))

check-arch: ## run the suites on each architecture and page size, with PREEMPT_RT, and without SMP [ONLY='arm64-64K ...'] [RECORD=1]
	@RECORD="$(RECORD)" scripts/kunit-arch.sh $(or $(ONLY),all)

kunit-modules: ## run the suites as modules and scan for leaks [FILTER='glob']
	@scripts/kunit-modules.sh

matrix: ## compile the library and run the suites on each kernel that Debian has, and on KSRC [ONLY='<package> ...'] [DOCS=1]
	@DOCS="$(DOCS)" ONLY="$(ONLY)" scripts/matrix.sh

demo: ## copy a file through the sample driver with its client [INPUT=<file>]
	@scripts/demo.sh

vm: ## run the sample driver on Debian's own kernel in QEMU: 64- and 32-bit clients, libdrm's programs, IGT, Mesa
	@scripts/vm.sh

vgpu: ## run the sample driver with a display, and the kernel's own driver, on Debian's kernel in QEMU [DRIVERS=] [STEPS=] [ROUNDS=1000]
	@scripts/vgpu.sh

edu: ## run the sample driver for QEMU's edu device on Debian's kernel in QEMU [STEPS=] [ROUNDS=20]
	@scripts/edu.sh

igt: ## run the tests for all DRM drivers (IGT, from Debian) on the sample driver, with KASAN and kmemleak
	@scripts/igt.sh

modules: ## build the external modules [KDIR=<configured kernel>] [CC=] [LLVM=] [DEBUG=1]
	@scripts/modules.sh

try: ## build a driver outside the kernel tree with the library, load and unload it in a guest [DIR=<driver>] [KO='<file.ko>...'] [CLIENT=<file.c or program>] [DEBUG=1]
	@DIR="$(DIR)" KO="$(KO)" CLIENT="$(CLIENT)" DEBUG="$(DEBUG)" scripts/try.sh

install-tree: ## copy this directory into a kernel tree [TREE=<dir>]
	@scripts/tree.sh install "$(TREE)"

uninstall-tree: ## remove this directory from a kernel tree [TREE=<dir>]
	@scripts/tree.sh uninstall "$(TREE)"

series: ## make a series of kernel patches [TREE=<git work tree>] [CHECK=1] [ONLY='<patch>...'] [STEPS=...] [FROM=<patch>]
	@CHECK="$(CHECK)" ONLY="$(ONLY)" STEPS="$(STEPS)" FROM="$(FROM)" KCONFIG="$(KCONFIG)" scripts/series.sh "$(TREE)"

core-patches: ## apply the proposed changes of the DRM core, and compile the library with them [RUN=1: run the KUnit suites, for KVER]
	@scripts/core-patches.sh $(if $(RUN),run)

upstream-bugs: ## test a kernel for the known faults of the DRM core [KVER=7.3|7.2, or KSRC=<tree>]
	@scripts/upstream.sh

style: ## run checkpatch and kernel-doc, and check SPDX tags and the like
	@scripts/style.sh

checkers: ## test that each checker fails if it has nothing to check
	@scripts/checkers.sh

w1: ## compile with W=1 and warnings as errors, gcc and clang, all supported kernels [DIR=<driver>]
	@DIR="$(DIR)" scripts/w1.sh

sparse: ## run sparse on the library, its tests and its sample [DIR=<driver>]
	@DIR="$(DIR)" scripts/sparse.sh

context-analysis: ## check locks, sections and allocations with clang 23, in a root of Debian sid [DIR=<driver>]
	@DIR="$(DIR)" scripts/context-analysis.sh

misuse: ## compile wrong code, which gcc, clang or a checker must refuse [DIR=<driver>] [ONLY=<part of a name>] [LOG=<output of make kunit>]
	@DIR="$(DIR)" ONLY="$(ONLY)" scripts/misuse.sh

signalling: ## test what the check of the fence signalling path accepts and refuses
	@scripts/signalling.sh

prove: ## prove limits of mappings and the arithmetic of address spaces for all values, with cbmc
	@scripts/prove.sh

litmus: ## check the lock-free protocols in the kernel's memory model, with herd7, and each without its barriers
	@scripts/litmus.sh

coccicheck: ## search for mistakes that only spatch sees [DIR=<driver>] [MACROS=<its scopes>]
	@MACROS="$(MACROS)" scripts/coccicheck.sh $(DIR)

convert: ## convert a driver's raw calls to safe ones, as a diff [DIR=<driver>] [APPLY=1]
	@DIR="$(DIR)" APPLY="$(APPLY)" scripts/convert.sh

convert-check: ## convert drivers of the kernel, and build them with gcc and clang [ONLY=] [COMPILERS=] [COCCI=1]
	@scripts/convert.sh check

convert-run: ## run converted drivers and Debian's own in QEMU: tests and storms [DRIVERS=] [ROUNDS=20] [TESTS=]
	@scripts/convert-run.sh

check: ## run all tests and checks of the library, with counts and times
	@scripts/check.sh

fresh-root: ## run make kernel and make kunit in a new Debian root [SUITE=bookworm|trixie]
	@scripts/fresh-root.sh $(SUITE)

bench: ## time the library and the raw helpers in one boot: table, CSV and plots [ROUNDS=15] [DOCS=1]; with RUST=1, run bench-icount RUST=1
	@$(if $(RUST),scripts/icount.sh,scripts/bench.sh)

bench-icount: ## count instructions of the library and of the raw helpers, in QEMU [ARCH=x86_64|arm64] [RECORD=1] [CHECK=1] [RUST=1] [SHOW='<function of tests/bench>...': only disassemble]
	@ARCH="$(or $(ARCH),x86_64)" RUST="$(RUST)" RECORD="$(RECORD)" CHECK="$(CHECK)" SHOW="$(SHOW)" scripts/icount.sh

bench-lines: ## count the cache lines that operations write, and that two and four CPUs pass to each other, in QEMU [ARCH=x86_64|arm64] [RECORD=1]
	@ARCH="$(or $(ARCH),x86_64)" RECORD="$(RECORD)" scripts/lines.sh

coverage: ## measure the lines and branches that the suites reach: a table and HTML [FILTER='glob']
	@scripts/coverage.sh

fuzz: ## make random calls to the sample driver, guided by KCOV [TIME=300] [SEED=1] [INPUTS=<file>]
	@scripts/fuzz.sh

mutants: ## change the library in small ways, and list the changes that no test notices [MUTANTS=60] [MINUTES=60] [SEED=1] [FILES='glob']
	@scripts/mutants.sh

kcsan: ## run the suites on x86-64 in QEMU, with KCSAN [FILTER='glob']
	@scripts/kcsan.sh

limits: ## test the charges to memory cgroups of clients, and load the module without memory
	@scripts/limits.sh

stress: ## run clients, unbinds, module loads, signals and failing allocations at once [MINUTES=4] [UNBINDS=]
	@scripts/stress.sh

docs: ## build the documentation with the kernel's Sphinx set-up
	@scripts/docs.sh

pictures: ## build the documentation, and take pictures of each page at the widths of a desktop and of a phone
	@scripts/docs.sh --pictures

clean: ## remove the build results in this directory (the cache stays)
	@rm -rf out

.PHONY: help
.PHONY: kernel
.PHONY: kunit
.PHONY: check-arch
.PHONY: kunit-modules
.PHONY: matrix
.PHONY: demo
.PHONY: vm
.PHONY: vgpu
.PHONY: edu
.PHONY: igt
.PHONY: modules
.PHONY: try
.PHONY: install-tree
.PHONY: uninstall-tree
.PHONY: series
.PHONY: core-patches
.PHONY: upstream-bugs
.PHONY: style
.PHONY: checkers
.PHONY: w1
.PHONY: sparse
.PHONY: context-analysis
.PHONY: misuse
.PHONY: signalling
.PHONY: prove
.PHONY: litmus
.PHONY: coccicheck
.PHONY: convert
.PHONY: convert-check
.PHONY: convert-run
.PHONY: check
.PHONY: fresh-root
.PHONY: bench
.PHONY: bench-icount
.PHONY: bench-lines
.PHONY: coverage
.PHONY: fuzz
.PHONY: mutants
.PHONY: kcsan
.PHONY: limits
.PHONY: stress
.PHONY: docs
.PHONY: pictures
.PHONY: clean
