#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# signalling.sh: test the check of the fence signalling path. Functions that it accepts must
# neither sleep nor allocate, according to the calls in our kernels, and it must refuse all
# functions that do.

. "$(dirname "$0")/env.sh"
locked "$@"

tool=$TOP/scripts/signalling.py
lists=(--list "$TOP/scripts/signalling.list")
own_lists=(--list "$TOP/signalling.list" --list "$TOP/samples/sgpu/signalling.list")

# compile_as LLVM SOURCE OBJECT: compile with the flags of that kernel's objects.
compile_as() {
	local flags=$DRM_SAFE_CACHE/signalling-flags lines

	LLVM=$1 "$TOP/scripts/misuse.sh" flags "$flags"
	mapfile -t lines <"$flags"
	object "${lines[@]}" "$2" "$3"
}

# object BUILDDIR CMDFILE SOURCE OBJECT: compile SOURCE with kbuild's command in CMDFILE.
object() {
	local command

	command=$(sed -n '1s/^[^=]*:= //p' "$2")
	command=${command%% -c -o *}
	(cd "$1" && eval "$command" -Wno-missing-prototypes -Wno-missing-declarations \
		-Wno-null-pointer-arithmetic -DDRM_SAFE_SIGNALLING_CHECKED \
		-I"$TOP" -c -o "$4" "$3")
}

# refused OBJECT NAME...: test that the check names each function, or a function that it calls.
refused() {
	local object=$1 said lost

	shift
	! said=$("$tool" check "${lists[@]}" "$object" 2>&1) || { echo "nothing is refused"; return 1; }
	lost=$(printf '%s\n' "$@" | grep -vxF -f <(grep -oE '\w+' <<<"$said" | sort -u)) || return 0
	echo "not refused: $lost"
	return 1
}

# all_refused NAME CMD...: test each function of tests/signalling/calls.c, compiled by CMD.
all_refused() {
	local name=$1 names

	shift
	"$@" "$TOP/tests/signalling/calls.c" "$TMP/calls.o"
	mapfile -t names < <(nm "$TMP/calls.o" | sed -n 's/.* T \(signalling_.*\)/\1/p')
	[ ${#names[@]} -gt 100 ] || die "there are ${#names[@]} calls, which are not all"
	check "$name: ${#names[@]} calls that wait or allocate are refused" \
		refused "$TMP/calls.o" "${names[@]}"
}

# corpus_refused KERNEL: test each function of a kernel that sleeps or allocates, and is not
# listed with a reason.
corpus_refused() {
	local names

	mapfile -t names < <("$tool" corpus "${lists[@]}" "$BUILD/$1/vmlinux" |
		grep -xE '[a-zA-Z_]\w*')
	[ ${#names[@]} -gt 3000 ] || die "there are ${#names[@]} functions, which are not all"
	{
		printf '%s\n' '.text' '.globl f' '.type f, @function' 'f:'
		printf 'call %s\n' "${names[@]}"
		printf '%s\n' '.size f, . - f'
	} >"$TMP/corpus.S"
	gcc -c -o "$TMP/corpus.o" "$TMP/corpus.S"
	check "$1: ${#names[@]} functions that sleep or allocate are refused" \
		refused "$TMP/corpus.o" "${names[@]}"
}

# found KERNEL NAME...: test that the proof finds each of these functions, which wait, once it is
# listed.
found() {
	local kernel=$1 said lost

	shift
	printf '%s\n' "$@" >"$TMP/waits.list"
	! said=$("$tool" prove --list "$TMP/waits.list" "$BUILD/$kernel/vmlinux") ||
		{ echo "nothing is found"; return 1; }
	lost=$(printf '%s\n' "$@" | grep -vxFf <(sed -n 's/ reaches one that .*//p' <<<"$said")) || return 0
	echo "not found: $lost"
	return 1
}

# nothing_named KERNEL: test that the proof fails for each kind of line that names nothing.
nothing_named() {
	local said

	printf '%s\n' no_such_name 'no_such_reason: sleeps' 'no_such_pattern_*' \
		'!no_such_callee: sleeps' '&no_such_address' 'no_such_choice?' >"$TMP/nothing.list"
	! said=$("$tool" prove --list "$TMP/nothing.list" "$BUILD/$1/vmlinux") ||
		{ echo "nothing is missed"; return 1; }
	diff <(sed -n 's/ is listed, and in none of these kernels//p' <<<"$said" | sort) \
		<(printf '%s\n' no_such_address no_such_callee no_such_name 'no_such_pattern_*' \
			no_such_reason | sort)
}

# stored_not_called COMPILE...: test that only the calls in tests/signalling/stored.c are refused,
# and that the use of an unlisted variable has its own message.
stored_not_called() {
	local said

	printf '%s\n' '&foo_work' '&foo_other' '&foo_variable' foo_listed '__asan_*' '__fentry__' >"$TMP/stored.list"
	"$@" -c -o "$TMP/stored.o" "$TOP/tests/signalling/stored.c" || return
	! said=$("$tool" check --list "$TMP/stored.list" "$TMP/stored.o" 2>&1) || return
	diff <(grep -oE '(called|stored|used)_\w+\(\) uses \w+' <<<"$said" | sort) - <<-'END' || return
		called_after_it_was_stored() uses foo_work
		called_at_the_end() uses foo_work
		called_directly() uses foo_work
		called_in_a_loop() uses foo_other
		called_one_of_two() uses foo_other
		called_one_of_two() uses foo_work
	END
	sed -i '/^&foo_variable/d' "$TMP/stored.list"
	! said=$("$tool" check --list "$TMP/stored.list" "$TMP/stored.o" 2>&1) || return
	diff <(grep -oE '\w+\(\) uses foo_variable, a variable or' <<<"$said" | cut -d'(' -f1 | sort) \
		<(nm "$TMP/stored.o" | grep -oE 'used_\w+' | sort) || return
	! grep 'foo_work, a variable' <<<"$said"
}

# driver NAME: compile tests/signalling/NAME.
driver() {
	LLVM=$llvm "$0" driver "$1" "$config"
}

driver_fails() {
	local out

	! out=$(driver "$1" 2>&1) || { echo "it is built"; return 1; }
	grep -F "wrong_step() uses msleep, which may sleep" <<<"$out" || { echo "$out"; return 1; }
}

prepare_tree
if [ "${1:-}" = driver ]; then
	# See w1.sh for the flags.
	flags=()
	[ -z "${LLVM:-}" ] || flags=({KCFLAGS,CFLAGS_KERNEL,CFLAGS_MODULE}"=-Wno-null-pointer-arithmetic")
	compile_driver "$TOP/tests/signalling/$2" "w1-driver-$3" "$3.kunitconfig" "${flags[@]}"
	exit
fi
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
for kernel in release debug; do
	config=$kernel.kunitconfig
	[ $kernel != release ] || config=.kunitconfig
	build_uml $kernel "$config"
	corpus_refused $kernel
	all_refused "$kernel, gcc" object "$BUILD/$kernel" \
		"$BUILD/$kernel/drivers/gpu/drm/safe/.drm_gpuvm_imm_run.o.cmd"
done
all_refused "clang" compile_as -19
check "what is listed, also by the library and the sample, neither sleeps nor allocates" \
	"$tool" prove "${lists[@]}" "${own_lists[@]}" "$BUILD"/{release,debug}/vmlinux
check "a listed function that waits is found" found debug msleep flush_work rcu_barrier \
	synchronize_rcu fault_in_readable fault_in_writeable dma_fence_wait_timeout
check "a line that names nothing is found" nothing_named debug
for compiler in gcc clang-19; do
	for model in kernel large; do
		check "$compiler, -mcmodel=$model: an address that is stored is no call" \
			stored_not_called $compiler -O2 -fno-pie -mcmodel=$model
	done
done
check "gcc, with KASAN: an address that is stored is no call" \
	stored_not_called gcc -O2 -fno-pie -mcmodel=large -fsanitize=kernel-address

# Use kbuild itself, with few and with many debug options.
for run in "gcc driver" "clang modular"; do
	read -r compiler config <<<"$run"
	llvm=
	[ "$compiler" = gcc ] || llvm=-19
	check "kbuild, $run: what may be called" driver right
	check "kbuild, $run: what must not be called" driver_fails wrong
done
finish
