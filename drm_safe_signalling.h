/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * For a file that holds only code of the fence signalling path. Include it
 * last: what may wait for memory or for a fence does not compile below it.
 */
#ifndef _DRM_SAFE_SIGNALLING_H
#define _DRM_SAFE_SIGNALLING_H

#include <linux/compiler.h>
#include <linux/dma-resv.h>
#include <linux/slab.h>

void *__drm_safe_no_alloc(void)
	__compiletime_error("memory is allocated in a file of the fence signalling path");
int __drm_safe_no_resv(void)
	__compiletime_error("a reservation lock is taken in a file of the fence signalling path");

#undef kmalloc
#undef kzalloc
#undef kcalloc
#undef kmalloc_array
#undef kvmalloc
#undef kvzalloc
#undef kvcalloc
#undef kvmalloc_array
#undef kmalloc_obj
#undef kzalloc_obj
#undef kmalloc_objs
#undef kzalloc_objs
#undef kmalloc_flex
#undef kzalloc_flex
#undef kmemdup
#undef kstrdup
#undef kmem_cache_alloc
#undef kmem_cache_zalloc
#undef vmalloc
#undef vzalloc
#undef dma_resv_lock
#undef dma_resv_lock_interruptible
#undef dma_resv_reserve_fences

#define kmalloc(...)			__drm_safe_no_alloc()
#define kzalloc(...)			__drm_safe_no_alloc()
#define kcalloc(...)			__drm_safe_no_alloc()
#define kmalloc_array(...)		__drm_safe_no_alloc()
#define kvmalloc(...)			__drm_safe_no_alloc()
#define kvzalloc(...)			__drm_safe_no_alloc()
#define kvcalloc(...)			__drm_safe_no_alloc()
#define kvmalloc_array(...)		__drm_safe_no_alloc()
#define kmalloc_obj(...)		__drm_safe_no_alloc()
#define kzalloc_obj(...)		__drm_safe_no_alloc()
#define kmalloc_objs(...)		__drm_safe_no_alloc()
#define kzalloc_objs(...)		__drm_safe_no_alloc()
#define kmalloc_flex(...)		__drm_safe_no_alloc()
#define kzalloc_flex(...)		__drm_safe_no_alloc()
#define kmemdup(...)			__drm_safe_no_alloc()
#define kstrdup(...)			__drm_safe_no_alloc()
#define kmem_cache_alloc(...)		__drm_safe_no_alloc()
#define kmem_cache_zalloc(...)		__drm_safe_no_alloc()
#define vmalloc(...)			__drm_safe_no_alloc()
#define vzalloc(...)			__drm_safe_no_alloc()
#define dma_resv_lock(...)		__drm_safe_no_resv()
#define dma_resv_lock_interruptible(...)	__drm_safe_no_resv()
#define dma_resv_reserve_fences(...)	__drm_safe_no_resv()

#endif /* _DRM_SAFE_SIGNALLING_H */
