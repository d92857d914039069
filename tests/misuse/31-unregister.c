// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 31
// title: drm_dev_unregister() where unplug is needed
// rust: b
// wrong: TOKEN_OF_ANOTHER_STATE B: incompatible pointer
// wrong: RAW_UNREGISTER C: drm_dev_unregister\(\) goes behind the contexts
// run: drm_dev_ctx.drm_dev_ctx_test_life: The end of a registration is an unplug.

#include "foo.h"

/* The call refuses new sections. No other call ends a registration. */
int foo_shut_down(struct foo_device *foo)
{
#if defined(TOKEN_OF_ANOTHER_STATE)
	return drm_dev_ctx_unregister(foo);
#elif defined(RAW_UNREGISTER)
	drm_dev_unregister(&foo->ctx.drm);
	return 0;
#else
	return drm_dev_ctx_unregister(&foo->ctx);
#endif
}
