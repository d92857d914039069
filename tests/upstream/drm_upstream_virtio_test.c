// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Reproducers of faults in the virtio core that drivers of virtual GPUs run into.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/workqueue.h>

#include "drm_upstream_test.h"

/* No device has this number. */
#define UPSTREAM_VIRTIO_ID	0xfffe

struct upstream_virtio {
	struct virtio_device base;
	struct work_struct reset;
	struct completion freed;
	bool removing, called;
	u8 status;
};

static struct upstream_virtio *to_upstream_virtio(struct virtio_device *vdev)
{
	return container_of(vdev, struct upstream_virtio, base);
}

static u8 upstream_virtio_get_status(struct virtio_device *vdev)
{
	return to_upstream_virtio(vdev)->status;
}

static void upstream_virtio_set_status(struct virtio_device *vdev, u8 status)
{
	to_upstream_virtio(vdev)->status = status;
}

static void upstream_virtio_reset(struct virtio_device *vdev)
{
	to_upstream_virtio(vdev)->status = 0;
}

static u64 upstream_virtio_get_features(struct virtio_device *vdev)
{
	return BIT_ULL(VIRTIO_F_VERSION_1);
}

static int upstream_virtio_finalize(struct virtio_device *vdev)
{
	return 0;
}

static const struct virtio_config_ops upstream_virtio_ops = {
	.get_status = upstream_virtio_get_status,
	.set_status = upstream_virtio_set_status,
	.reset = upstream_virtio_reset,
	.get_features = upstream_virtio_get_features,
	.finalize_features = upstream_virtio_finalize,
};

/* Prepares a reset, like virtio_pci before the bus resets the device. */
static void upstream_virtio_bus_reset(struct work_struct *work)
{
	virtio_device_reset_prepare(&container_of(work, struct upstream_virtio, reset)->base);
}

static int upstream_virtio_probe(struct virtio_device *vdev)
{
	return 0;
}

/* A driver frees its data here. A reset that takes the lock of the device waits for the end. */
static void upstream_virtio_remove(struct virtio_device *vdev)
{
	struct upstream_virtio *v = to_upstream_virtio(vdev);

	v->removing = true;
	schedule_work(&v->reset);
	for (unsigned int i = 0; i < 10 && !READ_ONCE(v->called); i++)
		msleep(20);
	v->removing = false;
	virtio_reset_device(vdev);
}

static int upstream_virtio_reset_prepare(struct virtio_device *vdev)
{
	struct upstream_virtio *v = to_upstream_virtio(vdev);

	WRITE_ONCE(v->called, v->removing);
	return 0;
}

static const struct virtio_device_id upstream_virtio_ids[] = {
	{ UPSTREAM_VIRTIO_ID, VIRTIO_DEV_ANY_ID },
	{ 0 }
};

static struct virtio_driver upstream_virtio_driver = {
	.driver.name = "drm_upstream_virtio",
	.id_table = upstream_virtio_ids,
	.probe = upstream_virtio_probe,
	.remove = upstream_virtio_remove,
	.reset_prepare = upstream_virtio_reset_prepare,
};

static void upstream_virtio_release(struct device *dev)
{
	complete(&to_upstream_virtio(dev_to_virtio(dev))->freed);
}

/* The bus resets the device while its driver is unbound: is the driver called then? */
static void virtio_reset(struct kunit *test)
{
	struct upstream_virtio *v = kunit_kzalloc(test, sizeof(*v), GFP_KERNEL);
	struct device *parent = root_device_register("drm_upstream_virtio");

	KUNIT_ASSERT_NOT_NULL(test, v);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, parent);
	KUNIT_ASSERT_EQ(test, register_virtio_driver(&upstream_virtio_driver), 0);
	INIT_WORK(&v->reset, upstream_virtio_bus_reset);
	init_completion(&v->freed);
	v->base.id.device = UPSTREAM_VIRTIO_ID;
	v->base.config = &upstream_virtio_ops;
	v->base.dev.parent = parent;
	v->base.dev.release = upstream_virtio_release;
	KUNIT_ASSERT_EQ(test, register_virtio_device(&v->base), 0);
	KUNIT_EXPECT_NOT_NULL(test, v->base.dev.driver);
	unregister_virtio_driver(&upstream_virtio_driver);
	flush_work(&v->reset);
	unregister_virtio_device(&v->base);
	wait_for_completion(&v->freed);
	root_device_unregister(parent);
	upstream_tell(test, "virtio-reset", v->called);
}

static struct kunit_case upstream_virtio_cases[] = {
	KUNIT_CASE(virtio_reset),
	{}
};

static struct kunit_suite upstream_virtio_suite = {
	.name = "drm_upstream_virtio",
	.test_cases = upstream_virtio_cases,
};

kunit_test_suite(upstream_virtio_suite);

MODULE_DESCRIPTION("Reproducers of faults in the virtio core");
MODULE_LICENSE("Dual MIT/GPL");
