// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Faults of the hardware, to order. A GPU made of software has none of its own.
 */

#include <linux/debugfs.h>
#include <linux/fault-inject.h>
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "sgpu_fault.h"
#include "sgpu_sched.h"

static const char * const sgpu_fault_names[SGPU_FAULTS] = {
	[SGPU_FAIL_MAP] = "fail_map",
	[SGPU_HANG_BIND] = "hang_bind",
	[SGPU_LATE_BIND] = "late_bind",
	[SGPU_HOLD_LOCKS] = "hold_locks",
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

/* A bind that was ordered to hang ends when the job has to; a late one has to at once. */
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

/* The caller holds the locks that others wait for. */
void sgpu_fault_hold(void)
{
	if (!sgpu_fault_due(SGPU_HOLD_LOCKS))
		return;
	while (!fatal_signal_pending(current))
		schedule_timeout_killable(HZ);
}
