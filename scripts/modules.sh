#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# modules.sh: build drm_safe.ko, sgpu.ko, vgpu.ko, edu.ko and the KUnit modules in out/modules,
# against the configured kernel KDIR. DEBUG=1 sets CONFIG_DRM_SAFE_DEBUG.

. "$(dirname "$0")/env.sh"

KDIR=${KDIR:-/lib/modules/$(uname -r)/build}
CONF=$KDIR/include/config/auto.conf
OUT=$TOP/out/modules

has() { grep -qE "^CONFIG_$1=[ym]" "$CONF"; }

# lacks SYMBOL...: print the symbols that KDIR lacks.
lacks() {
	local symbol

	for symbol; do has "$symbol" || printf ' CONFIG_%s' "$symbol"; done
}

[ -e "$CONF" ] || die "KDIR=$KDIR is not the build directory of a configured kernel"
lack=$(lacks MODULES MMU DRM DRM_GEM_SHMEM_HELPER)
[ -z "$lack" ] || die "the kernel in $KDIR lacks$lack"
grep -q '^CONFIG_DRM_SAFE=y' "$CONF" && die "drm_safe is built into the kernel in $KDIR"

args=(CONFIG_DRM_SAFE=m CONFIG_DRM_SAFE_GPUVM= CONFIG_DRM_SAFE_DEBUG=
	CONFIG_DRM_SAFE_SGPU= CONFIG_DRM_SAFE_VGPU= CONFIG_DRM_SAFE_EDU= CONFIG_DRM_SAFE_KUNIT_TEST=)
lack=$(lacks DRM_GPUVM DRM_EXEC)
if [ -z "$lack" ]; then
	args+=(CONFIG_DRM_SAFE_GPUVM=y)
	if has KUNIT; then args+=(CONFIG_DRM_SAFE_KUNIT_TEST=m); fi
	lack=$(lacks DRM_SCHED CRC32)
	if [ -z "$lack" ]; then args+=(CONFIG_DRM_SAFE_SGPU=m); else say "without sgpu: no$lack"; fi
else
	say "without the GPUVM part, sgpu and the tests: the kernel lacks$lack"
fi
lack=$(lacks VIRTIO DRM_KMS_HELPER DRM_CLIENT_SELECTION)
if [ -z "$lack" ]; then args+=(CONFIG_DRM_SAFE_VGPU=m); else say "without vgpu: no$lack"; fi
lack=$(lacks PCI DRM_EXEC)
if [ -z "$lack" ]; then args+=(CONFIG_DRM_SAFE_EDU=m); else say "without edu: no$lack"; fi
if [ -n "${DEBUG:-}" ]; then
	lack=$(lacks REF_TRACKER STACKTRACE)
	[ -z "$lack" ] || die "DEBUG=1: the kernel in $KDIR lacks$lack"
	args+=(CONFIG_DRM_SAFE_DEBUG=y)
fi
if has UML; then args+=(ARCH=um); fi
[ -z "${CC:-}" ] || args+=("CC=$CC")
[ -z "${LLVM:-}" ] || args+=("LLVM=$LLVM")

mkdir -p "$OUT"
make -C "$KDIR" --no-print-directory -j"$JOBS" M="$TOP" MO="$OUT" "${args[@]}" modules
find "$OUT" -name '*.ko' | sort | while read -r ko; do
	say "${ko#"$TOP/"} ($(modinfo -F vermagic "$ko" 2>/dev/null || echo built))"
done
