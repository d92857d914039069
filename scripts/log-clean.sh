#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# log-clean.sh LOG...: print the reports in kernel logs, and fail if there are
# any. Tests that provoke a warning suppress it (kunit_warning_suppress()). A test
# that provokes another kind of report marks its beginning and end.
#
# Unwanted lists of references come with a warning. When allocations fail on purpose,
# kmemleak may lack a scan area, which does no harm. Two reports of UML are left out: the
# bring-up of its second CPU frees memory while the CPU still counts as offline, which
# lockdep-RCU reports when kmemleak is on; and UML flushes an address space by a walk of
# its areas without a lock.

dirty=0
[ $# -gt 0 ] || { echo "no kernel log"; exit 1; }
for log; do
	[ -s "$log" ] || { echo "$log: no kernel log"; dirty=1; continue; }
	awk -v file="$log" '
		function report(number, line) { print file ":" number ": " line; dirty = 1 }
		function report_held() { if (held) report(held, "WARNING: suspicious RCU usage"); held = 0 }
		/smp: Bringing up secondary CPUs/ { bringup = 1 }
		/smp: Brought up/ { bringup = 0 }
		bringup { next }
		/: expected report begins/ { expected = 1 }
		/: expected report ends/ { expected = 0 }
		expected { next }
		/WARNING: suspicious RCU usage/ { report_held(); held = NR; areas = 0; next }
		held && /lib\/maple_tree\.c:[0-9]+ suspicious/ { areas = 1 }
		held && areas && /flush_tlb_mm/ && NR < held + 60 { held = 0 }
		/DMA-API: (preallocated|debugging enabled by kernel config)/ { next }
		/kmemleak: (Kernel memory leak detector initialized|Automatic memory scanning)/ { next }
		/kmemleak: Cannot allocate a scan area/ { next }
		/WARNING: |BUG: |BUG at |INFO: |KASAN: |UBSAN: |ODEBUG: |DMA-API: |kmemleak: / ||
		/unreferenced object|Kernel panic|Oops|general protection|refcount_t: / ||
		/list_(add|del) corruption|usercopy: |Bad page state|suspicious RCU usage/ ||
		/sleeping function called|bad unlock balance|still has locks held|cut here/ ||
		/DMAR: \[.*fault/ ||
		/Segfault with no mm|[sS]oft lockup|rcu: .*stall|hung task|scheduling while atomic/ {
			report(NR, $0)
		}
		END { report_held(); exit dirty }' "$log" || dirty=1
done
exit $dirty
