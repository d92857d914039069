// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 41
// title: device and drm_driver of different types
// rust: b
// wrong: OTHER_DRIVER C: foo_dev_alloc\(\) is given 'bar_driver', which has callbacks of 'bar'
// wrong: OTHER_CALLBACK C: foo_dev_alloc\(\) is given 'mixed_driver', which has callbacks of 'bar'
// run: drm_dev_ctx.drm_dev_ctx_test_other_driver: no file is opened, one report
// run: drm_dev_ctx_edge.other_ioctls: without files of its own, no ioctl

#include "foo.h"

struct bar_device {
	u64 busy;
	struct drm_device drm;
};

struct bar_file {
	struct drm_file *drm;
};

DRM_DEV_CTX(bar, struct bar_device, drm, void, struct bar_file);

static struct bar_file *bar_open(struct bar_device *bar, struct drm_file *file)
{
	bar->busy++;
	return kzalloc_obj(struct bar_file);
}

static void bar_postclose(struct bar_device *bar, struct bar_file *file)
{
	kfree(file);
}

DRM_DEV_FILE_OPS(bar, NORMAL, bar_open, bar_postclose);

static const struct file_operations bar_fops = {
	.owner = THIS_MODULE,
	DRM_GEM_FOPS,
};

static const struct drm_driver bar_driver = {
	.open = bar_drm_open,
	.postclose = bar_drm_postclose,
	.fops = &bar_fops,
};

#if defined(OTHER_CALLBACK)
static const struct drm_driver mixed_driver = {
	.postclose = bar_drm_postclose,
	.fops = &bar_fops,
};
#endif

struct bar_unreg *bar_probe(struct device *dev)
{
	return bar_dev_alloc(dev, &bar_driver);
}

#if defined(OTHER_DRIVER)
struct foo_unreg *foo_probe_other(struct device *dev)
{
	return foo_dev_alloc(dev, &bar_driver);
}
#elif defined(OTHER_CALLBACK)
struct foo_unreg *foo_probe_other(struct device *dev)
{
	return foo_dev_alloc(dev, &mixed_driver);
}
#endif
