/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Annotations for clang's context analysis that the kernel's headers lack. Only a build with the
 * analysis includes this file; see drm_safe_context.h. A core with the changes in
 * scripts/coccinelle/core has them in its own headers.
 */
#ifndef _DRM_SAFE_CORE_CONTEXT_H
#define _DRM_SAFE_CORE_CONTEXT_H

#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/uaccess.h>

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>

#ifndef drm_dev_section
bool drm_dev_enter(struct drm_device *dev, int *idx)
	__cond_acquires_shared(true, drm_dev_section);
void drm_dev_exit(int idx) __releases_shared(drm_dev_section);
void drm_dev_unplug(struct drm_device *dev) __must_not_hold(drm_dev_section);
#endif

#ifndef drm_resv
void drm_gem_lock(struct drm_gem_object *obj)
	__must_not_hold(drm_resv) __acquires(drm_resv);
void drm_gem_unlock(struct drm_gem_object *obj) __releases(drm_resv);

/* An inline function takes no attribute after its body. */
static __always_inline int __drm_resv_lock(struct dma_resv *resv,
					   struct ww_acquire_ctx *ticket)
	__cond_acquires(0, drm_resv) __no_context_analysis
{
	return dma_resv_lock(resv, ticket);
}

/* Without a ticket, this cannot fail. */
static __always_inline int __drm_resv_lock_alone(struct dma_resv *resv, void *none)
	__must_not_hold(drm_resv) __acquires(drm_resv) __no_context_analysis
{
	return dma_resv_lock(resv, NULL);
}

static __always_inline int
__drm_resv_lock_interruptible(struct dma_resv *resv, struct ww_acquire_ctx *ticket)
	__cond_acquires(0, drm_resv) __no_context_analysis
{
	return dma_resv_lock_interruptible(resv, ticket);
}

static __always_inline void __drm_resv_lock_slow(struct dma_resv *resv,
						 struct ww_acquire_ctx *ticket)
	__acquires(drm_resv) __no_context_analysis
{
	dma_resv_lock_slow(resv, ticket);
}

static __always_inline bool __drm_resv_trylock(struct dma_resv *resv)
	__cond_acquires(true, drm_resv) __no_context_analysis
{
	return dma_resv_trylock(resv);
}

static __always_inline void __drm_resv_unlock(struct dma_resv *resv)
	__releases(drm_resv) __no_context_analysis
{
	dma_resv_unlock(resv);
}

static __always_inline void __drm_resv_assert_held(struct dma_resv *resv)
	__assumes_ctx_lock(drm_resv) __no_context_analysis
{
	dma_resv_assert_held(resv);
}

#define dma_resv_lock(_resv, _ticket)						\
	_Generic((_ticket), void *: __drm_resv_lock_alone,			\
		 default: __drm_resv_lock)(_resv, _ticket)
#define dma_resv_lock_interruptible(_resv, _ticket)				\
	__drm_resv_lock_interruptible(_resv, _ticket)
#define dma_resv_lock_slow(_resv, _ticket)	__drm_resv_lock_slow(_resv, _ticket)
#define dma_resv_trylock(_resv)			__drm_resv_trylock(_resv)
#define dma_resv_unlock(_resv)			__drm_resv_unlock(_resv)
#undef dma_resv_assert_held
#define dma_resv_assert_held(_resv)		__drm_resv_assert_held(_resv)
#endif /* drm_resv */

/* The page fault of a copy takes the reservation lock of the object that is mapped there. */
static __always_inline void __drm_resv_need_false(void) __must_not_hold(drm_resv) { }

#define copy_from_user(_to, _from, _n)						\
	(__drm_resv_need_false(), copy_from_user(_to, _from, _n))
#define copy_to_user(_to, _from, _n)						\
	(__drm_resv_need_false(), copy_to_user(_to, _from, _n))

/*
 * To the analysis, a token is a lock. It is held from the test for a valid pointer to the call that
 * uses up the token. The end of the scope accepts a token in both states.
 */
static __always_inline bool __drm_is_err(const void *ptr) __attribute__((overloadable))
{
	return IS_ERR(ptr);
}

static __always_inline bool __drm_is_err_or_null(const void *ptr) __attribute__((overloadable))
{
	return IS_ERR_OR_NULL(ptr);
}

#define IS_ERR(_ptr)		__drm_is_err(_ptr)
#define IS_ERR_OR_NULL(_ptr)	__drm_is_err_or_null(_ptr)

#endif /* _DRM_SAFE_CORE_CONTEXT_H */
