/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Annotations for clang's function effects that the kernel's headers lack. Only a build that
 * checks the effects includes this file; see drm_safe_effects.h.
 */
#ifndef _DRM_SAFE_CORE_EFFECTS_H
#define _DRM_SAFE_CORE_EFFECTS_H

#include <linux/bug.h>
#include <linux/dma-fence.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include <drm/drm_drv.h>
#include <drm/drm_gpuvm.h>

/*
 * The kernel declares no function as nonallocating, but a later declaration can add the attribute.
 * These functions allocate nothing: we have read them, and lockdep checks them at run time. They
 * may wait for locks.
 */
#ifndef __WARN_FLAGS
__printf(4, 5) void warn_slowpath_fmt(const char *file, const int line, unsigned int taint,
				      const char *fmt, ...) __drm_nonallocating;
#endif
#ifdef mutex_lock
void mutex_lock_nested(struct mutex *lock, unsigned int subclass) __drm_nonallocating;
#else
void mutex_lock(struct mutex *lock) __drm_nonallocating;
#endif
void mutex_unlock(struct mutex *lock) __drm_nonallocating;
#ifdef CONFIG_UML
/* current, with SMP */
int uml_curr_cpu(void) __drm_nonallocating;
#endif
bool queue_work_on(int cpu, struct workqueue_struct *wq,
		   struct work_struct *work) __drm_nonallocating;
bool drm_dev_enter(struct drm_device *dev, int *idx) __drm_nonallocating;
void drm_dev_exit(int idx) __drm_nonallocating;
#ifdef CONFIG_LOCKDEP
bool dma_fence_begin_signalling(void) __drm_nonallocating;
void dma_fence_end_signalling(bool cookie) __drm_nonallocating;
#endif

int drm_gpuva_insert(struct drm_gpuvm *gpuvm, struct drm_gpuva *va) __drm_nonallocating;
void drm_gpuva_remove(struct drm_gpuva *va) __drm_nonallocating;
void drm_gpuva_link(struct drm_gpuva *va, struct drm_gpuvm_bo *vm_bo) __drm_nonallocating;
void drm_gpuva_unlink_defer(struct drm_gpuva *va) __drm_nonallocating;
void drm_gpuva_remap(struct drm_gpuva *prev, struct drm_gpuva *next,
		     const struct drm_gpuva_op_remap *op) __drm_nonallocating;
void drm_gpuva_unmap(const struct drm_gpuva_op_unmap *op) __drm_nonallocating;
struct drm_gpuva *drm_gpuva_find_first(struct drm_gpuvm *gpuvm, u64 addr,
				       u64 range) __drm_nonallocating;
bool drm_gpuvm_bo_put_deferred(struct drm_gpuvm_bo *vm_bo) __drm_nonallocating;
void drm_gpuvm_put(struct drm_gpuvm *gpuvm) __drm_nonallocating;
int drm_gpuvm_sm_map(struct drm_gpuvm *gpuvm, void *priv,
		     const struct drm_gpuvm_map_req *req) __drm_nonallocating;
int drm_gpuvm_sm_unmap(struct drm_gpuvm *gpuvm, void *priv, u64 req_addr,
		       u64 req_range) __drm_nonallocating;

#endif /* _DRM_SAFE_CORE_EFFECTS_H */
