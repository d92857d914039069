// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Finds tasks that may keep an unplug waiting. Nothing counts sections, so this looks at
 * stacks: a task that sleeps with a function of a DRM driver on its stack may be in a section.
 */

#include <kunit/visibility.h>
#include <linux/kallsyms.h>
#include <linux/module.h>
#include <linux/nmi.h>
#include <linux/sched.h>
#include <linux/sched/debug.h>
#include <linux/sched/signal.h>
#include <linux/stacktrace.h>
#include <linux/string.h>

#include <drm/drm_print.h>

#include "drm_dev_ctx_internal.h"
#include "drm_dev_ctx_trace.h"

#ifdef CONFIG_STACKTRACE
/* Limits of a report: the number of tasks, and the number of entries of each stack */
#define DRM_DEV_CTX_SLEEPERS	8
#define DRM_DEV_CTX_FRAMES	32

/*
 * Returns whether @addr is in a function that calls drivers, so the task may be in a section of
 * some driver. This finds built-in drivers, whose functions belong to no module.
 *
 * The kernel does not record which tasks run an ioctl, because each ioctl would pay for that. A
 * module cannot ask for the function around an address, only for its name. A wrong answer adds a
 * line to a report, or leaves one out. Threads of drm_dev_ctx_async.h are left out: most of them
 * sleep outside of sections, because they have no work.
 */
static bool drm_dev_ctx_calls_drivers(unsigned long addr)
{
	static const char * const names[] = {
		"accel_open",
		"commit_tail", "commit_work",	/* drm_atomic_helper.c */
		"drm_dev_ctx_work_run_reg",
		"drm_fb_helper_damage_work",
		"drm_ioctl_kernel",
		"drm_open", "drm_release",
		"drm_sched_free_job_work", "drm_sched_run_job_work",
	};
	char name[KSYM_SYMBOL_LEN];

	sprint_symbol_no_offset(name, addr);
	/* The name of the module follows, if the function is in one. */
	name[strcspn(name, " .")] = '\0';
	return match_string(names, ARRAY_SIZE(names), name) >= 0;
}

static bool drm_dev_ctx_in_driver(struct drm_dev_ctx *ctx, unsigned long addr)
{
	const struct file_operations *fops = ctx->drm.driver->fops;

	if (fops && fops->owner && within_module(addr, fops->owner))
		return true;
	return drm_dev_ctx_calls_drivers(addr);
}

/* Returns the address in a driver where a task sleeps, or 0. */
static unsigned long drm_dev_ctx_sleeps_in(struct drm_dev_ctx *ctx, struct task_struct *task)
{
	unsigned long frames[DRM_DEV_CTX_FRAMES];
	unsigned int n;

	if (task_is_running(task))
		return 0;
	n = stack_trace_save_tsk(task, frames, ARRAY_SIZE(frames), 0);
	for (unsigned int i = 0; i < n; i++)
		if (drm_dev_ctx_in_driver(ctx, frames[i]))
			return frames[i];
	return 0;
}

/*
 * Names the tasks that may be in a section, except for @except, which waits for them. Returns how
 * many it has named. A task can exit meanwhile: see ctx-busy.litmus.
 */
int __drm_dev_ctx_report_sleepers(struct drm_dev_ctx *ctx, const struct task_struct *except)
{
	struct task_struct *group, *task;
	int left = DRM_DEV_CTX_SLEEPERS;
	unsigned long where;

	guard(rcu)();
	for_each_process_thread(group, task) {
		/* There may be many tasks, and the console may be slow. */
		touch_nmi_watchdog();
		if (task == current || task == except)
			continue;
		where = drm_dev_ctx_sleeps_in(ctx, task);
		if (!where)
			continue;
		left--;
		drm_warn(&ctx->drm, "%s[%d] sleeps in %pS, perhaps in a section\n", task->comm,
			 task_pid_nr(task), (void *)where);
		trace_drm_dev_ctx_stuck(&ctx->drm, task, (void *)where);
		sched_show_task(task);
		/* A break would only leave the inner loop. */
		if (!left)
			return DRM_DEV_CTX_SLEEPERS;
	}
	return DRM_DEV_CTX_SLEEPERS - left;
}
#else
int __drm_dev_ctx_report_sleepers(struct drm_dev_ctx *ctx, const struct task_struct *except)
{
	return 0;
}
#endif
EXPORT_SYMBOL_IF_KUNIT(__drm_dev_ctx_report_sleepers);
