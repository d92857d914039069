// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Injected faults of the hardware, because a software GPU has no faults of its own.
 */

#include <linux/debugfs.h>
#include <linux/fault-inject.h>
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "sgpu_fault.h"
#include "sgpu_sched.h"
#include "sgpu_vm.h"

static const char * const sgpu_fault_names[SGPU_FAULTS] = {
	[SGPU_FAIL_MAP] = "fail_map",
	[SGPU_HANG_BIND] = "hang_bind",
	[SGPU_LATE_BIND] = "late_bind",
	[SGPU_HOLD_LOCKS] = "hold_locks",
	[SGPU_HOLD_TABLES] = "hold_tables",
	[SGPU_HOLD_MAP] = "hold_map",
	[SGPU_HOLD_VM] = "hold_vm",
};

static struct fault_attr sgpu_fault_attrs[SGPU_FAULTS];
static struct dentry *sgpu_fault_dir;

void sgpu_fault_init(void)
{
	static const struct fault_attr none = FAULT_ATTR_INITIALIZER;
	unsigned int i;

	sgpu_fault_dir = debugfs_create_dir("sgpu", NULL);
	for (i = 0; i < SGPU_FAULTS; i++) {
		sgpu_fault_attrs[i] = none;
		sgpu_fault_attrs[i].verbose = 0;
		fault_create_debugfs_attr(sgpu_fault_names[i], sgpu_fault_dir,
					  &sgpu_fault_attrs[i]);
	}
}

void sgpu_fault_exit(void)
{
	debugfs_remove(sgpu_fault_dir);
}

bool sgpu_fault_due(enum sgpu_fault fault) __drm_nonallocating
{
	bool due;

	drm_safe_trusted(due = should_fail(&sgpu_fault_attrs[fault], 1));
	return due;
}

/* A hanging bind ends when its job must end. The job of a late bind must end at once. */
int sgpu_fault_hang(struct sgpu_job *job)
{
	int ret = 0;

	if (sgpu_fault_due(SGPU_LATE_BIND)) {
		job->deadline = jiffies ?: 1;
		return sgpu_job_check(job);
	}
	if (!sgpu_fault_due(SGPU_HANG_BIND))
		return 0;
	while (!ret) {
		schedule_timeout_uninterruptible(1);
		ret = sgpu_job_check(job);
	}
	return ret;
}

static void sgpu_fault_stop(void)
{
	while (!fatal_signal_pending(current))
		schedule_timeout_killable(HZ);
}

/*
 * Makes the calling task stop until it is killed, while it holds locks that other tasks wait for.
 * Jobs do not stop here, because their workers cannot be killed.
 */
void sgpu_fault_hold(enum sgpu_fault fault) __drm_nonallocating
{
	if (!(current->flags & PF_WQ_WORKER) && sgpu_fault_due(fault))
		drm_safe_trusted(sgpu_fault_stop());
}

/* The same with the lock that a job holds while it makes a change of the VM */
void sgpu_fault_hold_vm(struct sgpu_vm *vm)
{
	if (!sgpu_fault_due(SGPU_HOLD_VM))
		return;
	guard(mutex)(&vm->lock);
	sgpu_fault_stop();
}
