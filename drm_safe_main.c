// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The parts of the module, each of which can fail to start
 */

#include <linux/export.h>
#include <linux/init.h>
#include <linux/module.h>

#include "drm_shmem_internal.h"
#if IS_ENABLED(CONFIG_DRM_SAFE_GPUVM)
#include "drm_gpuvm_imm_internal.h"
#else
static inline int drm_gpuvm_imm_module_init(void) { return 0; }
static inline void drm_gpuvm_imm_module_exit(void) { }
#endif

/* See drm_safe.h: the setting of CONFIG_DRM_SAFE_DEBUG, in the name of a symbol. */
const char __drm_safe_setting = 1;
EXPORT_SYMBOL_GPL(__drm_safe_setting);

static int __init drm_safe_init(void)
{
	int ret = __drm_shmem_reclaim_init();

	if (ret)
		return ret;
	ret = drm_gpuvm_imm_module_init();
	if (ret)
		__drm_shmem_reclaim_exit();
	return ret;
}
subsys_initcall(drm_safe_init);

static void __exit drm_safe_exit(void)
{
	drm_gpuvm_imm_module_exit();
	__drm_shmem_reclaim_exit();
}
module_exit(drm_safe_exit);
