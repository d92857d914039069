// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 33
// title: teardown of state never initialised
// rust: b
// wrong: QUIESCE_OF_DEVICE B: incompatible (function )?pointer|incompatible return type
// wrong: RELEASE_OF_DEVICE B: incompatible (function )?pointer|incompatible return type
// wrong: POSTCLOSE_OF_DRM_FILE B: incompatible (function )?pointer|incompatible return type
// wrong: OPEN_WITHOUT_FILE W: incompatible|makes pointer from integer
// run: drm_dev_ctx.drm_dev_ctx_test_register_fails: what was done before is undone, once
// run: drm_dev_ctx.drm_dev_ctx_test_open_fails: postclose is not called

#include "foo.h"

#if defined(QUIESCE_OF_DEVICE)
static void foo_quiesce(struct foo_device *foo)
{
}
#else
static void foo_quiesce(const struct drm_dev_bound *bound, struct foo_hw *hw)
{
	foo_hw_stop(bound, hw);
}
#endif

#if defined(RELEASE_OF_DEVICE)
static void foo_release(struct foo_device *foo)
{
}
#else
static void foo_release(struct foo_hw *hw)
{
	foo_hw_free(hw);
}
#endif

/* Called with what probe gave to the registration, and not without one. */
const struct foo_reg_ops foo_reg_ops = {
	.quiesce = foo_quiesce,
	.release = foo_release,
};

#if defined(OPEN_WITHOUT_FILE)
static int foo_open(const struct foo_reg *reg, struct drm_file *drm_file)
{
	return 0;
}
#else
static struct foo_file *foo_open(const struct foo_reg *reg, struct drm_file *drm_file)
{
	return kzalloc_obj(struct foo_file);
}
#endif

#if defined(POSTCLOSE_OF_DRM_FILE)
static void foo_postclose(struct foo_device *foo, struct drm_file *file)
{
}
#else
static void foo_postclose(struct foo_device *foo, struct foo_file *file)
{
	kfree(file);
}
#endif

/* Called with what open made, and not if it failed. */
DRM_DEV_FILE_OPS(foo, REGISTERED, foo_open, foo_postclose);

const struct drm_driver foo_driver = {
	.open = foo_drm_open,
	.postclose = foo_drm_postclose,
};
