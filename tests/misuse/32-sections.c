// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 32
// title: unplug waits for itself, in a function that a section calls
// rust: partly
// wrong: WAITS_IN_A_CALLEE C(context): cannot call function 'foo_give_up' while __ctx_lock_drm_dev_section 'drm_dev_section' is held
// wrong: UNDECLARED C(context): calling function '__drm_dev_ctx_unregister' requires negative capability|cannot call function '__drm_dev_ctx_unregister' while
// wrong: NEEDS_A_SECTION C(context): calling function 'foo_kick' requires holding __ctx_lock_drm_dev_section 'drm_dev_section'

#include "foo.h"

/* A driver can annotate its own functions in the same way. */
int foo_give_up(struct foo_device *foo) __must_not_hold(drm_dev_section);
int foo_give_up(struct foo_device *foo)
{
	return drm_dev_ctx_unregister(&foo->ctx);
}

void foo_kick(struct foo_device *foo) __must_hold_shared(drm_dev_section);

#if defined(UNDECLARED)
int foo_stop(struct foo_device *foo) __must_hold_shared(drm_dev_section);
int foo_stop(struct foo_device *foo)
{
	return drm_dev_ctx_unregister(&foo->ctx);
}
#endif

int foo_reset(struct foo_device *foo)
{
	int ret = -ENODEV;

	drm_dev_ctx_guard(foo_reg, reg, &foo->ctx) {
		foo_kick(foo);
		ret = foo_hw_submit(reg, 0);
#if defined(WAITS_IN_A_CALLEE)
		if (ret)
			foo_give_up(foo);
#endif
	}
#if defined(NEEDS_A_SECTION)
	foo_kick(foo);
#endif
	return ret ? foo_give_up(foo) : 0;
}
