#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# build-test.sh: test the two ways to build this directory, as external modules and in a
# kernel tree, as the README describes them.

. "$(dirname "$0")/env.sh"
. "$TOP/scripts/tree.sh"
locked "$@"

TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
DRM=drivers/gpu/drm

# tree_state: print checksums of the kernel tree in $TMP.
tree_state() { (cd "$TMP/tree" && find . -type f -exec sha1sum {} + | sort -k2); }

# install_is_undone: check that a second install changes nothing, and that uninstall leaves nothing.
install_is_undone() {
	local before once said

	mkdir -p "$TMP/tree/$DRM"
	cp -L "$SOURCE/$DRM/Kconfig" "$SOURCE/$DRM/Makefile" "$TMP/tree/$DRM"
	before=$(tree_state)
	said=$("$TOP/scripts/tree.sh" install "$TMP/tree") || return
	diff <(grep -oE '(select DRM_SAFE|ccflags-y .*/drm/safe)$' <<<"$said") - <<-'END' || return
		select DRM_SAFE
		ccflags-y += -I$(srctree)/drivers/gpu/drm/safe
	END
	once=$(tree_state)
	"$TOP/scripts/tree.sh" install "$TMP/tree" || return
	diff <(echo "$once") <(tree_state) || return
	grep -qxF "$KCONFIG_HOOK" "$TMP/tree/$DRM/Kconfig" || return
	grep -qxF "$MAKEFILE_HOOK" "$TMP/tree/$DRM/Makefile" || return
	"$TOP/scripts/tree.sh" uninstall "$TMP/tree" || return
	diff <(echo "$before") <(tree_state)
}

# foreign_is_kept: check that install-tree does not change a directory that it did not make.
foreign_is_kept() {
	mkdir -p "$TMP/tree/$SAFE"
	touch "$TMP/tree/$SAFE/mine"
	! "$TOP/scripts/tree.sh" install "$TMP/tree" || return
	! "$TOP/scripts/tree.sh" uninstall "$TMP/tree" || return
	[ -e "$TMP/tree/$SAFE/mine" ]
}

external_modules() {
	local ko

	rm -rf "$TOP/out/modules"
	KDIR=$BUILD/modules DEBUG=1 "$TOP/scripts/modules.sh" || return
	for ko in drm_safe samples/sgpu/sgpu; do
		modinfo "$TOP/out/modules/$ko.ko" | grep -E '^(license|vermagic|description)' || return
	done
}

# partial CONFIG MESSAGE [KO...]: check that modules.sh prints MESSAGE for a kernel that lacks an
# option, and makes drm_safe.ko and only the samples KO. The kernel is not built, so modpost knows
# no symbols.
partial() {
	local dir=$BUILD/$1 config=$1.config message=$2 out

	config_uml "${dir##*/}" "$config" || return
	"${KMAKE[@]}" O="$dir" -j"$JOBS" -s modules_prepare || return
	rm -rf "$TOP/out/modules"
	out=$(KBUILD_MODPOST_WARN=1 KDIR=$dir "$TOP/scripts/modules.sh" 2>&1) || { echo "$out"; return 1; }
	grep -F "$message" <<<"$out" || { echo "$out"; return 1; }
	diff <(printf './%s\n' drm_safe.ko "${@:3}") \
		<(cd "$TOP/out/modules" && find . -name '*.ko' ! -path './tests/*' | sort)
}

# try ARG...: print the output of make try, with DIR=samples/external and without DEBUG, unless ARG
# changes that.
try() {
	env DIR="$TOP/samples/external" KO= CLIENT= DEBUG= "$@" "$TOP/scripts/try.sh" 2>&1
}

# counts FAILED OUTPUT: check that the output ends with this number of failures.
counts() { grep -xE "[0-9]+ passed, $1 failed, 0 skipped" <(tail -n 1 <<<"$2") || { echo "$2"; return 1; }; }

# external_driver: check that the sample of an external driver registers in a guest, that its client
# finds it, and that it can be unloaded.
external_driver() {
	local out

	out=$(try CLIENT="$TOP/samples/external/client/foo.c") || { echo "$out"; return 1; }
	for said in 'Initialized foo' 'is a foo, version 1' 'ok foo is loaded' 'ok the client' \
		'ok foo is unloaded' 'ok drm_safe is unloaded'; do
		grep -F "$said" <<<"$out" || { echo "nothing says '$said': $out"; return 1; }
	done
	counts 0 "$out"
}

# client_fails: check for failures with a client that fails, in C and as a script, and with a client
# that does not compile.
client_fails() {
	local out

	printf 'int main(void) { return 3; }\n' >"$TMP/client.c"
	printf '#!/bin/sh\necho "not ok 1 of my own"\n' >"$TMP/client.sh"
	printf 'int main(void) { return no_such_thing; }\n' >"$TMP/wrong.c"
	! out=$(try CLIENT="$TMP/client.c") || { echo "it succeeds: $out"; return 1; }
	grep 'not ok the client: exit status 3' <<<"$out" || { echo "$out"; return 1; }
	counts 1 "$out" || return
	! out=$(try CLIENT="$TMP/client.sh") || { echo "it succeeds: $out"; return 1; }
	counts 1 "$out" || return
	! out=$(try CLIENT="$TMP/wrong.c") || { echo "it succeeds: $out"; return 1; }
	counts 1 "$out"
}

# modules_in_order: check the load order of two modules. The first one in the alphabet needs the
# other.
modules_in_order() {
	local out

	mkdir -p "$TMP/two"
	echo 'obj-m := a_user.o z_used.o' >"$TMP/two/Makefile"
	cat >"$TMP/two/z_used.c" <<-'END'
		#include <linux/module.h>
		int z_value(void);
		int z_value(void) { return 1; }
		EXPORT_SYMBOL_GPL(z_value);
		MODULE_DESCRIPTION("is used");
		MODULE_LICENSE("GPL");
	END
	cat >"$TMP/two/a_user.c" <<-'END'
		#include <linux/module.h>
		int z_value(void);
		static int __init a_init(void) { return z_value() - 1; }
		module_init(a_init);
		static void __exit a_exit(void) { }
		module_exit(a_exit);
		MODULE_DESCRIPTION("uses");
		MODULE_LICENSE("GPL");
	END
	out=$(try DIR="$TMP/two") || { echo "$out"; return 1; }
	diff <(grep -oE 'ok [az]_use[a-z]* is unloaded' <<<"$out") - <<-'END' || { echo "$out"; return 1; }
		ok a_user is unloaded
		ok z_used is unloaded
	END
}

# far_driver: check a copy of the sample in another directory, as a check of one driver.
far_driver() {
	cp -r "$TOP/samples/external" "$TMP/far" && DIR=$TMP/far "$TOP/scripts/sparse.sh"
}

# builds SEVERAL: print the kernels that are built for the modules kernel, in an empty cache.
builds() {
	DRM_SAFE_SEVERAL=$1 DRM_SAFE_CACHE=$TMP/cache bash -c '. "$0/scripts/env.sh"
		step() { echo "$1"; }
		check_config() { :; }
		build_uml modules' "$TOP" | grep -o '^building the [a-z]* kernel'
}

# one_kernel: check that DEBUG=1 builds one kernel in an empty cache.
one_kernel() {
	local out

	out=$(builds '') && diff <(echo "$out") <(echo "building the modules kernel") || return
	out=$(builds 1) && grep '^building the demo kernel' <<<"$out"
}

# other_setting ARG...: build the driver with CONFIG_DRM_SAFE_DEBUG, for a kernel without it.
other_setting() {
	"${KMAKE[@]}" O="$BUILD/demo" M="$TOP/samples/external" MO="$TMP/foo" -j"$JOBS" \
		DRM_SAFE="$TREE/$SAFE" KBUILD_EXTRA_SYMBOLS= DEBUG=1 "$@" modules
}

# other_setting_is_refused: check that modpost refuses the module. If modpost only warns, then the
# module loader must refuse it.
other_setting_is_refused() {
	local out

	! out=$(other_setting 2>&1) || { echo "it is built"; return 1; }
	grep "drm_safe_built_with_debug['\"].*undefined" <<<"$out" || { echo "$out"; return 1; }
	other_setting KBUILD_MODPOST_WARN=1 || return
	! out=$(try KO="$TMP/foo/foo.ko") || { echo "it is loaded"; return 1; }
	grep 'foo: Unknown symbol drm_safe_built_with_debug' "$DRM_SAFE_CACHE/log/uml-try.log" ||
		{ echo "$out"; return 1; }
}

no_kernel_is_told() {
	local out

	! out=$(KDIR=$TMP "$TOP/scripts/modules.sh" 2>&1) && [[ $out == "error: KDIR=$TMP is not "* ]]
}

need_packages kmod
prepare_tree
build_uml modules
SOURCE=$(dirname "$(readlink -f "$TREE/Makefile")")
check "install-tree and uninstall-tree" install_is_undone
check "a foreign directory in the tree is kept" foreign_is_kept
check "external modules" external_modules
check "external modules without a kernel" no_kernel_is_told
build_uml demo
check "a driver outside of the tree, in a guest, with a client" external_driver
check "a client that fails is told, and counts" client_fails
check "modules are unloaded in the order that they need" modules_in_order
check "a driver far from the library is checked" far_driver
check "one kernel is built where one is needed" one_kernel
check "a driver with the other setting is refused" other_setting_is_refused
check "external modules for a kernel without DRM_GPUVM" partial without-gpuvm \
	"lacks CONFIG_DRM_GPUVM"
check "external modules for a kernel without DRM_SCHED" partial without-sched \
	"without sgpu: no CONFIG_DRM_SCHED" samples/edu/edu.ko
finish
