// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Starts and ends the parts of the module.
 */

#include <kunit/visibility.h>
#include <linux/atomic.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/minmax.h>
#include <linux/module.h>

#include "drm_shmem_internal.h"
#if IS_ENABLED(CONFIG_DRM_SAFE_GPUVM)
#include "drm_gpuvm_imm_internal.h"
#else
static inline int drm_gpuvm_imm_module_init(void) { return 0; }
static inline void drm_gpuvm_imm_module_exit(void) { }
#endif

/* The name of the symbol carries the setting of CONFIG_DRM_SAFE_DEBUG, see drm_safe.h. */
const char __drm_safe_setting = 1;
EXPORT_SYMBOL_GPL(__drm_safe_setting);

#if IS_ENABLED(CONFIG_KUNIT)
static const char *drm_safe_noted[16];
static atomic_t drm_safe_notes;

/*
 * Records a report that a test has suppressed. A mere count of warnings would not tell which rule
 * was reported.
 */
void drm_safe_note_broken(const char *rule)
{
	unsigned int nr = atomic_fetch_inc_relaxed(&drm_safe_notes);

	WRITE_ONCE(drm_safe_noted[nr % ARRAY_SIZE(drm_safe_noted)], rule);
}

/* Returns the rule of the last report for @back 1, of the one before for 2, and so on, or NULL. */
const char *drm_safe_noted_broken(unsigned int back)
{
	unsigned int nr = atomic_read(&drm_safe_notes);

	if (!back || back > min(nr, ARRAY_SIZE(drm_safe_noted)))
		return NULL;
	return READ_ONCE(drm_safe_noted[(nr - back) % ARRAY_SIZE(drm_safe_noted)]);
}
EXPORT_SYMBOL_IF_KUNIT(drm_safe_noted_broken);

void drm_safe_forget_broken(void)
{
	atomic_set(&drm_safe_notes, 0);
}
EXPORT_SYMBOL_IF_KUNIT(drm_safe_forget_broken);
#endif

MODULE_DESCRIPTION("DRM safe helpers for device contexts, GEM shmem objects and GPU VMs");
MODULE_LICENSE("Dual MIT/GPL");

static int __init drm_safe_init(void)
{
	int ret = __drm_shmem_work_init();

	if (ret)
		return ret;
	ret = drm_gpuvm_imm_module_init();
	if (ret) {
		__drm_shmem_work_exit();
		return ret;
	}
	__drm_shmem_reclaim_init();
	__drm_shmem_list_init();
	return 0;
}
subsys_initcall(drm_safe_init);

static void __exit drm_safe_exit(void)
{
	__drm_shmem_list_exit();
	__drm_shmem_reclaim_exit();
	drm_gpuvm_imm_module_exit();
	__drm_shmem_work_exit();
}
module_exit(drm_safe_exit);
