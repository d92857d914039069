/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What clang's context analysis is told, and other compilers are not: which
 * functions want a reservation lock, or a section that needs a registration, to
 * be held or not. See Documentation/dev-tools/context-analysis.rst.
 */
#ifndef _DRM_SAFE_CONTEXT_H
#define _DRM_SAFE_CONTEXT_H

#include <linux/compiler-context-analysis.h>
#include <linux/dma-resv.h>
#include <linux/err.h>

#include <drm/drm_drv.h>

struct drm_gem_object;

/*
 * All reservation locks are one here. The analysis cannot tell that two
 * expressions mean the same object, and who holds a reservation lock must not
 * take another one without a ticket anyway. Of what drm_exec locks the analysis
 * knows nothing: there, dma_resv_assert_held() tells it.
 */
token_context_lock(drm_resv, __reentrant_ctx_lock);

/* A section that needs a registration, on whatever device: unplug waits for all. */
token_context_lock(drm_dev_section, __reentrant_ctx_lock);

/* Revocation is kept from running: between drm_dev_revoke_tryblock() and its undoing. */
token_context_lock(drm_dev_revocation);

/* For macros that have a _locked form and another one: @_locked says which. */
static __always_inline void __drm_resv_need_true(void) __must_hold(drm_resv) { }
static __always_inline void __drm_resv_need_false(void) __must_not_hold(drm_resv) { }
#define ___drm_resv_need(_locked)	__drm_resv_need_##_locked()
#define __drm_resv_need(_locked)	___drm_resv_need(_locked)

/*
 * The cleanup function of a section runs on every path, also where the section
 * was not entered, so that the analysis has to see it entered on every path.
 */
static __always_inline int *__drm_dev_section_begin(int *idx)
	__acquires_shared(drm_dev_section) __no_context_analysis
{
	return idx;
}

#if defined(WARN_CONTEXT_ANALYSIS) && !defined(__CHECKER__)

/* What the kernel's headers do not say of their functions. */
bool drm_dev_enter(struct drm_device *dev, int *idx)
	__cond_acquires_shared(true, drm_dev_section);
void drm_dev_exit(int idx) __releases_shared(drm_dev_section);
void drm_dev_unplug(struct drm_device *dev) __must_not_hold(drm_dev_section);
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

/* Without a ticket it cannot fail. */
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

#ifndef _DRM_SAFE_SIGNALLING_H
#define dma_resv_lock(_resv, _ticket)						\
	_Generic((_ticket), void *: __drm_resv_lock_alone,			\
		 default: __drm_resv_lock)(_resv, _ticket)
#define dma_resv_lock_interruptible(_resv, _ticket)				\
	__drm_resv_lock_interruptible(_resv, _ticket)
#endif
#define dma_resv_lock_slow(_resv, _ticket)	__drm_resv_lock_slow(_resv, _ticket)
#define dma_resv_trylock(_resv)			__drm_resv_trylock(_resv)
#define dma_resv_unlock(_resv)			__drm_resv_unlock(_resv)
#undef dma_resv_assert_held
#define dma_resv_assert_held(_resv)		__drm_resv_assert_held(_resv)

/*
 * A token is a lock that is held from the test that there is one to what uses it
 * up. At the end of its scope it may have been used up or not.
 */
static __always_inline bool __drm_is_err(const void *ptr) __attribute__((overloadable))
{
	return IS_ERR(ptr);
}

static __always_inline bool __drm_is_err_or_null(const void *ptr) __attribute__((overloadable))
{
	return IS_ERR_OR_NULL(ptr);
}

#define __DRM_TOKEN(_type)							\
	context_lock_struct(_type);						\
	static __always_inline bool __drm_is_err(const struct _type *token)	\
		__attribute__((overloadable)) __cond_acquires(false, token)	\
		__no_context_analysis						\
	{									\
		return __drm_is_err((const void *)token);			\
	}									\
										\
	static __always_inline bool __drm_is_err_or_null(const struct _type *token) \
		__attribute__((overloadable)) __cond_acquires(false, token)	\
		__no_context_analysis						\
	{									\
		return __drm_is_err_or_null((const void *)token);		\
	}									\
										\
	static __always_inline void __##_type##_spend(const struct _type *token) \
		__releases(token) __no_context_analysis				\
	{									\
	}									\
										\
	static __always_inline void __free_##_type(void *p)			\
		__assumes_ctx_lock(*(struct _type **)p)				\
		__releases(*(struct _type **)p) __no_context_analysis

#define IS_ERR(_ptr)		__drm_is_err(_ptr)
#define IS_ERR_OR_NULL(_ptr)	__drm_is_err_or_null(_ptr)

#else

#define __DRM_TOKEN(_type)							\
	struct _type;								\
	static __always_inline void __##_type##_spend(const struct _type *token) { } \
	struct _type

#endif /* WARN_CONTEXT_ANALYSIS */

#endif /* _DRM_SAFE_CONTEXT_H */
