/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Function effects, which clang knows from version 20 on: a function that is
 * declared not to allocate, and every function that it calls, is held to it by
 * -Wfunction-effects. For other compilers there is nothing here.
 */
#ifndef _DRM_SAFE_EFFECTS_H
#define _DRM_SAFE_EFFECTS_H

#include <linux/compiler.h>

/* Clang 19 knows the attributes, and checks no body. */
#if defined(CONFIG_CC_IS_CLANG) && CONFIG_CLANG_VERSION >= 200000
#include <linux/bug.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include <drm/drm_gpuvm.h>

#define __drm_nonallocating	__attribute__((nonallocating))
#define __drm_trust_effects_begin						\
	_Pragma("clang diagnostic push")					\
	_Pragma("clang diagnostic ignored \"-Wfunction-effects\"")
#define __drm_trust_effects_end	_Pragma("clang diagnostic pop")

/*
 * No function of the kernel is declared so; a later declaration can add it. These
 * were read, and lockdep watches them when they run: they allocate nothing. That
 * locks are waited for is right.
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
bool queue_work_on(int cpu, struct workqueue_struct *wq,
		   struct work_struct *work) __drm_nonallocating;

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

#else
#define __drm_nonallocating
#define __drm_trust_effects_begin
#define __drm_trust_effects_end
#endif

/*
 * drm_safe_trusted() - a statement that allocates nothing, or nothing that is
 * waited for, of which the compiler cannot know
 */
#define drm_safe_trusted(...) do {						\
	__drm_trust_effects_begin						\
	__VA_ARGS__;								\
	__drm_trust_effects_end							\
} while (0)

#endif /* _DRM_SAFE_EFFECTS_H */
