/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the parts of the DRM safe helpers share: handles that cannot be
 * copied, tokens that are used up, and the report of a broken rule.
 */
#ifndef _DRM_SAFE_H
#define _DRM_SAFE_H

#include <kunit/test-bug.h>
#include <linux/build_bug.h>
#include <linux/cleanup.h>
#include <linux/compiler.h>
#include <linux/dev_printk.h>
#include <linux/err.h>
#include <linux/types.h>

#include <drm/drm_device.h>

#include "drm_safe_context.h"
#include "drm_safe_effects.h"

/*
 * The result of a function ends with @_put: gcc warns of what uses it after that.
 * With an argument, the attribute says nothing of aliases.
 */
#ifdef CONFIG_CC_IS_GCC
#define __drm_safe_put_with(_put)	__attribute__((__malloc__(_put, 1)))
#else
#define __drm_safe_put_with(_put)
#endif

/*
 * As the last member of a struct: assigning the struct does not compile. It
 * takes no room. A borrowed handle is also a one-element array on the stack,
 * so that it can neither be initialised from another nor be returned.
 */
#define __DRM_SAFE_NO_ASSIGN	const u8 __no_assign[0]

/*
 * drm_safe_live() - the value of a token variable that has not been used up
 *
 * The compiler carries the NULL that drm_safe_take() leaves behind: a use that
 * is certain to come after it breaks the build. The test is on a bool because
 * gcc folds __builtin_constant_p() of a pointer to 0.
 */
#define drm_safe_live(token) ({							\
	bool __used_up = !(token);						\
										\
	compiletime_assert(!(__builtin_constant_p(__used_up) && __used_up),	\
			   "this token was used up before: registered, dropped, moved, not made"); \
	(token);								\
})

/* drm_safe_take() - take the token out of its variable, which is NULL then */
#define drm_safe_take(token) ({							\
	typeof(token) __taken = drm_safe_live(token);				\
										\
	(token) = NULL;								\
	__taken;								\
})

/*
 * drm_safe_broken() - report that a driver broke a rule
 *
 * Once per place in the library, as drm_WARN_ONCE() does, except that a
 * report which a KUnit test asked for does not use up the one that a driver
 * would get. @drm may be NULL.
 */
#define drm_safe_broken(drm, rule, fmt, ...) do {				\
	struct drm_device *__d = (drm);						\
	static bool __reported;							\
	bool __expected;							\
										\
	drm_safe_trusted(__expected = kunit_is_suppressed_warning(false));	\
	if (__expected || !READ_ONCE(__reported)) {				\
		if (!__expected)						\
			WRITE_ONCE(__reported, true);				\
		drm_safe_trusted(						\
			WARN(1, "drm_safe: %s: rule \"%s\" broken: " fmt "\n",	\
			     __d && __d->dev ? dev_name(__d->dev) : "no device", \
			     rule, ##__VA_ARGS__));				\
	}									\
} while (0)

#endif /* _DRM_SAFE_H */
