// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 33
// title: teardown of state never initialised
// rust: b
// wrong: QUIESCE_OF_DEVICE B: incompatible (function )?pointer|incompatible return type
// wrong: RELEASE_OF_DEVICE B: pointer type mismatch in container_of
// wrong: POSTCLOSE_OF_DEVICE B: incompatible (function )?pointer|incompatible return type
// wrong: OPEN_WITHOUT_RESULT B: incompatible (function )?pointer|incompatible return type|should not return a value|with a value
// run: drm_dev_ctx.drm_dev_ctx_test_register_fails: When registering fails, the earlier steps are undone, once.
// run: drm_dev_ctx.drm_dev_ctx_test_open_fails: Postclose is not called for an open that failed.

#include "foo.h"

#if defined(QUIESCE_OF_DEVICE)
static void foo_quiesce(struct drm_device *drm)
{
}
#else
static void foo_quiesce(const struct drm_dev_ctx_bound *bound, struct drm_dev_ctx_data *data)
{
	foo_hw_stop(bound, container_of(data, struct foo_hw, base));
}
#endif

static void foo_release(struct drm_dev_ctx_data *data)
{
#if defined(RELEASE_OF_DEVICE)
	struct foo_device *foo = container_of(data, struct foo_device, ctx);

	cancel_work_sync(&foo->hangcheck);
#else
	foo_hw_free(container_of(data, struct foo_hw, base));
#endif
}

/* These get the data that probe passed to drm_dev_ctx_register(), which is never NULL. */
const struct drm_dev_ctx_ops foo_reg_ops = {
	.quiesce = foo_quiesce,
	.release = foo_release,
};

#if defined(OPEN_WITHOUT_RESULT)
static void foo_open(struct drm_device *drm, struct drm_file *file)
#else
static int foo_open(struct drm_device *drm, struct drm_file *file)
#endif
{
	drm_dev_ctx_or(foo_reg, reg, to_drm_dev_ctx(drm), return -ENODEV);

	file->driver_priv = kzalloc_obj(struct foo_file, GFP_KERNEL_ACCOUNT);
	return file->driver_priv ? 0 : -ENOMEM;
}

#if defined(POSTCLOSE_OF_DEVICE)
static void foo_postclose(struct foo_device *foo, struct drm_file *file)
#else
static void foo_postclose(struct drm_device *drm, struct drm_file *file)
#endif
{
	kfree(file->driver_priv);
}

/* The core calls postclose only if open succeeded. */
const struct drm_driver foo_driver = {
	.open = foo_open,
	.postclose = foo_postclose,
};
