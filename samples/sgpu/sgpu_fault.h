/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef _SGPU_FAULT_H
#define _SGPU_FAULT_H

#include <linux/types.h>

#include "drm_safe_effects.h"

struct sgpu_job;
struct sgpu_vm;

/*
 * Injected faults of the hardware, see Documentation/fault-injection. Each fault has a
 * directory in /sys/kernel/debug/sgpu.
 */
enum sgpu_fault {
	SGPU_FAIL_MAP,		/* the page table cannot be written */
	SGPU_HANG_BIND,		/* a bind makes no progress */
	SGPU_LATE_BIND,		/* a bind has used up its time */
	/* A client stops until it is killed: */
	SGPU_HOLD_LOCKS,	/* in a bind, with the reservation locks */
	SGPU_HOLD_TABLES,	/* where a bind adds a table to the page table */
	SGPU_HOLD_MAP,		/* in an EXEC that maps what was evicted, with all locks */
	SGPU_HOLD_VM,		/* in a bind, with the lock of the VM, as a job has it */
	SGPU_FAULTS,
};

#ifdef CONFIG_FAULT_INJECTION_DEBUG_FS
void sgpu_fault_init(void);
void sgpu_fault_exit(void);
bool sgpu_fault_due(enum sgpu_fault fault) __drm_nonallocating;
int sgpu_fault_hang(struct sgpu_job *job);
void sgpu_fault_hold(enum sgpu_fault fault) __drm_nonallocating;
void sgpu_fault_hold_vm(struct sgpu_vm *vm);
#else
static inline void sgpu_fault_init(void) { }
static inline void sgpu_fault_exit(void) { }
static inline bool sgpu_fault_due(enum sgpu_fault fault) __drm_nonallocating
{
	return false;
}

static inline int sgpu_fault_hang(struct sgpu_job *job)
{
	return 0;
}

static inline void sgpu_fault_hold(enum sgpu_fault fault) __drm_nonallocating
{
}

static inline void sgpu_fault_hold_vm(struct sgpu_vm *vm)
{
}
#endif

#endif /* _SGPU_FAULT_H */
