// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 41
// title: device and drm_driver of different types
// rust: b
// wrong: OTHER_DRIVER C: 'bar_driver' takes the device for a struct bar_device
// wrong: OTHER_CALLBACK C: 'mixed_driver' takes the device for a struct bar_device
// wrong: OTHER_IOCTLS C: 'mixed_driver' takes the device for a struct bar_device
// run: drm_dev_ctx_edge.other_type_of_driver: A second type of device gives -EINVAL for the same drm_driver.
// run: drm_dev_ctx_edge.other_type: With CONFIG_DRM_SAFE_DEBUG, the first wrong call is reported.
// run: drm_dev_ctx_edge.other_ioctls_of_type: The same holds for handlers that take only the registration data.
// run: drm_dev_ctx_edge.other_object: A driver that consists of several object files is one driver.
// run: drm_shmem_sgt.import_foreign_device: DRM_SHMEM_DRIVER_OPS_SGT on a device without contexts gives -ENODEV and a report.

#include "foo.h"

struct bar_device {
	u64 busy;
	struct drm_dev_ctx ctx;
};

static inline struct bar_device *to_bar(struct drm_device *drm)
{
	return drm_dev_ctx_entry(drm, struct bar_device, ctx);
}

static int bar_open(struct drm_device *drm, struct drm_file *file)
{
	to_bar(drm)->busy++;
	return 0;
}

static void bar_postclose(struct drm_device *drm, struct drm_file *file)
{
	to_bar(drm)->busy--;
}

static const struct file_operations bar_fops = {
	.owner = THIS_MODULE,
	DRM_GEM_FOPS,
};

#define DRM_IOCTL_BAR_BUSY	DRM_IOR(DRM_COMMAND_BASE, u64)

/* Proof that a struct bar_device is registered */
struct bar_reg {
	struct drm_dev_ctx_reg base;
};

static int bar_ioctl_busy(const struct bar_reg *reg, u64 *busy, struct drm_file *file)
{
	*busy = to_bar(drm_dev_ctx_reg_drm(&reg->base))->busy;
	return 0;
}

DRM_DEV_CTX_IOCTL(BAR_BUSY, bar_ioctl_busy, bar_reg, u64);

DRM_DEV_CTX_IOCTLS(bar_ioctls) = {
	DRM_DEV_CTX_IOCTL_DEF(BAR_BUSY, DRM_RENDER_ALLOW),
};

static const struct drm_driver bar_driver = {
	.open = bar_open,
	.postclose = bar_postclose,
	.ioctls = bar_ioctls,
	.num_ioctls = ARRAY_SIZE(bar_ioctls),
	.fops = &bar_fops,
};

#if defined(OTHER_CALLBACK)
static const struct drm_driver mixed_driver = {
	.postclose = bar_postclose,
	.fops = &bar_fops,
};
#elif defined(OTHER_IOCTLS)
static const struct drm_driver mixed_driver = {
	.ioctls = bar_ioctls,
	.num_ioctls = ARRAY_SIZE(bar_ioctls),
	.fops = &bar_fops,
};
#endif

struct drm_dev_ctx_unreg *bar_probe(struct device *dev)
{
	return drm_dev_ctx_alloc(dev, &bar_driver, struct bar_device, ctx);
}

#if defined(OTHER_DRIVER)
struct drm_dev_ctx_unreg *foo_probe_other(struct device *dev)
{
	return drm_dev_ctx_alloc(dev, &bar_driver, struct foo_device, ctx);
}
#elif defined(OTHER_CALLBACK) || defined(OTHER_IOCTLS)
struct drm_dev_ctx_unreg *foo_probe_other(struct device *dev)
{
	return drm_dev_ctx_alloc(dev, &mixed_driver, struct foo_device, ctx);
}
#endif
